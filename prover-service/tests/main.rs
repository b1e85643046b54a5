//! What the prover service shows.

mod fhir;
mod fixtures;
