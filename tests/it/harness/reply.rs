//! A reply, and what tests expect of it.

use std::io::Write;

use bytes::Bytes;
use hyper::HeaderMap;
use serde_json::Value;

use super::dice::variable;

/// A whole reply.
pub(crate) struct Reply {
    /// Method and path of the request, for messages.
    pub(crate) called: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    /// The body as JSON; `null` when there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: not JSON: {}", self.called, String::from_utf8_lossy(&self.body)))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts the status of a reply of the gateway; the body as text.
    #[track_caller]
    pub(crate) fn answers(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}: {}", self.called, self.text());
        self.text()
    }

    /// Asserts a refusal of the gateway; its message.
    #[track_caller]
    pub(crate) fn refused_with(&self, status: u16, code: &str) -> String {
        let body = self.answers(status);
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{}: {body}", self.called);
        super::gateway::element(&body, "Message").expect("a message")
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    /// Asserts the status; the body.
    #[track_caller]
    pub(crate) fn succeeds(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {}", self.called, String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// Asserts a refusal of Key Protect with a reason; the reason.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.succeeds(status);
        let resource = &body["resources"][0];
        let reason = &resource["reasons"][0];
        assert_eq!(reason["code"], code, "{}: {body}", self.called);
        assert_eq!(reason["status"], status, "{body}");
        let message = resource["errorMsg"].as_str().expect("errorMsg");
        assert!(message.ends_with(&format!("({code})")), "{message}");
        tell(code);
        reason.clone()
    }

    /// Asserts a refusal without reasons; its text.
    #[track_caller]
    pub(crate) fn refused_bare(&self, status: u16) -> String {
        let body = self.succeeds(status);
        assert!(body["resources"][0].get("reasons").is_none(), "{body}");
        body["resources"][0]["errorMsg"].as_str().expect("errorMsg").to_owned()
    }

    /// Asserts IBM's answer to whoever may not.
    #[track_caller]
    pub(crate) fn unauthorized(&self) {
        assert_eq!(self.refused_bare(401), "Unauthorized: The user does not have access to the specified resource");
        assert_eq!(self.header("www-authenticate"), Some("Bearer"));
    }
}

/// Names a file that is told each code that a test was refused with.
pub(crate) const CODES_VARIABLE: &str = "MKP_TEST_CODES";

fn tell(code: &str) {
    if let Some(path) = variable(CODES_VARIABLE) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{code}\n").as_bytes())).expect("a file for codes");
    }
}
