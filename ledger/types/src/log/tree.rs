//! Growing the log and making its proofs, over whatever keeps the nodes.
//!
//! Kept are the roots of complete subtrees alone: node (level, index) covers the leaves
//! index·2^level .. (index+1)·2^level. They never change once written, so any older size can still be proved.

use super::{ConsistencyProof, InclusionProof, LogProofError};
use crate::ids::LogHash;
use crate::units::{LogIndex, LogSize};

/// Names the root of a complete subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogNode {
    level: u8,
    index: u64,
}

impl LogNode {
    /// The node over the 2^level leaves from index·2^level; level 0 is a leaf. There is none above level 63.
    pub fn new(level: u8, index: u64) -> Option<Self> {
        (level < 64).then_some(Self { level, index })
    }

    /// 0 for a leaf.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// Which of its level, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }
}

/// The largest power of two below n, for n of at least two.
pub(super) fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// A log that only grows: its size and the roots of its complete subtrees, largest first.
#[derive(Debug, Clone)]
pub struct LogAppender {
    size: u64,
    peaks: Vec<LogHash>,
}

impl LogAppender {
    /// A log without leaves.
    pub fn empty() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Goes on from a log of this size whose nodes `read` gives.
    pub fn resume<E>(size: LogSize, read: &dyn Fn(LogNode) -> Result<LogHash, E>) -> Result<Self, E> {
        let mut peaks = Vec::new();
        let mut begin = 0;
        for level in (0..64).rev() {
            let width = 1u64 << level;
            if size.get() & width != 0 {
                peaks.push(read(LogNode { level: level as u8, index: begin >> level })?);
                begin += width;
            }
        }
        Ok(Self { size: size.get(), peaks })
    }

    /// Appends a leaf; returns the nodes that are complete now, the leaf first.
    pub fn push(&mut self, leaf: LogHash) -> Vec<(LogNode, LogHash)> {
        let mut node = LogNode { level: 0, index: self.size };
        let mut hash = leaf;
        let mut nodes = vec![(node, hash)];
        while node.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = LogHash::node(left, hash);
            node = LogNode { level: node.level + 1, index: node.index >> 1 };
            nodes.push((node, hash));
        }
        self.peaks.push(hash);
        self.size += 1;
        nodes
    }

    /// How many leaves there are.
    pub fn size(&self) -> LogSize {
        LogSize::new(self.size)
    }

    /// The root over all of them.
    pub fn root(&self) -> LogHash {
        let mut peaks = self.peaks.iter().rev().copied();
        let Some(smallest) = peaks.next() else { return LogHash::empty() };
        peaks.fold(smallest, |right, left| LogHash::node(left, right))
    }
}

/// The root of the log at an older size.
pub fn root_at<E>(size: LogSize, read: &dyn Fn(LogNode) -> Result<LogHash, E>) -> Result<LogHash, E> {
    Ok(LogAppender::resume(size, read)?.root())
}

/// The root over leaves begin..end, where begin is a multiple of the largest power of two within.
fn subtree<E>(begin: u64, end: u64, read: &dyn Fn(LogNode) -> Result<LogHash, E>) -> Result<LogHash, E> {
    let width = end - begin;
    if width.is_power_of_two() {
        let level = width.trailing_zeros();
        return read(LogNode { level: level as u8, index: begin >> level });
    }
    let middle = begin + split(width);
    Ok(LogHash::node(subtree(begin, middle, read)?, subtree(middle, end, read)?))
}

