//! What the circuits crate shows: vectors of others first, then our own.

mod fixtures;
mod poseidon;
mod proof;
mod sample;
