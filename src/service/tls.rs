//! HTTPS: the local CA, and what rustls needs of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;

use crate::config::{Config, PortChoice};
use crate::crypto::local_ca::LocalCa;
use crate::service::StartError;

/// The authority's certificate in the data folder, for clients to trust.
const CA_FILE: &str = "ca.pem";

/// True when some port is to speak HTTPS.
pub(crate) fn is_wanted(config: &Config) -> bool {
    [config.tls_port, config.cos_tls_port].iter().any(|choice| *choice != PortChoice::Off)
}

/// TLS 1.2 and 1.3 with a certificate for this machine's names; HTTP/1.1 alone.
///
/// # Errors
/// When a library fails.
pub(crate) fn server_config(ca: &LocalCa, config: &Config, now: i64) -> Result<ServerConfig, StartError> {
    let unusable = |why: String| StartError(format!("HTTPS cannot be served: {why}; leave --tls-port off"));
    let leaf = ca.issue(config.host, now).map_err(|error| unusable(error.to_string()))?;
    // No provider is installed for the whole process: whoever needs one says which.
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let mut server = builder
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(leaf.chain, leaf.key)
        .map_err(|error| unusable(error.to_string()))?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}

/// Writes the authority's certificate where clients find it.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_ca(folder: &Path, ca: &LocalCa) -> Result<PathBuf, StartError> {
    let path = folder.join(CA_FILE);
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let written = opened.and_then(|mut file| file.write_all(ca.certificate_pem.as_bytes()));
    written.map_err(|error| {
        let remedy = "make the data folder writable";
        StartError(format!("{} cannot be written: {error}; {remedy}", path.display()))
    })?;
    Ok(std::path::absolute(&path).unwrap_or(path))
}
