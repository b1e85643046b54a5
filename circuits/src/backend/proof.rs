//! A proof outside of this crate: bytes that mean nothing until a verifier has parsed them for its suite.
//!
//! bn254: 128 bytes, points A (G1), B (G2), C (G1), compressed. A proof can be re-randomised by anybody, so its
//! bytes are no key for replay protection.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest proof of any suite.
pub const PROOF_BYTES_MAX: usize = 192;

/// The bytes of a proof, not parsed yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof(Vec<u8>);

/// The bytes are too many for a proof of any suite.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof has at most {PROOF_BYTES_MAX} bytes, {0} were given")]
pub struct ProofError(usize);

impl Proof {
    /// Takes bytes; whether they are a proof is found when it is verified.
    pub fn from_bytes(bytes: &[u8]) -> Result<Proof, ProofError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofError(bytes.len()));
        }
        Ok(Proof(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({} bytes)", self.0.len())
    }
}

impl Serialize for Proof {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Proof {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Proof, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        Proof::from_bytes(&bytes).map_err(D::Error::custom)
    }
}
