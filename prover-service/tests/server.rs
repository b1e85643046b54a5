//! The service as its clients meet it.

mod config;
mod ledger;
mod limits;
mod metrics;
mod operator;
mod parties;
pub mod pki;
mod program;
mod python;
mod records;
mod shutdown;
mod tls;
mod verify;
pub mod world;
