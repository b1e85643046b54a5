//! Evidence files: an answer with everything that a verifier without a network needs to check it.
//!
//! One JSON object. Bytes are hex where people compare them and base64 where they are long. Reading tells apart
//! what is not JSON of this form from a bad value inside it: the first is bad usage, the second a refusal.
//! Holding a file proves nothing: `verify` does. Whoever holds it can see pseudonym, issuer and question.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::Proof;
use vouchsafe_circuits::statements::fact::Public;

use crate::checkpoint::SignedCheckpoint;
use crate::disclosure::QuestionOpening;
use crate::encoding::base64_bytes;
use crate::log::InclusionProof;
use crate::receipt::ReceiptProof;
use crate::request::Request;
use crate::seal::Seal;
use crate::state_proof::StateProof;

/// The version of the evidence file's form.
pub const EVIDENCE_VERSION: u32 = 1;
/// The largest evidence file, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 8 << 20;

/// An answer and why to believe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`].
    pub version: u32,
    /// The request that was answered.
    pub request: Request,
    /// One answer for each part of the request, in order.
    pub answers: Vec<Answer>,
    /// The seal that all answers are proved against.
    pub seal: Seal,
    /// That the seal is in the log of the checkpoint.
    pub seal_inclusion: InclusionProof,
    /// The chain and its rules, in the state of the seal.
    pub chain: StateProof,
    /// That the question was logged first.
    pub disclosure: DisclosureEvidence,
    /// Changes of the validators since the trust file's base; there are none in solo mode.
    pub validator_changes: Vec<ValidatorChange>,
    /// The log's size and root, signed by the validators.
    pub checkpoint: SignedCheckpoint,
}

/// A change of validators. This version of the ledger makes none, so none can be written or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ValidatorChange {}

/// The proof for one part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The public inputs; a verifier recomputes all but the pseudonym and compares.
    pub public: Public,
    /// The proof.
    pub proof: Proof,
    /// The verifying key, whose id the request names.
    #[serde(with = "base64_bytes")]
    pub key: Vec<u8>,
    /// The issuer's status and anchor, in the state of the seal.
    pub anchor: StateProof,
    /// That the schema is registered.
    pub schema: StateProof,
    /// That the verifying key is registered.
    pub key_registration: StateProof,
}

/// That the question was accepted by the ledger before it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisclosureEvidence {
    /// The signed entry.
    #[serde(with = "base64_bytes")]
    pub entry: Vec<u8>,
    /// That it is in the log of the checkpoint.
    pub inclusion: InclusionProof,
    /// What became of it, in its own block.
    pub receipt: ReceiptProof,
    /// The seal of that block.
    pub seal: Seal,
    /// That this seal is in the log of the checkpoint.
    pub seal_inclusion: InclusionProof,
    /// What shows the request inside the blinded entry.
    pub opening: QuestionOpening,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not JSON, or not of this form: the caller gave another file.
    #[error("not {what}: {why}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Of this form, with a value that cannot be.
    #[error("a value in the file cannot be right: {0}")]
    BadValue(String),
}

impl Evidence {
    /// Reads an evidence file.
    pub fn read(bytes: &[u8]) -> Result<Evidence, ReadError> {
        read_json("an evidence file", bytes)
    }
}

/// Reads JSON of a fixed form. What serde itself objects to is the form; what a type's own parser refuses
/// is a value.
pub fn read_json<T: serde::de::DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, ReadError> {
    if bytes.len() > EVIDENCE_BYTES_MAX {
        return Err(ReadError::Form { what, why: format!("larger than {EVIDENCE_BYTES_MAX} bytes") });
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let why = error.to_string();
        const FORM: [&str; 6] =
            ["invalid type", "missing field", "unknown field", "duplicate field", "invalid length", "trailing"];
        let form = !error.is_data() || FORM.iter().any(|start| why.starts_with(start));
        if form { ReadError::Form { what, why } } else { ReadError::BadValue(why) }
    })
}
