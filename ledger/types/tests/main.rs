//! Integration tests of the ledger's types.

mod bodies;
mod call;
mod card;
mod entries;
mod states;
