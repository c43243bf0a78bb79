//! JSON bodies as IBM's service reads them: member names in any case, the last of two spellings wins, `null` is absence.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::domain::reason::{BodyFault, Reason};

/// What a body holds.
pub(crate) enum Body {
    /// Nothing, blanks, or `null`.
    Absent,
    Fields(Fields),
}

/// An object whose member names are in lower case.
pub(crate) struct Fields(Map<String, Value>);

/// Characters of an unknown member's name that a refusal tells.
const UNKNOWN_CHARACTERS_MAX: usize = 64;
const MALFORMED: Reason = Reason::BadBody(BodyFault::Malformed);
/// Names of members that are spelled with capitals on the wire.
const SPELLED: [&str; 12] = [
    "collectionType",
    "dualAuthDelete",
    "encryptedNonce",
    "encryptionAlgorithm",
    "expirationDate",
    "keyRingID",
    "keyStateData",
    "keyVersionId",
    "preventKeyDeletion",
    "registrationMetadata",
    "resourceCrn",
    "rewrappedKeyVersion",
];

/// Reads a body.
///
/// # Errors
/// `BadBody` for what is not one JSON object.
pub(crate) fn parse(bytes: &[u8]) -> Result<Body, Reason> {
    read(bytes, None)
}

/// Reads a body whose members must all be known, and keeps how they were spelled.
///
/// # Errors
/// As [`parse`].
pub(crate) fn parse_strictly(bytes: &[u8]) -> Result<(Body, Spellings), Reason> {
    let spellings = RefCell::default();
    let body = read(bytes, Some(&spellings))?;
    Ok((body, Spellings(spellings.into_inner())))
}

fn read(bytes: &[u8], spellings: Option<&RefCell<HashMap<String, String>>>) -> Result<Body, Reason> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Body::Absent);
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Lowered { spellings }.deserialize(&mut reader).map_err(|_| MALFORMED)?;
    reader.end().map_err(|_| MALFORMED)?;
    match value {
        Value::Null => Ok(Body::Absent),
        Value::Object(members) => Ok(Body::Fields(Fields(members))),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(MALFORMED),
    }
}

impl Body {
    /// The members; none of them where there is no body.
    pub(crate) fn or_empty(self) -> Fields {
        match self {
            Self::Absent => Fields(Map::new()),
            Self::Fields(fields) => fields,
        }
    }

    /// The members.
    ///
    /// # Errors
    /// `NoBody` where there is none.
    pub(crate) fn required(self) -> Result<Fields, Reason> {
        match self {
            Self::Absent => Err(Reason::NoBody),
            Self::Fields(fields) => Ok(fields),
        }
    }
}

impl Fields {
    /// A member, unless it is absent or `null`. `name` is in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// `BadBody` for another type.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, Reason> {
        self.get(name).map(|value| value.as_str().ok_or_else(|| wrong_type(name, "a text"))).transpose()
    }

    /// A boolean.
    ///
    /// # Errors
    /// `BadBody` for another type.
    pub(crate) fn boolean(&self, name: &'static str) -> Result<Option<bool>, Reason> {
        let wanted = "true or false, without quotes";
        self.get(name).map(|value| value.as_bool().ok_or_else(|| wrong_type(name, wanted))).transpose()
    }

    /// A list of texts.
    ///
    /// # Errors
    /// `BadBody` for another type.
    pub(crate) fn texts(&self, name: &'static str) -> Result<Vec<&str>, Reason> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
        texts.ok_or_else(|| wrong_type(name, "a list of texts"))
    }

    /// An object.
    ///
    /// # Errors
    /// `BadBody` for another type.
    pub(crate) fn object(&self, name: &'static str) -> Result<Option<Fields>, Reason> {
        let fields = |value: &Value| value.as_object().cloned().map(Fields);
        self.get(name).map(|value| fields(value).ok_or_else(|| wrong_type(name, "an object"))).transpose()
    }

    /// A list of objects; `None` where there is none.
    ///
    /// # Errors
    /// `BadBody` for another type.
    pub(crate) fn objects(&self, name: &'static str) -> Result<Option<Vec<Fields>>, Reason> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let fields = |one: &Value| one.as_object().cloned().map(Fields);
        let all = value.as_array().and_then(|list| list.iter().map(fields).collect());
        all.map(Some).ok_or_else(|| wrong_type(name, "a list of objects"))
    }

    /// True when there is no member at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn wrong_type(name: &'static str, wanted: &'static str) -> Reason {
    let field = SPELLED.into_iter().find(|spelled| spelled.eq_ignore_ascii_case(name)).unwrap_or(name);
    Reason::BadBody(BodyFault::WrongType { field, wanted })
}

