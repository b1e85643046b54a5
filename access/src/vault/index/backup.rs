//! A copy of the index while it is open: RocksDB's checkpoint, which is of one moment and shares no file that changes.

use std::path::Path;

use rocksdb::checkpoint::Checkpoint;

use super::{BLOBS, BlobId, Index, IndexError, exact};

impl Index {
    /// Copies the database into a folder that is not there yet. On the same file system files are shared, not copied.
    pub(in crate::vault) fn copy_to(&self, folder: &Path) -> Result<(), IndexError> {
        Ok(Checkpoint::new(&self.db)?.create_checkpoint(folder)?)
    }

    /// The blobs of all records.
    pub(in crate::vault) fn blob_ids(&self) -> Result<Vec<BlobId>, IndexError> {
        let rows = self.scan(BLOBS, &[])?;
        rows.map(|row| row.and_then(|(key, _)| Ok(BlobId::from_bytes(exact(BLOBS, &key, &key)?)))).collect()
    }
}
