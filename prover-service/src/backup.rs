//! Backup and restore of an institution's folder, stopped or running.
//!
//! ```text
//! copied in this order   vault index, blobs · guard, ledger · books, parties, policy, keys · keystore
//! DIR/backup.json        what, when, which block, and the SHA-256 of every file; written last: without it there is no backup
//! ```
//!
//! Vault and ledger are of one moment, and the books of a later one, so a copy of a running node opens as after a power cut. A copy
//! is sealed as the folder is, and needs its passphrase. It is of its day: blocks, grants, withdrawals and spent budgets that
//! came after it are gone where it is restored, and nothing notices while nobody witnesses the ledger.

use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use vouchsafe_access::vault::BackupError as VaultBackupError;
use vouchsafe_ledger::solo::BackupError as LedgerBackupError;
use vouchsafe_ledger_types::ids::{AppHash, ChainId, MemberName};
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::institution::Institution;

const VERSION: u32 = 1;
const MANIFEST: &str = "backup.json";
const MANIFEST_BYTES_MAX: u64 = 256 << 20;
/// What lies in the folder beside vault and ledger, in the order in which it is copied.
const REST: [&str; 11] = [
    "disclosures",
    "grants",
    "emergencies",
    "questions",
    "research",
    "parties",
    "keys",
    "policy.cedar",
    "serve.toml",
    "trust.json",
    "institution.json",
];

/// What a backup holds: `backup.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// The ledger.
    pub chain: ChainId,
    /// Whose folder it is.
    pub member: MemberName,
    /// A block that the copy reaches at least.
    pub height: Height,
    /// The app hash of that block.
    pub app_hash: AppHash,
    /// When it was made.
    pub made_at: BlockTime,
    /// Its files, by path.
    pub files: Vec<FileSum>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSum {
    /// Where, with `/`, below the folder.
    pub path: String,
    /// How many bytes.
    pub bytes: u64,
    /// The SHA-256 of them, in hexadecimal.
    pub sha256: String,
}

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The place is taken.
    #[error("{0} is there already: name a folder that is not there yet")]
    Exists(PathBuf),
    /// There is no manifest: not a backup, or one that was cut short.
    #[error("{0} is no whole backup: it has no {MANIFEST}")]
    NotABackup(PathBuf),
    /// The manifest is damaged or of another version.
    #[error("{0} cannot be read: {1}")]
    Manifest(PathBuf, String),
    /// A file is missing, too many or not what was copied.
    #[error("{0} is not as it was when the backup was made: use another backup")]
    Changed(PathBuf),
    /// The vault.
    #[error("the vault could not be copied")]
    Vault(#[from] VaultBackupError),
    /// The ledger.
    #[error("the ledger could not be copied")]
    Ledger(#[from] LedgerBackupError),
    /// The disk.
    #[error("{0}")]
    Io(PathBuf, #[source] std::io::Error),
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> BackupError + '_ {
    |error| BackupError::Io(path.to_owned(), error)
}

/// Copies an open institution into a folder that is not there yet; durable and whole when this returns.
pub async fn back_up(institution: &Institution, to: &Path) -> Result<Manifest, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let parent = above(to);
    // made beside under a name that nobody guesses, whole before it has its own
    let beside = private_folder(parent, ".vouch-backup-")?;
    let made = fill(institution, beside.path()).await?;
    std::fs::rename(beside.path(), to).map_err(io(to))?;
    sync(parent)?;
    let _ = beside.keep(); // renamed: nothing is left to remove
    Ok(made)
}

async fn fill(institution: &Institution, to: &Path) -> Result<Manifest, BackupError> {
    let from = institution.layout().dir();
    let seal = {
        let paused = institution.vault().pause().await;
        paused.backup(&to.join("vault")).await?;
        tokio::task::block_in_place(|| institution.ledger().backup(&to.join("ledger")))?
    };
    for name in REST {
        copy(&from.join(name), &to.join(name))?;
    }
    // the keystore last: it knows every epoch that the index speaks of
    copy(&from.join("keystore"), &to.join("keystore"))?;
    let identity = institution.identity();
    let manifest = Manifest {
        version: VERSION,
        chain: identity.chain.clone(),
        member: identity.member.clone(),
        height: seal.height,
        app_hash: seal.app_hash(),
        made_at: institution.clock().now(),
        files: sums(to)?,
    };
    let json = serde_json::to_vec_pretty(&manifest).map_err(|e| io(to)(std::io::Error::other(e)))?;
    let file = to.join(MANIFEST);
    let mut out = std::fs::File::create(&file).map_err(io(&file))?;
    out.write_all(&json).and_then(|()| out.sync_all()).map_err(io(&file))?;
    sync(to)?;
    Ok(manifest)
}

/// Checks a backup and copies it to where an institution shall be; there whole when this returns, or not at all.
pub fn restore(from: &Path, to: &Path) -> Result<Manifest, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let manifest = read_manifest(from)?;
    let parent = above(to);
    let beside = private_folder(parent, ".vouch-restore-")?;
    copy_below(from, beside.path())?;
    let file = beside.path().join(MANIFEST);
    std::fs::remove_file(&file).map_err(io(&file))?;
    // what was copied is what is checked: the backup may change while it is read
    if sums(beside.path())? != manifest.files {
        return Err(BackupError::Changed(from.to_owned()));
    }
    sync(beside.path())?;
    std::fs::rename(beside.path(), to).map_err(io(to))?;
    sync(parent)?;
    let _ = beside.keep(); // renamed: nothing is left to remove
    Ok(manifest)
}

