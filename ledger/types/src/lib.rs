//! What every verifier of the ledger needs: entries and their bytes, seals, log and state proofs, checkpoints.
//!
//! No I/O, no clock, no randomness. What this crate does *not* do: decide whether an entry is accepted
//! (that is the state machine in `vouchsafe-ledger`), or store anything.
#![forbid(unsafe_code)]

pub mod accepted;
pub mod call;
pub mod card;
pub mod checkpoint;
mod convert;
pub mod disclosure;
pub mod encoding;
pub mod entry;
pub mod evidence;
pub mod ids;
pub mod log;
pub mod receipt;
pub mod request;
pub mod seal;
pub mod signing;
pub mod state_key;
pub mod state_proof;
pub mod state_value;
pub mod trust;
pub mod units;
pub mod verify;

/// The generated protobuf types; only `convert` uses them.
mod proto {
    #![allow(missing_docs, clippy::all, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/vouchsafe.ledger.v1.rs"));
}
