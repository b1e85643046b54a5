//! A copy of a solo ledger while it runs.
//!
//! The guard is copied before the store: a copy's guard is never ahead of it, so that the copy opens and goes on. It does not
//! make an old copy new: whoever opens one after later blocks were acknowledged forks the ledger, and budgets and grants
//! are as they were then.

use std::path::{Path, PathBuf};

use vouchsafe_ledger_types::seal::Seal;

use super::Solo;
use crate::engine::{Engine, QueryError};
use crate::state::ReadError;

/// Why there is no copy. What is in the folder then is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The database cannot be copied.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

impl Solo {
    /// Copies the ledger into a folder, which is made. Returns a seal that the copy reaches at least.
    pub fn backup(&self, folder: &Path) -> Result<Seal, BackupError> {
        let failed = |e| BackupError::Io(folder.to_owned(), e);
        std::fs::create_dir_all(folder).map_err(failed)?;
        let seal = {
            // nothing is recorded while the guard is read
            let _recording = self.guard.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::fs::copy(self.folder.join("guard"), folder.join("guard")).map_err(failed)?;
            *self.snapshot()?.seal()
        };
        self.store.copy_to(&folder.join("db"))?;
        Ok(seal)
    }
}
