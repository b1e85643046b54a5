//! Trust files: what a verifier has settled out of band, once, before it looks at any evidence.
//!
//! Whoever writes this file decides what the verifier believes; keep it as you keep root certificates.
//! In solo mode the one validator's word is all there is, until witnesses cosign.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::keys::KeyId;

use crate::entry::Validator;
use crate::ids::{AppHash, ChainId, EntryId, MemberName};
use crate::signing::PublicKey;
use crate::units::{BlockTime, Height};

/// The version of the trust file's form.
pub const TRUST_VERSION: u32 = 1;

/// What a verifier trusts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// [`TRUST_VERSION`].
    pub version: u32,
    /// The ledger.
    pub chain: ChainId,
    /// Its suite.
    pub suite: Suite,
    /// The id of its genesis entry.
    pub genesis: EntryId,
    /// The block from which on validators are followed.
    pub base: Base,
    /// The verifying keys that count.
    pub keys: Vec<TrustedKey>,
    /// Whether keys from a single-party setup count; never in production.
    pub accept_development_keys: bool,
    /// Witnesses known to the verifier.
    pub witnesses: Vec<Witness>,
    /// How many of them must have cosigned a checkpoint.
    pub witnesses_required: u32,
    /// After this time the file is refused: fetch a new one.
    pub refresh_by: BlockTime,
}

/// A block that the verifier believes in, and who signs after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Which block.
    pub height: Height,
    /// The digest of its seal.
    pub app_hash: AppHash,
    /// Whose signatures count after it.
    pub validators: Vec<Validator>,
}

/// A verifying key that counts, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKey {
    /// The statement that it verifies.
    pub statement: vouchsafe_circuits::statements::Statement,
    /// Its id.
    pub id: KeyId,
}

/// Somebody who cosigns checkpoints after checking that the log only grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its name.
    pub name: MemberName,
    /// Its key.
    pub key: PublicKey,
}

impl Trust {
    /// Whether a key counts for a statement.
    pub fn accepts(&self, statement: vouchsafe_circuits::statements::Statement, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.statement == statement && key.id == id)
    }

    /// The key to ask with: the first that counts for the statement.
    pub fn key_for(&self, statement: vouchsafe_circuits::statements::Statement) -> Option<KeyId> {
        self.keys.iter().find(|key| key.statement == statement).map(|key| key.id)
    }
}
