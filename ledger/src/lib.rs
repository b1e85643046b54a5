//! The ledger: a pure state machine, its storage, and the engines that order entries.
//! ```text
//! entries ──> state_machine::apply ──> sealing::seal ──> store (one synced batch a block) ──> receipts
//! ```
//! `state_machine` and `sealing` know neither clock nor disk; `store` alone knows RocksDB; `solo` is the embedded engine.
#![forbid(unsafe_code)]

pub mod audit;
pub mod clock;
pub mod engine;
pub mod memory;
mod proof_reader;
pub mod sealing;
pub mod snapshot;
pub mod solo;
pub mod state;
pub mod state_machine;
mod store;

pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, QueryError, SubmitError};
pub use snapshot::Snapshot;
pub use solo::{OpenError, Options, Solo};
