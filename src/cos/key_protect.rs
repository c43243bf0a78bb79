//! The one door to keys: what the gateway asks of Key Protect, in the name of the storage instance that owns a bucket.
//! `service` implements it over Key Protect's own use cases, so roles are asked and records written as for anybody.

use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use crate::cos::domain::key_crn::KeyCrn;
use crate::domain::id::VersionId;
use crate::domain::time::Timestamp;
use crate::store;
use crate::store::tx::Tx;

/// A bucket's data key in clear: 32 bytes.
pub(crate) type DataKey = Zeroizing<[u8; 32]>;

/// On whose behalf, on which key, and why.
#[derive(Clone, Debug)]
pub(crate) struct KeyCall {
    pub(crate) now: Timestamp,
    /// CRN of the storage instance.
    pub(crate) service: String,
    pub(crate) key: KeyCrn,
    /// Correlation id of the S3 request or of the event.
    pub(crate) correlation: String,
    /// Of the bucket; additional data of its wrapped data key, and what is registered.
    pub(crate) resource: String,
}

/// A wrapped data key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrappedKey {
    /// Key Protect's ciphertext.
    pub(crate) ciphertext: String,
    pub(crate) version: VersionId,
}

/// An unwrapped data key.
pub(crate) struct UnwrappedKey {
    pub(crate) data_key: DataKey,
    /// True when the root key has expired: it opens what it sealed, and seals nothing new.
    pub(crate) expired: bool,
    /// Under the newest version, when another one wrapped what came.
    pub(crate) renewed: Option<WrappedKey>,
}

/// Why Key Protect did not do it.
#[derive(Debug)]
pub(crate) enum KeyRefusal {
    /// No such key, or no such instance.
    Gone,
    Deleted,
    Suspended,
    /// Expired, or of the wrong kind.
    NotUsable,
    /// The authorization is missing.
    Unauthorized,
    /// The key does not open what was wrapped.
    OtherMaterial,
    /// A fault of Key Protect: it may pass.
    Fault,
    /// The store's fault, within a transaction.
    Store(store::Error),
}

impl From<store::Error> for KeyRefusal {
    fn from(fault: store::Error) -> Self {
        Self::Store(fault)
    }
}

/// Key Protect, as the gateway sees it.
pub(crate) trait KeyProtect: Send + Sync {
    /// Wraps a data key under the newest version.
    fn wrap<'a>(&'a self, call: &'a KeyCall, data_key: &'a DataKey) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>>;

    /// Unwraps a data key.
    fn unwrap<'a>(&'a self, call: &'a KeyCall, ciphertext: &'a str) -> BoxFuture<'a, Result<UnwrappedKey, KeyRefusal>>;

    /// Wraps a data key anew under the newest version.
    fn rewrap<'a>(&'a self, call: &'a KeyCall, ciphertext: &'a str) -> BoxFuture<'a, Result<WrappedKey, KeyRefusal>>;

    /// Whether the key is there in any state; asks for no right and leaves no record.
    fn exists<'a>(&'a self, key: &'a KeyCrn) -> BoxFuture<'a, Result<bool, KeyRefusal>>;

    /// Registers the bucket with the key, in the caller's transaction.
    ///
    /// # Errors
    /// As for any service that registers a resource.
    fn register(&self, tx: &Tx<'_>, call: &KeyCall, version: VersionId) -> Result<(), KeyRefusal>;

    /// Notes in the registration which version wraps the data key now.
    ///
    /// # Errors
    /// Unless the key is active and the bucket registered.
    fn note_version(&self, tx: &Tx<'_>, call: &KeyCall, version: VersionId) -> Result<(), KeyRefusal>;

    /// Forbids deleting the key as long as the bucket is there.
    ///
    /// # Errors
    /// As [`KeyProtect::note_version`].
    fn prevent_deletion(&self, tx: &Tx<'_>, call: &KeyCall) -> Result<(), KeyRefusal>;

    /// Takes the registration away, in any state of the key and whatever the authorization says (ASSUMED). None is no
    /// fault.
    ///
    /// # Errors
    /// The store's.
    fn deregister(&self, tx: &Tx<'_>, call: &KeyCall) -> Result<(), KeyRefusal>;
}
