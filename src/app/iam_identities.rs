//! Service ids and API keys of IAM: made, read, deleted.

use std::sync::Arc;

use crate::app::App;
use crate::app::builtin;
use crate::app::error::Error;
use crate::app::iam_policies::update as update_policy;
use crate::app::resource_keys;
use crate::crypto::base64;
use crate::crypto::compare;
use crate::domain::caller::Caller;
use crate::domain::iam_identity::{API_KEYS_MAX, ApiKey, SERVICE_IDS_MAX, ServiceIdentity, service_identity_of};
use crate::domain::iam_policy::{PolicyKind, PolicyState};
use crate::domain::id::{ApiKeyId, ServiceIdentityId};
use crate::domain::time::Timestamp;
use crate::store::tx::Tx;
use crate::store::{iam_identities, iam_policies};

/// Random bytes of a generated API key: 44 characters, as IBM's have.
const API_KEY_BYTES: usize = 33;

/// Why a service id or API key was not made, read or deleted.
#[derive(Debug)]
pub(crate) enum IdentityRefusal {
    ServiceIdNotFound,
    ApiKeyNotFound,
    /// An API key of the owner's is made by the owner alone.
    OwnersOwn,
    /// `iam_id` of a new API key is nobody's.
    NobodyByThatId,
    /// The text is an API key already.
    KeyIsTaken,
    TooManyServiceIds,
    TooManyApiKeys,
    Fault(Error),
}

impl From<Error> for IdentityRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::store::Error> for IdentityRefusal {
    fn from(fault: crate::store::Error) -> Self {
        Self::Fault(fault.into())
    }
}

/// What people call a service id or API key.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
}

/// A new API key.
pub(crate) struct NewApiKey {
    pub(crate) label: Label,
    /// Whom it is to speak for.
    pub(crate) iam_id: String,
    /// The key itself; one is made where there is none.
    pub(crate) key: Option<String>,
}

impl App {
    /// Makes a service id. It may do nothing until a policy names it.
    ///
    /// # Errors
    /// `TooManyServiceIds`.
    ///
    /// Source: API reference of IAM identity services.
    pub(crate) async fn create_service_id(
        &self,
        caller: &Arc<Caller>,
        label: Label,
        now: Timestamp,
    ) -> Result<ServiceIdentity, IdentityRefusal> {
        let made = ServiceIdentity {
            id: self.vault.service_identity_id().map_err(Error::from)?,
            name: label.name,
            description: label.description,
            created_at: now,
            created_by: caller.iam_id().to_owned(),
        };
        self.writer
            .run(move |tx| {
                if iam_identities::count_service_ids(tx)? >= SERVICE_IDS_MAX {
                    return Err(IdentityRefusal::TooManyServiceIds);
                }
                iam_identities::insert_service_id(tx, &made)?;
                Ok(made)
            })
            .await
    }

    /// A service id.
    ///
    /// # Errors
    /// `ServiceIdNotFound`.
    pub(crate) async fn get_service_id(
        &self,
        id: Option<ServiceIdentityId>,
    ) -> Result<ServiceIdentity, IdentityRefusal> {
        self.reader.run(move |tx| existing_service_id(tx, id)).await
    }

