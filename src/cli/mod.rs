//! Commands that talk to a running service.

mod client;
mod clock;
mod env;

use crate::cli::client::{Failure, ServiceClient};
use crate::config::{Client, ClientCommand};

/// Runs a command; what it prints.
///
/// # Errors
/// One line on why there is no answer.
pub async fn run(client: Client) -> Result<String, String> {
    let service = ServiceClient::new(&client.service)?;
    let done = match client.command {
        ClientCommand::Env(format) => env::env(&service, format).await,
        ClientCommand::Token { api_key } => env::token(&service, api_key).await,
        ClientCommand::Clock(command) => clock::clock(&service, &command).await,
        ClientCommand::Healthcheck => service.is_ready().await.map(|()| "ready".to_owned()),
    };
    done.map_err(|failure: Failure| failure.to_string())
}
