//! Integration tests of the access crate, by what they show.

mod corruption;
mod crash;
mod door;
mod envelope;
mod ingest;
mod keystore;
mod research;
mod secrecy;
mod subjects;
mod support;
