//! The store: RocksDB, one column family for each kind, one synced batch for each block. Only this module knows it.
//!
//!     entries   height 8 · index 4 -> signed entry bytes        receipts  height 8 · index 4 -> receipt
//!     seals     height 8 -> seal                                located   entry id 32 -> height 8 · index 4
//!     log       level 1 · index 8 -> hash                       sets      member 32 · level 1 · index 4 -> element
//!     map       jmt node key -> jmt node                        values    path 32 · version 8 -> value
//!     stale     since 8 · family 1 · key -> nothing             positions member 32 · commitment 32 -> position 4
//!     burnt     entry id 32 -> expiry 8                         expiries  expiry 8 · entry id 32 -> nothing
//!     meta      "format", "tip"
//!
//! Integers are big-endian.

mod families;
mod guard;
mod keys;
mod open;
mod view;
mod write;

use std::path::Path;

use rocksdb::{DB, WriteOptions};
use vouchsafe_ledger_types::units::Height;

pub(crate) use families::Family;
pub(crate) use guard::{Guard, GuardError, GuardMark};
pub(crate) use open::StoreOpenError;
pub(crate) use view::{Location, View};

use crate::state::ReadError;

/// The database of one ledger.
pub(crate) struct Store {
    db: DB,
    keep_heights: u64,
    sync: bool,
}

impl Store {
    /// A consistent view of the last block.
    pub(crate) fn view(&self) -> Result<View<'_>, ReadError> {
        View::new(&self.db)
    }

    fn write_options(&self) -> WriteOptions {
        let mut options = WriteOptions::default();
        options.set_sync(self.sync);
        options
    }

    /// The oldest height whose state can still be proved once this height is written.
    fn oldest_kept(&self, height: Height) -> u64 {
        height.get().saturating_sub(self.keep_heights)
    }

    pub(crate) fn exists(path: &Path) -> bool {
        path.join("CURRENT").exists()
    }
}

/// What RocksDB says, sorted by blame.
pub(crate) fn read_error(error: rocksdb::Error) -> ReadError {
    match error.kind() {
        rocksdb::ErrorKind::Corruption => ReadError::Damaged(error.into_string()),
        _ => ReadError::Database(error.into_string()),
    }
}
