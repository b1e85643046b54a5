//! The active set: a 4-ary Poseidon tree of depth 16, leaves position by position.
//!
//! ```text
//! node = H(child 0, child 1, child 2, child 3)          position = base-4 digits, least significant first
//! ```
//!
//! A zero leaf is an empty or withdrawn place. The tree does not say who may change it: the ledger does.
//! Storage is the caller's: it lends a reader and takes back the nodes that changed.

pub(crate) mod gadget;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::fe::Fe;
use crate::ids::Anchor;
use crate::primitives::poseidon;
use crate::suite::{Suite, SuiteField, with_field};

/// Levels between a leaf and the root.
pub const DEPTH: usize = 16;
/// Children of a node.
pub const ARITY: usize = 4;

/// The place of a commitment in its member's active set: 0 to 4^16 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u32);

impl Position {
    /// The place with this number.
    pub const fn new(number: u32) -> Position {
        Position(number)
    }

    /// Its number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Which child (0 to 3) the path goes through below the node of `level + 1`.
    pub const fn digit(self, level: usize) -> usize {
        (self.0 >> (2 * level)) as usize & 3
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A node of the tree: level 0 holds the leaves, level 16 the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    /// 0 for leaves, 16 for the root.
    pub level: u8,
    /// Which node of the level, from the left.
    pub index: u32,
}

/// What a batch of changed leaves does to the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeUpdate {
    /// Every node that changed, leaves and root too, in order.
    pub nodes: Vec<(NodeId, Fe)>,
    /// The new root.
    pub root: Anchor,
}

/// The way from a leaf to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipPath {
    /// The place of the leaf.
    pub position: Position,
    /// For each level the three other children, from the left.
    pub siblings: [[Fe; ARITY - 1]; DEPTH],
}

impl MembershipPath {
    /// The root that this leaf and path lead to; `None` if an element is not of the suite's field.
    pub fn root(&self, suite: Suite, leaf: Fe) -> Option<Anchor> {
        with_field!(suite, F => self.root_in::<F>(leaf))
    }

    fn root_in<F: SuiteField>(&self, leaf: Fe) -> Option<Anchor> {
        let mut node = leaf.to_field::<F>().ok()?;
        for (level, siblings) in self.siblings.iter().enumerate() {
            let mut children = [node; ARITY];
            let others = (0..ARITY).filter(|i| *i != self.position.digit(level));
            for (place, sibling) in others.zip(siblings) {
                children[place] = sibling.to_field().ok()?;
            }
            node = poseidon::hash(&children);
        }
        Some(Anchor::new(Fe::from_field(&node)))
    }
}

/// Why a tree could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError<E> {
    /// The store failed.
    #[error("the active set could not be read")]
    Read(#[source] E),
    /// A stored or given node is not a field element.
    #[error("a node of the active set is not a field element of {0}: the store is damaged")]
    NotCanonical(Suite),
}

/// The root of the tree without any leaf.
pub fn empty_root(suite: Suite) -> Anchor {
    Anchor::new(empty_nodes(suite)[DEPTH])
}

/// Sets leaves and recomputes each touched node once. A node that `read` does not know is that of the
/// empty tree. Of two changes to one position the later counts.
pub fn update<E>(
    suite: Suite,
    read: &dyn Fn(NodeId) -> Result<Option<Fe>, E>,
    leaves: &[(Position, Fe)],
) -> Result<TreeUpdate, TreeError<E>> {
    let empty = empty_nodes(suite);
    let mut level: BTreeMap<u32, Fe> = leaves.iter().map(|(p, leaf)| (p.0, *leaf)).collect();
    let mut nodes = Vec::new();
    for depth in 0..DEPTH {
        nodes.extend(level.iter().map(|(index, node)| (NodeId { level: depth as u8, index: *index }, *node)));
        let mut parents: BTreeMap<u32, Fe> = BTreeMap::new();
        for parent in level.keys().map(|index| index / ARITY as u32) {
            if parents.contains_key(&parent) {
                continue;
            }
            let mut children = [Fe::ZERO; ARITY];
            for (child, digit) in children.iter_mut().zip(0..) {
                let index = parent * ARITY as u32 + digit;
                *child = match level.get(&index) {
                    Some(new) => *new,
                    None => read_or_empty(read, depth, index, &empty)?,
                };
            }
            parents.insert(parent, node_hash(suite, &children)?);
        }
        level = parents;
    }
    let root = match level.get(&0) {
        Some(root) => *root,
        None => read_or_empty(read, DEPTH, 0, &empty)?,
    };
    nodes.extend(level.iter().map(|(index, node)| (NodeId { level: DEPTH as u8, index: *index }, *node)));
    Ok(TreeUpdate { nodes, root: Anchor::new(root) })
}

