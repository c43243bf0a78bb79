//! Which keys may be made and imported. Source: docs, settings-key-create-import-access.

use crate::domain::key::Kind;
use crate::domain::reason::Reason;

/// Where a key's material comes from, as far as the policy is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Making {
    /// Made by the service.
    Generated,
    /// Imported in plain base64.
    ImportedPlain,
    /// Imported with an import token.
    ImportedSealed,
}

/// One attribute of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyAccessFlag {
    CreateRootKey,
    CreateStandardKey,
    ImportRootKey,
    ImportStandardKey,
    /// Imports need an import token; outranks the two flags for imports.
    EnforceToken,
}

impl KeyAccessFlag {
    /// All of them, in the order in which they are shown.
    pub(crate) const ALL: [Self; 5] = [
        Self::CreateRootKey,
        Self::CreateStandardKey,
        Self::ImportRootKey,
        Self::ImportStandardKey,
        Self::EnforceToken,
    ];

    /// The attribute's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateRootKey => "create_root_key",
            Self::CreateStandardKey => "create_standard_key",
            Self::ImportRootKey => "import_root_key",
            Self::ImportStandardKey => "import_standard_key",
            Self::EnforceToken => "enforce_token",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::CreateRootKey => 1,
            Self::CreateStandardKey => 1 << 1,
            Self::ImportRootKey => 1 << 2,
            Self::ImportStandardKey => 1 << 3,
            Self::EnforceToken => 1 << 4,
        }
    }
}

/// The set of flags that are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyAccess(u8);

impl KeyAccess {
    /// No flag is on.
    pub(crate) const NONE: Self = Self(0);
    /// Where nothing is said: everything is allowed, and no token needed.
    pub(crate) const DEFAULT: Self = Self(0b0_1111);

    /// The set with a flag on or off.
    #[must_use]
    pub(crate) const fn with(self, flag: KeyAccessFlag, on: bool) -> Self {
        if on { Self(self.0 | flag.bit()) } else { Self(self.0 & !flag.bit()) }
    }

    /// True when the flag is on.
    pub(crate) const fn has(self, flag: KeyAccessFlag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// Decides whether a key may be made.
    ///
    /// # Errors
    /// `KeyCreateImportAccess`.
    pub(super) fn allow_new_key(self, kind: Kind, making: Making) -> Result<(), Reason> {
        let flag = match (kind, making) {
            (Kind::Root, Making::Generated) => KeyAccessFlag::CreateRootKey,
            (Kind::Standard, Making::Generated) => KeyAccessFlag::CreateStandardKey,
            // No standard key can be imported with a token.
            _ if self.has(KeyAccessFlag::EnforceToken) => return self.allow_material(making),
            (Kind::Root, Making::ImportedPlain | Making::ImportedSealed) => KeyAccessFlag::ImportRootKey,
            (Kind::Standard, Making::ImportedPlain | Making::ImportedSealed) => KeyAccessFlag::ImportStandardKey,
        };
        if self.has(flag) { Ok(()) } else { Err(Reason::KeyCreateImportAccess) }
    }

    /// Decides whether an imported key may get or keep material that came like this.
    ///
    /// # Errors
    /// `KeyCreateImportAccess`.
    pub(super) fn allow_material(self, making: Making) -> Result<(), Reason> {
        let refused = self.has(KeyAccessFlag::EnforceToken) && making == Making::ImportedPlain;
        if refused { Err(Reason::KeyCreateImportAccess) } else { Ok(()) }
    }
}
