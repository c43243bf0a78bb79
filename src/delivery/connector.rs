//! Connections to receivers: plain, or over TLS with a checked certificate.

use std::sync::Arc;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::delivery::resolver::Resolver;

/// Makes connections.
pub(crate) type Connector = HttpsConnector<HttpConnector<Resolver>>;

/// Why certificates of CAs cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CaError {
    #[error("it is not PEM: {0}")]
    NotPem(String),
    #[error("it holds no certificate")]
    Empty,
    #[error("certificate {number} cannot be used: {why}")]
    Certificate { number: usize, why: String },
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Trusts the public roots that are built in, and the CAs of the PEM files.
///
/// # Errors
/// For a file without a certificate, or with one that cannot be read.
pub(crate) fn new(resolver: Resolver, ca_files: &[Vec<u8>]) -> Result<Connector, CaError> {
    let mut plain = HttpConnector::new_with_resolver(resolver);
    plain.enforce_http(false);
    plain.set_nodelay(true);
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| CaError::Tls(error.to_string()))?;
    let config = builder.with_root_certificates(roots(ca_files)?).with_no_client_auth();
    Ok(HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().wrap_connector(plain))
}

fn roots(ca_files: &[Vec<u8>]) -> Result<RootCertStore, CaError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for file in ca_files {
        let mut number = 0;
        for certificate in CertificateDer::pem_slice_iter(file) {
            let certificate = certificate.map_err(|error| CaError::NotPem(error.to_string()))?;
            number += 1;
            roots.add(certificate).map_err(|error| CaError::Certificate { number, why: error.to_string() })?;
        }
        if number == 0 {
            return Err(CaError::Empty);
        }
    }
    Ok(roots)
}
