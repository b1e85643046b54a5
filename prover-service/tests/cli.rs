//! The command line: what each verb prints and which exit status it ends with.

mod consent;
mod ingest;
mod passphrase;
mod story;
mod usage;
mod verify;
mod versions;

pub use story::patients;
