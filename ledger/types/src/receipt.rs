//! Receipts: what became of an entry, as a number; the words for it stay outside of consensus.
//!
//! 56 bytes, integers big-endian: entry id 32 · height 8 · index 4 · code 4 · first position 4 · positions 4.
//! A block's receipts root is the RFC 6962 root over them, so one receipt can be shown under a seal.

use core::fmt;

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::tree::Position;

use crate::ids::{EntryId, LogHash, ReceiptsRoot};
use crate::log::{InclusionProof, LogProofError, root_of};
use crate::seal::Seal;
use crate::units::{EntryIndex, Height, LogSize};

/// How many bytes a receipt has.
pub const RECEIPT_BYTES: usize = 56;

macro_rules! codes {
    ($($(#[doc = $text:literal])+ $name:ident = $code:literal,)+) => {
        /// What became of an entry. The numbers are final.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ReceiptCode {
            $($(#[doc = $text])+ $name = $code,)+
        }

        impl ReceiptCode {
            /// Every code there is.
            pub const ALL: &'static [ReceiptCode] = &[$(ReceiptCode::$name,)+];

            /// The code's number.
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// The code with this number.
            pub const fn from_number(number: u32) -> Option<Self> {
                match number {
                    $($code => Some(ReceiptCode::$name),)+
                    _ => None,
                }
            }

            /// The code in words, for people; not part of consensus.
            pub const fn text(self) -> &'static str {
                match self {
                    $(ReceiptCode::$name => concat!($($text),+),)+
                }
            }
        }
    };
}

codes! {
    /// accepted
    Accepted = 0,
    /// its id was used before; the first one counts
    Replayed = 1,
    /// it expired before its block
    Expired = 2,
    /// it expires later than the ledger remembers ids; use a nearer expiry
    ExpiryTooFar = 3,
    /// the signer is no member of this ledger
    UnknownMember = 4,
    /// the signing key is not registered for this member
    UnknownKey = 5,
    /// the member has not the role that this entry needs
    MissingRole = 6,
    /// the member is suspended; it may only withdraw, revoke, disclose, report, review and spend
    Suspended = 7,
    /// a ledger has one genesis, its first entry
    NotGenesis = 8,
    /// the entry holds more commitments than the parameters allow, or none
    BatchSize = 9,
    /// a commitment is zero, which means withdrawn
    ZeroCommitment = 10,
    /// the member committed this before, or twice in this batch
    DuplicateCommitment = 11,
    /// the member's active set is full
    SetFull = 12,
    /// the member's set holds nothing at this position
    UnknownPosition = 13,
    /// this position holds another commitment, or was withdrawn or amended before
    NotActive = 14,
    /// the schema is malformed
    InvalidSchema = 15,
    /// the schema is registered already
    DuplicateSchema = 16,
    /// the verifying key is registered already
    DuplicateVerifyingKey = 17,
    /// a development key on a ledger that is not marked development
    DevelopmentKey = 18,
    /// the disclosure's deadline has passed already
    DeadlinePassed = 19,
    /// the member gave no such grant
    UnknownGrant = 20,
    /// the grant was revoked before
    GrantRevoked = 21,
    /// the grant is for another purpose
    OtherPurpose = 22,
    /// the grant has ended
    GrantEnded = 23,
    /// an emergency of this member waits for its review beyond its time; review it first
    ReviewOverdue = 24,
    /// the release lies in the future
    ReleasedLater = 25,
    /// a review must be due after the release, and within 30 days
    ReviewTime = 26,
    /// 64 emergencies of this member wait for their review; review some first
    TooManyReviews = 27,
    /// the member reported no such emergency
    UnknownEmergency = 28,
    /// the emergency was reviewed before
    AlreadyReviewed = 29,
    /// the member has a data set of this name
    DuplicateDataSet = 30,
    /// the schema is not registered, or retired
    UnknownSchema = 31,
    /// a schema is in another data set of the member, whose budget counts
    SchemaTaken = 32,
    /// an amount of budget is zero, or over 1000 ε
    BudgetRange = 33,
    /// the member has no such data set
    UnknownDataSet = 34,
    /// the threshold is not between 5 and 1000
    ThresholdRange = 35,
    /// the project has ended
    ProjectEnded = 36,
    /// the member has no such project
    UnknownProject = 37,
    /// the budget of the data set or of the project does not suffice
    BudgetExhausted = 38,
    /// the member made no such reservation
    UnknownReservation = 39,
    /// the reservation was spent before
    AlreadySpent = 40,
}

impl ReceiptCode {
    /// Whether the entry took effect.
    pub const fn is_accepted(self) -> bool {
        matches!(self, ReceiptCode::Accepted)
    }
}

impl fmt::Display for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().trim())
    }
}

impl Serialize for ReceiptCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.number())
    }
}

impl<'de> Deserialize<'de> for ReceiptCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(deserializer)?;
        Self::from_number(number).ok_or_else(|| serde::de::Error::custom("an unknown receipt code"))
    }
}

/// Not the bytes of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Another length.
    #[error("a receipt has 56 bytes")]
    Length,
    /// A code this program does not know.
    #[error("a receipt of an unknown code")]
    Code,
    /// A first position without positions.
    #[error("a receipt with a first position but no positions")]
    Positions,
}

/// What became of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Which entry.
    pub entry: EntryId,
    /// In which block.
    pub height: Height,
    /// Which of the block's entries.
    pub index: EntryIndex,
    /// What became of it.
    pub code: ReceiptCode,
    /// The first position it was given in its member's active set; zero where there is none.
    pub first_position: u32,
    /// How many positions, one after another.
    pub positions: u32,
}

