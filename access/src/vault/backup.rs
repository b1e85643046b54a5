//! A copy of a vault while it is open.
//!
//! The index first, then the blobs: what an index names was durable before it, and no blob is ever changed. Nothing is
//! staged or settled meanwhile, nor until the pause ends: copy the ledger before that, so that both are of one moment.
//! Sealed as the vault is, and of use with its keystore alone. Erasing a subject does not reach into copies.

use std::path::{Path, PathBuf};

use futures_util::lock::MutexGuard;

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

/// A vault in which nothing is staged or settled as long as this lives.
pub struct PausedVault<'a> {
    vault: &'a Vault,
    _writing: MutexGuard<'a, ()>,
}

impl Vault {
    /// Waits until nothing is being staged or settled, and keeps it so.
    pub async fn pause(&self) -> PausedVault<'_> {
        PausedVault { vault: self, _writing: self.writing.lock().await }
    }
}

impl PausedVault<'_> {
    /// Copies index and blobs into a folder, which is made. Every blob is checked on the way.
    pub async fn backup(&self, folder: &Path) -> Result<(), BackupError> {
        let blobs = folder.join("blobs");
        std::fs::create_dir_all(&blobs).map_err(|e| BackupError::Io(blobs.clone(), e))?;
        self.vault.index.copy_to(&folder.join("index"))?;
        let copies = Blobs(local_blobs(&blobs)?);
        for id in self.vault.index.blob_ids()? {
            copies.put(id, self.vault.blobs.get(id).await?).await?;
        }
        Ok(())
    }
}
