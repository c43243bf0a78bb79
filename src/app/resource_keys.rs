//! Resource keys: credentials of service instances, an HMAC pair among them where that was asked for.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::app::App;
use crate::app::builtin;
use crate::app::error::Error;
use crate::app::iam_policies;
use crate::app::vault::Vault;
use crate::crypto::compare;
use crate::domain::caller::{Caller, Identity};
use crate::domain::iam_identity::is_made_up;
use crate::domain::iam_policy::{Attribute, Conditions, IamPolicy, PolicyDraft, PolicyKind, PolicyState};
use crate::domain::id::{IamPolicyId, InstanceId, ResourceKeyId};
use crate::domain::instance::Instance;
use crate::domain::resource_key::ResourceKey;
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::store::resource_keys::StoredKey;
use crate::store::secrets::{self, SealedRow};
use crate::store::tx::Tx;
use crate::store::{Error as StoreError, iam_identities, instances, resource_keys};

/// Name of the built-in pair among the service's secrets: id and secret, in two lines.
const BUILT_IN_PAIR: &str = "cos-hmac";
/// Bytes of an id and of a secret, which are written in hexadecimal. Source: samples of credentials in IBM's documents.
const ACCESS_KEY_BYTES: usize = 16;
const SECRET_BYTES: usize = 24;
/// Bytes of an API key, written in base64url: 44 characters.
const API_KEY_BYTES: usize = 33;

/// A new resource key as its maker wants it.
#[derive(Clone, Debug)]
pub(crate) struct NewResourceKey {
    pub(crate) name: String,
    pub(crate) instance: InstanceId,
    pub(crate) role: &'static Role,
    pub(crate) hmac: Hmac,
    /// UUID of a service id of the maker's account; one is made where there is none.
    pub(crate) service_id: Option<String>,
}

/// Whether a resource key has an HMAC pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hmac {
    With,
    Without,
}

/// A resource key as its owner sees it.
pub(crate) struct Shown {
    pub(crate) key: ResourceKey,
    pub(crate) instance: Arc<Instance>,
    /// `None` once it was removed.
    pub(crate) secrets: Option<Secrets>,
}

/// What is secret about a resource key. Has no `Debug`.
pub(crate) struct Secrets {
    pub(crate) api_key: Zeroizing<String>,
    /// Where it has an HMAC pair.
    pub(crate) hmac_secret: Option<Zeroizing<String>>,
}

/// An HMAC pair. Has no `Debug`.
pub(crate) struct HmacPair {
    pub(crate) access_key_id: String,
    pub(crate) secret: Zeroizing<String>,
}

/// Whom an HMAC pair stands for, and the secret that its signatures are made with. Has no `Debug`.
pub(crate) struct HmacOwner {
    /// The instance that the pair is a credential of.
    pub(crate) instance: Arc<Instance>,
    pub(crate) caller: Arc<Caller>,
    pub(crate) secret: Zeroizing<String>,
}

/// Why a resource key was not made, found or changed.
#[derive(Debug)]
pub(crate) enum ResourceKeyRefusal {
    NotFound,
    /// It was removed before.
    Gone,
    /// The instance that it should be of is not there.
    NoInstance,
    /// The service id that it should be for is not there.
    NoServiceId,
    Fault(Error),
}

impl From<Error> for ResourceKeyRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for ResourceKeyRefusal {
    fn from(fault: StoreError) -> Self {
        Self::Fault(fault.into())
    }
}

impl From<crate::crypto::Error> for ResourceKeyRefusal {
    fn from(fault: crate::crypto::Error) -> Self {
        Self::Fault(fault.into())
    }
}

