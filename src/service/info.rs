//! What the ready file and `/mock/info` tell.

use std::path::PathBuf;

use tracing::warn;
use zeroize::Zeroizing;

use crate::app::builtin;
use crate::app::resource_keys::HmacPair;
use crate::config::Config;
use crate::crypto::random::Random;
use crate::domain::crn;
use crate::domain::id::InstanceId;
use crate::domain::instance::Service as Kind;
use crate::http::state::{CosHmac, Info};
use crate::service::StartError;
use crate::service::listeners::Addresses;

/// The token that `/mock` needs: the one that was given, or one that is made up where other machines can call.
///
/// # Errors
/// When there are no random bytes.
pub(crate) fn admin_token(config: &Config, random: &Random) -> Result<Option<Zeroizing<String>>, StartError> {
    if let Some(token) = &config.admin_token {
        return Ok(Some(Zeroizing::new(token.clone())));
    }
    if config.host.is_loopback() {
        return Ok(None);
    }
    warn!(host = %config.host, "listening beyond this machine: /mock needs the admin token");
    let bytes: [u8; 24] = random.array().map_err(|error| StartError(error.to_string()))?;
    Ok(Some(Zeroizing::new(hex::encode(bytes))))
}

/// What the ready file tells that nothing else does.
pub(crate) struct Secrets {
    pub(crate) owner_key: Zeroizing<String>,
    pub(crate) cos_hmac: HmacPair,
    pub(crate) admin_token: Option<Zeroizing<String>>,
}

/// Puts it together.
pub(crate) fn describe(addresses: Addresses, ca_file: Option<PathBuf>, secrets: Secrets) -> Info {
    let crn_of = |kind: Kind, region: &str, id: &str| {
        InstanceId::parse(id).map(|id| crn::of_instance(kind.name(), region, builtin::ACCOUNT, id)).unwrap_or_default()
    };
    Info {
        iam_url: addresses.url.clone(),
        admin_url: format!("{}/mock", addresses.url),
        url: addresses.url,
        cos_url: addresses.cos_url,
        tls_url: addresses.tls_url,
        cos_tls_url: addresses.cos_tls_url,
        ca_file,
        region: builtin::REGION.to_owned(),
        account_id: builtin::ACCOUNT.to_owned(),
        api_key: secrets.owner_key,
        instance_id: builtin::KEY_PROTECT_ID.to_owned(),
        instance_crn: crn_of(Kind::KeyProtect, builtin::REGION, builtin::KEY_PROTECT_ID),
        cos_instance_id: builtin::OBJECT_STORAGE_ID.to_owned(),
        cos_instance_crn: crn_of(Kind::ObjectStorage, "global", builtin::OBJECT_STORAGE_ID),
        cos_hmac: CosHmac { access_key_id: secrets.cos_hmac.access_key_id, secret_access_key: secrets.cos_hmac.secret },
        admin_token: secrets.admin_token,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
