//! What opens a commitment, and the hashes on the way.
//!
//! Public helpers ([`commitment_from`], [`root_of_leaves`], [`leaf_hash`]) are what a reader of one tier uses
//! to recompute C from that tier's fields and the other leaves' hashes.

use crate::fe::{Fe, FeError};
use crate::ids::{Commitment, HeaderHash, IssuerId, LeafHash, Pseudonym, RecordRoot, SchemaId, Scope};
use crate::primitives::poseidon::hash_fe as hash;
use crate::record::{EncodedField, FIELDS, Validity};
use crate::secrets::{Blinding, Salt, SubjectKey};
use crate::suite::Suite;
use crate::tags::Tag;

/// The part of a record that is not a field.
#[derive(Clone, Debug)]
pub struct Header {
    /// The subject's secret behind its pseudonyms.
    pub subject_key: SubjectKey,
    /// When the record may be used.
    pub valid: Validity,
    /// What makes the commitment hiding.
    pub blinding: Blinding,
}

impl Header {
    /// `H(HEADER, subject key, valid from, valid until, blinding)`.
    pub fn hash(&self, suite: Suite) -> Result<HeaderHash, FeError> {
        let parts = [
            Tag::Header.fe(),
            self.subject_key.fe(),
            Fe::from_u64(u64::from(self.valid.from)),
            Fe::from_u64(u64::from(self.valid.until)),
            self.blinding.fe(),
        ];
        hash(suite, &parts).map(HeaderHash::new)
    }
}

/// Everything that a commitment commits to.
#[derive(Clone, Debug)]
pub struct RecordOpening {
    /// The member that commits the record.
    pub issuer: IssuerId,
    /// Its schema.
    pub schema: SchemaId,
    /// Its fields, those beyond the schema absent as unused.
    pub fields: [EncodedField; FIELDS],
    /// A salt for each field.
    pub salts: [Salt; FIELDS],
    /// Subject, validity, blinding.
    pub header: Header,
}

impl RecordOpening {
    /// The sixteen leaves.
    pub fn leaves(&self, suite: Suite) -> Result<[LeafHash; FIELDS], FeError> {
        let mut leaves = [LeafHash::new(Fe::ZERO); FIELDS];
        for (leaf, (field, salt)) in leaves.iter_mut().zip(self.fields.iter().zip(&self.salts)) {
            *leaf = leaf_hash(suite, field, salt)?;
        }
        Ok(leaves)
    }

    /// The root over the leaves.
    pub fn root(&self, suite: Suite) -> Result<RecordRoot, FeError> {
        root_of_leaves(suite, &self.leaves(suite)?)
    }

    /// C. An error means that an element is not one of this suite's field.
    pub fn commitment(&self, suite: Suite) -> Result<Commitment, FeError> {
        commitment_from(suite, self.issuer, self.schema, self.root(suite)?, self.header.hash(suite)?)
    }
}

/// `H(PRESENT, value, salt)` or `H(ABSENT, reason, salt)`.
pub fn leaf_hash(suite: Suite, field: &EncodedField, salt: &Salt) -> Result<LeafHash, FeError> {
    let (tag, content) = match field {
        EncodedField::Present(value) => (Tag::Present, *value),
        EncodedField::Absent(reason) => (Tag::Absent, Fe::from_u64(*reason as u64)),
    };
    hash(suite, &[tag.fe(), content, salt.fe()]).map(LeafHash::new)
}

/// The root of the 4-ary tree over the sixteen leaves.
pub fn root_of_leaves(suite: Suite, leaves: &[LeafHash; FIELDS]) -> Result<RecordRoot, FeError> {
    let mut inner = [Fe::ZERO; 4];
    for (node, four) in inner.iter_mut().zip(leaves.chunks_exact(4)) {
        let children: Vec<Fe> = four.iter().map(LeafHash::fe).collect();
        *node = hash(suite, &children)?;
    }
    hash(suite, &inner).map(RecordRoot::new)
}

/// `H(COMMITMENT, issuer, schema, record root, header)`.
pub fn commitment_from(
    suite: Suite,
    issuer: IssuerId,
    schema: SchemaId,
    root: RecordRoot,
    header: HeaderHash,
) -> Result<Commitment, FeError> {
    hash(suite, &[Tag::Commitment.fe(), issuer.fe(), schema.fe(), root.fe(), header.fe()]).map(Commitment::new)
}

/// `H(PSEUDONYM, subject key, scope)`: one public name per subject and scope.
pub fn pseudonym(suite: Suite, subject_key: &SubjectKey, scope: Scope) -> Result<Pseudonym, FeError> {
    hash(suite, &[Tag::Pseudonym.fe(), subject_key.fe(), scope.fe()]).map(Pseudonym::new)
}
