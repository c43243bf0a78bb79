//! Texts with wildcards, as access policies and queries for registrations use them.

/// A text to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `stringEquals`: the very text.
    Exact(String),
    /// `stringMatch`: `*` stands for any run of characters, `?` for one.
    Wild(String),
}

impl Pattern {
    /// True when the text fits. Case matters.
    pub(crate) fn fits(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Wild(wanted) => wild(wanted, text),
        }
    }

    /// The same test as a pattern of `GLOB`, which sees to lists.
    pub(crate) fn glob(&self) -> String {
        match self {
            Self::Exact(text) => escaped(text, &['*', '?', '[']),
            Self::Wild(text) => escaped(text, &['[']),
        }
    }
}

/// A pattern of `GLOB` in which `*` is a wildcard and nothing else is.
pub(crate) fn star_glob(text: &str) -> String {
    escaped(text, &['?', '['])
}

/// A class of one character stands for that character.
fn escaped(text: &str, special: &[char]) -> String {
    let mut glob = String::with_capacity(text.len());
    for letter in text.chars() {
        if special.contains(&letter) {
            glob.extend(['[', letter, ']']);
        } else {
            glob.push(letter);
        }
    }
    glob
}

/// True when the text fits a pattern in which `*` is a wildcard and nothing else is.
pub(crate) fn fits_stars(pattern: &str, text: &str) -> bool {
    matches(pattern, None, text)
}

/// True when the text fits a pattern in which `?` is a wildcard too.
fn wild(pattern: &str, text: &str) -> bool {
    matches(pattern, Some('?'), text)
}

/// Greedy, with one step back to the last `*`: takes at most the product of both lengths. `any` stands for one character.
fn matches(pattern: &str, any: Option<char>, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(t) {
        let wanted = pattern.get(p).copied();
        if wanted == Some('*') {
            star = Some((p, t));
            p += 1;
        } else if wanted.is_some() && (wanted == any || wanted == Some(*letter)) {
            p += 1;
            t += 1;
        } else if let Some((at, eaten)) = star {
            star = Some((at, eaten + 1));
            p = at + 1;
            t = eaten + 1;
        } else {
            return false;
        }
    }
    pattern.iter().skip(p).all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wild(pattern: &str) -> Pattern {
        Pattern::Wild(pattern.to_owned())
    }

    #[test]
    fn stars_stand_for_any_run_and_question_marks_for_one_character() {
        for (pattern, text) in [("*", ""), ("a*", "a"), ("a*c", "abbc"), ("?b*", "abc"), ("*b*b", "abab"), ("ü?", "üx")]
        {
            assert!(wild(pattern).fits(text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a*c", "abcd"), ("?", ""), ("a?", "a"), ("*b", "abc"), ("A*", "abc")] {
            assert!(!wild(pattern).fits(text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_exact_text_has_no_wildcards() {
        let exact = Pattern::Exact("a*".to_owned());
        assert!(exact.fits("a*") && !exact.fits("ab"));
        assert_eq!(exact.glob(), "a[*]");
        assert_eq!(wild("a*[?").glob(), "a*[[]?");
        assert_eq!(star_glob("a*?"), "a*[?]");
    }

    proptest::proptest! {
        #[test]
        fn a_text_with_parts_replaced_by_stars_still_fits(head in "[a-c*?]{0,6}", middle in ".{0,6}", tail in "[a-c]{0,6}") {
            let text = format!("{head}{middle}{tail}");
            proptest::prop_assert!(Pattern::Exact(text.clone()).fits(&text));
            let pattern = wild(&format!("{head}*{tail}"));
            proptest::prop_assert!(pattern.fits(&text));
        }
    }
}
