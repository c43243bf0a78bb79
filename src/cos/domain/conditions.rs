//! Conditional requests. Source: RFC 9110, 13; `docs/contract/cos.md` 5.3.

use crate::cos::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;

/// The conditions of a request; of a copy, those on its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "these are the headers' names")]
pub(crate) struct Conditions {
    /// `If-Match`: the header as it came.
    pub(crate) if_match: Option<String>,
    pub(crate) if_none_match: Option<String>,
    /// Whole seconds; dates that cannot be read are left out.
    pub(crate) if_modified_since: Option<Timestamp>,
    pub(crate) if_unmodified_since: Option<Timestamp>,
}

/// What the conditions say of an object that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    /// 304 for a read.
    NotModified,
}

impl Conditions {
    /// Weighs the conditions of a read, in the order of the contract. `etag` without quotes.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub(crate) fn of_read(&self, etag: &str, modified_at: Timestamp) -> Result<Verdict, Refusal> {
        let modified_at = modified_at.whole_seconds();
        let failed = match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) => !names(tags, etag),
            (None, Some(since)) => modified_at > since.whole_seconds(),
            (None, None) => false,
        };
        if failed {
            return Err(Code::PreconditionFailed.into());
        }
        let unmodified = match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) => names(tags, etag),
            (None, Some(since)) => modified_at <= since.whole_seconds(),
            (None, None) => false,
        };
        Ok(if unmodified { Verdict::NotModified } else { Verdict::Proceed })
    }

    /// Weighs the conditions of a copy on its source: what would be 304 is refused too.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub(crate) fn of_copy(&self, etag: &str, modified_at: Timestamp) -> Result<(), Refusal> {
        match self.of_read(etag, modified_at)? {
            Verdict::Proceed => Ok(()),
            Verdict::NotModified => Err(Code::PreconditionFailed.into()),
        }
    }

    /// Weighs the conditions of a write; `etag` is that of the object that would be replaced.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub(crate) fn of_write(&self, etag: Option<&str>) -> Result<(), Refusal> {
        let matched = |tags: &String| etag.is_some_and(|etag| names(tags, etag));
        let failed = self.if_match.as_ref().is_some_and(|tags| !matched(tags))
            || self.if_none_match.as_ref().is_some_and(matched);
        if failed { Err(Code::PreconditionFailed.into()) } else { Ok(()) }
    }
}

/// True when a list of tags names that one, or all with `*`. Quotes may be left out; weak tags compare as strong ones.
fn names(tags: &str, etag: &str) -> bool {
    tags.split(',')
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == "*" || tag == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn conditions(table: [Option<&str>; 2], since: [Option<i64>; 2]) -> Conditions {
        let [if_match, if_none_match] = table.map(|text| text.map(str::to_owned));
        let [if_modified_since, if_unmodified_since] = since.map(|seconds| seconds.map(at));
        Conditions { if_match, if_none_match, if_modified_since, if_unmodified_since }
    }

    #[test]
    fn reads_weigh_four_conditions_in_order() {
        let read = |table, since| {
            conditions(table, since).of_read("e", Timestamp::from_millis(10_900)).map_err(|refusal| refusal.status)
        };
        assert_eq!(read([None; 2], [None; 2]), Ok(Verdict::Proceed));
        assert_eq!(read([Some("\"e\""), None], [None; 2]), Ok(Verdict::Proceed));
        assert_eq!(read([Some("x, W/\"e\""), None], [None; 2]), Ok(Verdict::Proceed));
        assert_eq!(read([Some("\"x\""), None], [None; 2]), Err(412));
        assert_eq!(read([Some("e"), None], [None, Some(1)]), Ok(Verdict::Proceed), "If-Match outranks the date");
        assert_eq!(read([None; 2], [None, Some(9)]), Err(412));
        assert_eq!(read([None; 2], [None, Some(10)]), Ok(Verdict::Proceed), "seconds are compared whole");
        assert_eq!(read([None, Some("\"e\"")], [None; 2]), Ok(Verdict::NotModified));
        assert_eq!(read([None, Some("*")], [None; 2]), Ok(Verdict::NotModified));
        assert_eq!(read([None, Some("x")], [Some(99), None]), Ok(Verdict::Proceed), "If-None-Match outranks the date");
        assert_eq!(read([None; 2], [Some(10), None]), Ok(Verdict::NotModified));
        assert_eq!(read([None; 2], [Some(9), None]), Ok(Verdict::Proceed));
        assert_eq!(read([Some("x"), Some("e")], [None; 2]), Err(412));
    }

    #[test]
    fn writes_and_copies_are_refused_instead() {
        let write = |table, etag| conditions(table, [None, None]).of_write(etag).map_err(|refusal| refusal.status);
        assert_eq!(write([None, Some("*")], None), Ok(()));
        assert_eq!(write([None, Some("*")], Some("e")), Err(412));
        assert_eq!(write([Some("\"e\""), None], Some("e")), Ok(()));
        assert_eq!(write([Some("\"e\""), None], None), Err(412));
        let copied = conditions([None, Some("e")], [None, None]).of_copy("e", at(1));
        assert!(copied.unwrap_err().is(Code::PreconditionFailed));
    }
}