impl App {
    /// Makes credentials of an instance: an API key of a service id that has the role on it, and an HMAC pair if wanted.
    ///
    /// # Errors
    /// `NoInstance`, `NoServiceId`.
    ///
    /// Source: API reference of the Resource Controller; docs, uhc-hmac-credentials.
    pub(crate) async fn create_resource_key(
        &self,
        caller: &Caller,
        wanted: NewResourceKey,
        now: Timestamp,
    ) -> Result<Shown, ResourceKeyRefusal> {
        let instance = self.memory.instances.get(wanted.instance).filter(|instance| instance.is_active());
        let instance = instance.ok_or(ResourceKeyRefusal::NoInstance)?;
        let pair = match wanted.hmac {
            Hmac::With => Some(new_pair(&self.vault)?),
            Hmac::Without => None,
        };
        let api_key: [u8; API_KEY_BYTES] = self.vault.random.array()?;
        let api_key = Zeroizing::new(crate::crypto::base64::encode_url(api_key));
        let by = caller.iam_id();
        let given = wanted.service_id.is_some();
        let service_id = match wanted.service_id {
            Some(given) if self.is_known(&Identity::service_id(&given)) => given,
            Some(_) => return Err(ResourceKeyRefusal::NoServiceId),
            None => uuid::Builder::from_random_bytes(self.vault.random.array()?).into_uuid().to_string(),
        };
        // It may have been deleted meanwhile, unless it is one that is made up of an API key.
        let may_be_gone = given && !is_made_up(&Identity::service_id(&service_id));
        let policy = self.vault.iam_policy_id()?;
        let key = ResourceKey {
            id: self.vault.resource_key_id()?,
            instance: wanted.instance,
            name: wanted.name,
            role: wanted.role.crn.to_owned(),
            service_id,
            policy: Some(policy),
            access_key_id: pair.as_ref().map(|pair| pair.access_key_id.clone()),
            created_at: now,
            created_by: by.to_owned(),
            updated: None,
            removed: None,
        };
        let secrets = Secrets { api_key, hmac_secret: pair.map(|pair| pair.secret) };
        let sealed = seal(&self.vault, key.id, &secrets)?;
        let digest = compare::sha256(secrets.api_key.as_bytes());
        let policy = access(policy, &key, &instance);
        let stored = key.clone();
        self.writer
            .run(move |tx| {
                if !instances::is_active(tx, stored.instance)? {
                    return Err(ResourceKeyRefusal::NoInstance);
                }
                if may_be_gone && !iam_identities::lives(tx, &stored.service_id)? {
                    return Err(ResourceKeyRefusal::NoServiceId);
                }
                crate::store::iam_policies::insert(tx, &policy)?;
                Ok(resource_keys::insert(tx, &stored, digest, &sealed)?)
            })
            .await?;
        Ok(Shown { key, instance, secrets: Some(secrets) })
    }

    /// A resource key, removed or not.
    ///
    /// # Errors
    /// `NotFound`.
    pub(crate) async fn get_resource_key(&self, id: ResourceKeyId) -> Result<Shown, ResourceKeyRefusal> {
        let stored: Option<StoredKey> = self.read(move |tx| Ok(resource_keys::get(tx, id)?)).await?;
        self.shown(stored.ok_or(ResourceKeyRefusal::NotFound)?)
    }

