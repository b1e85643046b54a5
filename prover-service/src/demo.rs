//! The demo: a small hospital that never was, facts about its patients, and attacks that must fail.

pub mod hospital;
