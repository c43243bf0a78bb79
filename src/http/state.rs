//! What every handler can reach.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::time;
use crate::cos::app::CosApp;
use crate::domain::time::Timestamp;
use crate::http::admin::sinks::basin::Basin;

/// The service as its handlers see it.
pub(crate) struct State {
    pub(crate) app: Arc<App>,
    /// The storage gateway's use cases, for `/mock/buckets`.
    pub(crate) cos: Arc<CosApp>,
    pub(crate) info: Info,
    pub(crate) admin: AdminAccess,
    /// The local CA's certificate.
    pub(crate) ca_pem: String,
    pub(crate) sinks: Basin,
    /// False while the service drains.
    ready: watch::Sender<bool>,
}

/// The ready file's content, and the answer of `GET /mock/info`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cos_url: Option<String>,
    pub(crate) iam_url: String,
    pub(crate) admin_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cos_tls_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Path of the local CA's certificate, where HTTPS is on.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) region: String,
    pub(crate) account_id: String,
    #[serde(serialize_with = "in_clear")]
    pub(crate) api_key: Zeroizing<String>,
    pub(crate) instance_id: String,
    pub(crate) instance_crn: String,
    pub(crate) cos_instance_id: String,
    pub(crate) cos_instance_crn: String,
    pub(crate) cos_hmac: CosHmac,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "maybe_in_clear")]
    pub(crate) admin_token: Option<Zeroizing<String>>,
    pub(crate) pid: u32,
    pub(crate) version: String,
}

/// The HMAC pair of the built-in storage instance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CosHmac {
    pub(crate) access_key_id: String,
    #[serde(serialize_with = "in_clear")]
    pub(crate) secret_access_key: Zeroizing<String>,
}

/// Who may use `/mock`.
pub(crate) struct AdminAccess {
    /// Needed by every call, when there is one.
    pub(crate) token: Option<Zeroizing<String>>,
    /// True when the service listens on loopback alone: then `Host` and `Origin` must be local.
    pub(crate) local: bool,
}

fn in_clear<S: serde::Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

#[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
fn maybe_in_clear<S: serde::Serializer>(secret: &Option<Zeroizing<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => serializer.serialize_str(secret),
        None => serializer.serialize_none(),
    }
}

impl State {
    /// Ready from the start.
    pub(crate) fn new(app: Arc<App>, cos: Arc<CosApp>, info: Info, admin: AdminAccess, ca_pem: String) -> Self {
        Self { app, cos, info, admin, ca_pem, sinks: Basin::default(), ready: watch::Sender::new(true) }
    }

    /// True until the service drains.
    pub(crate) fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// From now on the service drains.
    pub(crate) fn drain(&self) {
        self.ready.send_replace(false);
    }

    /// Waits for what a reply is held back for, but no longer than until the service drains: `None` then.
    pub(crate) async fn held<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        let mut ready = self.ready.subscribe();
        tokio::select! {
            value = awaited => Some(value),
            // The sender lives as long as this does.
            _ = ready.wait_for(|ready| !*ready) => None,
        }
    }

    /// The virtual time of a request: what is due by then has been done.
    pub(crate) async fn now(&self) -> Timestamp {
        time::present(&self.app).await
    }
}
