//! Key Protect as the gateway sees it: Key Protect's own use cases, under the identity of the storage instance that owns
//! the bucket. Each call leaves the record that it would leave over HTTP.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::error::Error;
use crate::app::keys_in_use::key_in_use;
use crate::app::registrations::{self, Asked};
use crate::app::wrap::{self, UnwrapInput, WrapInput};
use crate::cos::domain::key_crn::KeyCrn;
use crate::cos::key_protect::{DataKey, KeyCall, KeyProtect, KeyRefusal, UnwrappedKey, WrappedKey};
use crate::crypto::envelope;
use crate::domain::access::Roles;
use crate::domain::alias::KeyRef;
use crate::domain::audit::Record;
use crate::domain::caller::{Caller, Identity};
use crate::domain::context::{Context, Trace};
use crate::domain::id::{KeyId, VersionId};
use crate::domain::instance::Instance;
use crate::domain::key::State;
use crate::domain::operation::Operation;
use crate::domain::reason::Reason;
use crate::domain::registration::{RegistrationDraft, ResourceCrn};
use crate::store::keys;
use crate::store::tx::Tx;

/// What a bucket's registration says to people (ASSUMED).
const DESCRIPTION: &str = "COS bucket encryption";

/// Key Protect, within the same process and store.
pub(super) struct WithinTheHouse(pub(super) Arc<App>);

/// A call that names a key which can be.
struct Prepared {
    cx: Arc<Context>,
    reference: KeyRef,
    key: KeyId,
}

impl WithinTheHouse {
    fn prepare(&self, call: &KeyCall, operation: Operation) -> Result<Prepared, KeyRefusal> {
        let caller = Arc::new(Caller::new(Identity::service(&call.service), &call.key.account, Roles::NONE));
        let key = call.key.key.ok_or(KeyRefusal::Gone)?;
        let instance = self.instance(&call.key).ok_or(KeyRefusal::Gone)?;
        let rights = self.0.rights(&caller, &instance);
        let trace = Trace { correlation: call.correlation.clone(), uri: String::new(), peer: None };
        let cx = Context { now: call.now, caller, rights, instance, operation, ring: None, trace };
        Ok(Prepared { cx: Arc::new(cx), reference: KeyRef::Id(key), key })
    }

    /// The Key Protect instance that a key's CRN names, if all its segments are right.
    fn instance(&self, crn: &KeyCrn) -> Option<Arc<Instance>> {
        let found = self.0.memory.instances.get(crn.instance?)?;
        let fits = found.is_active()
            && found.service == crate::domain::instance::Service::KeyProtect
            && found.account == crn.account
            && found.region == crn.region;
        fits.then_some(found)
    }

    /// Turns a failure into what the gateway is told, and leaves the record of a refusal.
    async fn refused(&self, prepared: &Prepared, error: Error) -> KeyRefusal {
        let Error::Refused(reason) = &error else {
            error.report("Key Protect failed the storage gateway");
            return match error {
                Error::Store(fault) if fault.is_stop() => KeyRefusal::Store(fault),
                Error::Refused(_) | Error::Store(_) | Error::Crypto(_) => KeyRefusal::Fault,
            };
        };
        let row = reason.row();
        let mut record = Record::of(&prepared.cx, if row.status == 403 { 401 } else { row.status });
        record.failure = row.message.into_owned();
        record.target.key = Some(prepared.key);
        self.0.note(record).await;
        told(reason)
    }

    fn register_or_change(
        &self,
        tx: &Tx<'_>,
        call: &KeyCall,
        operation: Operation,
        draft: RegistrationDraft,
    ) -> Result<(), KeyRefusal> {
        let prepared = self.prepare(call, operation)?;
        let resource = ResourceCrn::parse(&call.resource).ok_or(KeyRefusal::Fault)?;
        let asked = Asked { key: prepared.reference, resource: Ok(resource), if_match: None, body: Ok(draft) };
        let done = if operation == Operation::CreateRegistration {
            registrations::create_in(&self.0, tx, &prepared.cx, asked)
        } else {
            registrations::change_in(&self.0, tx, &prepared.cx, asked)
        };
        match done {
            Ok(_) => Ok(()),
            Err(Error::Refused(reason)) => Err(told(&reason)),
            Err(Error::Store(fault)) => Err(KeyRefusal::Store(fault)),
            Err(Error::Crypto(_)) => Err(KeyRefusal::Fault),
        }
    }
}

/// What a reason means for a bucket. Of an unwrap, a key that is neither usable nor deleted is suspended.
fn told(reason: &Reason) -> KeyRefusal {
    match reason.row().status {
        401 | 403 => KeyRefusal::Unauthorized,
        404 => KeyRefusal::Gone,
        409 => KeyRefusal::Suspended,
        410 => KeyRefusal::Deleted,
        422 if *reason == Reason::UnprocessableCiphertext => KeyRefusal::OtherMaterial,
        _ => KeyRefusal::NotUsable,
    }
}