    /// All resource keys, removed ones too, in order of creation.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn list_resource_keys(&self) -> Result<Vec<Shown>, ResourceKeyRefusal> {
        let all: Vec<StoredKey> = self.read(|tx| Ok(resource_keys::all(tx)?)).await?;
        all.into_iter().map(|stored| self.shown(stored)).collect()
    }

    /// Gives a resource key another name.
    ///
    /// # Errors
    /// `NotFound`, `Gone`.
    pub(crate) async fn rename_resource_key(
        &self,
        caller: &Caller,
        id: ResourceKeyId,
        name: String,
        now: Timestamp,
    ) -> Result<Shown, ResourceKeyRefusal> {
        let by = caller.iam_id().to_owned();
        let renamed = self.writer.run(move |tx| {
            let (mut key, sealed) = living(tx, id)?;
            key.name = name;
            key.updated = Some((now, by));
            resource_keys::rename(tx, &key)?;
            Ok::<_, ResourceKeyRefusal>((key, sealed))
        });
        self.shown(renamed.await?)
    }

    /// Removes a resource key: neither its API key nor its HMAC pair are taken from the next request on.
    ///
    /// # Errors
    /// `NotFound`, `Gone`.
    pub(crate) async fn remove_resource_key(
        &self,
        caller: &Caller,
        id: ResourceKeyId,
        now: Timestamp,
    ) -> Result<(), ResourceKeyRefusal> {
        let by = caller.iam_id().to_owned();
        self.writer
            .run(move |tx| {
                let (key, _) = living(tx, id)?;
                Ok(remove(tx, key, &by, now)?)
            })
            .await
    }

    /// Whom an HMAC pair stands for; `None` for one that is not known, or whose instance was removed.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn owner_of_hmac(&self, access_key_id: &str) -> Result<Option<HmacOwner>, Error> {
        let wanted = access_key_id.to_owned();
        let (stored, built_in) = self
            .read(move |tx| {
                let stored = resource_keys::of_access_key(tx, &wanted)?;
                let built_in = if stored.is_none() { secrets::get(tx, BUILT_IN_PAIR)? } else { None };
                Ok((stored, built_in))
            })
            .await?;
        let (instance, identity, secret) = match (stored, built_in) {
            (Some((key, Some(sealed))), _) => {
                let secret = open(&self.vault, key.id, sealed)?.hmac_secret.unwrap_or_default();
                (Some(key.instance), Identity::service_id(&key.service_id), secret)
            }
            (None, Some(sealed)) => {
                let pair = pair_of(&self.vault, sealed)?;
                if pair.access_key_id != access_key_id {
                    return Ok(None);
                }
                (InstanceId::parse(builtin::OBJECT_STORAGE_ID), builtin::owner(), pair.secret)
            }
            (Some((_, None)) | None, _) => return Ok(None),
        };
        let instance = instance.and_then(|id| self.memory.instances.get(id)).filter(|instance| instance.is_active());
        Ok(instance.map(|instance| {
            let caller = self.tokens.caller(identity, &instance.account);
            HmacOwner { caller: Arc::new(caller), instance, secret }
        }))
    }

    fn shown(&self, (key, sealed): StoredKey) -> Result<Shown, ResourceKeyRefusal> {
        let secrets = sealed.map(|sealed| open(&self.vault, key.id, sealed)).transpose()?;
        let instance = self.memory.instances.get(key.instance).ok_or(ResourceKeyRefusal::NoInstance)?;
        Ok(Shown { key, instance, secrets })
    }
}

/// Removes all keys of an instance.
///
/// # Errors
/// The store's fault.
pub(crate) fn remove_all(tx: &Tx<'_>, instance: InstanceId, by: &str, now: Timestamp) -> Result<(), StoreError> {
    resource_keys::living(tx, instance)?.into_iter().try_for_each(|key| remove(tx, key, by, now))
}

/// Removes all keys that stand for a service id, by its UUID.
///
/// # Errors
/// The store's fault.
pub(crate) fn remove_all_for(tx: &Tx<'_>, service_id: &str, by: &str, now: Timestamp) -> Result<(), StoreError> {
    resource_keys::living_of_service_id(tx, service_id)?.into_iter().try_for_each(|key| remove(tx, key, by, now))
}

/// Makes the pair of the built-in storage instance, in a fresh store.
///
/// # Errors
/// The store's fault, or when there are no random bytes.
pub(crate) fn keep_built_in_pair(tx: &Tx<'_>, vault: &Vault) -> Result<(), Error> {
    let pair = new_pair(vault)?;
    let text = Zeroizing::new(format!("{}\n{}", pair.access_key_id, *pair.secret));
    let (nonce, sealed) = vault.seal(BUILT_IN_PAIR, text.as_bytes())?;
    Ok(secrets::insert(tx, BUILT_IN_PAIR, nonce, &sealed)?)
}

