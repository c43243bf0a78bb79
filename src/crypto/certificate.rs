//! X.509 certificates in PEM form, told apart by what they say.

use ring::digest::{SHA256, digest};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::crypto::base64;

/// SHA-256 of a certificate's DER form: the same for each way of breaking its lines.
pub(crate) type Fingerprint = [u8; 32];

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
const ANY_BEGIN: &str = "-----BEGIN ";

/// Reads a text that holds one certificate, with lines of other words around it, as tools print them; `None` for anything
/// else.
///
/// Source: go-client, comment on `CreateKMIPClientCertificate`, for the form; that other lines are skipped is ASSUMED, as
/// readers of PEM do it.
pub(crate) fn fingerprint(pem: &str) -> Option<Fingerprint> {
    let (before, rest) = pem.split_once(BEGIN)?;
    let (inner, after) = rest.split_once(END)?;
    let alone = !before.contains(ANY_BEGIN) && !after.contains(ANY_BEGIN);
    let starts_its_line = before.lines().last().is_none_or(|line| before.ends_with('\n') || line.trim().is_empty());
    let ends_its_line = after.lines().next().is_none_or(|line| line.trim().is_empty());
    if !(alone && starts_its_line && ends_its_line) {
        return None;
    }
    let text: String = inner.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    let der = base64::decode(&text).ok()?;
    Certificate::from_der(&der).ok()?;
    digest(&SHA256, &der).as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("../../tests/it/fixtures/kmip/rsa.pem");

    #[test]
    fn lines_may_be_broken_in_any_way() {
        let known = fingerprint(PEM);
        assert!(known.is_some());
        let one_line = PEM.replace('\n', "");
        let told = format!("Certificate:\n    Data:\n{PEM}\nmade by a tool\n");
        for other in [PEM.replace('\n', "\r\n"), format!("\n \t{PEM}\n\n"), one_line, told] {
            assert_eq!(fingerprint(&other), known, "{other}");
        }
    }

    #[test]
    fn what_is_not_one_whole_certificate_is_refused() {
        let body = PEM.trim().strip_prefix(BEGIN).unwrap().strip_suffix(END).unwrap();
        let wrong = [
            String::new(),
            "invalidPEM".to_owned(),
            body.to_owned(),
            format!("{BEGIN}\n{END}"),
            format!("{BEGIN}\naGVsbG8=\n{END}"),
            format!("{PEM}{PEM}"),
            PEM.replace("CERTIFICATE", "PUBLIC KEY"),
            PEM.replacen("MII", "MI*", 1),
            format!("{BEGIN}{}{END}", &body[..body.len() / 2 / 65 * 65]),
            format!("some words {PEM}"),
            format!("{} some words", PEM.trim()),
            format!("{}{PEM}", PEM.replace("CERTIFICATE", "PUBLIC KEY")),
        ];
        for text in wrong {
            assert_eq!(fingerprint(&text), None, "{text}");
        }
    }

    #[test]
    fn bytes_after_the_certificate_are_refused() {
        let body: String = PEM.trim().strip_prefix(BEGIN).unwrap().strip_suffix(END).unwrap().lines().collect();
        let mut der = base64::decode(&body).unwrap();
        der.push(0);
        assert_eq!(fingerprint(&format!("{BEGIN}{}{END}", base64::encode(der))), None);
    }

    #[test]
    fn usual_kinds_of_certificates_are_read() {
        let kinds = [
            include_str!("../../tests/it/fixtures/kmip/rsa.pem"),
            include_str!("../../tests/it/fixtures/kmip/ec.pem"),
            include_str!("../../tests/it/fixtures/kmip/ed25519.pem"),
            include_str!("../../tests/it/fixtures/kmip/version_1.pem"),
            include_str!("../../tests/it/fixtures/kmip/expired.pem"),
        ];
        let mut seen: Vec<Fingerprint> = kinds.iter().map(|pem| fingerprint(pem).expect("a certificate")).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), kinds.len());
    }
}
