//! Who may have a token: whom an API key, a trusted profile, a service instance or another token stands for, and whether
//! that one is known.

use crate::app::App;
use crate::app::builtin;
use crate::app::tokens::{AuthMode, GrantRefusal, Tokens};
use crate::crypto::compare;
use crate::domain::caller::{Identity, IdentityKind};
use crate::domain::iam_identity::{is_made_up, service_identity_of};
use crate::store::{iam_identities, resource_keys};

/// Namespace of the version 5 UUIDs that API keys and profiles get.
const NAMESPACE: uuid::Uuid = uuid::Uuid::from_u128(0x7c1e_5d3a_90b2_4f6e_8a4d_2b6c_0f9e_1357);

impl App {
    /// The identity that an API key stands for: the owner, whom it was made for, or one made from the key, the same for
    /// the same key.
    ///
    /// # Errors
    /// `UnknownApiKey` under [`AuthMode::Strict`] for the last kind, unless an access policy names that identity.
    pub(crate) async fn identity_of_api_key(&self, api_key: &str) -> Result<Identity, GrantRefusal> {
        let digest = compare::sha256(api_key.as_bytes());
        if self.tokens.is_owner_key(&digest) {
            return Ok(builtin::owner());
        }
        let made_for = self
            .read(move |tx| {
                if let Some((key, _)) = resource_keys::of_api_key(tx, &digest)? {
                    return Ok(Some(Identity::service_id(&key.service_id)));
                }
                let Some(key) = iam_identities::api_key_by_digest(tx, &digest)? else { return Ok(None) };
                if key.iam_id == builtin::owner().iam_id {
                    return Ok(Some(builtin::owner()));
                }
                let Some(id) = service_identity_of(&key.iam_id) else { return Ok(None) };
                Ok(iam_identities::service_id(tx, id)?.map(|one| one.identity()))
            })
            .await?;
        if let Some(identity) = made_for {
            return Ok(identity);
        }
        let derived = Identity::service_id(&derived_id("apikey", api_key));
        if self.is_taken_as_it_is(&derived) { Ok(derived) } else { Err(GrantRefusal::UnknownApiKey) }
    }

    /// The identity of a trusted profile: the same for the same name or id.
    ///
    /// # Errors
    /// `Malformed` under [`AuthMode::Strict`], unless an access policy names it.
    pub(crate) fn identity_of_profile(&self, field: &'static str, profile: &str) -> Result<Identity, GrantRefusal> {
        let given = profile.strip_prefix("iam-Profile-").or_else(|| profile.strip_prefix("Profile-"));
        let given = given.filter(|id| uuid::Uuid::try_parse(id).is_ok());
        let identity = Identity::profile(&given.map_or_else(|| derived_id("profile", profile), str::to_owned));
        if self.is_taken_as_it_is(&identity) { Ok(identity) } else { Err(GrantRefusal::Malformed(field)) }
    }

    /// Opens a refresh token.
    ///
    /// # Errors
    /// `RefreshUnknown`, also for an identity that is not known any more; `RefreshExpired`.
    pub(crate) fn identity_of_refresh(&self, token: &str, now: i64) -> Result<Identity, GrantRefusal> {
        let identity = self.tokens.identity_of_refresh(&self.vault, token, now)?;
        if self.is_known(&identity) { Ok(identity) } else { Err(GrantRefusal::RefreshUnknown) }
    }

    /// The identity of a service instance, from `crn-<crn>` or the CRN.
    ///
    /// # Errors
    /// `Malformed`, also for an instance that its owner has removed; `ForeignAccount`.
    pub(crate) fn identity_of_service(&self, desired_iam_id: &str) -> Result<Identity, GrantRefusal> {
        let identity = Tokens::identity_of_service(desired_iam_id)?;
        if self.is_known(&identity) { Ok(identity) } else { Err(GrantRefusal::Malformed("desired_iam_id")) }
    }

    /// Whom an access token speaks for, if that one may have others made on it.
    ///
    /// # Errors
    /// `TokenInvalid`, also for an identity that is not known any more.
    pub(crate) fn identity_of_access_token(&self, token: &str, now: i64) -> Result<Identity, GrantRefusal> {
        let verified = self.tokens.verify(token, now).map_err(|_| GrantRefusal::TokenInvalid)?;
        let identity = verified.caller.identity.clone();
        if self.is_known(&identity) { Ok(identity) } else { Err(GrantRefusal::TokenInvalid) }
    }

    /// True for an identity that there is, and that may have tokens.
    pub(crate) fn is_known(&self, identity: &Identity) -> bool {
        match identity.kind {
            IdentityKind::User => identity.iam_id == builtin::owner().iam_id,
            IdentityKind::Service => self.is_service_there(identity),
            IdentityKind::Profile => self.is_taken_as_it_is(identity),
            IdentityKind::ServiceId if is_made_up(identity) => self.is_taken_as_it_is(identity),
            IdentityKind::ServiceId => self.tokens.service_ids.has(identity),
        }
    }

    /// True for an identity that nobody has to make: any, or under [`AuthMode::Strict`] those that access policies name.
    fn is_taken_as_it_is(&self, identity: &Identity) -> bool {
        match self.tokens.mode() {
            AuthMode::Token => true,
            AuthMode::Strict => self.memory.grants.names(&identity.iam_id),
        }
    }
}

/// A UUID: the same for the same text of a kind.
pub(crate) fn derived_id(kind: &str, text: &str) -> String {
    uuid::Uuid::new_v5(&NAMESPACE, format!("{kind}:{text}").as_bytes()).to_string()
}
