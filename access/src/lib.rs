//! Access: who can read what. Tiers and keys, the keystore, envelopes, the vault, and the one door out of it.
//!
//! ```text
//! keystore    root secrets, sealed under a passphrase; ladder: epoch secret → holder key → tier keys, downwards only
//! subject     aliases, subject keys, erase keys
//! envelope    a record's parts, sealed per tier, and the wraps of their data keys; pages: small sealed files
//! vault       ciphertext blobs and their index; what is staged, pending and committed
//! party       somebody who asks or reads: secrets and their file
//! policy      Cedar decides
//! door        the one way by which a reader gets a key: grant, policy, ledger entry, then release
//! research    noisy counts over de-identified fields, paid from a budget
//! ledger      what all this needs of a ledger, as traits
//! ```
//!
//! Knows no ledger: `prover-service` implements the traits. Spec: docs/architecture.md, "Vault and keys".
#![forbid(unsafe_code)]

pub mod aead;
pub mod disclosures;
pub mod door;
pub mod envelope;
pub mod keystore;
pub mod ladder;
pub mod ledger;
pub mod party;
pub mod policy;
pub mod question_book;
pub mod research;
pub mod secret;
pub mod subject;
pub mod vault;

pub use pages::PageError;

mod labels;
mod pages;
mod sealed_file;
mod wire;
