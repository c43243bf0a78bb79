//! Tags of objects. Source: docs, objects.

use std::collections::HashSet;

use crate::cos::domain::refusal::{Code, Refusal};

/// Tags of one object at most.
const TAGS_MAX: usize = 10;
/// Characters of a tag's key and value.
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Refuses what an object cannot be tagged with.
///
/// # Errors
/// `InvalidTag`.
pub(crate) fn check(tags: &[Tag]) -> Result<(), Refusal> {
    let refuse = |why: &'static str| Err(Refusal::new(Code::InvalidTag, why));
    if tags.len() > TAGS_MAX {
        return refuse("An object has 10 tags at most.");
    }
    let mut keys = HashSet::new();
    for tag in tags {
        if tag.key.is_empty() || tag.key.chars().count() > KEY_CHARACTERS_MAX {
            return refuse("A tag's key has 1 to 128 characters.");
        }
        if tag.value.chars().count() > VALUE_CHARACTERS_MAX {
            return refuse("A tag's value has 256 characters at most.");
        }
        if tag.key.starts_with("ibm:") {
            return refuse("The prefix ibm: of a tag's key is reserved.");
        }
        if !keys.insert(tag.key.as_str()) {
            return refuse("Two tags have the same key.");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn tags_have_limits() {
        let many: Vec<Tag> = (0..11).map(|number| tag(&number.to_string(), "")).collect();
        assert!(check(&many[..10]).is_ok());
        for wrong in [
            many,
            vec![tag("", "x")],
            vec![tag(&"k".repeat(129), "")],
            vec![tag("k", &"v".repeat(257))],
            vec![tag("ibm:k", "")],
            vec![tag("k", "1"), tag("k", "2")],
        ] {
            assert!(check(&wrong).unwrap_err().is(Code::InvalidTag), "{wrong:?}");
        }
        assert!(check(&[tag(&"k".repeat(128), &"v".repeat(256))]).is_ok());
    }
}
