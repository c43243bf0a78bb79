//! What an uploader says of an object and gets back with it.

use crate::cos::domain::refusal::{Code, Refusal};

/// Bytes that names and values of user metadata have together. Source: `docs/contract/cos.md` 2.6.
const USER_METADATA_BYTES_MAX: usize = 2_048;

/// Headers that are kept as they came; user metadata by lower-case names without `x-amz-meta-`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    /// Without `aws-chunked`.
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) website_redirect: Option<String>,
    /// In order of their names; repeated headers joined with a comma.
    pub(crate) user: Vec<(String, String)>,
    /// True when `x-amz-server-side-encryption: AES256` came.
    pub(crate) aes256: bool,
}

impl Attributes {
    /// The type that objects have whose uploader named none (ASSUMED).
    pub(crate) const DEFAULT_TYPE: &str = "binary/octet-stream";

    /// Refuses too much user metadata.
    ///
    /// # Errors
    /// `MetadataTooLarge`.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        let bytes: usize = self.user.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > USER_METADATA_BYTES_MAX { Err(Code::MetadataTooLarge.into()) } else { Ok(()) }
    }
}
