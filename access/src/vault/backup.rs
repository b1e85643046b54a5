//! A copy of a vault while it is open.
//!
//! The index first, then the blobs: what an index names was durable before it, and no blob is ever changed. Sealed as the
//! vault is, and of use with its keystore alone. Erasing a subject does not reach into copies.

use std::path::{Path, PathBuf};

use super::blobs::{BlobError, Blobs, local_blobs};
use super::{IndexError, Vault};

/// Why there is no copy. What is in the folder then is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The index cannot be copied.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A blob cannot be read or written.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

impl Vault {
    /// Copies index and blobs into a folder, which is made. Every blob is checked on the way.
    pub async fn backup(&self, folder: &Path) -> Result<(), BackupError> {
        let blobs = folder.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(|e| BackupError::Io(blobs.clone(), e))?;
        self.index.copy_to(&folder.join("index"))?;
        let copies = Blobs(local_blobs(&blobs)?);
        for id in self.index.blob_ids()? {
            copies.put(id, self.blobs.get(id).await?).await?;
        }
        Ok(())
    }
}
