//! IAM tokens: issued for API keys and other grants, verified once and then remembered. All their times are real ones.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::builtin;
use crate::app::claims::{self, Claims, Term, is_readable, kind_name, parse_kind};
use crate::app::error::Error;
use crate::app::metrics::{Cache as Looked, Metrics};
use crate::app::service_ids::ServiceIds;
use crate::app::vault::Vault;
use crate::crypto::compare;
use crate::crypto::signer::Signer;
use crate::domain::access::Roles;
use crate::domain::caller::{Caller, Identity, IdentityKind};
use crate::domain::crn;
use crate::store::meta;

/// The issuer of every token.
pub(crate) const ISSUER: &str = crate::crypto::signer::ISSUER;
/// Seconds that an access token lives. Source: go-client, SDK cores.
pub(crate) const ACCESS_SECONDS: i64 = 3_600;
/// Seconds that a token of a service instance lives. Source: sample in IBM's documents.
const SERVICE_ACCESS_SECONDS: i64 = 1_800;
/// Seconds that a refresh token lives (ASSUMED, as redstone takes it).
const REFRESH_SECONDS: i64 = 7 * 86_400;
/// Seconds by which a client's clock may run ahead of ours.
const LEEWAY_SECONDS: i64 = 60;
/// Verified tokens that are remembered.
const VERIFIED_MAX: usize = 10_000;
/// Where refresh tokens are sealed for.
const REFRESH_PLACE: &str = "refresh token";
/// A count of changes that there is never.
const NEVER: i64 = -1;
/// Name of the generation in the store.
pub(crate) const GENERATION: &str = "token-generation";

/// Who may have a token. Source: `docs/contract/interface.md` 1, `--auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMode {
    /// Any API key.
    Token,
    /// The owner's API key, those that were made by IAM's API, and identities that an access policy names.
    Strict,
}

/// The token service's state.
pub(crate) struct Tokens {
    signer: Signer,
    /// First part of `kid`; the second is the generation.
    key_name: String,
    /// Counts the calls of `POST /mock/tokens/expire`: tokens of earlier generations are expired.
    generation: AtomicI64,
    verified: Cache<[u8; 32], Arc<Verified>>,
    /// A token of a service id is good as long as that is there.
    pub(crate) service_ids: ServiceIds,
    /// Held while a generation ends.
    expiring: Mutex<()>,
    owner_key_digest: [u8; 32],
    mode: AuthMode,
    metrics: Arc<Metrics>,
}

/// A token that was found good.
pub(crate) struct Verified {
    pub(crate) caller: Arc<Caller>,
    expires_at: i64,
    generation: i64,
    /// The count of [`ServiceIds::changes`] at which whom it speaks for was there.
    seen: AtomicI64,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenRefusal {
    /// It is no JSON Web Token with a subject.
    Unreadable,
    /// It is one, but not ours, changed, expired or of another account.
    NotValid,
}

/// Why a grant is refused.
#[derive(Debug)]
pub(crate) enum GrantRefusal {
    UnknownApiKey,
    RefreshExpired,
    RefreshUnknown,
    /// The access token that the grant was made with is not valid.
    TokenInvalid,
    /// `desired_iam_id` or a profile names another account.
    ForeignAccount,
    /// A field's text cannot be what it should.
    Malformed(&'static str),
    Fault(Error),
}

impl From<Error> for GrantRefusal {
    fn from(fault: Error) -> Self {
        Self::Fault(fault)
    }
}

/// Tokens as the endpoint hands them out.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) expires_in: i64,
    /// Real seconds since 1970-01-01.
    pub(crate) expiration: i64,
}

#[derive(Serialize, Deserialize)]
struct Refresh {
    generation: i64,
    expires_at: i64,
    kind: String,
    iam_id: String,
    subject: String,
    name: String,
}

impl Tokens {
    /// Over a signing key; `key_name` and `generation` as the store has them.
    pub(crate) fn new(
        signer: Signer,
        key_name: String,
        generation: i64,
        owner_key: &[u8],
        mode: AuthMode,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            signer,
            key_name,
            generation: AtomicI64::new(generation),
            verified: Cache::new(VERIFIED_MAX),
            service_ids: ServiceIds::default(),
            expiring: Mutex::new(()),
            owner_key_digest: compare::sha256(owner_key),
            mode,
            metrics,
        }
    }

    /// Who may have a token.
    pub(crate) fn mode(&self) -> AuthMode {
        self.mode
    }

