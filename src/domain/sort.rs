//! The `sort` parameter of key lists. Source: API reference, getKeys.

/// What keys can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    Id,
    State,
    Extractable,
    Imported,
    CreationDate,
    LastUpdateDate,
    LastRotateDate,
    DeletionDate,
    ExpirationDate,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// One term; earlier ones weigh more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) property: Property,
    pub(crate) direction: Direction,
}

/// What the parameter must be, for messages.
pub(crate) const RULE: &str = "a list of id, state, extractable, imported, creationDate, lastUpdateDate, \
                               lastRotateDate, deletionDate or expirationDate, separated by commas, each with an \
                               optional leading hyphen";

/// Reads a comma list of properties, each with an optional leading `-`. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Vec<Term>> {
    text.split(',')
        .map(|term| {
            let (name, direction) =
                term.strip_prefix('-').map_or((term, Direction::Ascending), |name| (name, Direction::Descending));
            let property = match name {
                "id" => Property::Id,
                "state" => Property::State,
                "extractable" => Property::Extractable,
                "imported" => Property::Imported,
                "creationDate" => Property::CreationDate,
                "lastUpdateDate" => Property::LastUpdateDate,
                "lastRotateDate" => Property::LastRotateDate,
                "deletionDate" => Property::DeletionDate,
                "expirationDate" => Property::ExpirationDate,
                _ => return None,
            };
            Some(Term { property, direction })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hyphen_turns_a_term_round() {
        let terms = parse("-state,id").unwrap();
        assert_eq!(terms[0], Term { property: Property::State, direction: Direction::Descending });
        assert_eq!(terms[1], Term { property: Property::Id, direction: Direction::Ascending });
    }

    #[test]
    fn unknown_and_empty_terms_are_refused() {
        for wrong in ["", "name", "id,", "--id", "ID"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
