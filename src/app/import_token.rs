//! Import tokens: made, retrieved, and used to open what was sealed for them.

use std::sync::Arc;

use crate::app::App;
use crate::app::error::Error;
use crate::app::lookup;
use crate::crypto::import_key::{self, ImportKey};
use crate::crypto::random::NONCE_BYTES;
use crate::crypto::seal_key::SealKey;
use crate::crypto::{Error as CryptoError, compare};
use crate::domain::access::Place;
use crate::domain::audit::{Datum, Record, Side};
use crate::domain::context::Context;
use crate::domain::id::InstanceId;
use crate::domain::import_token::{ImportToken, SealedMaterial, Wanted};
use crate::domain::material::{Material, is_root_key_length};
use crate::domain::reason::Reason;
use crate::store::import_tokens;

/// Makes an instance's import token; an older one is replaced.
///
/// # Errors
/// What the body breaks.
///
/// Source: docs, create-import-tokens.
pub(crate) async fn create(
    app: &Arc<App>,
    cx: Arc<Context>,
    wanted: Result<Wanted, Reason>,
) -> Result<ImportToken, Error> {
    cx.allow(Place::Whole)?;
    let wanted = wanted?;
    let token = if let Some(token) = store(app, &cx, wanted, None).await? {
        token
    } else {
        let key = in_background(import_key::generate).await?;
        store(app, &cx, wanted, Some(key)).await?.ok_or(CryptoError::Refused("keep an RSA key"))?
    };
    app.make_import_keys_ahead();
    Ok(token)
}

/// Stores a token with a key that was made for it, or else with one that waits. `None` when none waits.
async fn store(
    app: &Arc<App>,
    cx: &Arc<Context>,
    wanted: Wanted,
    key: Option<ImportKey>,
) -> Result<Option<ImportToken>, Error> {
    let (shared, cx) = (Arc::clone(app), Arc::clone(cx));
    app.write(move |tx| {
        lookup::living_instance(tx, cx.instance.id)?;
        let key = match key {
            Some(key) => Some(key),
            None => shared.waiting_import_key(tx)?,
        };
        let Some(ImportKey { private, public }) = key else { return Ok(None) };
        let created_at = cx.now.whole_seconds();
        let token = ImportToken {
            created_at,
            expires_at: created_at.plus(wanted.lifetime),
            retrievals_max: wanted.retrievals,
            retrievals_left: wanted.retrievals,
            challenge: shared.vault.random.array()?,
            public_key: public,
        };
        let sealed = shared.vault.seal(&place(cx.instance.id), private.bytes())?;
        import_tokens::set(tx, cx.instance.id, &token, &sealed)?;
        let mut record = Record::of(&cx, 200);
        record.respond("expirationDate", token.expires_at.rfc3339());
        record.add(Side::Response, "maxAllowedRetrievals", Datum::Number(token.retrievals_max));
        shared.record(tx, record)?;
        Ok(Some(token))
    })
    .await
}

/// Retrieves an instance's import token; what is left is counted before it is told.
///
/// # Errors
/// `ImportTokenNotFound` (ASSUMED); `ImportTokenExpired`.
///
/// Source: docs, create-import-tokens.
pub(crate) async fn retrieve(app: &Arc<App>, cx: Arc<Context>) -> Result<ImportToken, Error> {
    cx.allow(Place::Whole)?;
    let shared = Arc::clone(app);
    app.write(move |tx| {
        let (mut token, _) = import_tokens::get(tx, cx.instance.id)?.ok_or(Reason::ImportTokenNotFound)?;
        token.retrieve(cx.now)?;
        import_tokens::set_retrievals_left(tx, cx.instance.id, token.retrievals_left)?;
        let mut record = Record::of(&cx, 200);
        record.add(Side::Response, "maxAllowedRetrievals", Datum::Number(token.retrievals_max));
        record.add(Side::Response, "remainingRetrievals", Datum::Number(token.retrievals_left));
        shared.record(tx, record)?;
        Ok(token)
    })
    .await
}

/// Opens material that was sealed for an instance's import token.
///
/// # Errors
/// `InvalidField` when the payload does not open or is no root key's; `IncorrectNonceIv`; `IncorrectNonce`;
/// `ImportTokenExpired`, also when no token was ever made (ASSUMED).
///
/// Source: docs, importing-keys; go-client; `docs/contract/keys.md` 13.
pub(crate) async fn open(app: &Arc<App>, cx: &Arc<Context>, sealed: SealedMaterial) -> Result<Material, Error> {
    let (instance, now) = (cx.instance.id, cx.now);
    let found = app.read(move |tx| Ok(import_tokens::get(tx, instance)?)).await?;
    let (token, row) = found.ok_or(Reason::ImportTokenExpired)?;
    let private = app.vault.open(&place(instance), row)?;
    let SealedMaterial { payload, nonce, iv } = sealed;
    let opened = in_background(move || import_key::open(&private, &payload)).await?;
    let material = opened.filter(|material| is_root_key_length(material.bytes().len()));
    let material = material.ok_or_else(|| {
        Reason::field(
            "payload",
            "16, 24 or 32 bytes of key material, encrypted with the public key of the import token",
        )
    })?;
    check_nonce(&material, &nonce, &iv, &token)?;
    token.check(now)?;
    Ok(material)
}

fn check_nonce(material: &Material, nonce: &[u8], iv: &[u8], token: &ImportToken) -> Result<(), Error> {
    let iv: [u8; NONCE_BYTES] = iv.try_into().map_err(|_| Reason::IncorrectNonceIv)?;
    let mut bytes = nonce.to_vec();
    let opened = SealKey::new(material.bytes())?.open(iv, b"", &mut bytes).ok_or(Reason::IncorrectNonceIv)?;
    if compare::equal(opened, &token.challenge) { Ok(()) } else { Err(Reason::IncorrectNonce.into()) }
}

/// RSA takes its time, so it runs beside the workers.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CryptoError> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| CryptoError::Refused("finish its work"))??)
}

fn place(instance: InstanceId) -> String {
    format!("import token {instance}")
}
