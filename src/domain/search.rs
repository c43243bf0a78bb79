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
    /// Where aliases are searched.
    pub(crate) aliases: Vec<String>,
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
    pub(crate) fn finder(&self) -> Finder<'_> {
        Finder {
            search: self,
            wanted: self.query.to_lowercase(),
            id: self.id().map(|id| id.to_string()),
            alias: self.alias().map(|alias| alias.as_str().to_owned()),
        }
    }
}

/// A search with all that is the same for each key.
pub(crate) struct Finder<'a> {
    search: &'a Search,
    /// In lower case.
    wanted: String,
    id: Option<String>,
    alias: Option<String>,
}

impl Finder<'_> {
    /// True when the key is found: substring or whole text, in any case, turned round by `not`.
    pub(crate) fn finds(&self, key: &Candidate) -> bool {
        let found = self.names(key)
            || self.search.scopes.iter().any(|scope| match scope {
                Scope::Name => self.hits(&key.name),
                Scope::Alias => key.aliases.iter().any(|alias| self.hits(alias)),
            });
        found != self.search.not
    }

    /// True when it is the very key that the text names: that one comes first.
    pub(crate) fn looks_up(&self, key: &Candidate) -> bool {
        self.names(key) || self.alias.as_ref().is_some_and(|alias| key.aliases.contains(alias))
    }

    fn names(&self, key: &Candidate) -> bool {
        self.id.as_ref() == Some(&key.id)
    }

    fn hits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        if self.search.exact { text == self.wanted } else { text.contains(&self.wanted) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
