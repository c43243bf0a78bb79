//! The local certificate authority: made once, kept in the store, it signs the certificate of HTTPS at each start.

use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::crypto::Error;
use crate::domain::material::Material;

/// Subject of the authority.
const NAME: &str = "mock-key-protect local CA";
/// Names that a server's certificate is for, besides the address of its listeners. Many clients do not take the wildcard,
/// since it stands for names right below the top.
pub(crate) const NAMES: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];
/// How long both are valid; clients refuse certificates of servers that last for years.
const CA_DAYS: u64 = 3_650;
const LEAF_DAYS: u64 = 397;

/// The authority. Its key has no `Debug`.
pub(crate) struct LocalCa {
    /// The certificate, for clients to trust.
    pub(crate) certificate_pem: String,
    key: KeyPair,
}

/// A certificate for a server, with its key. Has no `Debug`.
pub(crate) struct Leaf {
    /// The leaf, then the authority.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl LocalCa {
    /// Makes an authority. `now`: real seconds since 1970-01-01.
    ///
    /// # Errors
    /// When the library fails.
    pub(crate) fn generate(now: i64) -> Result<Self, Error> {
        let key = KeyPair::generate().map_err(|_| Error::Refused("make the key of the local CA"))?;
        let params = authority(now)?;
        let certificate = params.self_signed(&key).map_err(|_| Error::Refused("make the local CA"))?;
        Ok(Self { certificate_pem: certificate.pem(), key })
    }

    /// For the store: its key and its certificate, PEM both.
    pub(crate) fn to_material(&self) -> Material {
        let text = Zeroizing::new(format!("{}{}", *Zeroizing::new(self.key.serialize_pem()), self.certificate_pem));
        Material::new(text.as_bytes().to_vec())
    }

    /// Takes it from the store.
    ///
    /// # Errors
    /// For what [`LocalCa::to_material`] has not made.
    pub(crate) fn from_material(material: &Material) -> Result<Self, Error> {
        const DOING: &str = "read the local CA";
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        let text = std::str::from_utf8(material.bytes()).map_err(|_| Error::Refused(DOING))?;
        let (key, certificate) = text.split_once(BEGIN).ok_or(Error::Refused(DOING))?;
        let key = KeyPair::from_pem(key).map_err(|_| Error::Refused(DOING))?;
        Ok(Self { certificate_pem: format!("{BEGIN}{certificate}"), key })
    }

    /// Signs a certificate for names and addresses. `now`: real seconds since 1970-01-01.
    ///
    /// # Errors
    /// For what is no name, or when the library fails.
    pub(crate) fn issue(&self, names: Vec<String>, now: i64) -> Result<Leaf, Error> {
        const DOING: &str = "make the certificate of HTTPS";
        let refused = |_| Error::Refused(DOING);
        let mut params = CertificateParams::new(names).map_err(refused)?;
        params.distinguished_name.push(DnType::CommonName, "mock-key-protect");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        last(&mut params, now, LEAF_DAYS)?;
        let key = KeyPair::generate().map_err(refused)?;
        let copy = KeyPair::from_pem(&Zeroizing::new(self.key.serialize_pem())).map_err(refused)?;
        let issuer = Issuer::new(authority(now)?, copy);
        let leaf = params.signed_by(&key, &issuer).map_err(refused)?;
        let ca = rustls_pki_types::pem::PemObject::from_pem_slice(self.certificate_pem.as_bytes());
        let ca: CertificateDer<'static> = ca.map_err(|_| Error::Refused(DOING))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Leaf { chain: vec![leaf.der().clone(), ca], key })
    }
}

fn authority(now: i64) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    last(&mut params, now, CA_DAYS)?;
    Ok(params)
}

/// Valid from yesterday on, for clients whose clocks lag.
fn last(params: &mut CertificateParams, now: i64, days: u64) -> Result<(), Error> {
    const DOING: &str = "date a certificate";
    let today: DateTime<Utc> = DateTime::from_timestamp(now, 0).ok_or(Error::Refused(DOING))?;
    let from = today.checked_sub_days(Days::new(1)).ok_or(Error::Refused(DOING))?;
    let until = today.checked_add_days(Days::new(days)).ok_or(Error::Refused(DOING))?;
    let day = |at: DateTime<Utc>| {
        let month = u8::try_from(at.month()).unwrap_or(1);
        date_time_ymd(at.year(), month, u8::try_from(at.day()).unwrap_or(1))
    };
    params.not_before = day(from);
    params.not_after = day(until);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2027-01-01T00:00:00Z
    const NOW: i64 = 1_798_761_600;

    #[test]
    fn an_authority_is_the_same_after_it_was_stored() {
        let ca = LocalCa::generate(NOW).unwrap();
        let again = LocalCa::from_material(&ca.to_material()).unwrap();
        assert_eq!(again.certificate_pem, ca.certificate_pem);
        assert_eq!(again.key.serialize_pem(), ca.key.serialize_pem());
        let leaf = again.issue(vec!["localhost".to_owned(), "192.0.2.7".to_owned()], NOW).unwrap();
        assert_eq!(leaf.chain.len(), 2);
    }

    #[test]
    fn what_is_no_authority_is_refused() {
        for wrong in ["", "-----BEGIN CERTIFICATE-----\n", "text"] {
            assert!(LocalCa::from_material(&Material::new(wrong.as_bytes().to_vec())).is_err());
        }
    }
}