/// Proves that the leaf at an index is in the log of a size.
pub fn inclusion_proof<E: From<LogProofError>>(
    index: LogIndex,
    size: LogSize,
    read: &dyn Fn(LogNode) -> Result<LogHash, E>,
) -> Result<InclusionProof, E> {
    if index.get() >= size.get() {
        return Err(LogProofError::Range.into());
    }
    let (mut begin, mut end) = (0, size.get());
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index.get() < middle {
            path.push(subtree(middle, end, read)?);
            end = middle;
        } else {
            path.push(subtree(begin, middle, read)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(InclusionProof { index, size, path })
}

/// Proves that the log of an old size is a prefix of the log of a new one.
pub fn consistency_proof<E: From<LogProofError>>(
    old: LogSize,
    new: LogSize,
    read: &dyn Fn(LogNode) -> Result<LogHash, E>,
) -> Result<ConsistencyProof, E> {
    if old > new {
        return Err(LogProofError::Range.into());
    }
    let mut path = Vec::new();
    if old.get() > 0 && old < new {
        let (mut begin, mut end) = (0, new.get());
        let mut whole = true;
        while old.get() != end {
            let middle = begin + split(end - begin);
            if old.get() <= middle {
                path.push(subtree(middle, end, read)?);
                end = middle;
            } else {
                path.push(subtree(begin, middle, read)?);
                begin = middle;
                whole = false;
            }
        }
        if !whole {
            path.push(subtree(begin, end, read)?);
        }
        path.reverse();
    }
    Ok(ConsistencyProof { old, new, path })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::root_of;

    /// The leaves and roots that certificate-transparency implementations test with.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    type Nodes = BTreeMap<LogNode, LogHash>;

    fn grow(leaves: &[LogHash]) -> (LogAppender, Nodes) {
        let mut log = LogAppender::empty();
        let mut nodes = Nodes::new();
        for leaf in leaves {
            nodes.extend(log.push(*leaf));
        }
        (log, nodes)
    }

    fn reader(nodes: &Nodes) -> impl Fn(LogNode) -> Result<LogHash, LogProofError> + '_ {
        |node| nodes.get(&node).copied().ok_or(LogProofError::Range)
    }

    fn vectors() -> Vec<LogHash> {
        LEAVES.iter().map(|leaf| LogHash::leaf(&hex::decode(leaf).unwrap())).collect()
    }

    fn hash(text: &str) -> LogHash {
        text.parse().unwrap()
    }

    #[test]
    fn published_roots() {
        let leaves = vectors();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(root_of(&leaves[..size]), hash(root), "{size}");
            assert_eq!(grow(&leaves[..size]).0.root(), hash(root), "{size}");
        }
    }

    #[test]
    fn published_proofs() {
        let (_, nodes) = grow(&vectors());
        let read = reader(&nodes);
        let path = |index, size| inclusion_proof(LogIndex::new(index), LogSize::new(size), &read).unwrap().path;
        assert_eq!(
            path(0, 8),
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
            .map(hash)
        );
        assert_eq!(path(2, 3), ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"].map(hash));
        let path = |old, new| consistency_proof(LogSize::new(old), LogSize::new(new), &read).unwrap().path;
        assert_eq!(
            path(6, 8),
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
            .map(hash)
        );
    }

    #[test]
    fn every_proof_of_small_logs_and_every_tampering() {
        let leaves: Vec<LogHash> = (0u8..40).map(|n| LogHash::leaf(&[n])).collect();
        let (_, nodes) = grow(&leaves);
        let read = reader(&nodes);
        for size in 1..=leaves.len() {
            let root = root_of(&leaves[..size]);
            assert_eq!(root_at(LogSize::new(size as u64), &read), Ok(root));
            for index in 0..size {
                let proof = inclusion_proof(LogIndex::new(index as u64), LogSize::new(size as u64), &read).unwrap();
                assert_eq!(proof.verify(leaves[index], root), Ok(()));
                assert!(proof.verify(leaves[(index + 1) % leaves.len()], root).is_err());
                let mut longer = proof.clone();
                longer.path.push(root);
                assert_eq!(longer.verify(leaves[index], root), Err(LogProofError::Length));
                let mut shorter = proof.clone();
                if shorter.path.pop().is_some() {
                    assert_eq!(shorter.verify(leaves[index], root), Err(LogProofError::Length));
                }
            }
            for old in 0..=size {
                let old_root = root_of(&leaves[..old]);
                let proof = consistency_proof(LogSize::new(old as u64), LogSize::new(size as u64), &read).unwrap();
                assert_eq!(proof.verify(old_root, root), Ok(()), "{old} {size}");
                assert!(proof.verify(LogHash::leaf(b"other"), root).is_err());
                // Everything continues the empty log.
                assert!(old == 0 || proof.verify(old_root, LogHash::leaf(b"other")).is_err());
                let mut longer = proof.clone();
                longer.path.push(root);
                assert!(longer.verify(old_root, root).is_err());
            }
        }
        assert!(inclusion_proof(LogIndex::new(3), LogSize::new(3), &read).is_err());
        assert!(consistency_proof(LogSize::new(4), LogSize::new(3), &read).is_err());
    }

    #[test]
    fn resuming_is_the_same_as_never_stopping() {
        let leaves: Vec<LogHash> = (0u8..70).map(|n| LogHash::leaf(&[n])).collect();
        let (whole, nodes) = grow(&leaves);
        for stop in 0..leaves.len() {
            let mut log = LogAppender::resume(LogSize::new(stop as u64), &reader(&nodes)).unwrap();
            for leaf in &leaves[stop..] {
                log.push(*leaf);
            }
            assert_eq!((log.size(), log.root()), (whole.size(), whole.root()));
        }
    }
}
