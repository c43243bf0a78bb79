//! Key material: bytes that leave memory when they are dropped and that nothing can print.

use zeroize::Zeroizing;

/// Bytes of a root key that Key Protect makes itself.
pub(crate) const GENERATED_BYTES: usize = 32;
/// Bytes of a standard key's material, and of a plaintext to wrap, at most. Source: docs, import-standard-keys.
pub(crate) const STANDARD_BYTES_MAX: usize = 7_500;

/// Key material or a data key in clear. Zeroized when dropped; has no `Debug`, no `Clone`, no `Serialize`.
pub(crate) struct Material(Zeroizing<Vec<u8>>);

impl Material {
    /// Takes the bytes over.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Size in bits, as `algorithmBitSize` tells it.
    pub(crate) fn bits(&self) -> u32 {
        u32::try_from(self.0.len().saturating_mul(8)).unwrap_or(u32::MAX)
    }
}

/// True for the sizes a root key's material may have: 16, 24 or 32 bytes. Source: docs, import-root-keys.
pub(crate) fn is_root_key_length(bytes: usize) -> bool {
    matches!(bytes, 16 | 24 | 32)
}

/// True for the sizes a standard key's material may have: 1 to 7,500 bytes.
pub(crate) fn is_standard_key_length(bytes: usize) -> bool {
    (1..=STANDARD_BYTES_MAX).contains(&bytes)
}
