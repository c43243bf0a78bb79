//! The clients that webhooks are posted with.

use crate::app::receivers::Receivers;
use crate::config::{Config, WebhookTargets};
use crate::crypto::local_ca::LocalCa;
use crate::delivery::client::Client;
use crate::delivery::dispatcher::Clients;
use crate::delivery::trust::Trust;
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

/// The authorities of `--webhook-ca`.
///
/// # Errors
/// For a file that cannot be read or holds no certificate.
pub(crate) fn named(config: &Config) -> Result<Trust, StartError> {
    const REMEDY: &str = "name a PEM file of certificates that can be read";
    let Some(path) = &config.webhook_ca else { return Ok(Trust::nobody()) };
    let wrong = |why: String| StartError(format!("--webhook-ca {}: {why}; {REMEDY}", path.display()));
    let file = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Trust::nobody().and(&file).map_err(|error| wrong(error.to_string()))
}

/// Trust the authorities that are named, the local one and the system's. The gateway of the service itself is reached
/// wherever it listens, and takes the local one's word alone.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn clients(config: &Config, named: Trust, local: &LocalCa) -> Result<Clients, StartError> {
    let unusable = |why: String| StartError(format!("webhooks cannot be sent over HTTPS: {why}"));
    let client =
        |receivers: Receivers, trust: Trust| Client::new(receivers, trust).map_err(|error| unusable(error.to_string()));
    let and_local =
        |trust: Trust| trust.and(local.certificate_pem.as_bytes()).map_err(|error| unusable(error.to_string()));
    Ok(Clients {
        foreign: client(receivers(config), and_local(named)?.and_system())?,
        own: client(Receivers::new(TargetPolicy::Local), and_local(Trust::nobody())?)?,
    })
}
