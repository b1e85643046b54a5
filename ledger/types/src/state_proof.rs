//! State proofs: that a seal's state holds a value under a key, or holds none.
//!
//! The authenticated map is `jmt`'s, over SHA-256. jmt wants the `sha2` of another generation: [`MapHasher`] is the one
//! place where that one is named. The proof's bytes are jmt's (borsh), carried as base64.

use jmt::RootHash;
use jmt::proof::SparseMerkleProof;
use serde::{Deserialize, Serialize};

use crate::encoding::{base64_bytes, hex_bytes_option};
use crate::ids::StateRoot;
use crate::state_key::StateKey;
use crate::state_value::{StateValue, StateValueError};

/// The hash of the authenticated map.
pub type MapHasher = sha2_10::Sha256;

/// 256 siblings of at most 65 bytes, and a leaf: no honest proof is longer.
const PROOF_BYTES_MAX: usize = 32 * 1024;

/// Why a state proof was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateProofError {
    /// Not the bytes of a proof.
    #[error("not the bytes of a state proof")]
    Malformed,
    /// Shows another value, key or root.
    #[error("the state proof does not lead from this value to the seal's state root")]
    Wrong,
    /// Proven, but not a value of its kind.
    #[error(transparent)]
    Value(#[from] StateValueError),
}

/// A value (or none) and that the state holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProof {
    /// The value's bytes; none where the key is absent.
    #[serde(with = "hex_bytes_option")]
    value: Option<Vec<u8>>,
    #[serde(with = "base64_bytes")]
    proof: Vec<u8>,
}

impl StateProof {
    /// Carries a proof of the map.
    pub fn new(value: Option<Vec<u8>>, proof: &SparseMerkleProof<MapHasher>) -> Result<Self, StateProofError> {
        let proof = borsh::to_vec(proof).map_err(|_| StateProofError::Malformed)?;
        Ok(Self { value, proof })
    }

    /// The bytes that the proof shows under this key and root.
    pub fn verify(&self, root: StateRoot, key: &StateKey) -> Result<Option<&[u8]>, StateProofError> {
        if self.proof.len() > PROOF_BYTES_MAX {
            return Err(StateProofError::Malformed);
        }
        let proof: SparseMerkleProof<MapHasher> =
            borsh::from_slice(&self.proof).map_err(|_| StateProofError::Malformed)?;
        proof
            .verify(RootHash(*root.as_bytes()), key.path(), self.value.as_ref())
            .map_err(|_| StateProofError::Wrong)?;
        Ok(self.value.as_deref())
    }

    /// The value that the proof shows, parsed; none if it shows that there is none.
    pub fn read<V: StateValue>(&self, root: StateRoot, id: V::Id) -> Result<Option<V>, StateProofError> {
        let bytes = self.verify(root, &V::key(id))?;
        Ok(bytes.map(V::decode).transpose()?)
    }
}
