//! Key files: proving and verifying keys on disk, and the cache that development keys are made into once.
//!
//! ```text
//! DIR/keys/bn254-fact-1.pk  .vk          an institution's own
//! $VOUCH_KEYS, else $XDG_CACHE_HOME/vouchsafe/keys, else $HOME/.cache/vouchsafe/keys       the cache, same names
//! ```
//!
//! Development keys come from one party, this machine: whoever saw its randomness can forge proofs. They carry
//! that mark inside, and a consortium that is not marked development refuses them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vouchsafe_circuits::Suite;
use vouchsafe_circuits::keys::{KeyError, ProvingKey, SetupError, VerifyingKey, generate_development};
use vouchsafe_circuits::statements::Statement;

/// A pair of keys.
pub type KeyPair = (Arc<ProvingKey>, Arc<VerifyingKey>);

/// Where proving keys come from.
pub trait ProvingKeys: Send + Sync {
    /// The key pair of a statement.
    fn keys(&self, statement: Statement) -> Result<KeyPair, KeyFileError>;
}

/// Why keys could not be had. The fault is the machine's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no home folder.
    #[error("no folder for the key cache: set VOUCH_KEYS to one")]
    NoFolder,
    /// The keys of a statement are not there, or do not belong together.
    #[error("{0} has no pair of keys for {1}: restore it from a backup")]
    Missing(PathBuf, &'static str),
    /// A file could not be read or written.
    #[error("key file {0}")]
    Io(PathBuf, #[source] std::io::Error),
    /// A key is damaged.
    #[error("key file {0} is damaged: restore it; if it is in the cache, delete it and it is made again")]
    Damaged(PathBuf, #[source] KeyError),
    /// Making keys failed. Our bug.
    #[error("development keys for {0} could not be made")]
    Setup(&'static str, #[source] SetupError),
}

/// A folder of key files.
#[derive(Clone, Debug)]
pub struct KeyFolder(PathBuf);

impl KeyFolder {
    /// A folder.
    pub fn of(folder: &Path) -> KeyFolder {
        KeyFolder(folder.to_owned())
    }

    /// The cache of development keys.
    pub fn cache() -> Result<KeyFolder, KeyFileError> {
        let from = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        from("VOUCH_KEYS")
            .or_else(|| from("XDG_CACHE_HOME").map(|cache| cache.join("vouchsafe/keys")))
            .or_else(|| from("HOME").map(|home| home.join(".cache/vouchsafe/keys")))
            .map(KeyFolder)
            .ok_or(KeyFileError::NoFolder)
    }

    /// The keys of a statement, if both are here and belong together.
    pub fn load(&self, suite: Suite, statement: Statement) -> Result<Option<KeyPair>, KeyFileError> {
        let (pk_file, vk_file) = (self.file(suite, statement, "pk"), self.file(suite, statement, "vk"));
        let (Some(pk), Some(vk)) = (read(&pk_file)?, read(&vk_file)?) else { return Ok(None) };
        let proving = ProvingKey::from_bytes(&pk).map_err(|e| KeyFileError::Damaged(pk_file, e))?;
        let verifying = VerifyingKey::from_bytes(&vk).map_err(|e| KeyFileError::Damaged(vk_file, e))?;
        // two processes may have filled the cache at one time: a mixed pair is as good as none
        let pair = proving.verifying_key().id() == verifying.id();
        Ok(pair.then(|| (Arc::new(proving), Arc::new(verifying))))
    }

    /// The keys of a statement; development keys are made and kept if there are none.
    pub fn load_or_make(&self, suite: Suite, statement: Statement) -> Result<KeyPair, KeyFileError> {
        if let Some(pair) = self.load(suite, statement)? {
            return Ok(pair);
        }
        let (proving, verifying) = generate_development(suite, statement, &mut rand::rngs::OsRng)
            .map_err(|e| KeyFileError::Setup(statement.name(), e))?;
        let pair = (Arc::new(proving), Arc::new(verifying));
        self.keep(suite, statement, &pair)?;
        Ok(pair)
    }

    /// Writes a pair down.
    pub fn keep(&self, suite: Suite, statement: Statement, pair: &KeyPair) -> Result<(), KeyFileError> {
        std::fs::create_dir_all(&self.0).map_err(|e| KeyFileError::Io(self.0.clone(), e))?;
        write(&self.file(suite, statement, "pk"), &pair.0.to_bytes())?;
        write(&self.file(suite, statement, "vk"), &pair.1.to_bytes())
    }

    fn file(&self, suite: Suite, statement: Statement, kind: &str) -> PathBuf {
        self.0.join(format!("{suite}-{}.{kind}", statement.name()))
    }
}

/// Keys of a folder, each read when it is first needed.
pub struct KeyRing {
    folder: KeyFolder,
    suite: Suite,
    read: Mutex<BTreeMap<Statement, KeyPair>>,
}

impl KeyRing {
    /// The keys of a folder.
    pub fn new(folder: KeyFolder, suite: Suite) -> KeyRing {
        KeyRing { folder, suite, read: Mutex::default() }
    }
}

impl ProvingKeys for KeyRing {
    fn keys(&self, statement: Statement) -> Result<KeyPair, KeyFileError> {
        let mut read = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(pair) = read.get(&statement) {
            return Ok(pair.clone());
        }
        let missing = || KeyFileError::Missing(self.folder.0.clone(), statement.name());
        let pair = self.folder.load(self.suite, statement)?.ok_or_else(missing)?;
        read.insert(statement, pair.clone());
        Ok(pair)
    }
}

fn read(file: &Path) -> Result<Option<Vec<u8>>, KeyFileError> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(KeyFileError::Io(file.to_owned(), e)),
    }
}

/// Whole or not at all: written beside, then renamed.
fn write(file: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    let failed = |e| KeyFileError::Io(file.to_owned(), e);
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut out = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    out.write_all(bytes).and_then(|()| out.as_file().sync_all()).map_err(failed)?;
    out.persist(file).map(drop).map_err(|e| failed(e.error))
}
