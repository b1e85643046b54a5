//! Requests: what a verifier asks, and the digest that ties an answer to it.
//!
//! ```text
//! scope  = digest_fe(Scope, verifier, purpose)
//! digest = digest_fe(Request, every field below in order, then every part in order)
//! ```
//!
//! The compiled clauses stand beside the text that they come from; who verifies compiles again and compares.
//! A request says who asks, but is not signed here. Spec: docs/spec/fact.md, "request digest".

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::keys::KeyId;
use vouchsafe_circuits::schema::{Schema, SchemaError};
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};
use vouchsafe_circuits::tags::{Domain, digest_fe};
use vouchsafe_circuits::{RequestDigest, Scope, Suite};

use crate::encoding::hex_bytes;
use crate::ids::{ChainId, MemberId};
use crate::units::BlockTime;

/// The version of the request's form and digest.
pub const REQUEST_VERSION: u32 = 1;
/// Parts of one request.
pub const PARTS_MAX: usize = 4;
/// The longest time that an answer may be old: 100 years, for archives.
pub const MAX_AGE_SECONDS_MAX: u64 = 100 * 366 * 86_400;

/// What a verifier asks of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// [`REQUEST_VERSION`].
    pub version: u32,
    /// The ledger that must know the records.
    pub chain: ChainId,
    /// Its suite.
    pub suite: Suite,
    /// Who asks: 1 to 64 printable characters.
    pub verifier: String,
    /// What for: a code of HL7 PurposeOfUse, such as `HPAYMT`.
    pub purpose: String,
    /// On what legal ground, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// The UTC day of asking, as days since 1970; whole years are counted from it.
    pub asked_on: u32,
    /// 32 random bytes that make the request unique.
    pub nonce: RequestNonce,
    /// When the question lapses.
    pub expires: BlockTime,
    /// How old the seal under an answer may be, in seconds.
    pub max_age_seconds: u64,
    /// What is asked, in order; all about one subject.
    pub parts: Vec<Part>,
}

/// What is asked of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The statement that must be proved.
    pub statement: Statement,
    /// The verifying key that decides.
    pub key: KeyId,
    /// The member that must have committed the record.
    pub issuer: MemberId,
    /// The schema's document.
    pub schema: String,
    /// The language of the predicate, with its version.
    pub language: String,
    /// The predicate as it was written.
    #[serde(rename = "where")]
    pub predicate: String,
    /// The predicate's clauses.
    pub clauses: Vec<Clause>,
    /// Which combinations of clauses satisfy it.
    pub table: TruthTable,
}

/// 32 random bytes, 64 hex digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestNonce(#[serde(with = "hex_bytes")] Vec<u8>);

impl RequestNonce {
    /// Takes 32 bytes from a random source.
    pub fn new(bytes: [u8; 32]) -> RequestNonce {
        RequestNonce(bytes.to_vec())
    }
}

impl std::fmt::Debug for RequestNonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

/// Why a request cannot be answered as it stands. The fault is the asker's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Another version of this form.
    #[error("this program reads requests of version {REQUEST_VERSION}, not {0}")]
    Version(u32),
    /// A field out of its bounds.
    #[error("the request's {field}: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The schema document is none.
    #[error("the request's schema: {0}")]
    Schema(#[from] SchemaError),
}

impl Part {
    /// The schema, parsed.
    pub fn schema(&self) -> Result<Schema, SchemaError> {
        Schema::parse(self.schema.as_bytes())
    }
}

impl Request {
    /// Where pseudonyms of the answer hold.
    pub fn scope(&self) -> Scope {
        Scope::new(digest_fe(Domain::Scope, &[self.verifier.as_bytes(), self.purpose.as_bytes()]))
    }

    /// The digest that every part of an answer carries. Fails if a schema document is none.
    pub fn digest(&self) -> Result<RequestDigest, RequestError> {
        let mut fields: Vec<Vec<u8>> = vec![
            self.version.to_be_bytes().to_vec(),
            self.chain.as_str().as_bytes().to_vec(),
            self.suite.code().to_be_bytes().to_vec(),
            self.verifier.clone().into_bytes(),
            self.purpose.clone().into_bytes(),
            self.legal_basis.as_ref().map_or_else(Vec::new, |basis| [b"\x01", basis.as_bytes()].concat()),
            self.asked_on.to_be_bytes().to_vec(),
            self.nonce.0.clone(),
            self.expires.unix().to_be_bytes().to_vec(),
            self.max_age_seconds.to_be_bytes().to_vec(),
            self.scope().fe().as_bytes().to_vec(),
            (self.parts.len() as u64).to_be_bytes().to_vec(),
        ];
        for part in &self.parts {
            let schema = part.schema()?.id();
            fields.extend([
                part.statement.name().as_bytes().to_vec(),
                part.key.as_bytes().to_vec(),
                part.issuer.to_bytes().to_vec(),
                schema.fe().as_bytes().to_vec(),
                part.language.clone().into_bytes(),
                part.predicate.clone().into_bytes(),
                Vec::new(), // the root of the set clause, in the statement that has one
                (part.clauses.len() as u64).to_be_bytes().to_vec(),
            ]);
            fields.extend(part.clauses.iter().map(clause_bytes));
            fields.push(part.table.bits().to_be_bytes().to_vec());
        }
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        Ok(RequestDigest::new(digest_fe(Domain::Request, &fields)))
    }

    /// Checks every bound that does not need the ledger or a compiler.
    pub fn check(&self) -> Result<(), RequestError> {
        let field = |field, why| Err(RequestError::Field { field, why });
        if self.version != REQUEST_VERSION {
            return Err(RequestError::Version(self.version));
        }
        if self.verifier.is_empty() || self.verifier.len() > 64 || self.verifier.chars().any(char::is_control) {
            return field("verifier", "1 to 64 bytes without control characters");
        }
        let code = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if self.purpose.is_empty() || self.purpose.len() > 32 || !self.purpose.chars().all(code) {
            return field("purpose", "a purpose-of-use code such as TREAT, HPAYMT or PUBHLTH");
        }
        if self.legal_basis.as_ref().is_some_and(|basis| basis.len() > 1024) {
            return field("legal_basis", "at most 1024 bytes");
        }
        // a person reads it where it decides: it must not draw lines of its own
        if self.legal_basis.as_ref().is_some_and(|basis| basis.chars().any(char::is_control)) {
            return field("legal_basis", "no control characters");
        }
        if self.nonce.0.len() != 32 {
            return field("nonce", "32 random bytes, 64 hex digits");
        }
        if self.max_age_seconds == 0 || self.max_age_seconds > MAX_AGE_SECONDS_MAX {
            return field("max_age_seconds", "1 second to 100 years");
        }
        if self.parts.is_empty() || self.parts.len() > PARTS_MAX {
            return field("parts", "1 to 4 parts");
        }
        for part in &self.parts {
            let schema = part.schema()?;
            if part.clauses.len() != part.statement.clauses() || !part.table.fits(part.clauses.len()) {
                return field("clauses", "as many as the statement has, and a table over them");
            }
            if part.clauses.iter().any(|clause| schema.field_at(clause.field).is_none()) {
                return field("clauses", "a field index beyond the schema");
            }
        }
        Ok(())
    }
}

fn clause_bytes(clause: &Clause) -> Vec<u8> {
    let mut bytes = vec![clause.field.get(), clause.mode as u8];
    bytes.extend(clause.low.as_bytes());
    bytes.extend(clause.high.as_bytes());
    bytes
}
