//! Entries: what members write to the ledger, and their one encoding.
//! ```text
//! entry id  = digest(EntryId, entry bytes)              without signatures, so re-signing is no new entry
//! signed    = len ‖ "vouchsafe/entry-signature/v1" ‖ len ‖ chain id ‖ entry bytes      (len: 8 bytes, big-endian)
//! ```
//! Bytes are protobuf (`proto/ledger.proto`) and must equal decode-then-encode. Decoding says that an entry is
//! well formed; `verify` that its signatures hold. Whether it is accepted is for the state machine to say.

mod body;
mod signed;

use core::fmt;

use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tags::{Domain, digest};

pub(crate) use body::SCHEMAS_MAX;
pub use body::{
    Amend, Body, Commit, Disclosure, EmergencyAccess, FoundingMember, Genesis, Grant, KeyRelease, OpenDataSet,
    OpenProject, Parameters, PurposeClass, RegisterSchema, RegisterVerifyingKey, ReserveBudget, Review, RevokeGrant,
    Role, SpendBudget, Validator, Withdraw,
};
pub use signed::{SignedEntry, VerifiedEntry};

use crate::convert;
use crate::ids::{ChainId, EntryId, MemberId};
use crate::signing::{Algorithm, PublicKey};
use crate::units::BlockTime;

/// The longest encoding of a signed entry.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;

/// Why an entry's bytes or signatures were refused; the sender's to repair.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Longer than any entry may be.
    #[error("an entry has at most {ENTRY_BYTES_MAX} bytes: split the batch")]
    TooLong,
    /// Not protobuf.
    #[error("not the protobuf bytes of an entry: {0}")]
    NotProtobuf(String),
    /// Readable, but not the one encoding of what it says.
    #[error("not in canonical form: unknown, reordered or default-valued fields, or trailing bytes")]
    NotCanonical,
    /// A field with a value that cannot be.
    #[error("field {field}: {why}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// For another ledger.
    #[error("the entry is for chain {0}")]
    WrongChain(ChainId),
    /// Not one signature per signer.
    #[error("the entry needs {needed} signature(s), one per signer")]
    SignatureCount {
        /// How many it needs.
        needed: usize,
    },
    /// A signature does not hold.
    #[error("signature {0} does not hold for the entry's bytes and chain")]
    BadSignature(usize),
}

/// Sixteen bytes that make two equal wishes two entries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; 16]);

impl Nonce {
    /// Takes the 16 bytes; the caller draws them.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({})", hex::encode(self.0))
    }
}

/// Who writes, to which ledger, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The ledger.
    pub chain: ChainId,
    /// The member that writes.
    pub member: MemberId,
    /// The key that signs, registered for this member.
    pub signer: PublicKey,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The last block time at which the entry may be applied is before this.
    pub expiry: BlockTime,
    /// Makes the id unique.
    pub nonce: Nonce,
}

/// What a member writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Who, where, until when.
    pub header: Header,
    /// What.
    pub body: Body,
}

impl Entry {
    /// The entry's one encoding.
    pub fn encode(&self) -> Vec<u8> {
        convert::entry_bytes(self)
    }

    /// Parses an entry's bytes; field elements must be canonical in this suite.
    pub fn decode(bytes: &[u8], suite: Suite) -> Result<Self, EntryError> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::TooLong);
        }
        convert::entry(bytes, suite)
    }
}

/// The id of an entry with these bytes.
pub(crate) fn id_of(bytes: &[u8]) -> EntryId {
    EntryId::from_bytes(digest(Domain::EntryId, &[bytes]))
}
