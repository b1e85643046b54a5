//! Schemas: what the fields of a record are called, mean and may be asked about.
//!
//! A schema is a JSON document; its id is a digest of its canonical bytes, so two parties that name the same id
//! read the same document. Parsing refuses unknown keys and any bytes other than the canonical ones.
//! A schema does not say who may issue records of it.

pub mod builtin;
mod code;
mod encode;
mod field;

use serde::{Deserialize, Serialize};

use crate::ids::SchemaId;
use crate::record::{FIELDS, FieldIndex};
use crate::tags::{Domain, digest_fe};

pub use code::{CodeError, decode_code, encode_code, subtree};
pub use encode::{EncodeError, Operand, number_from_offset, offset_number};
pub use field::{CodeForm, CodeRow, DeidRule, Field, FieldName, Grid, Kind, StatusEffect};

/// The largest schema document, in bytes.
pub const SCHEMA_BYTES_MAX: usize = 256 * 1024;

/// A registered form of record: up to 16 fields in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    name: String,
    version: u32,
    fields: Vec<Field>,
    /// What an [`Kind::IntegerByCode`] field means for each code; sorted by code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    codes: Vec<CodeRow>,
}

/// Why a document is not a schema. The fault is its author's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// It is larger than [`SCHEMA_BYTES_MAX`].
    #[error("the schema document is larger than {SCHEMA_BYTES_MAX} bytes")]
    TooLarge,
    /// It is not JSON of the schema form.
    #[error("not a schema document: {0}")]
    Form(String),
    /// The bytes are not the canonical ones.
    #[error("the schema document is not in canonical form: write it with `Schema::to_bytes`")]
    NotCanonical,
    /// A rule of the document itself is broken.
    #[error("schema {schema}: {why}")]
    Rule {
        /// The schema's name.
        schema: String,
        /// What is wrong.
        why: String,
    },
}

impl Schema {
    /// Makes a schema and checks its rules.
    pub fn new(name: &str, version: u32, fields: Vec<Field>, codes: Vec<CodeRow>) -> Result<Schema, SchemaError> {
        let schema = Schema { name: name.to_owned(), version, fields, codes };
        schema.check()?;
        Ok(schema)
    }

    /// Parses a document. Only its canonical bytes are taken, so that one schema has one id.
    pub fn parse(bytes: &[u8]) -> Result<Schema, SchemaError> {
        if bytes.len() > SCHEMA_BYTES_MAX {
            return Err(SchemaError::TooLarge);
        }
        let schema: Schema = serde_json::from_slice(bytes).map_err(|e| SchemaError::Form(e.to_string()))?;
        schema.check()?;
        if schema.to_bytes() != bytes {
            return Err(SchemaError::NotCanonical);
        }
        Ok(schema)
    }

    /// The canonical bytes: compact JSON, keys in the order of this type.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // plain structs and strings: cannot fail
    }

    /// The id: a digest of the canonical bytes.
    pub fn id(&self) -> SchemaId {
        SchemaId::new(digest_fe(Domain::Schema, &[&self.to_bytes()]))
    }

    /// The name, such as `observation`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The fields in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (FieldIndex, &Field)> {
        let indices = FieldIndex::all().collect::<Vec<_>>().into_iter();
        indices.zip(&self.fields).collect::<Vec<_>>().into_iter()
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<(FieldIndex, &Field)> {
        self.fields().find(|(_, field)| field.name.as_str() == name)
    }

    /// A field by its place.
    pub fn field_at(&self, index: FieldIndex) -> Option<&Field> {
        self.fields.get(index.as_usize())
    }

    /// What an integer field means next to this code.
    pub fn code_row(&self, code: &str) -> Option<&CodeRow> {
        let at = self.codes.binary_search_by(|row| row.code.as_str().cmp(code)).ok()?;
        self.codes.get(at)
    }

    /// All rows of the code table, sorted by code.
    pub fn code_rows(&self) -> &[CodeRow] {
        &self.codes
    }

    fn check(&self) -> Result<(), SchemaError> {
        let rule = |why: String| Err(SchemaError::Rule { schema: self.name.clone(), why });
        let name_ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !self.name.starts_with(|c: char| c.is_ascii_lowercase())
            || self.name.len() > 64
            || !self.name.chars().all(name_ok)
        {
            return rule("a name is 1 to 64 characters: a-z first, then a-z, 0-9 and '-'".to_owned());
        }
        if self.fields.is_empty() || self.fields.len() > FIELDS {
            return rule(format!("1 to {FIELDS} fields, not {}: split a wider document", self.fields.len()));
        }
        for (at, field) in self.fields.iter().enumerate() {
            if self.fields[..at].iter().any(|earlier| earlier.name == field.name) {
                return rule(format!("two fields are called {}", field.name));
            }
            if let Err(why) = field.check() {
                return rule(format!("field {}: {why}", field.name));
            }
            if let Kind::IntegerByCode { code_field } = &field.kind {
                let by = self.field(code_field.as_str()).map(|(_, f)| &f.kind);
                if !matches!(by, Some(Kind::Code { .. })) {
                    return rule(format!("field {}: {code_field} is not a code field", field.name));
                }
            }
        }
        if !self.codes.windows(2).all(|pair| pair[0].code < pair[1].code) {
            return rule("the code table must be sorted by code, each code once".to_owned());
        }
        for row in &self.codes {
            if let Err(why) = row.check() {
                return rule(format!("code {}: {why}", row.code));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_schemas_are_canonical_and_differ() {
        let all = builtin::all();
        let ids: std::collections::BTreeSet<_> = all.iter().map(Schema::id).collect();
        assert_eq!(ids.len(), all.len());
        for schema in all {
            let bytes = schema.to_bytes();
            assert_eq!(Schema::parse(&bytes).unwrap(), schema);
            let spaced = [b" ".as_slice(), &bytes].concat();
            assert!(matches!(Schema::parse(&spaced), Err(SchemaError::NotCanonical)));
            for (_, field) in schema.fields() {
                if let Kind::Code { values, .. } = &field.kind
                    && let [first, second, ..] = values.as_slice()
                {
                    let swapped = String::from_utf8(bytes.clone()).unwrap();
                    let swapped = swapped.replace(&format!("{first:?},{second:?}"), &format!("{second:?},{first:?}"));
                    assert!(matches!(Schema::parse(swapped.as_bytes()), Err(SchemaError::Rule { .. })));
                    let values = |code: &str| field.encode(&crate::record::Value::Code(code.to_owned()));
                    assert!(values(first).is_ok() && values("zzz").is_err());
                }
            }
            let more = String::from_utf8(bytes).unwrap().replacen('{', "{\"x\":1,", 1);
            assert!(matches!(Schema::parse(more.as_bytes()), Err(SchemaError::Form(_))));
        }
    }
}
