//! JSON, read strictly, and its canonical digest.
//!
//! An object that names a key twice is refused: readers differ on which one counts. Numbers keep their text.
//! Nesting is bounded by serde_json (128 levels). The canonical form has sorted keys, no spaces and literal
//! numbers, so `1.0` and `1.00` differ, as FHIR wants.

use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use super::error::Why;

/// How serde_json hands over a number when it keeps the text.
const NUMBER_KEY: &str = "$serde_json::private::Number";

const DIGEST_DOMAIN: &[u8] = b"vouchsafe/fhir-resource/v1\0";

/// Reads one JSON value and nothing after it.
pub(super) fn parse(text: &[u8]) -> Result<Value, Why> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let parsed = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    parsed.map_err(|e| Why::Malformed { line: e.line(), column: e.column(), detail: without_place(&e.to_string()) })
}

fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

/// SHA-256 of the canonical form: which content of a resource this is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct ContentDigest([u8; 32]);

impl ContentDigest {
    pub(super) fn of(value: &Value) -> ContentDigest {
        let mut bytes = Vec::new();
        write_canonical(value, &mut bytes);
        ContentDigest(Sha256::new().chain_update(DIGEST_DOMAIN).chain_update(&bytes).finalize().into())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentDigest({self})")
    }
}

impl From<ContentDigest> for String {
    fn from(digest: ContentDigest) -> String {
        digest.to_string()
    }
}

fn write_canonical(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<_> = object.iter().collect();
            pairs.sort_unstable_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            for (i, (key, value)) in pairs.into_iter().enumerate() {
                to.push(if i == 0 { b'{' } else { b',' });
                to.extend_from_slice(Value::from(key.as_str()).to_string().as_bytes());
                to.push(b':');
                write_canonical(value, to);
            }
            to.extend_from_slice(if object.is_empty() { b"{}" } else { b"}" });
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                to.push(if i == 0 { b'[' } else { b',' });
                write_canonical(item, to);
            }
            to.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
        }
        scalar => to.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
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

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if key == NUMBER_KEY && object.is_empty() {
                let Text(digits) = pairs.next_value()?;
                return digits.parse::<Number>().map(Value::Number).map_err(|_| A::Error::custom("not a number"));
            }
            if object.contains_key(&key) {
                return Err(A::Error::custom("an object names the same key twice"));
            }
            let value = pairs.next_value_seed(Strict)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// A string, whoever owns it; the error for anything else names no content.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Text, D::Error> {
        match Strict.deserialize(from)? {
            Value::String(text) => Ok(Text(text)),
            _ => Err(D::Error::custom("a reserved key")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> ContentDigest {
        ContentDigest::of(&parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn numbers_keep_their_text() {
        let value = parse(br#"[1.0, 1e-22, -1.00000000000000000000000000000001]"#).unwrap();
        assert_eq!(value[0].as_number().unwrap().as_str(), "1.0");
        assert_eq!(value[2].as_number().unwrap().as_str(), "-1.00000000000000000000000000000001");
    }

    #[test]
    fn a_key_twice_is_refused_with_its_place() {
        let why = parse(b"{\n\"status\": \"final\", \"status\": \"entered-in-error\"}").unwrap_err();
        assert!(matches!(why, Why::Malformed { line: 2, ref detail, .. } if detail.contains("twice")), "{why}");
    }

    #[test]
    fn the_digest_ignores_order_and_spaces_alone() {
        assert_eq!(digest(r#"{"a": 1.0, "b": [true, null, "é"]}"#), digest(r#"{"b":[true,null,"\u00e9"],"a":1.0}"#));
        assert_ne!(digest(r#"{"a": 1.0}"#), digest(r#"{"a": 1.00}"#));
        assert_ne!(digest(r#"{"a": [1, 2]}"#), digest(r#"{"a": [2, 1]}"#));
    }

    #[test]
    fn deep_nesting_a_tail_and_the_reserved_key_are_errors() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(b"{} {}").is_err());
        assert!(parse(br#"{"$serde_json::private::Number": {"a": 1}}"#).is_err());
        assert!(parse(b"\xff\xfe{}").is_err());
    }
}
