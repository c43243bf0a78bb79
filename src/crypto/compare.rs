//! Comparison of secrets in constant time, and digests.

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// True when both texts are equal; takes as long for any two texts of equal length.
pub(crate) fn equal(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}
