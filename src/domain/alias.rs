//! Key aliases, and the two ways in which a request can name a key.

use crate::domain::id::KeyId;

/// Aliases that one key may have. Source: docs, create-key-alias.
pub(crate) const PER_KEY_MAX: usize = 5;
/// Aliases that one instance may have. Source: docs, create-key-alias.
pub(crate) const PER_INSTANCE_MAX: u64 = 1_000;

/// Words that paths need for themselves. Source: API reference.
const RESERVED: [&str; 16] = [
    "allowed_ip",
    "key",
    "keys",
    "metadata",
    "policy",
    "policies",
    "registration",
    "registrations",
    "ring",
    "rings",
    "rotate",
    "wrap",
    "unwrap",
    "rewrap",
    "version",
    "versions",
];

/// What an alias must be, for messages.
pub(crate) const RULE: &str =
    "2 to 90 letters, digits, hyphens or underscores, not a UUID of version 4 and not a reserved word";

/// A key's alias: 2 to 90 of `[A-Za-z0-9_-]`, case-sensitive, neither a UUID of version 4 nor a reserved word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Alias(String);

impl Alias {
    /// Reads an alias.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fits = (2..=90).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !KeyId::parse(text).is_some_and(KeyId::is_random)
            && !RESERVED.contains(&text);
        fits.then(|| Self(text.to_owned()))
    }

    /// The alias as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// How a path names a key. Source: docs, create-key-alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyRef {
    /// By its id.
    Id(KeyId),
    /// By one of its aliases.
    Alias(Alias),
    /// By a text that no key can have.
    Nothing,
}

impl KeyRef {
    /// A UUID of version 4 is an id, everything else an alias.
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(id) = KeyId::parse(text).filter(|id| id.is_random()) {
            return Self::Id(id);
        }
        Alias::parse(text).map_or(Self::Nothing, Self::Alias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_words_and_uuids_are_no_aliases() {
        for word in RESERVED {
            assert!(Alias::parse(word).is_none(), "{word}");
        }
        assert!(Alias::parse("02fd6835-6001-4482-a892-13bd2085f75d").is_none());
        assert!(Alias::parse("00000000-0000-1000-8000-000000000000").is_some(), "version 1");
        assert!(Alias::parse("Keys").is_some());
    }

    #[test]
    fn length_and_characters_are_checked() {
        assert!(Alias::parse("a").is_none());
        assert!(Alias::parse(&"a".repeat(91)).is_none());
        assert!(Alias::parse("with blank").is_none());
        assert!(Alias::parse("Ünder").is_none());
        assert!(Alias::parse("r1_-").is_some());
    }
}
