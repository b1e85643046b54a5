//! Hash and tree, each native and in constraints, with the same verbs.

pub(crate) mod constraints;
pub mod poseidon;
pub mod tree;
