//! Field elements, Poseidon, trees, record encoding, statements and their proofs.
//!
//! The base of the house: imports nothing of ours. Curve types stay inside; outside, a field element is
//! an opaque [`Fe`] and the curve is a [`Suite`].
//!
//! Spec: `docs/spec/record.md`, `docs/spec/fact.md`.
#![forbid(unsafe_code)]

mod backend;
pub mod fe;
pub mod ids;
pub mod keys;
mod primitives;
pub mod record;
pub mod schema;
pub mod secrets;
pub mod statements;
pub mod suite;
pub mod tags;

pub use backend::{Proof, ProofError};
pub use fe::{Fe, FeError};
pub use ids::{
    Anchor, Commitment, HeaderHash, IssuerId, LeafHash, Pseudonym, RecordRoot, RequestDigest, SchemaId, Scope,
};
pub use keys::{KeyId, PreparedVerifyingKey, ProvingKey, VerifyingKey};
pub use primitives::{poseidon, tree};
pub use secrets::{Blinding, Salt, SaltSeed, SubjectKey};
pub use statements::{Statement, fact};
pub use suite::Suite;
pub use tags::{Domain, digest, digest_fe};
