//! Whose word is taken for an HTTPS receiver: the authorities that its certificate may come from.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use tracing::{debug, info, warn};

/// Why certificates of authorities cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CaError {
    #[error("it is not PEM: {0}")]
    NotPem(String),
    #[error("it holds no certificate")]
    Empty,
    #[error("certificate {number} cannot be used: {why}")]
    Certificate { number: usize, why: String },
}

/// Authorities.
#[derive(Clone)]
pub(crate) struct Trust(pub(super) RootCertStore);

impl Trust {
    /// Nobody's word.
    pub(crate) fn nobody() -> Self {
        Self(RootCertStore::empty())
    }

    /// The same, and the authorities of a PEM file.
    ///
    /// # Errors
    /// For a file without a certificate, or with one that cannot be read.
    pub(crate) fn and(mut self, file: &[u8]) -> Result<Self, CaError> {
        let mut number = 0;
        for certificate in CertificateDer::pem_slice_iter(file) {
            let certificate = certificate.map_err(|error| CaError::NotPem(error.to_string()))?;
            number += 1;
            self.0.add(certificate).map_err(|error| CaError::Certificate { number, why: error.to_string() })?;
        }
        if number == 0 { Err(CaError::Empty) } else { Ok(self) }
    }

    /// The same, and the system's roots: those of its store, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`, which OpenSSL
    /// reads too. What cannot be used is passed over, as the whole is where there is none; the log tells.
    pub(crate) fn and_system(mut self) -> Self {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            warn!(%error, "some of the system's root certificates cannot be read");
        }
        let (used, passed_over) = self.0.add_parsable_certificates(found.certs);
        debug!(used, passed_over, "the system's root certificates");
        if used == 0 {
            info!("the system has no root certificates; webhooks over HTTPS trust the local CA and --webhook-ca alone");
        }
        self
    }
}
