//! Values as field elements, by the kind of their field.
//!
//! ```text
//! integer, date, instant: v + 2^63 as 64 bits       code: 120 bits, see `code`
//! text, bytes: the first 31 bytes of SHA-256 as a big-endian integer
//! ```
//!
//! The encoding does not bind the field or its kind: the leaf's place and the schema id in C do.

use sha2::{Digest, Sha256};

use crate::fe::Fe;
use crate::record::{Absence, EncodedField, FIELDS, FieldIndex, FieldValue, Value};
use crate::schema::{Field, Kind, Schema, encode_code};

/// Why values do not fit a schema. The fault is the caller's.
#[derive(Debug, thiserror::Error)]
#[error("field {field}: {why}")]
pub struct EncodeError {
    /// Which field.
    pub field: String,
    /// What is wrong.
    pub why: String,
}

/// A value for comparison with a field: the same types as the field's values.
pub type Operand = Value;

/// A signed number as 64 bits in the same order: v + 2^63.
pub fn offset_number(value: i64) -> u64 {
    (value as u64) ^ (1 << 63)
}

/// The signed number behind [`offset_number`].
pub fn number_from_offset(value: u64) -> i64 {
    (value ^ (1 << 63)) as i64
}

impl Schema {
    /// Encodes one value for each field of the schema, in order; fields beyond it are absent as unused.
    pub fn encode(&self, values: &[FieldValue]) -> Result<[EncodedField; FIELDS], EncodeError> {
        let count = self.fields().len();
        if values.len() != count {
            let why = format!("schema {} has {count} fields, {} values were given", self.name(), values.len());
            return Err(EncodeError { field: "(all)".to_owned(), why });
        }
        let mut encoded = [EncodedField::Absent(Absence::Unused); FIELDS];
        for ((slot, value), (_, field)) in encoded.iter_mut().zip(values).zip(self.fields()) {
            *slot = match value {
                FieldValue::Present(value) => EncodedField::Present(field.encode(value)?),
                FieldValue::Absent(Absence::Unused) => {
                    return Err(field.error("a field of the schema cannot be absent as unused"));
                }
                FieldValue::Absent(reason) => EncodedField::Absent(*reason),
            };
        }
        Ok(encoded)
    }

    /// All fields absent for one reason: where a record begins before its values are filled in.
    pub fn all_absent(&self, reason: Absence) -> Vec<FieldValue> {
        self.fields().map(|_| FieldValue::Absent(reason)).collect()
    }

    /// The place of a field in the list of values that [`Schema::encode`] takes.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.field(name).map(|(index, _): (FieldIndex, _)| index.as_usize())
    }
}

impl Field {
    /// Encodes a value of this field's kind.
    pub fn encode(&self, value: &Value) -> Result<Fe, EncodeError> {
        match (&self.kind, value) {
            (Kind::Integer { .. } | Kind::IntegerByCode { .. }, Value::Integer(v))
            | (Kind::Instant { .. }, Value::Instant(v)) => Ok(Fe::from_u64(offset_number(*v))),
            (Kind::Date { .. }, Value::Date(day)) => Ok(Fe::from_u64(offset_number(i64::from(day.get())))),
            (Kind::Code { form, values, .. }, Value::Code(code)) => {
                if !self.may_hold(code) {
                    return Err(self.error(&format!("the code must be one of {}", values.join(", "))));
                }
                encode_code(*form, code).map_err(|e| self.error(&e.to_string()))
            }
            (Kind::Text, Value::Text(text)) => Ok(hashed(text.as_bytes())),
            (Kind::Bytes, Value::Bytes(bytes)) => Ok(hashed(bytes)),
            _ => Err(self.error("the value is not of the field's kind")),
        }
    }

    /// Whether this is a code field whose list of values, if it has one, holds the code.
    pub fn may_hold(&self, code: &str) -> bool {
        match &self.kind {
            Kind::Code { values, .. } => values.is_empty() || values.iter().any(|value| value == code),
            _ => false,
        }
    }

    fn error(&self, why: &str) -> EncodeError {
        EncodeError { field: self.name.to_string(), why: why.to_owned() }
    }
}

fn hashed(bytes: &[u8]) -> Fe {
    let mut first = [0; 31];
    first.copy_from_slice(&Sha256::digest(bytes)[..31]);
    Fe::from_be_31(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_order() {
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(numbers.windows(2).all(|w| offset_number(w[0]) < offset_number(w[1])));
        assert!(numbers.iter().all(|n| number_from_offset(offset_number(*n)) == *n));
    }
}
