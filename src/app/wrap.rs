//! The hot path: wrap, unwrap and rewrap. Nothing here waits for a disk once the key is in use.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::app::App;
use crate::app::error::Error;
use crate::app::keys_in_use::{KeyInUse, UsableVersion, key_in_use};
use crate::crypto::envelope::{self, Envelope};
use crate::domain::access::Place;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::context::Context;
use crate::domain::id::VersionId;
use crate::domain::key::machine::Action;
use crate::domain::material::GENERATED_BYTES;
use crate::domain::reason::Reason;

/// A data key in clear.
pub(crate) type Plaintext = Zeroizing<Vec<u8>>;

/// What is to be wrapped.
pub(crate) struct WrapInput {
    /// `None`: the service makes a data key of 32 bytes.
    pub(crate) plaintext: Option<Plaintext>,
    /// AAD strings, joined.
    pub(crate) aad: Vec<u8>,
}

/// What is to be unwrapped or rewrapped.
pub(crate) struct UnwrapInput {
    pub(crate) envelope: Envelope,
    /// AAD strings, joined.
    pub(crate) aad: Vec<u8>,
}

/// A wrapped data key.
pub(crate) struct Wrapped {
    /// Only when the service made the data key.
    pub(crate) plaintext: Option<Plaintext>,
    pub(crate) ciphertext: String,
    pub(crate) version: VersionId,
}

/// An unwrapped data key.
pub(crate) struct Unwrapped {
    pub(crate) plaintext: Plaintext,
    pub(crate) version: VersionId,
    /// Under the newest version, when another one sealed what came.
    pub(crate) renewed: Option<Renewed>,
}

/// A ciphertext under the newest version.
pub(crate) struct Renewed {
    pub(crate) ciphertext: String,
    pub(crate) version: VersionId,
}

/// A rewrapped data key.
pub(crate) struct Rewrapped {
    pub(crate) version: VersionId,
    pub(crate) renewed: Renewed,
}

/// Seals a data key under the newest version.
///
/// # Errors
/// `KeyNotFound`; what the body breaks; `KeyRootRequired`; `KeyInvalidState` unless active; `KeyDeleted`.
///
/// Source: docs, wrap-keys.
pub(crate) async fn wrap(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: &KeyRef,
    input: Result<WrapInput, Reason>,
) -> Result<Wrapped, Error> {
    cx.allow(Place::Anywhere)?;
    let held = key_in_use(app, &cx, reference).await?;
    let input = input?;
    held.key.check(Action::Wrap, cx.now)?;
    let newest = newest(&held)?;
    let (given, made) = match input.plaintext {
        Some(given) => (Some(given), None),
        None => (None, Some(random_data_key(app)?)),
    };
    let plaintext = given.as_ref().or(made.as_ref()).map_or(&[][..], |bytes| bytes.as_slice());
    let ciphertext = envelope::seal(&newest.seal_key, newest.id.as_bytes(), &input.aad, plaintext, &app.vault.random)?;
    let version = newest.id;
    note(app, &cx, &held, [Some(version), None]).await;
    Ok(Wrapped { plaintext: made, ciphertext, version })
}

/// Opens a ciphertext with the version that sealed it; seals it anew when that one is not the newest.
///
/// # Errors
/// `KeyNotFound`; what the body breaks; `KeyRootRequired`; `KeyInvalidState` unless active or deactivated; `KeyDeleted`;
/// `UnprocessableCiphertext`.
///
/// Source: docs, unwrap-keys.
pub(crate) async fn unwrap(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: &KeyRef,
    input: Result<UnwrapInput, Reason>,
) -> Result<Unwrapped, Error> {
    cx.allow(Place::Anywhere)?;
    let held = key_in_use(app, &cx, reference).await?;
    let input = input?;
    held.key.check(Action::Unwrap, cx.now)?;
    let (plaintext, version) = open(&held, &input)?;
    let newest = newest(&held)?;
    let renewed = if version == newest.id { None } else { Some(seal_anew(app, newest, &input.aad, &plaintext)?) };
    note(app, &cx, &held, [Some(version), None]).await;
    Ok(Unwrapped { plaintext, version, renewed })
}

/// Seals what a ciphertext holds under the newest version, without showing it.
///
/// # Errors
/// As [`unwrap`].
///
/// Source: docs, rewrap-keys.
pub(crate) async fn rewrap(
    app: &Arc<App>,
    cx: Arc<Context>,
    reference: &KeyRef,
    input: Result<UnwrapInput, Reason>,
) -> Result<Rewrapped, Error> {
    cx.allow(Place::Anywhere)?;
    let held = key_in_use(app, &cx, reference).await?;
    let input = input?;
    held.key.check(Action::Rewrap, cx.now)?;
    let (plaintext, version) = open(&held, &input)?;
    let renewed = seal_anew(app, newest(&held)?, &input.aad, &plaintext)?;
    note(app, &cx, &held, [Some(version), Some(renewed.version)]).await;
    Ok(Rewrapped { version, renewed })
}

fn newest(held: &KeyInUse) -> Result<&UsableVersion, Error> {
    held.versions.first().ok_or_else(|| Reason::UnprocessableCiphertext.into())
}

fn random_data_key(app: &App) -> Result<Plaintext, Error> {
    let bytes: Zeroizing<[u8; GENERATED_BYTES]> = Zeroizing::new(app.vault.random.pooled()?);
    Ok(Zeroizing::new(bytes.to_vec()))
}

fn seal_anew(app: &App, newest: &UsableVersion, aad: &[u8], plaintext: &[u8]) -> Result<Renewed, Error> {
    let ciphertext = envelope::seal(&newest.seal_key, newest.id.as_bytes(), aad, plaintext, &app.vault.random)?;
    Ok(Renewed { ciphertext, version: newest.id })
}

/// Keys with equal material are interchangeable, so a handle of another key makes us try each version, newest first.
/// Source: docs, unwrap-keys.
fn open(held: &KeyInUse, input: &UnwrapInput) -> Result<(Plaintext, VersionId), Error> {
    let named = input.envelope.handle.and_then(|handle| held.versions.iter().find(|one| *one.id.as_bytes() == handle));
    if let Some(version) = named {
        return open_with(version, input).ok_or_else(|| Reason::UnprocessableCiphertext.into());
    }
    let opened = held.versions.iter().find_map(|version| open_with(version, input));
    opened.ok_or_else(|| Reason::UnprocessableCiphertext.into())
}

fn open_with(version: &UsableVersion, input: &UnwrapInput) -> Option<(Plaintext, VersionId)> {
    let mut bytes = Zeroizing::new(input.envelope.sealed.clone());
    let length = version.seal_key.open(input.envelope.nonce?, &input.aad, &mut bytes)?.len();
    bytes.truncate(length);
    Some((bytes, version.id))
}

async fn note(app: &App, cx: &Arc<Context>, held: &KeyInUse, versions: [Option<VersionId>; 2]) {
    let make = || {
        let mut record = Record::of(cx, 200).about(&held.key);
        record.expiry(&held.key);
        for (name, version) in ["keyVersionId", "rewrappedKeyVersionId"].into_iter().zip(versions) {
            if let Some(version) = version {
                record.respond(name, version.to_string());
            }
        }
        record
    };
    // What is left of an expiring key's life, and the ring that a header names, differ from request to request.
    if cx.ring.is_some() || held.key.expires_at.is_some() {
        Box::pin(app.note(make())).await;
    } else {
        let common = held.common(cx, versions, make);
        app.note_light(&common, cx).await;
    }
}
