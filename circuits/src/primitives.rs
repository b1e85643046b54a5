//! Hash and tree, each native and in constraints, with the same verbs.

pub mod poseidon;
pub mod tree;
