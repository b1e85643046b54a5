//! Opening the store, and checking that its last block is what its seal says.
//!
//! The write-ahead log may end in the middle of a record (a crash); any other flaw in it is refused. That nothing
//! acknowledged is missing, the guard says.

use std::path::Path;

use rocksdb::{DB, DBCompressionType, DBRecoveryMode, Options};
use vouchsafe_ledger_types::ids::{LogHash, StateRoot};
use vouchsafe_ledger_types::log::{LogNode, root_at};
use vouchsafe_ledger_types::receipt::receipts_root;
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_value::TipState;

use super::{Family, Store, View, keys, read_error};
use crate::sealing::StateMap;
use crate::state::{ReadError, StateRead};

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StoreOpenError {
    #[error("the store has format {found}; this program writes format {}", keys::FORMAT_VERSION)]
    Format { found: u32 },
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Store {
    /// Opens the database, or makes it.
    pub(crate) fn open(path: &Path, create: bool, keep_heights: u64, sync: bool) -> Result<Self, StoreOpenError> {
        let mut options = Options::default();
        options.create_if_missing(create);
        options.create_missing_column_families(create);
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        options.set_paranoid_checks(true);
        options.set_compression_type(DBCompressionType::Lz4);
        options.set_max_total_wal_size(64 << 20);
        options.set_keep_log_file_num(4);
        let families = Family::ALL.map(|family| {
            let mut options = Options::default();
            options.set_compression_type(DBCompressionType::Lz4);
            options.set_write_buffer_size(16 << 20);
            (family.name(), options)
        });
        let db = DB::open_cf_with_opts(&options, path, families).map_err(read_error)?;
        let store = Self { db, keep_heights, sync };
        store.check_format()?;
        Ok(store)
    }

    fn check_format(&self) -> Result<(), StoreOpenError> {
        let view = self.view()?;
        let Some(bytes) = view.get(Family::Meta, keys::FORMAT)? else { return Ok(()) };
        match u32::from_be_bytes(keys::fixed(&bytes, "the format")?) {
            keys::FORMAT_VERSION => Ok(()),
            found => Err(StoreOpenError::Format { found }),
        }
    }
}

impl View<'_> {
    /// Recomputes what the last seal says from what is stored; none before the first block.
    pub(crate) fn check_tip(&self) -> Result<Option<Seal>, ReadError> {
        let Some(height) = self.tip() else { return Ok(None) };
        let seal = self.seal(height)?.ok_or_else(|| ReadError::damaged(format!("seal {height} is missing")))?;
        if self.seal(height.next().unwrap_or(height))?.is_some_and(|later| later.height != height) {
            return Err(ReadError::damaged(format!("there is a seal after the last block {height}")));
        }
        self.check_log(&seal)?;
        self.check_block(&seal)?;
        let tip = self.value::<TipState>(())?;
        if tip != Some(TipState { height, time: seal.time }) {
            return Err(ReadError::damaged("the state names another last block than the seal"));
        }
        let root = StateMap::new(self).get_root_hash(height.get());
        let root = root.map_err(|error| ReadError::damaged(format!("authenticated map: {error:#}")))?;
        if StateRoot::from_bytes(root.0) != seal.state_root {
            return Err(ReadError::damaged(format!("the state's root is not that of seal {height}")));
        }
        Ok(Some(seal))
    }

    fn check_log(&self, seal: &Seal) -> Result<(), ReadError> {
        let read = |node| self.log_node(node);
        if root_at(seal.log_size, &read)? != seal.log_root {
            return Err(ReadError::damaged(format!("the log's root is not that of seal {}", seal.height)));
        }
        if self.leaf(seal.leaf_index().get())? != seal.leaf() {
            return Err(ReadError::damaged(format!("seal {} is not in the log", seal.height)));
        }
        Ok(())
    }

    /// The last block's entries and receipts, against the log and the seal.
    fn check_block(&self, seal: &Seal) -> Result<(), ReadError> {
        let entries = self.entries(seal.height)?;
        let receipts = self.receipts(seal.height)?;
        let first = seal.log_size.get().checked_sub(entries.len() as u64);
        let Some(first) = first.filter(|_| entries.len() == receipts.len()) else {
            return Err(ReadError::damaged(format!("block {} has lost entries or receipts", seal.height)));
        };
        for (index, entry) in (first..).zip(&entries) {
            if self.leaf(index)? != LogHash::entry_leaf(entry) {
                return Err(ReadError::damaged(format!("an entry of block {} is not in the log", seal.height)));
            }
        }
        if receipts_root(&receipts) != seal.receipts_root {
            return Err(ReadError::damaged(format!("the receipts of block {} are not those sealed", seal.height)));
        }
        Ok(())
    }

    fn leaf(&self, index: u64) -> Result<LogHash, ReadError> {
        let node = LogNode::new(0, index).ok_or_else(|| ReadError::damaged("a leaf beyond the log"))?;
        self.log_node(node)
    }
}
