//! Where the other crates meet: reading records in, asking, answering, verifying, and the command line.
//!
//! Nothing of ours imports this crate. It holds no rule of the ledger, no circuit and no key format:
//! it wires those that others define.
#![forbid(unsafe_code)]

pub mod answer;
pub mod ask;
pub mod calendar;
pub mod cli;
pub mod consent;
pub mod demo;
pub mod fhir;
pub mod ingest;
pub mod institution;
pub mod key_files;
pub mod predicate;
pub mod proto;
