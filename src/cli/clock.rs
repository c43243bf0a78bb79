//! `clock`: reading and moving the running service's clock.

use serde_json::{Value, json};

use crate::cli::client::{Failure, ServiceClient, text};
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
    let frozen = reply.pointer("/frozen").and_then(Value::as_bool) == Some(true);
    let motion = if frozen { "frozen" } else { "running" };
    let mut lines = vec![format!("{} ({motion})", text(reply, "/now").unwrap_or_default())];
    if let (Some(at), Some(what)) = (text(reply, "/nextDue/at"), text(reply, "/nextDue/what")) {
        lines.push(format!("next: {what} at {at}"));
    }
    lines.join("\n")
}

fn describe_journey(reply: &Value) -> String {
    let word = |value, pointer| text(value, pointer).unwrap_or_default();
    let number = |value: &Value, pointer| value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let mut lines = vec![format!("{} -> {}", word(reply, "/from"), word(reply, "/to"))];
    for ran in reply.pointer("/ran").and_then(Value::as_array).into_iter().flatten() {
        lines.push(format!("{}  {} x {}", word(ran, "/at"), word(ran, "/what"), number(ran, "/count")));
    }
    let more = number(reply, "/more");
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}
