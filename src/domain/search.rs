//! The `search` parameter of key lists. Source: API reference, getKeys.

use crate::domain::alias::Alias;
use crate::domain::id::KeyId;

/// Keys that a search may have to look at. Source: API reference.
pub(crate) const CANDIDATES_MAX: usize = 5_000;

/// A parsed search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    /// The text after the prefixes, as it was given.
    pub(crate) query: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) not: bool,
    pub(crate) exact: bool,
}

/// What a search looks at of a key.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The store's number for it.
    pub(crate) row: i64,
    /// As the store has it.
    pub(crate) id: String,
    pub(crate) name: String,
    /// True when it has aliases, and they are searched.
    pub(crate) aliased: bool,
}

/// Where a search looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Name,
    Alias,
}

impl Scope {
    /// The word on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Alias => "alias",
        }
    }
}

impl Search {
    /// Reads prefixes in any order, then the text. One trailing comma is dropped: the Go client sends it. `None` when
    /// no text is left.
    pub(crate) fn parse(given: &str) -> Option<Self> {
        let mut rest = given.strip_suffix(',').unwrap_or(given);
        let (mut not, mut exact, mut name, mut alias) = (false, false, false, false);
        loop {
            if let Some(after) = rest.strip_prefix("not:") {
                not = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("exact:") {
                exact = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("name:") {
                name = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("alias:") {
                alias = true;
                rest = after;
            } else {
                rest = rest.strip_prefix("escape:").unwrap_or(rest);
                break;
            }
        }
        let scopes = match (name, alias) {
            (true, false) => vec![Scope::Name],
            (false, true) => vec![Scope::Alias],
            (true, true) | (false, false) => vec![Scope::Name, Scope::Alias],
        };
        (!rest.is_empty()).then(|| Self { query: rest.to_owned(), scopes, not, exact })
    }

    /// The id that the text is, if it is one.
    pub(crate) fn id(&self) -> Option<KeyId> {
        KeyId::parse(&self.query)
    }

    /// The alias that is looked up before everything else, if the alias scope is searched.
    pub(crate) fn alias(&self) -> Option<Alias> {
        self.scopes.contains(&Scope::Alias).then(|| Alias::parse(&self.query)).flatten()
    }

    /// Ready to look at keys.
    pub(crate) fn finder(&self) -> Finder {
        let wanted = self.query.to_lowercase();
        let plain = wanted.is_ascii();
        let id = self.id().map(|id| id.to_string());
        Finder { wanted, plain, exact: self.exact, names: self.scopes.contains(&Scope::Name), id }
    }
}

/// A search with all that is the same for each key.
pub(crate) struct Finder {
    /// In lower case.
    wanted: String,
    /// True when that is ASCII.
    plain: bool,
    exact: bool,
    /// True when names are searched.
    names: bool,
    id: Option<String>,
}

impl Finder {
    /// True when the text is the key's id, or found in its name where names are searched.
    pub(crate) fn knows(&self, key: &Candidate) -> bool {
        self.id.as_ref() == Some(&key.id) || (self.names && self.finds(&key.name))
    }

    /// True when it is found in a name or alias: as a part or the whole, in any case.
    pub(crate) fn finds(&self, text: &str) -> bool {
        if self.plain && text.is_ascii() {
            return if self.exact { text.eq_ignore_ascii_case(&self.wanted) } else { self.is_part_of(text.as_bytes()) };
        }
        let text = text.to_lowercase();
        if self.exact { text == self.wanted } else { text.contains(&self.wanted) }
    }

    fn is_part_of(&self, text: &[u8]) -> bool {
        let wanted = self.wanted.as_bytes();
        text.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_in_any_case_of_any_script() {
        for (query, text, found) in [
            ("Gold", "the GOLDEN key", true),
            ("gold", "gol", false),
            ("ÄRA", "neue ära", true),
            ("ära", "neue ara", false),
            ("k", "\u{212a}elvin", true),
            ("exact:Gold", "gOLD", true),
            ("exact:Gold", "golden", false),
        ] {
            assert_eq!(Search::parse(query).unwrap().finder().finds(text), found, "{query} in {text}");
        }
    }

    #[test]
    fn prefixes_come_in_any_order_and_escape_ends_them() {
        let both = Search::parse("not:exact:foo").unwrap();
        assert_eq!(Search::parse("exact:not:foo").unwrap(), both);
        assert!(both.not && both.exact);
        assert_eq!(Search::parse("escape:exact:not:foo").unwrap().query, "exact:not:foo");
    }

    #[test]
    fn scopes_are_both_unless_one_is_named() {
        assert_eq!(Search::parse("foo").unwrap().scopes, [Scope::Name, Scope::Alias]);
        assert_eq!(Search::parse("alias:foo").unwrap().scopes, [Scope::Alias]);
        assert_eq!(Search::parse("alias:name:foo").unwrap().scopes, [Scope::Name, Scope::Alias]);
    }

    #[test]
    fn the_comma_of_the_go_client_is_dropped_once() {
        assert_eq!(Search::parse("alias:foo,").unwrap().query, "foo");
        assert_eq!(Search::parse("foo,,").unwrap().query, "foo,");
        assert_eq!(Search::parse("not:"), None);
        assert_eq!(Search::parse(","), None);
    }
}
