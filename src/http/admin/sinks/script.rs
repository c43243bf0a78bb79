//! What a sink is told to answer: reply by reply, the last one for ever.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::duration;
use crate::http::admin::errors::AdminError;

/// Replies of a script.
const REPLIES_MAX: usize = 1_000;
/// Real time that a reply can be held back.
const DELAY_MAX: Duration = Duration::from_mins(10);
const MEMBERS: [&str; 4] = ["status", "delay", "retryAfter", "drop"];

/// One reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Real time before it.
    pub(crate) delay: Duration,
    /// Seconds, for the header of that name.
    pub(crate) retry_after: Option<u64>,
    pub(crate) ending: Ending,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered,
    /// Closed without a reply.
    Dropped,
}

impl Answer {
    /// Where there is no script.
    const GOOD: Self = Self { status: 200, delay: Duration::ZERO, retry_after: None, ending: Ending::Answered };
}

/// A script, and how far it is used up.
#[derive(Default)]
pub(crate) struct Script {
    /// As it was written.
    written: Vec<Value>,
    answers: Vec<Answer>,
    used: usize,
}

impl Script {
    /// Reads `replies`.
    ///
    /// # Errors
    /// 400 or 422 naming the element, `replies.2.status`.
    pub(crate) fn read(replies: &Value) -> Result<Self, AdminError> {
        let list = replies.as_array().ok_or_else(|| AdminError::bad_field("replies", "must be a list"))?;
        if list.len() > REPLIES_MAX {
            return Err(AdminError::impossible("replies", format!("must hold {REPLIES_MAX} replies at most")));
        }
        let answers = list.iter().enumerate().map(|(index, element)| read_answer(&format!("replies.{index}"), element));
        Ok(Self { answers: answers.collect::<Result<_, _>>()?, written: list.clone(), used: 0 })
    }

    /// The replies as they were written.
    pub(crate) fn written(&self) -> &[Value] {
        &self.written
    }

    /// The next reply.
    pub(crate) fn next(&mut self) -> Answer {
        let next = self.answers.get(self.used).or(self.answers.last()).copied();
        self.used = self.used.saturating_add(1).min(self.answers.len());
        next.unwrap_or(Answer::GOOD)
    }
}

fn read_answer(path: &str, element: &Value) -> Result<Answer, AdminError> {
    let within = |name: &str| format!("{path}.{name}");
    match element {
        Value::Number(_) => Ok(Answer { status: read_status(path, element)?, ..Answer::GOOD }),
        Value::Object(members) => {
            if let Some(name) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
                let known = MEMBERS.join(", ");
                return Err(AdminError::bad_field(&within(name), format!("unknown field; known: {known}")));
            }
            let ending = match member(members, "drop") {
                None | Some(Value::Bool(false)) => Ending::Answered,
                Some(Value::Bool(true)) => Ending::Dropped,
                Some(_) => return Err(AdminError::bad_field(&within("drop"), "must be true or false")),
            };
            Ok(Answer {
                status: member(members, "status").map_or(Ok(200), |status| read_status(&within("status"), status))?,
                delay: read_delay(&within("delay"), member(members, "delay"))?,
                retry_after: read_retry_after(&within("retryAfter"), member(members, "retryAfter"))?,
                ending,
            })
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) => {
            Err(AdminError::bad_field(path, "must be a status, or an object with status, delay, retryAfter and drop"))
        }
    }
}

/// A member, unless it is `null`.
fn member<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    members.get(name).filter(|value| !value.is_null())
}

fn read_status(path: &str, value: &Value) -> Result<u16, AdminError> {
    let number = value.as_i64().ok_or_else(|| AdminError::bad_field(path, "must be a whole number"))?;
    let status = u16::try_from(number).ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| AdminError::impossible(path, "must be a status from 200 to 599"))
}

fn read_delay(path: &str, value: Option<&Value>) -> Result<Duration, AdminError> {
    let Some(value) = value else { return Ok(Duration::ZERO) };
    let wrong = || AdminError::bad_field(path, format!("must be {}", duration::FORM));
    let delay = duration::parse(value.as_str().ok_or_else(wrong)?).ok_or_else(wrong)?;
    if delay > DELAY_MAX {
        return Err(AdminError::impossible(path, "must be 10m at most"));
    }
    Ok(delay)
}

fn read_retry_after(path: &str, value: Option<&Value>) -> Result<Option<u64>, AdminError> {
    let Some(value) = value else { return Ok(None) };
    value.as_u64().map(Some).ok_or_else(|| AdminError::bad_field(path, "must be whole seconds, 0 or more"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_reply_goes_on_for_ever() {
        let mut script = Script::read(&json!([500, { "status": 503, "retryAfter": 7 }, 204])).unwrap();
        let statuses: Vec<u16> = (0..5).map(|_| script.next().status).collect();
        assert_eq!(statuses, [500, 503, 204, 204, 204]);
        assert_eq!(Script::default().next(), Answer::GOOD);
        assert_eq!(Script::read(&json!([])).unwrap().next(), Answer::GOOD);
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        for (replies, path, status) in [
            (json!("500"), "replies", 400),
            (json!(["500"]), "replies.0", 400),
            (json!([200, 100]), "replies.1", 422),
            (json!([600]), "replies.0", 422),
            (json!([2.5]), "replies.0", 400),
            (json!([{ "status": "x" }]), "replies.0.status", 400),
            (json!([{ "delay": 3 }]), "replies.0.delay", 400),
            (json!([{ "delay": "1h" }]), "replies.0.delay", 422),
            (json!([{ "retryAfter": -1 }]), "replies.0.retryAfter", 400),
            (json!([{ "drop": 1 }]), "replies.0.drop", 400),
            (json!([{ "body": "x" }]), "replies.0.body", 400),
        ] {
            let error = Script::read(&replies).err().unwrap();
            assert_eq!((error.path.as_deref(), error.status.as_u16()), (Some(path), status), "{replies}");
        }
        assert!(Script::read(&json!(vec![200; REPLIES_MAX + 1])).is_err());
    }
}
