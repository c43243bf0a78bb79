//! HTTPS: the local CA, and what rustls needs of it.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use quick_cache::sync::Cache;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::warn;

use crate::app::App;
use crate::config::{Config, PortChoice};
use crate::crypto::local_ca::{LocalCa, NAMES};
use crate::service::StartError;

/// The authority's certificate in the data folder, for clients to trust.
const CA_FILE: &str = "ca.pem";
/// Certificates for names of buckets that are remembered.
const REMEMBERED_MAX: usize = 1_000;

/// Picks the certificate for the name that a client asks for.
struct Certificates {
    app: Arc<App>,
    ca: Arc<LocalCa>,
    provider: Arc<CryptoProvider>,
    usual: Arc<CertifiedKey>,
    /// By names below `.localhost`: buckets in virtual-host style.
    of_buckets: Cache<String, Arc<CertifiedKey>>,
}

/// True when some port is to speak HTTPS.
pub(crate) fn is_wanted(config: &Config) -> bool {
    [config.tls_port, config.cos_tls_port].iter().any(|choice| *choice != PortChoice::Off)
}

/// TLS 1.2 and 1.3 with certificates for this machine's names; HTTP/1.1 alone.
///
/// # Errors
/// When a library fails.
pub(crate) fn server_config(ca: &Arc<LocalCa>, config: &Config, app: &Arc<App>) -> Result<ServerConfig, StartError> {
    let unusable = |why: String| StartError(format!("HTTPS cannot be served: {why}; leave --tls-port off"));
    // No provider is installed for the whole process: whoever needs one says which.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
    let host = config.host.to_string();
    if !config.host.is_unspecified() && !names.contains(&host) {
        names.push(host);
    }
    let usual = certified(ca, names, &provider, app.clock.real_seconds()).map_err(unusable)?;
    let certificates = Certificates {
        app: Arc::clone(app),
        ca: Arc::clone(ca),
        provider: Arc::clone(&provider),
        usual,
        of_buckets: Cache::new(REMEMBERED_MAX),
    };
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificates));
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().filter(|name| name.ends_with(".localhost"));
        let Some(name) = name else { return Some(Arc::clone(&self.usual)) };
        if let Some(known) = self.of_buckets.get(name) {
            return Some(known);
        }
        let now = self.app.clock.real_seconds();
        match certified(&self.ca, vec![name.to_owned()], &self.provider, now) {
            Ok(made) => {
                self.of_buckets.insert(name.to_owned(), Arc::clone(&made));
                Some(made)
            }
            Err(why) => {
                warn!(why, "no certificate could be made for the name of a bucket");
                Some(Arc::clone(&self.usual))
            }
        }
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

fn certified(
    ca: &LocalCa,
    names: Vec<String>,
    provider: &CryptoProvider,
    now: i64,
) -> Result<Arc<CertifiedKey>, String> {
    let leaf = ca.issue(names, now).map_err(|error| error.to_string())?;
    let key = provider.key_provider.load_private_key(leaf.key).map_err(|error| error.to_string())?;
    Ok(Arc::new(CertifiedKey::new(leaf.chain, key)))
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
