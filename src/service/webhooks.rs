//! The clients that webhooks are posted with.

use crate::app::receivers::Receivers;
use crate::config::{Config, WebhookTargets};
use crate::crypto::local_ca::LocalCa;
use crate::delivery::client::Client;
use crate::domain::webhook_target::TargetPolicy;
use crate::service::StartError;

/// Those that `--webhook-targets` allows.
pub(crate) fn receivers(config: &Config) -> Receivers {
    Receivers::new(match config.webhook_targets {
        WebhookTargets::Local => TargetPolicy::Local,
        WebhookTargets::Loopback => TargetPolicy::Loopback,
        WebhookTargets::Public => TargetPolicy::Public,
    })
}

/// The client for receivers that testers name. It trusts the CAs of `--webhook-ca` beside the public ones.
///
/// # Errors
/// For a file that cannot be read or holds no certificate.
pub(crate) fn foreign(config: &Config) -> Result<Client, StartError> {
    const REMEDY: &str = "name a PEM file of certificates that can be read";
    let receivers = receivers(config);
    let Some(path) = &config.webhook_ca else {
        return Client::new(receivers, &[]).map_err(|error| StartError(format!("webhooks: {error}")));
    };
    let wrong = |why: String| StartError(format!("--webhook-ca {}: {why}; {REMEDY}", path.display()));
    let file = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Client::new(receivers, &[file]).map_err(|error| wrong(error.to_string()))
}

/// The client for the service's own gateway: it is reached wherever it listens, over HTTPS by the certificate that the
/// local CA has signed.
///
/// # Errors
/// When a library fails.
pub(crate) fn own(ca: &LocalCa) -> Result<Client, StartError> {
    let ca = ca.certificate_pem.clone().into_bytes();
    let own = Client::new(Receivers::new(TargetPolicy::Local), &[ca]);
    own.map_err(|error| StartError(format!("events for the gateway: {error}")))
}
