//! The vault: an institution's records, as ciphertext blobs and an index, and their way onto the ledger.
//!
//! ```text
//! stage    encode, salt, commit to, seal; blobs durable, then one synced index batch: every record pending
//! settle   each pending record is looked up on the ledger, sent if it is not there, marked when it is
//! read     find and count records; open one for the holder's own proof
//! check    every blob, every row
//! ```
//!
//! A crash between any two steps leaves pending records, which the next `settle` finishes: run it after opening. One
//! resource version becomes one commitment, ever. Not here: release to readers, which goes through the one door.
//! On disk: DIR/index (RocksDB), DIR/blobs. Spec: docs/architecture.md, "Vault and keys".

mod backup;
mod blobs;
mod check;
mod deidentified;
mod draft;
mod index;
mod keys;
mod read;
mod sealing;
mod settle;
mod stage;

use std::path::Path;
use std::sync::Arc;

use futures_util::lock::Mutex;
use object_store::ObjectStore;
use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::ids::Commitment;
use vouchsafe_circuits::suite::Suite;

pub use backup::{BackupError, PausedVault};
pub use blobs::{BlobError, BlobId, local_blobs};
pub use check::{CheckError, CheckReport, Fault};
pub use deidentified::CohortError;
pub(crate) use deidentified::{Listed, LowRecord, RESEARCH_TIER};
pub use draft::{Draft, DraftError, Incoming, SourceKey};
pub use index::{IndexError, RecordState};
pub use read::{HeldRecord, ReadError, RecordSummary};
pub use settle::{SettleError, Settled};
pub use stage::{Outcome, StageError, Staged};

use crate::aead;
use crate::keystore::Keystore;
use crate::labels;
use crate::ladder::{Epoch, HolderKey};
use crate::secret::{IndexSecret, SubjectSecret};
use crate::subject::SubjectRows;
use blobs::Blobs;
use index::{Index, KeystoreCheck};

/// A record, by its commitment: what the command line shows and takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct RecordId(Commitment);

impl RecordId {
    /// The record with this commitment.
    pub const fn of(commitment: Commitment) -> RecordId {
        RecordId(commitment)
    }

    /// Its commitment.
    pub const fn commitment(&self) -> Commitment {
        self.0
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        *self.0.fe().as_bytes()
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordId({self})")
    }
}

/// The text is not a record id. The fault is the caller's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a record id is its commitment: 64 hexadecimal digits")]
pub struct NotARecordId;

impl std::str::FromStr for RecordId {
    type Err = NotARecordId;

    fn from_str(text: &str) -> Result<RecordId, NotARecordId> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NotARecordId)?;
        Fe::from_bytes(Suite::Bn254, bytes).map(|fe| RecordId(Commitment::new(fe))).map_err(|_| NotARecordId)
    }
}

/// A vault could not be made or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenVaultError {
    /// The index: missing, there already, another keystore's, damaged.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The blob store.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The folder.
    #[error("cannot make the vault's folder {0}")]
    Folder(std::path::PathBuf, #[source] std::io::Error),
}

/// An open vault. Share it behind an `Arc`: reads run side by side, `stage` and `settle` one after another.
pub struct Vault {
    index: Index,
    blobs: Blobs,
    keys: VaultKeys,
    writing: Mutex<()>,
}

struct VaultKeys {
    subject: SubjectSecret,
    handles: IndexSecret,
    subject_rows: SubjectRows,
    epochs: Vec<HolderKey>,
    current: Epoch,
}

impl Vault {
    /// Makes a vault in a folder, which is made too.
    pub fn create(dir: &Path, keystore: &Keystore) -> Result<Vault, OpenVaultError> {
        let blobs = dir.join("blobs");
        for folder in [dir, &blobs, &dir.join("index")] {
            make_private(folder)?;
        }
        let store = local_blobs(&blobs)?;
        let index = Index::create(&dir.join("index"), &check_value(keystore))?;
        Ok(Vault::with(index, store, keystore))
    }

    /// Opens a vault with its blobs beside its index. Run [`Vault::settle`] next.
    pub fn open(dir: &Path, keystore: &Keystore) -> Result<Vault, OpenVaultError> {
        let index = Index::open(&dir.join("index"), &check_value(keystore))?;
        let store = local_blobs(&dir.join("blobs"))?;
        Ok(Vault::with(index, store, keystore))
    }

    /// Opens a vault whose blobs are elsewhere, such as on S3. The store must be durable when a put returns.
    pub fn open_with_blobs(
        dir: &Path,
        keystore: &Keystore,
        blobs: Arc<dyn ObjectStore>,
    ) -> Result<Vault, OpenVaultError> {
        let index = Index::open(&dir.join("index"), &check_value(keystore))?;
        Ok(Vault::with(index, blobs, keystore))
    }

    fn with(index: Index, blobs: Arc<dyn ObjectStore>, keystore: &Keystore) -> Vault {
        let keys = VaultKeys {
            subject: keystore.subject_secret().clone(),
            handles: keystore.index_secret().clone(),
            subject_rows: SubjectRows::new(keystore.vault_root()),
            epochs: keystore.holder_keys().collect(),
            current: keystore.current_epoch(),
        };
        Vault { index, blobs: Blobs(blobs), keys, writing: Mutex::new(()) }
    }
}

impl VaultKeys {
    fn holder(&self, epoch: Epoch) -> Option<&HolderKey> {
        self.epochs.iter().find(|key| key.epoch() == epoch)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

fn check_value(keystore: &Keystore) -> KeystoreCheck {
    KeystoreCheck(*aead::derive(keystore.vault_root().expose(), None, &[labels::INDEX_CHECK]))
}

/// Makes a folder that others cannot list, and those above it, unless they are there; their names are durable.
fn make_private(dir: &Path) -> Result<(), OpenVaultError> {
    let above = match dir.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    };
    if dir.is_dir() {
        return Ok(());
    }
    if !above.is_dir() {
        make_private(above)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(dir).and_then(|()| std::fs::File::open(above)?.sync_all());
    made.map_err(|e| OpenVaultError::Folder(dir.to_owned(), e))
}
