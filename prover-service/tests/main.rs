//! What the prover service shows.

mod cli;
mod consent;
mod crash;
mod demo;
mod evidence;
mod fhir;
mod fixtures;
mod forge;
mod founding;
mod online;
#[cfg(target_os = "linux")]
mod power_cut;
mod predicate;
mod program;
mod questions;
mod scene;
mod secrecy;
mod server;
mod verdicts;
