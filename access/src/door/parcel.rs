//! A parcel: what a reader gets of one record, and how the reader opens and checks it.
//!
//! ```text
//! Form       version, schema, parts            InForce  not past its time        Release  the entry is of this release
//! Addressee  sealed to this card               Logged   the entry was accepted   Keys     keys and parts open
//! Expected   the record that was asked for              (or is signed, emergencies)  Content  C computed again is C
//! ```
//!
//! The vault is believed in nothing: a field, salt, hash or validity that it changes gives another C. A parcel does not
//! show that the record is still active, nor that there is no other. Spec: docs/spec/door.md.

mod open;

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::ids::{HeaderHash, LeafHash};
use vouchsafe_circuits::record::{FieldIndex, Tier};
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::disclosure::QuestionOpening;
use vouchsafe_ledger_types::encoding::base64_bytes;
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{CardId, MemberId};
use vouchsafe_ledger_types::units::BlockTime;

pub use open::{OpenedParcel, ParcelCheck, ParcelError, Standing};

use super::terms::{Basis, purpose_code};
use crate::vault::RecordId;

/// The version of the parcel's form.
pub const PARCEL_VERSION: u32 = 1;
/// No parcel is larger, in bytes of JSON.
pub const PARCEL_BYTES_MAX: usize = 8 << 20;

/// What a reader gets. Nothing in it is readable without the reader's secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    pub(super) version: u32,
    pub(super) record: RecordId,
    pub(super) issuer: MemberId,
    /// The schema's document.
    #[serde(with = "base64_bytes")]
    pub(super) schema: Vec<u8>,
    pub(super) tier: Tier,
    /// A blob of the sealed parts up to the tier.
    #[serde(with = "base64_bytes")]
    pub(super) parts: Vec<u8>,
    pub(super) keys: Vec<SealedKey>,
    /// The hashes of the leaves above the tier.
    pub(super) leaves: Vec<(FieldIndex, LeafHash)>,
    pub(super) header: HeaderHash,
    pub(super) card: CardId,
    #[serde(with = "purpose_code")]
    pub(super) purpose: PurposeClass,
    pub(super) basis: Basis,
    pub(super) until: BlockTime,
    /// What finds this release in the entry's commitment.
    pub(super) question: QuestionOpening,
    pub(super) logged: Logged,
}

/// The data key of one tier's part, sealed to the reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedKey {
    pub(super) tier: Tier,
    #[serde(with = "base64_bytes")]
    pub(super) encapsulated: Vec<u8>,
    #[serde(with = "base64_bytes")]
    pub(super) sealed: Vec<u8>,
}

/// How far the entry got before the release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Logged {
    /// The ledger accepted it.
    Accepted(Box<AcceptanceProof>),
    /// An emergency without network: signed by the institution, and on its way.
    Promised(#[serde(with = "base64_bytes")] Vec<u8>),
}

/// The text is not a parcel. Whoever sent it is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ParcelFormError {
    /// It is too long.
    #[error("a parcel has at most {PARCEL_BYTES_MAX} bytes")]
    TooLong,
    /// It is not JSON of a parcel.
    #[error("not a parcel: {0}")]
    Json(String),
}

impl Parcel {
    /// Its JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // plain structs and strings: cannot fail
    }

    /// Parses its JSON.
    pub fn from_json(bytes: &[u8]) -> Result<Parcel, ParcelFormError> {
        if bytes.len() > PARCEL_BYTES_MAX {
            return Err(ParcelFormError::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|e| ParcelFormError::Json(e.to_string()))
    }

    /// Which record it says it is of.
    pub fn record(&self) -> RecordId {
        self.record
    }

    /// Up to which tier.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// To whom it is addressed.
    pub fn card(&self) -> CardId {
        self.card
    }

    /// Until when it may be opened.
    pub fn until(&self) -> BlockTime {
        self.until
    }
}
