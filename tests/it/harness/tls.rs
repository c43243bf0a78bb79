//! HTTPS by hand: a client that trusts one CA and no other.

use std::io::Result;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::raw::Raw;

/// Connects to `https://127.0.0.1:8492`, calling it by a name and trusting the authority of `ca`, PEM.
pub(crate) fn connect(url: &str, name: &str, ca: &str) -> Result<Raw> {
    connect_with(url, name, ca, rustls::DEFAULT_VERSIONS)
}

/// The same with versions of TLS to choose from.
pub(crate) fn connect_with(
    url: &str,
    name: &str,
    ca: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Raw> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).expect("a certificate")).expect("an authority");
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut socket = Raw::socket(url.trim_start_matches("https://"))?;
    let mut stream = StreamOwned::new(connection, socket.try_clone()?);
    // The handshake: a peer that is not trusted is told apart from one that answers badly.
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut socket)?;
    }
    Ok(Raw::over(stream, socket))
}
