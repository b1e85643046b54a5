//! A reader of the authenticated map for making proofs. While jmt 0.12 makes one, it panics if a node cannot be read; so
//! this reader gives it a leaf of nothing instead, remembers the error, and the proof is thrown away.

use std::cell::RefCell;

use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, ValueHash, Version};

use crate::state::ReadError;

pub(crate) struct ProofReader<'a, R> {
    reader: &'a R,
    failed: RefCell<Option<ReadError>>,
}

impl<'a, R: TreeReader> ProofReader<'a, R> {
    pub(crate) fn new(reader: &'a R) -> Self {
        Self { reader, failed: RefCell::new(None) }
    }

    /// The first error there was, if there was one; then what was made is worth nothing.
    pub(crate) fn finish(&self) -> Result<(), ReadError> {
        self.failed.borrow_mut().take().map_or(Ok(()), Err)
    }
}

impl<R: TreeReader> TreeReader for ProofReader<'_, R> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let is_root = key.nibble_path().is_empty();
        let why = match self.reader.get_node_option(key) {
            Ok(Some(Node::Null)) if !is_root => "an inner node is null".to_owned(),
            // A missing root means: pruned. jmt says so without panicking.
            Ok(None) if !is_root => "a node is missing".to_owned(),
            Ok(node) => return Ok(node),
            Err(error) => format!("{error:#}"),
        };
        self.failed.borrow_mut().get_or_insert(ReadError::damaged(format!("authenticated map at {key:?}: {why}")));
        Ok(Some(Node::Leaf(LeafNode::new(KeyHash([0; 32]), ValueHash([0; 32])))))
    }

    fn get_value_option(&self, max_version: Version, path: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        self.reader.get_value_option(max_version, path)
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        self.reader.get_rightmost_leaf()
    }
}
