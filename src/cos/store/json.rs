//! What is only ever read whole, as JSON in one column.

use serde_json::{Map, Value, json};

use crate::cos::domain::attributes::Attributes;
use crate::cos::domain::checksum::{Algorithm, Checksum};
use crate::cos::domain::retention::{LegalHold, ObjectRetention, RetentionDraft};
use crate::cos::domain::tags::Tag;
use crate::domain::time::Timestamp;

/// `[["key","value"],…]`
pub(super) fn from_tags(tags: &[Tag]) -> String {
    json!(tags.iter().map(|tag| [&tag.key, &tag.value]).collect::<Vec<_>>()).to_string()
}

/// The opposite of [`from_tags`].
pub(super) fn to_tags(text: &str) -> Option<Vec<Tag>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    Some(pairs.into_iter().map(|(key, value)| Tag { key, value }).collect())
}

/// `[["CRC32","<hex>"],…]`
pub(super) fn from_checksums(checksums: &[Checksum]) -> String {
    let pairs = checksums.iter().map(|one| [one.algorithm.name().to_owned(), hex::encode(&one.value)]);
    json!(pairs.collect::<Vec<_>>()).to_string()
}

/// The opposite of [`from_checksums`].
pub(super) fn to_checksums(text: &str) -> Option<Vec<Checksum>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(text).ok()?;
    let one = |(name, value): (String, String)| {
        Some(Checksum { algorithm: Algorithm::parse(&name)?, value: hex::decode(value).ok()? })
    };
    pairs.into_iter().map(one).collect()
}

/// An object with what was given alone.
pub(super) fn from_attributes(attributes: &Attributes) -> String {
    let mut map = Map::new();
    for (name, value) in headers(attributes) {
        if let Some(value) = value {
            map.insert(name.to_owned(), json!(value));
        }
    }
    if !attributes.user.is_empty() {
        map.insert("user".to_owned(), json!(attributes.user));
    }
    if attributes.aes256 {
        map.insert("aes256".to_owned(), json!(true));
    }
    Value::Object(map).to_string()
}

/// The opposite of [`from_attributes`].
pub(super) fn to_attributes(text: &str) -> Option<Attributes> {
    let map: Map<String, Value> = serde_json::from_str(text).ok()?;
    let header = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let user = match map.get("user") {
        Some(pairs) => serde_json::from_value(pairs.clone()).ok()?,
        None => Vec::new(),
    };
    Some(Attributes {
        content_type: header("type"),
        content_encoding: header("encoding"),
        content_language: header("language"),
        content_disposition: header("disposition"),
        cache_control: header("cache"),
        expires: header("expires"),
        website_redirect: header("redirect"),
        user,
        aes256: map.contains_key("aes256"),
    })
}

fn headers(attributes: &Attributes) -> [(&'static str, Option<&String>); 7] {
    [
        ("type", attributes.content_type.as_ref()),
        ("encoding", attributes.content_encoding.as_ref()),
        ("language", attributes.content_language.as_ref()),
        ("disposition", attributes.content_disposition.as_ref()),
        ("cache", attributes.cache_control.as_ref()),
        ("expires", attributes.expires.as_ref()),
        ("redirect", attributes.website_redirect.as_ref()),
    ]
}

/// `[period, until, [["id", at],…]]`
pub(super) fn from_retention(retention: &ObjectRetention) -> String {
    let holds: Vec<(&str, i64)> = retention.holds.iter().map(|hold| (hold.id.as_str(), hold.at.millis())).collect();
    json!([retention.period_seconds, retention.expires_at.millis(), holds]).to_string()
}

/// The opposite of [`from_retention`].
pub(super) fn to_retention(text: &str) -> Option<ObjectRetention> {
    type Stored = (u64, i64, Vec<(String, i64)>);
    let (period_seconds, until, holds): Stored = serde_json::from_str(text).ok()?;
    let hold = |(id, at)| LegalHold { id, at: Timestamp::from_millis(at) };
    let holds = holds.into_iter().map(hold).collect();
    Some(ObjectRetention { period_seconds, expires_at: Timestamp::from_millis(until), holds })
}

/// `[period or null, until or null, ["hold",…]]`
pub(super) fn from_draft(draft: &RetentionDraft) -> String {
    json!([draft.period_seconds, draft.expires_at.map(Timestamp::millis), draft.holds]).to_string()
}

/// The opposite of [`from_draft`].
pub(super) fn to_draft(text: &str) -> Option<RetentionDraft> {
    let (period_seconds, until, holds): (Option<u64>, Option<i64>, Vec<String>) = serde_json::from_str(text).ok()?;
    Some(RetentionDraft { period_seconds, expires_at: until.map(Timestamp::from_millis), holds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let tags = vec![Tag { key: "k".to_owned(), value: "ü \"".to_owned() }];
        assert_eq!(to_tags(&from_tags(&tags)), Some(tags));
        let checksums = vec![Checksum { algorithm: Algorithm::Crc64Nvme, value: vec![1; 8] }];
        assert_eq!(to_checksums(&from_checksums(&checksums)), Some(checksums));
        let attributes = Attributes {
            content_type: Some("text/plain".to_owned()),
            expires: Some("later".to_owned()),
            user: vec![("a".to_owned(), "1,2".to_owned())],
            aes256: true,
            ..Attributes::default()
        };
        assert_eq!(to_attributes(&from_attributes(&attributes)), Some(attributes));
        assert_eq!(to_attributes(&from_attributes(&Attributes::default())), Some(Attributes::default()));
        let at = Timestamp::from_millis(5_000);
        let holds = vec![LegalHold { id: "h".to_owned(), at }];
        let retention = ObjectRetention { period_seconds: 7, expires_at: at, holds };
        assert_eq!(to_retention(&from_retention(&retention)), Some(retention));
        let draft = RetentionDraft { period_seconds: None, expires_at: Some(at), holds: vec!["h".to_owned()] };
        assert_eq!(to_draft(&from_draft(&draft)), Some(draft));
    }
}