fn above(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A folder that nobody else can look into.
fn private_folder(parent: &Path, prefix: &str) -> Result<tempfile::TempDir, BackupError> {
    std::fs::create_dir_all(parent).map_err(io(parent))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir_in(parent).map_err(io(parent))
}

fn read_manifest(from: &Path) -> Result<Manifest, BackupError> {
    let file = from.join(MANIFEST);
    let size = match std::fs::metadata(&file) {
        Ok(found) => found.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(BackupError::NotABackup(from.to_owned())),
        Err(e) => return Err(io(&file)(e)),
    };
    if size > MANIFEST_BYTES_MAX {
        return Err(BackupError::Manifest(file, "too long".to_owned()));
    }
    let bytes = std::fs::read(&file).map_err(io(&file))?;
    let manifest: Manifest =
        serde_json::from_slice(&bytes).map_err(|e| BackupError::Manifest(file.clone(), e.to_string()))?;
    match manifest.version {
        VERSION => Ok(manifest),
        other => Err(BackupError::Manifest(file, format!("version {other} is not known to this program"))),
    }
}

/// The sums of all files below a folder, by path.
fn sums(dir: &Path) -> Result<Vec<FileSum>, BackupError> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(io(&folder))? {
            let entry = entry.map_err(io(&folder))?;
            let path = entry.path();
            if entry.file_type().map_err(io(&path))?.is_dir() {
                folders.push(path);
                continue;
            }
            let mut file = std::fs::File::open(&path).map_err(io(&path))?;
            let (mut hash, mut bytes, mut chunk) = (Sha256::new(), 0, vec![0; 64 << 10]);
            loop {
                let read = file.read(&mut chunk).map_err(io(&path))?;
                if read == 0 {
                    break;
                }
                hash.update(&chunk[..read]);
                bytes += read as u64;
            }
            let below = path.strip_prefix(dir).unwrap_or(&path);
            let names = below.components().filter_map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            });
            let path = names.collect::<Vec<_>>().join("/");
            files.push(FileSum { path, bytes, sha256: hex::encode(hash.finalize()) });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Copies a file, or a folder with all below it; what is not there is left out. Synced.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let kind = match std::fs::symlink_metadata(from) {
        Ok(found) => found.file_type(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(io(from)(e)),
    };
    if kind.is_dir() {
        make_folder(to)?;
        return copy_below(from, to);
    }
    // sockets and links are not ours to copy; a page that is being written has no name yet
    let hidden = from.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if !kind.is_file() || hidden {
        return Ok(());
    }
    match std::fs::copy(from, to) {
        // taken away meanwhile
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !from.exists() => Ok(()),
        Err(e) => Err(io(from)(e)),
        Ok(_) => std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(io(to)),
    }
}

fn copy_below(from: &Path, to: &Path) -> Result<(), BackupError> {
    for entry in std::fs::read_dir(from).map_err(io(from))? {
        let entry = entry.map_err(io(from))?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    sync(to)
}

fn make_folder(dir: &Path) -> Result<(), BackupError> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir).map_err(io(dir))
}

fn sync(dir: &Path) -> Result<(), BackupError> {
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))
}
