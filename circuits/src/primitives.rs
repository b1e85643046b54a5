//! Hash and tree, each native and in constraints with the same verbs, and what ties variables together.

pub(crate) mod constraints;
pub mod poseidon;
pub mod tree;
