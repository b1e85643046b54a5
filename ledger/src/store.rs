//! The store: RocksDB, one column family for each kind (`families`), one synced batch for each block (`write`). Only this
//! module knows it. Readers get a view of one block (`view`); beside the database is a guard against old copies (`guard`).
//!
//! Its own checksums find damage by accident; that its last block is the one sealed, `open` checks; all of it, `audit`.

mod backup;
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