    /// Deletes a service id, its API keys, resource keys that stand for it, and the access policies that name it. Tokens
    /// it has are good for nothing.
    ///
    /// # Errors
    /// `ServiceIdNotFound`.
    ///
    /// Source: docs, serviceids.
    pub(crate) async fn delete_service_id(
        &self,
        caller: &Arc<Caller>,
        id: Option<ServiceIdentityId>,
        now: Timestamp,
    ) -> Result<(), IdentityRefusal> {
        let by = caller.iam_id().to_owned();
        self.writer
            .run(move |tx| {
                let one = existing_service_id(tx, id)?;
                iam_identities::delete_service_id(tx, &one)?;
                resource_keys::remove_all_for(tx, &one.id.to_string(), &by, now)?;
                let iam_id = one.identity().iam_id;
                for mut policy in iam_policies::in_state(tx, PolicyState::Active)? {
                    let named = policy.draft.subject.get("iam_id").is_some_and(|named| named.value == iam_id);
                    if policy.draft.kind == PolicyKind::Access && named {
                        let draft = policy.draft.clone();
                        policy.change(draft, PolicyState::Deleted, &by, now);
                        // At once: nobody is left whose rights could linger.
                        update_policy(tx, &policy, None)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Makes an API key for a service id, or for the account's owner. The key itself is shown here and nowhere else.
    ///
    /// # Errors
    /// `OwnersOwn`, `NobodyByThatId`, `KeyIsTaken`, `TooManyApiKeys`.
    ///
    /// Source: API reference of IAM identity services.
    pub(crate) async fn create_api_key(
        &self,
        caller: &Arc<Caller>,
        wanted: NewApiKey,
        now: Timestamp,
    ) -> Result<(ApiKey, String), IdentityRefusal> {
        if wanted.iam_id == builtin::owner().iam_id && caller.iam_id() != wanted.iam_id {
            return Err(IdentityRefusal::OwnersOwn);
        }
        let key = match wanted.key {
            Some(key) => key,
            None => base64::encode_url(self.vault.random.array::<API_KEY_BYTES>().map_err(Error::from)?),
        };
        let made = ApiKey {
            id: self.vault.api_key_id().map_err(Error::from)?,
            name: wanted.label.name,
            description: wanted.label.description,
            iam_id: wanted.iam_id,
            digest: compare::sha256(key.as_bytes()),
            created_at: now,
            created_by: caller.iam_id().to_owned(),
        };
        let owners = self.tokens.is_owner_key(&made.digest);
        let made = self
            .writer
            .run(move |tx| {
                let known = match service_identity_of(&made.iam_id) {
                    Some(id) => iam_identities::service_id(tx, id)?.is_some(),
                    None => made.iam_id == builtin::owner().iam_id,
                };
                if !known {
                    return Err(IdentityRefusal::NobodyByThatId);
                }
                if owners || iam_identities::api_key_by_digest(tx, &made.digest)?.is_some() {
                    return Err(IdentityRefusal::KeyIsTaken);
                }
                if iam_identities::count_api_keys(tx, &made.iam_id)? >= API_KEYS_MAX {
                    return Err(IdentityRefusal::TooManyApiKeys);
                }
                iam_identities::insert_api_key(tx, &made)?;
                Ok(made)
            })
            .await?;
        Ok((made, key))
    }

    /// What is known of an API key.
    ///
    /// # Errors
    /// `ApiKeyNotFound`.
    pub(crate) async fn get_api_key(&self, id: Option<ApiKeyId>) -> Result<ApiKey, IdentityRefusal> {
        self.reader.run(move |tx| existing_api_key(tx, id)).await
    }

    /// Deletes an API key: no token is had for it any more.
    ///
    /// # Errors
    /// `ApiKeyNotFound`.
    pub(crate) async fn delete_api_key(&self, id: Option<ApiKeyId>) -> Result<(), IdentityRefusal> {
        self.writer
            .run(move |tx| {
                let key = existing_api_key(tx, id)?;
                Ok(iam_identities::delete_api_key(tx, key.id)?)
            })
            .await
    }
}

fn existing_service_id(tx: &Tx<'_>, id: Option<ServiceIdentityId>) -> Result<ServiceIdentity, IdentityRefusal> {
    let found = id.map(|id| iam_identities::service_id(tx, id)).transpose()?;
    found.flatten().ok_or(IdentityRefusal::ServiceIdNotFound)
}

fn existing_api_key(tx: &Tx<'_>, id: Option<ApiKeyId>) -> Result<ApiKey, IdentityRefusal> {
    let found = id.map(|id| iam_identities::api_key(tx, id)).transpose()?;
    found.flatten().ok_or(IdentityRefusal::ApiKeyNotFound)
}
