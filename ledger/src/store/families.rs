//! The column families and their rows: key → value, with their lengths in bytes; integers are big-endian.

use rocksdb::{ColumnFamily, DB};

use crate::state::ReadError;

/// One kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Family {
    /// "format" → version 4; "tip" → height 8
    Meta = 0,
    /// height 8 · index 4 → signed entry
    Entries = 1,
    /// height 8 → seal
    Seals = 2,
    /// height 8 · index 4 → receipt
    Receipts = 3,
    /// entry id 32 → height 8 · index 4
    Located = 4,
    /// level 1 · index 8 → hash
    Log = 5,
    /// jmt node key → jmt node
    Map = 6,
    /// path 32 · version 8 → value
    Values = 7,
    /// since 8 · family 1 · key → nothing
    Stale = 8,
    /// member 32 · level 1 · index 4 → element
    Sets = 9,
    /// member 32 · commitment 32 → position 4
    Positions = 10,
    /// entry id 32 → expiry 8
    Burnt = 11,
    /// expiry 8 · entry id 32 → nothing
    Expiries = 12,
}

impl Family {
    pub(crate) const ALL: [Family; 13] = [
        Family::Meta,
        Family::Entries,
        Family::Seals,
        Family::Receipts,
        Family::Located,
        Family::Log,
        Family::Map,
        Family::Values,
        Family::Stale,
        Family::Sets,
        Family::Positions,
        Family::Burnt,
        Family::Expiries,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Family::Meta => "meta",
            Family::Entries => "entries",
            Family::Seals => "seals",
            Family::Receipts => "receipts",
            Family::Located => "located",
            Family::Log => "log",
            Family::Map => "map",
            Family::Values => "values",
            Family::Stale => "stale",
            Family::Sets => "sets",
            Family::Positions => "positions",
            Family::Burnt => "burnt",
            Family::Expiries => "expiries",
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|family| *family as u8 == code)
    }

    /// The family's handle; every one is there once the store is open.
    pub(crate) fn handle(self, db: &DB) -> Result<&ColumnFamily, ReadError> {
        db.cf_handle(self.name()).ok_or_else(|| ReadError::damaged(format!("column family {} is missing", self.name())))
    }
}
