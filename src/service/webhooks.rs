//! The clients that webhooks are posted with.

use crate::app::receivers::Receivers;
use crate::config::{Config, WebhookTargets};
use crate::delivery::client::Client;
use crate::delivery::dispatcher::Clients;
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

/// Trust the CAs of `--webhook-ca` beside the public ones. The gateway of the service itself is reached wherever it
/// listens.
///
/// # Errors
/// For a file that cannot be read or holds no certificate.
pub(crate) fn clients(config: &Config) -> Result<Clients, StartError> {
    let own = Client::new(Receivers::new(TargetPolicy::Local), &[]);
    let own = own.map_err(|error| StartError(format!("webhooks: {error}")))?;
    Ok(Clients { foreign: client(config)?, own })
}

fn client(config: &Config) -> Result<Client, StartError> {
    const REMEDY: &str = "name a PEM file of certificates that can be read";
    let receivers = receivers(config);
    let Some(path) = &config.webhook_ca else {
        return Client::new(receivers, &[]).map_err(|error| StartError(format!("webhooks: {error}")));
    };
    let wrong = |why: String| StartError(format!("--webhook-ca {}: {why}; {REMEDY}", path.display()));
    let file = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Client::new(receivers, &[file]).map_err(|error| wrong(error.to_string()))
}
