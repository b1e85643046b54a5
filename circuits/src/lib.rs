//! Field elements, Poseidon, trees, record encoding, statements and their proofs.
//!
//! The base of the house: imports nothing of ours. Curve types stay inside; outside, a field element is
//! an opaque [`Fe`] and the curve is a [`Suite`].
//!
//! Spec: `docs/spec/record.md`, `docs/spec/fact.md`.
#![forbid(unsafe_code)]

pub mod fe;
pub mod ids;
mod primitives;
pub mod record;
pub mod schema;
pub mod secrets;
pub mod suite;
pub mod tags;

pub use fe::{Fe, FeError};
pub use ids::{
    Anchor, Commitment, HeaderHash, IssuerId, LeafHash, Pseudonym, RecordRoot, RequestDigest, SchemaId, Scope,
};
pub use primitives::{poseidon, tree};
pub use secrets::{Blinding, Salt, SaltSeed, SubjectKey};
pub use suite::Suite;
pub use tags::{Domain, digest, digest_fe};
