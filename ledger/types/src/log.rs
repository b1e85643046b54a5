//! The log: an RFC 6962 Merkle tree over entries and seals, and its proofs.
//! ```text
//! leaf hash = SHA-256(0x00 ‖ leaf), node hash = SHA-256(0x01 ‖ left ‖ right), empty = SHA-256("")
//! leaf = 0x00 ‖ signed entry bytes, or 0x01 ‖ seal bytes
//! ```
//! Block H logs its entries, then seal(H). `proof` says how proofs are verified, `tree` how they are made.

mod proof;
mod tree;

use sha2::{Digest, Sha256};

pub use proof::{ConsistencyProof, InclusionProof, LogProofError};
pub use tree::{LogAppender, LogNode, consistency_proof, inclusion_proof, root_at};

use crate::ids::LogHash;

const ENTRY_LEAF: u8 = 0;
const SEAL_LEAF: u8 = 1;

impl LogHash {
    /// The hash of a leaf with these bytes.
    pub fn leaf(bytes: &[u8]) -> Self {
        Self::from_bytes(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
    }

    /// The leaf hash of a logged entry, from the bytes of its `SignedEntry`.
    pub fn entry_leaf(signed_entry: &[u8]) -> Self {
        Self::tagged_leaf(ENTRY_LEAF, signed_entry)
    }

    /// The leaf hash of a logged seal, from its bytes.
    pub fn seal_leaf(seal: &[u8]) -> Self {
        Self::tagged_leaf(SEAL_LEAF, seal)
    }

    /// The hash over two subtrees.
    pub fn node(left: LogHash, right: LogHash) -> Self {
        let hash = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
        Self::from_bytes(hash.finalize().into())
    }

    /// The root of a tree without leaves.
    pub fn empty() -> Self {
        Self::from_bytes(Sha256::digest(b"").into())
    }

    fn tagged_leaf(tag: u8, bytes: &[u8]) -> Self {
        Self::from_bytes(Sha256::new().chain_update([0, tag]).chain_update(bytes).finalize().into())
    }
}

/// The root over a list of leaf hashes, as RFC 6962 defines it; for short lists, such as a block's receipts.
pub fn root_of(leaves: &[LogHash]) -> LogHash {
    match leaves {
        [] => LogHash::empty(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(tree::split(leaves.len() as u64) as usize);
            LogHash::node(root_of(left), root_of(right))
        }
    }
}
