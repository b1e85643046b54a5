//! Taking a record's data keys out of the vault: for the door alone, which shows that it may.
//!
//! The whole record is opened first and its commitment computed again, since a reader needs the hashes of the leaves
//! that it may not read. Only the keys asked for leave this function, and nothing that was opened.

use vouchsafe_circuits::ids::{HeaderHash, LeafHash};
use vouchsafe_circuits::record::{FIELDS, FieldIndex, Tier};
use vouchsafe_circuits::schema::Schema;

use super::index::RecordState;
use super::read::ReadError;
use super::{Vault, sealing};
use crate::aead::DataKey;
use crate::door::Cleared;
use crate::envelope::{LeafTiers, Part};

/// What a reader of some tiers is given of a record, its keys not yet sealed to the reader.
pub(crate) struct Unsealed {
    /// A blob of the tiers' parts alone.
    pub parts: Vec<u8>,
    /// The data key of each of these parts, in their order.
    pub keys: Vec<(Tier, DataKey)>,
    /// The hashes of the leaves above, in rising order.
    pub leaves: Vec<(FieldIndex, LeafHash)>,
    /// The hash of the header.
    pub header: HeaderHash,
}

impl Vault {
    /// The parts and data keys that were cleared.
    pub(crate) async fn unseal(&self, cleared: &Cleared, schema: &Schema) -> Result<Unsealed, ReadError> {
        let (id, tier) = (cleared.record(), cleared.tier());
        let held = self.open_for_proof(id, schema).await?;
        let (row, secrets, blob) = self.sealed_record(id, schema.id()).await?;
        // it was active when the release was logged, and may have been withdrawn since
        if !matches!(row.state, RecordState::Committed { .. }) {
            return Err(ReadError::NotActive(id));
        }
        let failed = |why: String| ReadError::Sealed { record: id, blob: row.blob, why };
        let binding = row.binding(id.commitment());
        let tiers = LeafTiers::of(schema);
        let taken = sealing::parts_below(&binding, &blob, &tiers, tier).map_err(|e| failed(e.to_string()))?;
        let mut keys = Vec::new();
        for part in taken.iter().map(crate::envelope::SealedPart::part) {
            let Part::Tier(of) = part else { continue };
            let key = sealing::data_key(&binding, &row.wraps, part, &secrets.erase_key, |e| self.keys.holder(e));
            keys.push((of, key.map_err(|e| failed(e.to_string()))?));
        }
        let hashes: [LeafHash; FIELDS] = held.opening.leaves(row.proof).map_err(|e| failed(e.to_string()))?;
        let leaves = FieldIndex::all().zip(hashes).filter(|(leaf, _)| tiers.tier(*leaf) > tier).collect();
        let header = held.opening.header.hash(row.proof).map_err(|e| failed(e.to_string()))?;
        let parts = crate::envelope::SealedPart::to_blob(binding.cipher, &taken);
        Ok(Unsealed { parts, keys, leaves, header })
    }
}
