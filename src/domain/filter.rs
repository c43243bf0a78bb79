//! The `filter` parameter of key lists. Source: API reference, getKeys; go-client's filter builder.

use crate::domain::time::parse_strictly;

/// What the parameter must be, for messages. Source: go-client.
pub(crate) const RULE: &str =
    "a valid filter query with a valid operator for a property specified after an \"=\" symbol";
/// Terms that one property may have. Source: API reference.
const TERMS_PER_PROPERTY_MAX: usize = 3;

/// Dates that a filter can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateProperty {
    Creation,
    Deletion,
    Expiration,
    LastRotate,
    LastUpdate,
}

/// A condition on a date, in whole milliseconds: what lies between two of them is rounded the right way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateTest {
    /// The property is absent.
    None,
    /// Equal to an instant; `None` when the instant has a finer fraction than any stored one.
    Equal(Option<i64>),
    AtMost(i64),
    AtLeast(i64),
}

/// One term of a filter; all terms must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    Date(DateProperty, DateTest),
    Extractable(bool),
    /// Any of these state numbers.
    State(Vec<u8>),
}

/// Reads a filter: terms separated by blanks, `property=value` or `property=operator:value`. `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for term in text.split_ascii_whitespace() {
        let (property, value) = term.split_once('=')?;
        if used.iter().filter(|name| **name == property).count() == TERMS_PER_PROPERTY_MAX {
            return None;
        }
        used.push(property);
        terms.push(parse_term(property, value)?);
    }
    (!terms.is_empty()).then_some(terms)
}

fn parse_term(property: &str, value: &str) -> Option<Term> {
    let date = match property {
        "extractable" => return parse_bool(value).map(Term::Extractable),
        "state" => return parse_states(value).map(Term::State),
        "creationDate" => DateProperty::Creation,
        "deletionDate" => DateProperty::Deletion,
        "expirationDate" => DateProperty::Expiration,
        "lastRotateDate" => DateProperty::LastRotate,
        "lastUpdateDate" => DateProperty::LastUpdate,
        _ => return None,
    };
    parse_date_test(value).map(|test| Term::Date(date, test))
}

fn parse_bool(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn parse_states(value: &str) -> Option<Vec<u8>> {
    let state = |digit| match digit {
        "0" => Some(0),
        "1" => Some(1),
        "2" => Some(2),
        "3" => Some(3),
        "5" => Some(5),
        _ => None,
    };
    value.split(',').map(state).collect()
}

fn parse_date_test(value: &str) -> Option<DateTest> {
    if value.eq_ignore_ascii_case("none") {
        return Some(DateTest::None);
    }
    let (operator, quoted) = match value.split_once(':') {
        Some((operator, quoted)) if matches!(operator, "lte" | "lt" | "gte" | "gt") => (operator, quoted),
        _ => ("", value),
    };
    let instant = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let parsed = parse_strictly(instant)?;
    let millis = parsed.timestamp_millis();
    let fraction = parsed.timestamp_subsec_nanos() % 1_000_000 != 0;
    Some(match (operator, fraction) {
        ("lte", _) | ("lt", true) => DateTest::AtMost(millis),
        ("lt", false) => DateTest::AtMost(millis - 1),
        ("gte", false) => DateTest::AtLeast(millis),
        ("gte", true) | ("gt", _) => DateTest::AtLeast(millis + 1),
        (_, fraction) => DateTest::Equal((!fraction).then_some(millis)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_go_builders_leading_blank_and_fractions_are_read() {
        let terms = parse(" creationDate=gte:\"2022-07-05T00:00:00.0000001Z\" state=0,1,5 extractable=TRUE").unwrap();
        assert_eq!(terms[0], Term::Date(DateProperty::Creation, DateTest::AtLeast(1_656_979_200_001)));
        assert_eq!(terms[1], Term::State(vec![0, 1, 5]));
        assert_eq!(terms[2], Term::Extractable(true));
    }

    #[test]
    fn operators_meet_their_bounds_exactly() {
        let test = |text: &str| {
            let terms = parse(text).unwrap();
            let Term::Date(_, test) = terms[0] else { panic!("{terms:?}") };
            test
        };
        assert_eq!(test("deletionDate=lt:\"1970-01-01T00:00:01Z\""), DateTest::AtMost(999));
        assert_eq!(test("deletionDate=lte:\"1970-01-01T00:00:01Z\""), DateTest::AtMost(1_000));
        assert_eq!(test("deletionDate=gt:\"1970-01-01T00:00:01Z\""), DateTest::AtLeast(1_001));
        assert_eq!(test("deletionDate=\"1970-01-01T01:00:01+01:00\""), DateTest::Equal(Some(1_000)));
        assert_eq!(test("deletionDate=\"1970-01-01T00:00:01.0000001Z\""), DateTest::Equal(None));
        assert_eq!(test("lastRotateDate=NONE"), DateTest::None);
    }

    #[test]
    fn what_the_service_refuses_is_refused() {
        for wrong in [
            "",
            "creationDate=\"2022-03-16\"",
            "creationDate=2022-03-16T00:00:00Z",
            "creationDate=gte:\"2022-03-16T00:00:00Z",
            "creationDate=eq:\"2022-03-16T00:00:00Z\"",
            "creationDate=\"none\"",
            "name=foo",
            "state=gte:1",
            "state=4",
            "state=1,",
            "state=01",
            "state=+1",
            "extractable=lt:true",
            "extractable=\"true\"",
            "state",
            "state=1 state=1 state=1 state=1",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
