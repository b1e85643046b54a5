//! How bytes are spelled in JSON: `hex_bytes` for what people compare, `base64_bytes` for what is long.
//!
//! For `#[serde(with = "…")]`. Each byte string has one spelling; another is refused.

/// Lower-case hex digits.
pub mod hex_bytes {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes lower-case hex digits.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(bytes))
    }

    /// Reads lower-case hex digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not lower-case hex digits"))
    }

    pub(super) fn parse(text: &str) -> Option<Vec<u8>> {
        if text.bytes().any(|b| b.is_ascii_uppercase()) { None } else { hex::decode(text).ok() }
    }
}

/// Lower-case hex digits, or null.
pub mod hex_bytes_option {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes lower-case hex digits, or null.
    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_some(&hex::encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads lower-case hex digits, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        super::hex_bytes::parse(&text).map(Some).ok_or_else(|| D::Error::custom("not lower-case hex digits"))
    }
}

/// Standard base64 with padding.
pub mod base64_bytes {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    /// Writes standard base64.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    /// Reads standard base64.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(|_| D::Error::custom("not standard base64"))
    }
}
