//! Connections to receivers: plain, or over TLS with a checked certificate.

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, Error as TlsError};

use crate::delivery::resolver::Resolver;
use crate::delivery::trust::Trust;

/// Makes connections.
pub(crate) type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// Takes the word of these authorities.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn new(resolver: Resolver, trust: Trust) -> Result<Connector, TlsError> {
    let mut plain = HttpConnector::new_with_resolver(resolver);
    plain.enforce_http(false);
    plain.set_nodelay(true);
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let config = builder.with_safe_default_protocol_versions()?.with_root_certificates(trust.0).with_no_client_auth();
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(plain))
}
