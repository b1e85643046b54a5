//! Access: who can read what. Tiers and keys, the keystore, envelopes, and the vault with its blobs and index.
//!
//! ```text
//! keystore    root secrets of the institution, sealed under a passphrase
//! ladder      epoch secret → holder key → tier keys, downwards only
//! subject     aliases, subject keys, erase keys
//! envelope    a record's parts, sealed per tier, and the wraps of their data keys
//! vault       ciphertext blobs and their index; what is staged, pending and committed
//! ledger      the view and the writer of the ledger that the vault needs, as traits
//! ```
//!
//! Knows no ledger: `prover-service` implements the traits. Spec: docs/architecture.md, "Vault and keys".
#![forbid(unsafe_code)]

pub mod aead;
pub mod disclosures;
pub mod envelope;
pub mod keystore;
pub mod ladder;
pub mod ledger;
pub mod research;
pub mod secret;
pub mod subject;
pub mod vault;

mod labels;
mod wire;
