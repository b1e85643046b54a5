//! Proof backends: how a circuit becomes keys and proofs. The only place that knows them.
//!
//! ```text
//! r1cs       a circuit's matrices, its shape, and which constraints an assignment breaks
//! groth16    setup, prove, verify with arkworks
//! proof      the bytes of a proof, without any curve type
//! ```

pub(crate) mod groth16;
mod proof;
pub(crate) mod r1cs;

pub use proof::{Proof, ProofError};

/// A random source for secrets, without a type parameter: the provers are compiled once, in this crate, and not again
/// for each source of each caller.
pub(crate) trait SecretRng: rand::RngCore + rand::CryptoRng {}

impl<R: rand::RngCore + rand::CryptoRng> SecretRng for R {}
