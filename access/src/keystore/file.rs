//! The keystore's file: sealed on the way out, opened on the way in. Layout: the parent module.

use std::path::{Path, PathBuf};

use rand::{CryptoRng, RngCore};

use super::Keystore;
use crate::sealed_file::{self, KdfParams, Magic, UnsealError};
use crate::secret::Passphrase;

const MAGIC: Magic = *b"VOUCHKEY";

/// A keystore could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// There is a file already.
    #[error("{0} exists: a keystore is never overwritten; choose another place, or move it away yourself")]
    Exists(PathBuf),
    /// The file system refused.
    #[error("cannot write keystore {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The passphrase could not be stretched.
    #[error("cannot derive a key from the passphrase: {0}")]
    Kdf(String),
}

/// A keystore could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file.
    #[error("no keystore at {0}: run `vouch init`, or give the right --data directory")]
    Missing(PathBuf),
    /// The file is whole, but does not open.
    #[error("wrong passphrase for keystore {0}")]
    WrongPassphrase(PathBuf),
    /// The file is not a keystore at all.
    #[error("{0} is not a keystore")]
    NotAKeystore(PathBuf),
    /// A newer format, suite or kind of secret.
    #[error("keystore {path} has {what} {number}, which this version does not know: use a newer vouch")]
    Newer {
        /// The file.
        path: PathBuf,
        /// What is newer.
        what: &'static str,
        /// Its number.
        number: u16,
    },
    /// The file asks for more work than any keystore needs.
    #[error("keystore {0} demands an unreasonable amount of memory or time: it was not written by vouch; refused")]
    Unreasonable(PathBuf),
    /// The checksum does not match, or the file is cut.
    #[error("keystore {0} is damaged: restore it from a backup")]
    Damaged(PathBuf),
    /// The file opened, but its contents make no sense.
    #[error("keystore {0} opened, but its contents cannot be read ({1}): restore it from a backup")]
    Contents(PathBuf, String),
    /// The file system refused.
    #[error("cannot read keystore {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The passphrase could not be stretched.
    #[error("cannot derive a key from the passphrase: {0}")]
    Kdf(String),
}

/// A keystore could not be replaced; the old file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplaceError {
    /// The file that is there does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new one could not be written.
    #[error(transparent)]
    Write(#[from] CreateError),
}

impl Keystore {
    /// Writes a new keystore file: durable and complete when this returns, or not there at all.
    pub fn create(
        &self,
        path: &Path,
        passphrase: &Passphrase,
        kdf: KdfParams,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), CreateError> {
        let sealed = sealed_file::seal(MAGIC, &self.to_bytes(), passphrase, kdf, rng);
        let bytes = sealed.map_err(|e| CreateError::Kdf(e.to_string()))?;
        sealed_file::write_synced(path, &bytes, |file| file.persist_noclobber(path)).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => CreateError::Exists(path.to_owned()),
            _ => CreateError::Io(path.to_owned(), e),
        })
    }

    /// Writes the keystore in the place of the file at `path`, which must be there and open with `current`: for a new
    /// epoch, or a new passphrase. Old file or new, never half of one.
    pub fn replace(
        &self,
        path: &Path,
        current: &Passphrase,
        new: &Passphrase,
        kdf: KdfParams,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), ReplaceError> {
        Keystore::open(path, current)?;
        let sealed = sealed_file::seal(MAGIC, &self.to_bytes(), new, kdf, rng);
        let bytes = sealed.map_err(|e| CreateError::Kdf(e.to_string()))?;
        let written = sealed_file::write_synced(path, &bytes, |file| file.persist(path));
        Ok(written.map_err(|e| CreateError::Io(path.to_owned(), e))?)
    }

    /// Opens a keystore file.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Keystore, OpenError> {
        let bytes = sealed_file::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
            _ => OpenError::Io(path.to_owned(), e),
        })?;
        let contents = sealed_file::unseal(MAGIC, &bytes, passphrase).map_err(|e| open_error(path, e))?;
        Keystore::from_bytes(&contents).map_err(|e| OpenError::Contents(path.to_owned(), e.to_string()))
    }
}

fn open_error(path: &Path, error: UnsealError) -> OpenError {
    let path = path.to_owned();
    match error {
        UnsealError::OtherSort => OpenError::NotAKeystore(path),
        UnsealError::Newer(what, number) => OpenError::Newer { path, what, number },
        UnsealError::Damaged => OpenError::Damaged(path),
        UnsealError::Unreasonable => OpenError::Unreasonable(path),
        UnsealError::WrongPassphrase => OpenError::WrongPassphrase(path),
        UnsealError::Kdf(why) => OpenError::Kdf(why),
    }
}
