//! Integration tests of the ledger's types.

mod entries;
