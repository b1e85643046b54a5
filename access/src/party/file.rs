//! A party's file: sealed on the way out, opened on the way in. Layout: the parent module.

use std::path::{Path, PathBuf};

use rand::{CryptoRng, RngCore};

use super::PartySecrets;
use crate::sealed_file::{self, KdfParams, Magic, UnsealError};
use crate::secret::Passphrase;

const MAGIC: Magic = *b"VOUCHPTY";

/// A party's file could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreatePartyError {
    /// There is a file already.
    #[error("{0} exists: a party's file is never overwritten; choose another place, or move it away yourself")]
    Exists(PathBuf),
    /// The file system refused.
    #[error("cannot write the party's file {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The passphrase could not be stretched.
    #[error("cannot derive a key from the passphrase: {0}")]
    Kdf(String),
}

/// A party's file could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenPartyError {
    /// There is no such file.
    #[error("no party's file at {0}: make one with `vouch party new`")]
    Missing(PathBuf),
    /// The file is whole, but does not open.
    #[error("wrong passphrase for the party's file {0}")]
    WrongPassphrase(PathBuf),
    /// The file is another one; a keystore, for example.
    #[error("{0} is not a party's file")]
    NotAPartyFile(PathBuf),
    /// A newer format or suite.
    #[error("the party's file {path} has {what} {number}, which this version does not know: use a newer vouch")]
    Newer {
        /// The file.
        path: PathBuf,
        /// What is newer.
        what: &'static str,
        /// Its number.
        number: u16,
    },
    /// The file asks for more work than any such file needs.
    #[error("the party's file {0} demands an unreasonable amount of memory or time: vouch did not write it; refused")]
    Unreasonable(PathBuf),
    /// The checksum does not match, or the contents make no sense.
    #[error("the party's file {0} is damaged: restore it from a backup")]
    Damaged(PathBuf),
    /// The file system refused.
    #[error("cannot read the party's file {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// The passphrase could not be stretched.
    #[error("cannot derive a key from the passphrase: {0}")]
    Kdf(String),
}

impl PartySecrets {
    /// Writes a new file: durable and complete when this returns, or not there at all.
    pub fn create(
        &self,
        path: &Path,
        passphrase: &Passphrase,
        kdf: KdfParams,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<(), CreatePartyError> {
        let sealed = sealed_file::seal(MAGIC, &self.to_bytes(), passphrase, kdf, rng);
        let bytes = sealed.map_err(|e| CreatePartyError::Kdf(e.to_string()))?;
        sealed_file::write_synced(path, &bytes, |file| file.persist_noclobber(path)).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => CreatePartyError::Exists(path.to_owned()),
            _ => CreatePartyError::Io(path.to_owned(), e),
        })
    }

    /// Opens a file.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<PartySecrets, OpenPartyError> {
        let bytes = sealed_file::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => OpenPartyError::Missing(path.to_owned()),
            _ => OpenPartyError::Io(path.to_owned(), e),
        })?;
        let contents = sealed_file::unseal(MAGIC, &bytes, passphrase).map_err(|e| open_error(path, e))?;
        PartySecrets::from_bytes(&contents).map_err(|_| OpenPartyError::Damaged(path.to_owned()))
    }
}

fn open_error(path: &Path, error: UnsealError) -> OpenPartyError {
    let path = path.to_owned();
    match error {
        UnsealError::OtherSort => OpenPartyError::NotAPartyFile(path),
        UnsealError::Newer(what, number) => OpenPartyError::Newer { path, what, number },
        UnsealError::Damaged => OpenPartyError::Damaged(path),
        UnsealError::Unreasonable => OpenPartyError::Unreasonable(path),
        UnsealError::WrongPassphrase => OpenPartyError::WrongPassphrase(path),
        UnsealError::Kdf(why) => OpenPartyError::Kdf(why),
    }
}