/// The path of a position in the tree that `read` shows.
pub fn path<E>(
    suite: Suite,
    read: &dyn Fn(NodeId) -> Result<Option<Fe>, E>,
    position: Position,
) -> Result<MembershipPath, TreeError<E>> {
    let empty = empty_nodes(suite);
    let mut siblings = [[Fe::ZERO; ARITY - 1]; DEPTH];
    let mut index = position.0;
    for (level, row) in siblings.iter_mut().enumerate() {
        let first = index & !3;
        let others = (first..=first + 3).filter(|i| *i != index);
        for (sibling, other) in row.iter_mut().zip(others) {
            *sibling = read_or_empty(read, level, other, &empty)?;
        }
        index >>= 2;
    }
    Ok(MembershipPath { position, siblings })
}

fn read_or_empty<E>(
    read: &dyn Fn(NodeId) -> Result<Option<Fe>, E>,
    level: usize,
    index: u32,
    empty: &[Fe; DEPTH + 1],
) -> Result<Fe, TreeError<E>> {
    let node = read(NodeId { level: level as u8, index }).map_err(TreeError::Read)?;
    Ok(node.unwrap_or(empty[level]))
}

fn node_hash<E>(suite: Suite, children: &[Fe; ARITY]) -> Result<Fe, TreeError<E>> {
    with_field!(suite, F => node_hash_in::<F>(children)).ok_or(TreeError::NotCanonical(suite))
}

fn node_hash_in<F: SuiteField>(children: &[Fe; ARITY]) -> Option<Fe> {
    let mut elements = [F::zero(); ARITY];
    for (element, child) in elements.iter_mut().zip(children) {
        *element = child.to_field().ok()?;
    }
    Some(Fe::from_field(&poseidon::hash(&elements)))
}

fn empty_nodes(suite: Suite) -> [Fe; DEPTH + 1] {
    with_field!(suite, F => {
        static CACHE: std::sync::OnceLock<[Fe; DEPTH + 1]> = std::sync::OnceLock::new();
        *CACHE.get_or_init(|| {
            let mut nodes = [Fe::ZERO; DEPTH + 1];
            let mut node = F::from(0u64);
            for slot in &mut nodes[1..] {
                node = poseidon::hash(&[node; ARITY]);
                *slot = Fe::from_field(&node);
            }
            nodes
        })
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const S: Suite = Suite::Bn254;

    fn reader(nodes: &BTreeMap<NodeId, Fe>) -> impl Fn(NodeId) -> Result<Option<Fe>, Infallible> + '_ {
        |id| Ok(nodes.get(&id).copied())
    }

    #[test]
    fn batches_and_single_steps_agree_and_paths_lead_to_the_root() {
        let leaves: Vec<_> = [0, 1, 2, 3, 4, 17, 4_294_967_295]
            .into_iter()
            .map(|p| (Position(p), Fe::from_u64(u64::from(p) + 9)))
            .collect();
        let mut batch = BTreeMap::new();
        let at_once = update(S, &reader(&batch), &leaves).unwrap();
        batch.extend(at_once.nodes.iter().copied());
        let mut steps = BTreeMap::new();
        for leaf in &leaves {
            let step = update(S, &reader(&steps), &[*leaf]).unwrap();
            steps.extend(step.nodes);
        }
        assert_eq!(batch, steps);
        for (position, leaf) in leaves {
            let path = path(S, &reader(&batch), position).unwrap();
            assert_eq!(path.root(S, leaf), Some(at_once.root));
            assert_ne!(path.root(S, Fe::from_u64(1)), Some(at_once.root));
        }
    }

    #[test]
    fn an_empty_update_keeps_the_root_and_zero_empties_a_place() {
        let none = BTreeMap::new();
        assert_eq!(update(S, &reader(&none), &[]).unwrap().root, empty_root(S));
        let full = update(S, &reader(&none), &[(Position(5), Fe::from_u64(1))]).unwrap();
        let nodes: BTreeMap<_, _> = full.nodes.into_iter().collect();
        assert_eq!(update(S, &reader(&nodes), &[]).unwrap().root, full.root);
        let emptied = update(S, &reader(&nodes), &[(Position(5), Fe::ZERO)]).unwrap();
        assert_eq!(emptied.root, empty_root(S));
    }
}