fn unwrap_input(call: &KeyCall, ciphertext: &str) -> Result<UnwrapInput, Reason> {
    let envelope = envelope::parse(ciphertext).map_err(|_| Reason::UnprocessableCiphertext)?;
    Ok(UnwrapInput { envelope, aad: envelope::join_aad([call.resource.as_str()]) })
}

fn data_key(plaintext: &[u8]) -> Result<DataKey, KeyRefusal> {
    let bytes: [u8; 32] = plaintext.try_into().map_err(|_| KeyRefusal::OtherMaterial)?;
    Ok(DataKey::new(bytes))
}

impl KeyProtect for WithinTheHouse {
    fn wrap<'a>(&'a self, call: &'a KeyCall, data_key: &'a DataKey) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>> {
        Box::pin(async move {
            let prepared = self.prepare(call, Operation::Wrap)?;
            let plaintext = Some(Zeroizing::new(data_key.to_vec()));
            let input = WrapInput { plaintext, aad: envelope::join_aad([call.resource.as_str()]) };
            match wrap::wrap(&self.0, Arc::clone(&prepared.cx), &prepared.reference, Ok(input)).await {
                Ok(wrapped) => Ok(WrappedKey { ciphertext: wrapped.ciphertext, version: wrapped.version }),
                Err(error) => Err(self.refused(&prepared, error).await),
            }
        })
    }

    fn unwrap<'a>(&'a self, call: &'a KeyCall, ciphertext: &'a str) -> BoxFuture<'a, Result<UnwrappedKey, KeyRefusal>> {
        Box::pin(async move {
            let prepared = self.prepare(call, Operation::Unwrap)?;
            let input = unwrap_input(call, ciphertext);
            match wrap::unwrap(&self.0, Arc::clone(&prepared.cx), &prepared.reference, input).await {
                Ok(unwrapped) => {
                    let held = key_in_use(&self.0, &prepared.cx, &prepared.reference).await;
                    let renewed = unwrapped.renewed;
                    Ok(UnwrappedKey {
                        data_key: data_key(&unwrapped.plaintext)?,
                        expired: held.is_ok_and(|held| held.key.state == State::Deactivated),
                        renewed: renewed.map(|one| WrappedKey { ciphertext: one.ciphertext, version: one.version }),
                    })
                }
                Err(error) => Err(self.refused(&prepared, error).await),
            }
        })
    }

    fn rewrap<'a>(&'a self, call: &'a KeyCall, ciphertext: &'a str) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>> {
        Box::pin(async move {
            let prepared = self.prepare(call, Operation::Rewrap)?;
            let input = unwrap_input(call, ciphertext);
            match wrap::rewrap(&self.0, Arc::clone(&prepared.cx), &prepared.reference, input).await {
                Ok(done) => Ok(WrappedKey { ciphertext: done.renewed.ciphertext, version: done.renewed.version }),
                Err(error) => Err(self.refused(&prepared, error).await),
            }
        })
    }

    fn exists<'a>(&'a self, key: &'a KeyCrn) -> BoxFuture<'a, Result<bool, KeyRefusal>> {
        Box::pin(async move {
            let (Some(instance), Some(key)) = (self.instance(key), key.key) else { return Ok(false) };
            let found = self.0.read(move |tx| Ok(keys::find(tx, instance.id, &KeyRef::Id(key))?)).await;
            found.map(|key| key.is_some()).map_err(|_| KeyRefusal::Fault)
        })
    }

    fn register(&self, tx: &Tx<'_>, call: &KeyCall, version: VersionId) -> Result<(), KeyRefusal> {
        let draft = RegistrationDraft {
            prevent_deletion: Some(false),
            description: Some(DESCRIPTION.to_owned()),
            metadata: None,
            version: Some(version),
        };
        self.register_or_change(tx, call, Operation::CreateRegistration, draft)
    }

    fn note_version(&self, tx: &Tx<'_>, call: &KeyCall, version: VersionId) -> Result<(), KeyRefusal> {
        let draft = RegistrationDraft { version: Some(version), ..RegistrationDraft::default() };
        self.register_or_change(tx, call, Operation::UpdateRegistration, draft)
    }

    fn prevent_deletion(&self, tx: &Tx<'_>, call: &KeyCall) -> Result<(), KeyRefusal> {
        let draft = RegistrationDraft { prevent_deletion: Some(true), ..RegistrationDraft::default() };
        self.register_or_change(tx, call, Operation::UpdateRegistration, draft)
    }

    fn deregister(&self, tx: &Tx<'_>, call: &KeyCall) -> Result<(), KeyRefusal> {
        let Ok(prepared) = self.prepare(call, Operation::DeleteRegistration) else { return Ok(()) };
        let resource = ResourceCrn::parse(&call.resource).ok_or(KeyRefusal::Fault)?;
        match registrations::withdraw(&self.0, tx, &prepared.cx, prepared.key, &resource) {
            Ok(()) => Ok(()),
            Err(Error::Store(fault)) => Err(KeyRefusal::Store(fault)),
            Err(_) => Err(KeyRefusal::Fault),
        }
    }
}