/// A whole number, `600.0` too: the Java SDK's types are floating.
pub(crate) fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let text = number.to_string();
        text.strip_suffix(".0").and_then(|whole| whole.parse().ok())
    })
}

/// How member names of a body were spelled.
pub(crate) struct Spellings(HashMap<String, String>);

impl Spellings {
    /// Refuses members of an object besides the known ones, whose names are in lower case.
    ///
    /// # Errors
    /// `BadBody`, telling the first of them.
    pub(crate) fn only(&self, fields: &Fields, known: &[&str]) -> Result<(), Reason> {
        let Some(unknown) = fields.0.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let spelled = self.0.get(unknown).unwrap_or(unknown);
        let told = spelled.chars().take(UNKNOWN_CHARACTERS_MAX).collect();
        Err(Reason::BadBody(BodyFault::UnknownField(told)))
    }
}

/// Builds a value with member names in lower case, in the order in which they come.
#[derive(Clone, Copy)]
struct Lowered<'s> {
    spellings: Option<&'s RefCell<HashMap<String, String>>>,
}

impl<'de> DeserializeSeed<'de> for Lowered<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lowered<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom("NUL in a name"));
            }
            let lowered = name.to_ascii_lowercase();
            if let Some(spellings) = self.spellings {
                spellings.borrow_mut().insert(lowered.clone(), name);
            }
            all.insert(lowered, members.next_value_seed(self)?);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        parse(text.as_bytes()).ok().unwrap().or_empty()
    }

    #[test]
    fn names_match_in_any_case_and_the_last_spelling_wins() {
        assert_eq!(fields(r#"{"Tags":["a"],"tags":["b"]}"#).texts("tags").unwrap(), ["b"]);
        assert_eq!(fields(r#"{"tags":["a"],"Tags":["b"]}"#).texts("tags").unwrap(), ["b"]);
        assert_eq!(
            fields(r#"{"Outer":{"Inner":"x"}}"#).object("outer").unwrap().unwrap().text("inner").unwrap(),
            Some("x")
        );
    }

    #[test]
    fn an_unknown_member_is_told_as_it_was_spelled() {
        let (body, spellings) = parse_strictly(br#"{"Known":1,"extraField":2}"#).ok().unwrap();
        let fields = body.or_empty();
        assert_eq!(spellings.only(&fields, &["known", "extrafield"]), Ok(()));
        let unknown = Reason::BadBody(BodyFault::UnknownField("extraField".to_owned()));
        assert_eq!(spellings.only(&fields, &["known"]), Err(unknown));
    }

    #[test]
    fn nothing_null_and_blanks_are_no_body() {
        for absent in ["", "  \n", "null", " null "] {
            assert!(matches!(parse(absent.as_bytes()), Ok(Body::Absent)), "{absent:?}");
        }
        assert!(fields("{}").is_empty());
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        let nested = "[".repeat(100_000);
        for wrong in ["[]", "1", "\"a\"", "{", "{}{}", "{} x", "{\"a\":1e400}", "{\"a\\u0000\":1}", &nested] {
            assert!(parse(wrong.as_bytes()).is_err(), "{}", &wrong[..wrong.len().min(20)]);
        }
        assert!(parse(b"{\"a\":\"\xff\"}").is_err());
    }
}
