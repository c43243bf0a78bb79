//! `clock`: reading and moving the running service's clock.

use serde_json::{Value, json};

use crate::cli::client::{Failure, ServiceClient};
use crate::config::ClockCommand;

/// Runs a clock command; what it prints.
///
/// # Errors
/// When the service does not answer, or refuses.
pub(crate) async fn clock(service: &ServiceClient, command: &ClockCommand) -> Result<String, Failure> {
    match command {
        ClockCommand::Show => service.get("/mock/clock").await.map(|reply| describe(&reply)),
        ClockCommand::Freeze => service.post("/mock/clock/freeze", &json!({})).await.map(|reply| describe(&reply)),
        ClockCommand::Resume => service.post("/mock/clock/resume", &json!({})).await.map(|reply| describe(&reply)),
        ClockCommand::Advance { by } => {
            let reply = service.post("/mock/clock/advance", &json!({ "by": by })).await?;
            Ok(describe_journey(&reply))
        }
    }
}

fn describe(reply: &Value) -> String {
    let text = |field: &str| reply[field].as_str().unwrap_or_default().to_owned();
    let motion = if reply["frozen"] == true { "frozen" } else { "running" };
    let mut lines = vec![format!("{} ({motion})", text("now"))];
    if let (Some(at), Some(what)) = (reply["nextDue"]["at"].as_str(), reply["nextDue"]["what"].as_str()) {
        lines.push(format!("next: {what} at {at}"));
    }
    lines.join("\n")
}

fn describe_journey(reply: &Value) -> String {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let mut lines = vec![format!("{} -> {}", text(reply, "from"), text(reply, "to"))];
    for ran in reply["ran"].as_array().into_iter().flatten() {
        lines.push(format!("{}  {} x {}", text(ran, "at"), text(ran, "what"), ran["count"]));
    }
    if let Some(more) = reply["more"].as_u64().filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}
