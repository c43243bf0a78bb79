//! Base64 as Go's standard decoder reads it: padded, standard alphabet, stray bits at the end forgiven.

use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};

const ENGINE: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Canonical base64.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    ENGINE.encode_string(bytes, &mut text);
    text
}

/// Appends canonical base64.
pub(crate) fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    ENGINE.encode_string(bytes, text);
}

/// Reads base64.
///
/// # Errors
/// The offset of the first bad byte, as IBM's refusals name it; clients do not read it.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    // With room beforehand: zeroed memory, which the plain `decode` asks for, passes by the allocator's quick lists.
    let mut bytes = Vec::with_capacity(text.len().div_ceil(4) * 3);
    match ENGINE.decode_vec(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. }) => Err(offset),
        Err(DecodeError::InvalidLength(_) | DecodeError::InvalidPadding) => Err(text.len()),
    }
}

/// Base64url without padding, as tokens have it.
pub(crate) fn encode_url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding.
pub(crate) fn decode_url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_bits_are_forgiven_and_padding_is_not() {
        assert_eq!(decode("aGk="), Ok(b"hi".to_vec()));
        assert_eq!(decode("aGl="), Ok(b"hi".to_vec()));
        assert_eq!(decode("aGk"), Err(3));
        assert_eq!(decode("a*k="), Err(1));
        assert_eq!(encode(b"hi"), "aGk=");
    }
}
