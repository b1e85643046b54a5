//! The column families.

use rocksdb::{ColumnFamily, DB};

use crate::state::ReadError;

/// One kind of row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Family {
    Meta = 0,
    Entries = 1,
    Seals = 2,
    Receipts = 3,
    Located = 4,
    Log = 5,
    Map = 6,
    Values = 7,
    Stale = 8,
    Sets = 9,
    Positions = 10,
    Burnt = 11,
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
