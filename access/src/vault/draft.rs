//! What comes into the vault: records, and word that a resource was a mistake.

use std::sync::Arc;

use vouchsafe_circuits::ids::{IssuerId, SchemaId};
use vouchsafe_circuits::record::{EncodedField, FIELDS, FieldValue, Validity};
use vouchsafe_circuits::schema::{EncodeError, Schema};
use vouchsafe_circuits::suite::Suite;

use crate::labels;
use crate::secret::IndexSecret;
use crate::subject::{Handle, Identifier, SubjectId, source_handle};

/// Which version of which resource of which source: what makes ingest idempotent. Debug shows the type only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// The configured name of the source.
    pub source: String,
    /// The resource's id in it, such as `Patient/123`.
    pub resource: String,
    /// The version, opaque: `meta.versionId`, else the SHA-256 of the canonical resource.
    pub version: String,
}

impl std::fmt::Debug for SourceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceKey")
    }
}

impl SourceKey {
    /// The handles of the resource and of its version.
    pub(super) fn handles(&self, secret: &IndexSecret) -> (Handle, Handle) {
        let SourceKey { source, resource, version } = self;
        let of_resource = source_handle(secret, labels::SOURCE_HANDLE, &[source, resource]);
        (of_resource, source_handle(secret, labels::VERSION_HANDLE, &[source, resource, version]))
    }
}

/// A record before it is sealed.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its schema.
    pub schema: Arc<Schema>,
    /// The member that will commit it.
    pub issuer: IssuerId,
    /// The ledger's suite.
    pub suite: Suite,
    /// Whose it is: one identifier or several of one subject. The first is canonical if the subject is new.
    pub subject: Vec<Identifier>,
    /// Further names, by which the subject is found but never recognised: see [`crate::subject::AliasKind`].
    pub lookups: Vec<Identifier>,
    /// Whether this is the subject's own resource, which alone says who it is. Any other may also be filed by a name
    /// that only finds the subject.
    pub introduces: bool,
    /// A value, or the reason for its absence, for each field of the schema, in order.
    pub fields: Vec<FieldValue>,
    /// When it may be used.
    pub valid: Validity,
    /// Where it comes from.
    pub source: SourceKey,
}

/// What comes in.
#[derive(Clone, Debug)]
pub enum Incoming {
    /// A record.
    Record(Box<Draft>),
    /// This version says that the resource was entered in error: what the vault has of it is withdrawn.
    EnteredInError(SourceKey),
}

/// A draft was not taken; the others were. The fault is the caller's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// A value does not fit the schema.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Nobody's record.
    #[error("the record names no subject: give at least one identifier")]
    NoSubject,
    /// The identifiers are known as those of two subjects.
    #[error(
        "the record's identifiers belong to two subjects, {0} and {1}: correct the source; subjects are not merged"
    )]
    TwoSubjects(SubjectId, SubjectId),
    /// The resource's record is another subject's.
    #[error(
        "the resource has a record of subject {has}, and this version is of {given}: correct the source, or name it"
    )]
    OtherSubject {
        /// Whose record there is.
        has: SubjectId,
        /// Whose this version would be.
        given: String,
    },
    /// The subject was erased.
    #[error("subject {0} was erased: its records are not taken in again")]
    Erased(SubjectId),
    /// The record ends before it begins.
    #[error("the record is valid from day {} until day {}, which is earlier", .0.from, .0.until)]
    NeverValid(Validity),
    /// The issuer is no element of the suite's field.
    #[error("the issuer id is not of suite {0}")]
    Issuer(Suite),
}

/// A draft whose values fit its schema.
pub(super) struct Encoded {
    pub draft: Draft,
    pub schema: SchemaId,
    pub fields: [EncodedField; FIELDS],
}

impl Draft {
    pub(super) fn encode(self, schema: SchemaId) -> Result<Encoded, DraftError> {
        if self.subject.is_empty() {
            return Err(DraftError::NoSubject);
        }
        if self.valid.from > self.valid.until {
            return Err(DraftError::NeverValid(self.valid));
        }
        if vouchsafe_circuits::fe::Fe::from_bytes(self.suite, *self.issuer.fe().as_bytes()).is_err() {
            return Err(DraftError::Issuer(self.suite));
        }
        let fields = self.schema.encode(&self.fields)?;
        Ok(Encoded { draft: self, schema, fields })
    }
}
