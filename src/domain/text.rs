//! Checks on names, descriptions and tags. Source: docs, import-root-keys; the ban on control characters is ASSUMED.

/// Characters that a tag may not hold. Source: API reference.
const TAG_FORBIDDEN: [char; 6] = ['<', '>', ',', ':', '&', '|'];
/// Tags on one key.
pub(crate) const TAGS_MAX: usize = 30;
/// Characters in one tag.
const TAG_CHARACTERS_MAX: usize = 30;

/// 2 to 90 Unicode characters without control characters.
pub(crate) fn is_name(text: &str) -> bool {
    has_length(text, 2, 90)
}

/// 2 to 240 Unicode characters without control characters.
pub(crate) fn is_description(text: &str) -> bool {
    has_length(text, 2, 240)
}

/// Up to 30 Unicode characters, none of `< > , : & |`, no control characters.
pub(crate) fn is_tag(text: &str) -> bool {
    has_length(text, 0, TAG_CHARACTERS_MAX) && !text.contains(TAG_FORBIDDEN)
}

fn has_length(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert!(is_name(&"ü".repeat(90)));
        assert!(!is_name(&"ü".repeat(91)));
        assert!(!is_name("k"));
    }

    #[test]
    fn control_characters_are_refused_everywhere() {
        assert!(!is_name("a\u{0}b"));
        assert!(!is_description("two\nlines"));
        assert!(!is_tag("tab\there"));
    }

    #[test]
    fn a_tag_may_be_empty_but_not_hold_separators() {
        assert!(is_tag(""));
        for forbidden in TAG_FORBIDDEN {
            assert!(!is_tag(&format!("a{forbidden}")));
        }
    }
}
