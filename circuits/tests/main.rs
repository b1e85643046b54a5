//! What the circuits crate shows: vectors of others first, then our own.

mod accept;
mod agree;
mod attempt;
mod fixtures;
mod poseidon;
mod proof;
mod sample;
mod tamper;
mod truth;