    /// True for the digest of the owner's API key.
    pub(crate) fn is_owner_key(&self, digest: &[u8; 32]) -> bool {
        compare::equal(digest, &self.owner_key_digest)
    }

    /// The identity of a service instance, from `crn-<crn>` or the CRN.
    ///
    /// # Errors
    /// `Malformed`, `ForeignAccount`.
    pub(crate) fn identity_of_service(desired_iam_id: &str) -> Result<Identity, GrantRefusal> {
        let crn = desired_iam_id.strip_prefix("crn-").unwrap_or(desired_iam_id);
        let named = crn::parse(crn).filter(|named| !named.instance.is_empty());
        let named = named.ok_or(GrantRefusal::Malformed("desired_iam_id"))?;
        Self::require_own_account(named.account)?;
        Ok(Identity::service(crn))
    }

    /// The id in the CRN of a trusted profile, `crn:v1:bluemix:public:iam-identity::a/<account>::profile:Profile-<uuid>`.
    ///
    /// # Errors
    /// `Malformed`, `ForeignAccount`.
    pub(crate) fn profile_of_crn(crn: &str) -> Result<&str, GrantRefusal> {
        let named = crn::parse(crn).filter(|named| named.kind == "profile" && !named.resource.is_empty());
        let named = named.ok_or(GrantRefusal::Malformed("profile_crn"))?;
        Self::require_own_account(named.account)?;
        Ok(named.resource)
    }

    /// There is one account.
    ///
    /// # Errors
    /// `ForeignAccount` for any other.
    pub(crate) fn require_own_account(account: &str) -> Result<(), GrantRefusal> {
        if account == builtin::ACCOUNT { Ok(()) } else { Err(GrantRefusal::ForeignAccount) }
    }

