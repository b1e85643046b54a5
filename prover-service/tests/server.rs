//! The service as its clients meet it.

pub mod config;
mod ledger;
mod limits;
pub mod metrics;
mod operator;
mod parties;
pub mod pki;
pub mod program;
mod python;
mod records;
mod shutdown;
mod tls;
mod verify;
pub mod world;