/// The pair of the built-in storage instance.
///
/// # Errors
/// The store's fault, also when it is not there.
pub(crate) fn built_in_pair(tx: &Tx<'_>, vault: &Vault) -> Result<HmacPair, Error> {
    let missing = || StoreError::Inconsistent { table: "secrets", row: BUILT_IN_PAIR.to_owned(), column: "sealed" };
    pair_of(vault, secrets::get(tx, BUILT_IN_PAIR)?.ok_or_else(missing)?)
}

fn remove(tx: &Tx<'_>, mut key: ResourceKey, by: &str, now: Timestamp) -> Result<(), StoreError> {
    if let Some(policy) = key.policy {
        iam_policies::withdraw(tx, policy, by, now)?;
    }
    key.removed = Some((now, by.to_owned()));
    resource_keys::remove(tx, &key)
}

fn living(tx: &Tx<'_>, id: ResourceKeyId) -> Result<StoredKey, ResourceKeyRefusal> {
    let (key, sealed) = resource_keys::get(tx, id)?.ok_or(ResourceKeyRefusal::NotFound)?;
    if key.removed.is_some() { Err(ResourceKeyRefusal::Gone) } else { Ok((key, sealed)) }
}

fn new_pair(vault: &Vault) -> Result<HmacPair, crate::crypto::Error> {
    let id: [u8; ACCESS_KEY_BYTES] = vault.random.array()?;
    let secret: [u8; SECRET_BYTES] = vault.random.array()?;
    Ok(HmacPair { access_key_id: hex::encode(id), secret: Zeroizing::new(hex::encode(secret)) })
}

fn pair_of(vault: &Vault, sealed: SealedRow) -> Result<HmacPair, Error> {
    let (access_key_id, secret) = two_lines(vault.open(BUILT_IN_PAIR, sealed)?.bytes());
    Ok(HmacPair { access_key_id: (*access_key_id).clone(), secret: secret.unwrap_or_default() })
}

fn seal(vault: &Vault, id: ResourceKeyId, secrets: &Secrets) -> Result<SealedRow, crate::crypto::Error> {
    let mut text = Zeroizing::new((*secrets.api_key).clone());
    if let Some(secret) = &secrets.hmac_secret {
        text.push('\n');
        text.push_str(secret);
    }
    vault.seal(&place(id), text.as_bytes())
}

fn open(vault: &Vault, id: ResourceKeyId, sealed: SealedRow) -> Result<Secrets, Error> {
    let (api_key, hmac_secret) = two_lines(vault.open(&place(id), sealed)?.bytes());
    Ok(Secrets { api_key, hmac_secret })
}

fn place(id: ResourceKeyId) -> String {
    format!("resource key {id}")
}

fn two_lines(bytes: &[u8]) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let line = |line: &str| Zeroizing::new(line.to_owned());
    match text.split_once('\n') {
        Some((first, second)) => (line(first), Some(line(second))),
        None => (line(&text), None),
    }
}

/// The policy that gives a key's service id its role on the instance.
fn access(id: IamPolicyId, key: &ResourceKey, instance: &Instance) -> IamPolicy {
    let attribute = |name: &str, value: String| Attribute { name: name.to_owned(), operator: None, value };
    let conditions = |attributes| Conditions { attributes, tags: Vec::new() };
    let subject = Identity::service_id(&key.service_id).iam_id;
    IamPolicy {
        id,
        draft: PolicyDraft {
            kind: PolicyKind::Access,
            description: Some(format!("Made for the resource key {}", key.id)),
            subject: conditions(vec![attribute("iam_id", subject)]),
            resource: conditions(vec![
                attribute("accountId", instance.account.clone()),
                attribute("serviceName", instance.service.name().to_owned()),
                attribute("serviceInstance", instance.id.to_string()),
            ]),
            roles: vec![key.role.clone()],
        },
        state: PolicyState::Active,
        created_at: key.created_at,
        created_by: key.created_by.clone(),
        updated_at: key.created_at,
        updated_by: key.created_by.clone(),
        revision: 1,
    }
}
