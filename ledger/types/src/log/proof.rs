//! Inclusion and consistency proofs of RFC 6962, verified as RFC 9162 (2.1.3.2, 2.1.4.2) says.
//!
//! A proof has exactly one length for its sizes; a longer or shorter one is refused.

use serde::{Deserialize, Serialize};

use crate::ids::LogHash;
use crate::units::{LogIndex, LogSize};

/// Why a log proof was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogProofError {
    /// The leaf lies outside of the tree, or the old tree is larger than the new one.
    #[error("the proof's index or sizes do not fit each other")]
    Range,
    /// The path has another length than these sizes need.
    #[error("the proof's path has the wrong length for its sizes")]
    Length,
    /// The path leads to another root.
    #[error("the proof leads to another log root")]
    Root,
}

/// Shows that a leaf is in a log of a given size and root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// Which leaf.
    pub index: LogIndex,
    /// The size of the log.
    pub size: LogSize,
    /// Sibling hashes, from the leaf upwards.
    pub path: Vec<LogHash>,
}

impl InclusionProof {
    /// Checks that this leaf hash is at the proof's index under this root.
    pub fn verify(&self, leaf: LogHash, root: LogHash) -> Result<(), LogProofError> {
        if self.index.get() >= self.size.get() {
            return Err(LogProofError::Range);
        }
        let (mut node, mut last) = (self.index.get(), self.size.get() - 1);
        let mut hash = leaf;
        for sibling in &self.path {
            if last == 0 {
                return Err(LogProofError::Length);
            }
            if node & 1 == 1 || node == last {
                hash = LogHash::node(*sibling, hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = LogHash::node(hash, *sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        match (last, hash == root) {
            (0, true) => Ok(()),
            (0, false) => Err(LogProofError::Root),
            _ => Err(LogProofError::Length),
        }
    }
}

/// Shows that an older log is a prefix of a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyProof {
    /// The size of the older log.
    pub old: LogSize,
    /// The size of the newer log.
    pub new: LogSize,
    /// The hashes that lead to both roots.
    pub path: Vec<LogHash>,
}

impl ConsistencyProof {
    /// Checks that the log of the old root is a prefix of the log of the new one.
    pub fn verify(&self, old_root: LogHash, new_root: LogHash) -> Result<(), LogProofError> {
        let (old, new) = (self.old.get(), self.new.get());
        if old > new {
            return Err(LogProofError::Range);
        }
        if old == 0 || old == new {
            let known = if old == 0 { old_root == LogHash::empty() } else { old_root == new_root };
            return match (self.path.is_empty(), known) {
                (false, _) => Err(LogProofError::Length),
                (true, false) => Err(LogProofError::Root),
                (true, true) => Ok(()),
            };
        }
        self.verify_proper(old_root, new_root)
    }

    fn verify_proper(&self, old_root: LogHash, new_root: LogHash) -> Result<(), LogProofError> {
        let (mut node, mut last) = (self.old.get() - 1, self.new.get() - 1);
        while node & 1 == 1 {
            node >>= 1;
            last >>= 1;
        }
        let mut path = self.path.iter().copied();
        // A complete old tree is its own first hash, and is left out of the path.
        let first = if self.old.get().is_power_of_two() { Some(old_root) } else { path.next() };
        let first = first.ok_or(LogProofError::Length)?;
        let (mut old_hash, mut new_hash) = (first, first);
        for hash in path {
            if last == 0 {
                return Err(LogProofError::Length);
            }
            if node & 1 == 1 || node == last {
                old_hash = LogHash::node(hash, old_hash);
                new_hash = LogHash::node(hash, new_hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                new_hash = LogHash::node(new_hash, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(LogProofError::Length);
        }
        if old_hash == old_root && new_hash == new_root { Ok(()) } else { Err(LogProofError::Root) }
    }
}
