//! A copy of the store while it is open: RocksDB's checkpoint, which is of one moment and shares no file that changes.

use std::path::Path;

use rocksdb::checkpoint::Checkpoint;

use super::{Store, read_error};
use crate::state::ReadError;

impl Store {
    /// Copies the database into a folder that is not there yet. On the same file system files are shared, not copied.
    pub(crate) fn copy_to(&self, folder: &Path) -> Result<(), ReadError> {
        let checkpoint = Checkpoint::new(&self.db).map_err(read_error)?;
        checkpoint.create_checkpoint(folder).map_err(read_error)
    }
}
