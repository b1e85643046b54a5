//! Records: what the fields of a record are, how they become field elements, and what commits to them.
//!
//! ```text
//! leaf_i = H(PRESENT, value, salt) or H(ABSENT, reason, salt); root = 4-ary tree over 16 leaves
//! header = H(HEADER, subject key, valid from, valid until, blinding)
//! C      = H(COMMITMENT, issuer, schema, root, header)
//! ```
//!
//! Nothing here says who committed a record: the ledger does. Spec: docs/spec/record.md.

mod opening;
mod value;

pub use opening::{Header, RecordOpening, commitment_from, leaf_hash, pseudonym, root_of_leaves};
pub use value::{Absence, Day, EncodedField, FieldIndex, FieldValue, Tier, Validity, Value};

/// Fields of a record, used or not.
pub const FIELDS: usize = 16;
