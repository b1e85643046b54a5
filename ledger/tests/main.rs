//! The ledger's integration tests, by what they show.

mod acceptance;
mod corruption;
mod crash;
mod evidence;
mod golden;
mod model;
mod rules;
mod submitting;
mod world;