impl Receipt {
    /// The receipt's bytes.
    pub fn encode(&self) -> [u8; RECEIPT_BYTES] {
        let mut bytes = [0; RECEIPT_BYTES];
        bytes[0..32].copy_from_slice(self.entry.as_bytes());
        bytes[32..40].copy_from_slice(&self.height.get().to_be_bytes());
        bytes[40..44].copy_from_slice(&self.index.get().to_be_bytes());
        bytes[44..48].copy_from_slice(&self.code.number().to_be_bytes());
        bytes[48..52].copy_from_slice(&self.first_position.to_be_bytes());
        bytes[52..56].copy_from_slice(&self.positions.to_be_bytes());
        bytes
    }

    /// Parses a receipt's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let bytes: &[u8; RECEIPT_BYTES] = bytes.try_into().map_err(|_| ReceiptError::Length)?;
        let mut entry = [0; 32];
        entry.copy_from_slice(&bytes[..32]);
        let mut height = [0; 8];
        height.copy_from_slice(&bytes[32..40]);
        let number = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let receipt = Self {
            entry: EntryId::from_bytes(entry),
            height: Height::new(u64::from_be_bytes(height)),
            index: EntryIndex::new(number(40)),
            code: ReceiptCode::from_number(number(44)).ok_or(ReceiptError::Code)?,
            first_position: number(48),
            positions: number(52),
        };
        if receipt.positions == 0 && receipt.first_position != 0 {
            return Err(ReceiptError::Positions);
        }
        Ok(receipt)
    }

    /// The position of the n-th commitment of the entry, if it was given one.
    pub fn position(&self, nth: u32) -> Option<Position> {
        (nth < self.positions).then(|| self.first_position.checked_add(nth).map(Position::new)).flatten()
    }

    /// The receipt's leaf hash under its block's receipts root.
    pub fn leaf(&self) -> LogHash {
        LogHash::leaf(&self.encode())
    }
}

/// The receipts root of a block.
pub fn receipts_root(receipts: &[Receipt]) -> ReceiptsRoot {
    let leaves: Vec<LogHash> = receipts.iter().map(Receipt::leaf).collect();
    ReceiptsRoot::from_bytes(*root_of(&leaves).as_bytes())
}

/// A receipt, and that it is among those of its block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptProof {
    /// The receipt.
    pub receipt: Receipt,
    /// That it is under the receipts root.
    pub inclusion: InclusionProof,
}

impl ReceiptProof {
    /// Makes the proof for one of a block's receipts; none if there is none at this index.
    pub fn new(receipts: &[Receipt], index: EntryIndex) -> Option<Self> {
        let mut log = crate::log::LogAppender::empty();
        let mut nodes = std::collections::BTreeMap::new();
        for receipt in receipts {
            nodes.extend(log.push(receipt.leaf()));
        }
        let read = |node| nodes.get(&node).copied().ok_or(LogProofError::Range);
        let at = crate::units::LogIndex::new(u64::from(index.get()));
        let inclusion = crate::log::inclusion_proof(at, LogSize::new(receipts.len() as u64), &read).ok()?;
        Some(Self { receipt: *receipts.get(index.get() as usize)?, inclusion })
    }

    /// Checks the receipt against the seal of its own block.
    pub fn verify(&self, seal: &Seal) -> Result<(), LogProofError> {
        let index = u64::from(self.receipt.index.get());
        if self.receipt.height != seal.height || self.inclusion.index.get() != index {
            return Err(LogProofError::Range);
        }
        self.inclusion.verify(self.receipt.leaf(), LogHash::from_bytes(*seal.receipts_root.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(index: u32) -> Receipt {
        Receipt {
            entry: EntryId::from_bytes([index as u8; 32]),
            height: Height::new(3),
            index: EntryIndex::new(index),
            code: ReceiptCode::Accepted,
            first_position: 5,
            positions: 2,
        }
    }

    #[test]
    fn bytes_codes_and_positions() {
        for code in ReceiptCode::ALL {
            assert_eq!(ReceiptCode::from_number(code.number()), Some(*code));
            let receipt = Receipt { code: *code, ..receipt(1) };
            assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt));
        }
        assert_eq!(Receipt::decode(&[0; 55]), Err(ReceiptError::Length));
        let mut unknown = receipt(1).encode();
        unknown[44] = 9;
        assert_eq!(Receipt::decode(&unknown), Err(ReceiptError::Code));
        assert_eq!(receipt(0).position(1), Some(Position::new(6)));
        assert_eq!(receipt(0).position(2), None);
    }

    #[test]
    fn one_receipt_is_shown_under_the_seal() {
        let receipts: Vec<Receipt> = (0..5).map(receipt).collect();
        let seal = Seal {
            height: Height::new(3),
            time: crate::units::BlockTime::EPOCH,
            state_root: crate::ids::StateRoot::from_bytes([0; 32]),
            log_size: LogSize::new(9),
            log_root: LogHash::empty(),
            receipts_root: receipts_root(&receipts),
            protocol_version: crate::units::ProtocolVersion::CURRENT,
        };
        for index in 0..5 {
            let proof = ReceiptProof::new(&receipts, EntryIndex::new(index)).unwrap();
            assert_eq!(proof.verify(&seal), Ok(()));
            let mut lie = proof.clone();
            lie.receipt.code = ReceiptCode::NotActive;
            assert_eq!(lie.verify(&seal), Err(LogProofError::Root));
            assert!(proof.verify(&Seal { height: Height::new(4), ..seal }).is_err());
        }
        assert_eq!(ReceiptProof::new(&receipts, EntryIndex::new(5)), None);
    }
}
