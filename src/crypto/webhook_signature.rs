//! Signatures of webhooks, and the secrets they are made with. Source: Standard Webhooks specification, symmetric form.

use ring::hmac::{Context, HMAC_SHA256, Key};
use zeroize::Zeroizing;

use crate::crypto::Error;
use crate::crypto::base64;
use crate::crypto::random::Random;

/// What the text of a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// Bytes of a secret that is made here.
const GENERATED_BYTES: usize = 32;

/// What a secret must be, for messages.
pub(crate) const SECRET_RULE: &str = "whsec_ and the base64 of 24 to 64 bytes";

/// A secret that a sender and a receiver of webhooks share. Zeroized when dropped; has no `Debug`, no `Serialize`.
pub(crate) struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// Reads `whsec_` and base64 of 24 to 64 bytes. What is read is never told.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(base64::decode(text.strip_prefix(PREFIX)?).ok()?);
        Self::from_bytes(bytes)
    }

    /// Takes over 24 to 64 bytes, as the store holds them sealed.
    pub(crate) fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// A new one, of 32 random bytes.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub(crate) fn generate(random: &Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new(vec![0; GENERATED_BYTES]);
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes, to be sealed.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text that a receiver is given, once.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + SECRET_BYTES_MAX.div_ceil(3) * 4));
        text.push_str(PREFIX);
        base64::encode_into(&*self.0, &mut text);
        text
    }
}

/// The value of `webhook-signature`: `v1,` and a base64 HMAC for each secret, with blanks between them.
///
/// `id` is the value of `webhook-id`, `timestamp_seconds` that of `webhook-timestamp`: whole seconds since 1970-01-01.
pub(crate) fn sign(secrets: &[WebhookSecret], id: &str, timestamp_seconds: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp_seconds}.");
    let mut value = String::new();
    for secret in secrets {
        let mut context = Context::with_key(&Key::new(HMAC_SHA256, secret.bytes()));
        context.update(head.as_bytes());
        context.update(body);
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str("v1,");
        base64::encode_into(context.sign(), &mut value);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own test suites.
    const TEXT: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::parse(text).expect("a good secret")
    }

    #[test]
    fn the_known_example_is_signed_as_known() {
        let value = sign(&[secret(TEXT)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(value, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_library_for_senders_signs_alike() {
        let fresh = WebhookSecret::generate(&Random::system()).unwrap();
        let body = br#"{"eventType":"rotation"}"#;
        let expected = [&fresh.text(), TEXT]
            .map(|text| standardwebhooks::Webhook::new(text).unwrap().sign("a3af", 1_700_000_000, body).unwrap());
        assert_eq!(sign(&[fresh, secret(TEXT)], "a3af", 1_700_000_000, body), expected.join(" "));
    }

    #[test]
    fn a_secret_is_read_as_it_was_written() {
        assert_eq!(*secret(TEXT).text(), *TEXT);
        let of = |bytes: usize| format!("whsec_{}", base64::encode(vec![7; bytes]));
        for (text, good) in [
            (of(24), true),
            (of(64), true),
            (of(23), false),
            (of(65), false),
            (of(32).replace("whsec_", ""), false),
            (of(32).replace("whsec_", "WHSEC_"), false),
            ("whsec_".to_owned(), false),
            ("whsec_*".to_owned(), false),
        ] {
            assert_eq!(WebhookSecret::parse(&text).is_some(), good, "{text}");
        }
    }
}