    /// Signs tokens for an identity.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub(crate) fn issue(
        &self,
        vault: &Vault,
        identity: &Identity,
        grant_type: &str,
        now: i64,
    ) -> Result<Issued, Error> {
        let lifetime = if identity.kind == IdentityKind::Service { SERVICE_ACCESS_SECONDS } else { ACCESS_SECONDS };
        let generation = self.generation.load(Ordering::Acquire);
        let jti = uuid::Builder::from_random_bytes(vault.random.array()?).into_uuid().to_string();
        let claims = claims::claims(identity, grant_type, &Term { now, lifetime }, jti);
        let access_token = self.signer.sign(&self.kid(generation), &claims)?;
        let refresh_token = seal_refresh(vault, identity, generation, now + REFRESH_SECONDS)?;
        Ok(Issued { access_token, refresh_token, expires_in: lifetime, expiration: now + lifetime })
    }

    /// Opens a refresh token.
    ///
    /// # Errors
    /// `RefreshUnknown`, `RefreshExpired`.
    pub(crate) fn identity_of_refresh(&self, vault: &Vault, token: &str, now: i64) -> Result<Identity, GrantRefusal> {
        let refresh = open_refresh(vault, token).ok_or(GrantRefusal::RefreshUnknown)?;
        if refresh.expires_at <= now || refresh.generation != self.generation.load(Ordering::Acquire) {
            return Err(GrantRefusal::RefreshExpired);
        }
        let kind = parse_kind(&refresh.kind).ok_or(GrantRefusal::RefreshUnknown)?;
        Ok(Identity { kind, iam_id: refresh.iam_id, subject: refresh.subject, name: refresh.name })
    }

    /// Finds out who a token speaks for. A good one is remembered until it expires; a bad one never is.
    ///
    /// # Errors
    /// `Unreadable`, `NotValid`.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Arc<Verified>, TokenRefusal> {
        let digest = compare::sha256(token.as_bytes());
        if let Some(known) = self.verified.get(&digest) {
            self.metrics.looked_up(Looked::Tokens, true);
            return if self.is_live(&known, now) { Ok(known) } else { Err(TokenRefusal::NotValid) };
        }
        self.metrics.looked_up(Looked::Tokens, false);
        if !is_readable(token) {
            return Err(TokenRefusal::Unreadable);
        }
        let generation = self.generation.load(Ordering::Acquire);
        let claims: Claims = self.signer.verify(&self.kid(generation), token).ok_or(TokenRefusal::NotValid)?;
        let in_time = claims.exp > now
            && claims.iat <= now + LEEWAY_SECONDS
            && claims.nbf.is_none_or(|not_before| not_before <= now + LEEWAY_SECONDS);
        if !in_time || claims.account.bss != builtin::ACCOUNT {
            return Err(TokenRefusal::NotValid);
        }
        let caller = Arc::new(self.caller(claims::identity_of_claims(&claims), &claims.account.bss));
        let seen = AtomicI64::new(NEVER);
        let verified = Arc::new(Verified { caller, expires_at: claims.exp, generation, seen });
        let _expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_live(&verified, now) {
            self.verified.insert(digest, Arc::clone(&verified));
            Ok(verified)
        } else {
            Err(TokenRefusal::NotValid)
        }
    }

    /// An identity with what it may do whatever policies say.
    pub(crate) fn caller(&self, identity: Identity, account: &str) -> Caller {
        let standing = self.standing_roles(&identity);
        Caller::new(identity, account, standing)
    }

    /// How many verified tokens are remembered.
    pub(crate) fn len(&self) -> usize {
        self.verified.len()
    }

    /// True while a verified token may be used.
    pub(crate) fn is_live(&self, verified: &Verified, now: i64) -> bool {
        verified.expires_at > now
            && verified.generation == self.generation.load(Ordering::Acquire)
            && self.is_there(verified)
    }

    /// Looks at the identity again only when service ids have come or gone since.
    fn is_there(&self, verified: &Verified) -> bool {
        let changes = self.service_ids.changes();
        if verified.seen.load(Ordering::Acquire) == changes {
            return true;
        }
        let there = self.service_ids.may_be_there(&verified.caller.identity);
        if there {
            verified.seen.store(changes, Ordering::Release);
        }
        there
    }

    /// The id of the key that signs now.
    pub(crate) fn current_kid(&self) -> String {
        self.kid(self.generation.load(Ordering::Acquire))
    }

    /// The signing key's modulus and exponent, base64url.
    pub(crate) fn public_parts(&self) -> (String, String) {
        let parts = self.signer.public_parts();
        (parts.modulus.to_owned(), parts.exponent.to_owned())
    }

    /// What an identity may do whatever policies say: the owner all there is, and so any person, service id or profile
    /// under [`AuthMode::Token`]; a service instance nothing.
    fn standing_roles(&self, identity: &Identity) -> Roles {
        const ALL: Roles = Roles::MANAGER.or(Roles::KEY_PURGE).or(Roles::ADMINISTRATOR);
        let owner = identity.iam_id == builtin::owner().iam_id;
        match identity.kind {
            IdentityKind::Service => Roles::NONE,
            IdentityKind::User | IdentityKind::ServiceId | IdentityKind::Profile => match self.mode {
                AuthMode::Token => ALL,
                AuthMode::Strict if owner => ALL,
                AuthMode::Strict => Roles::NONE,
            },
        }
    }

    fn kid(&self, generation: i64) -> String {
        format!("{}-{generation}", self.key_name)
    }

    /// Begins a generation: tokens of earlier ones are expired.
    pub(crate) fn begin_generation(&self, next: i64) {
        let _expiring = self.expiring.lock().unwrap_or_else(PoisonError::into_inner);
        self.generation.store(next, Ordering::Release);
        self.verified.clear();
    }
}

impl App {
    /// Expires every token that was issued so far.
    ///
    /// # Errors
    /// The store's fault.
    pub(crate) async fn expire_tokens(&self) -> Result<(), Error> {
        self.write(|tx| {
            let generation: i64 = meta::get(tx, GENERATION)?.and_then(|text| text.parse().ok()).unwrap_or(0);
            meta::set(tx, GENERATION, &(generation + 1).to_string())?;
            tx.touch_tokens(generation + 1);
            Ok(())
        })
        .await
    }
}

fn seal_refresh(vault: &Vault, identity: &Identity, generation: i64, expires_at: i64) -> Result<String, Error> {
    let refresh = Refresh {
        generation,
        expires_at,
        kind: kind_name(identity.kind).to_owned(),
        iam_id: identity.iam_id.clone(),
        subject: identity.subject.clone(),
        name: identity.name.clone(),
    };
    let text = serde_json::to_vec(&refresh).unwrap_or_default();
    let (nonce, sealed) = vault.seal(REFRESH_PLACE, &text)?;
    Ok(crate::crypto::base64::encode_url([&nonce[..], &sealed].concat()))
}

fn open_refresh(vault: &Vault, token: &str) -> Option<Refresh> {
    let bytes = crate::crypto::base64::decode_url(token)?;
    let (nonce, sealed) = bytes.split_first_chunk::<12>()?;
    let opened = vault.open(REFRESH_PLACE, (*nonce, sealed.to_vec())).ok()?;
    serde_json::from_slice(opened.bytes()).ok()
}
