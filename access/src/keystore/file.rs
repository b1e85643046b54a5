//! The keystore's file: sealed on the way out, opened on the way in. Layout: the parent module.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PersistError};

use super::Keystore;
use crate::aead::{self, CipherSuite, WrapKey};
use crate::secret::{Passphrase, random_bytes};
use crate::wire::{Reader, WireError, Writer};

const MAGIC: &[u8] = b"VOUCHKEY";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 40;
const CHECKSUM_BYTES: usize = 32;
/// No keystore is larger: about a thousand epochs take 40 kB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What it costs to try a passphrase (Argon2id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParams {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl KdfParams {
    /// 64 MiB, 3 passes, 1 lane: the second choice of RFC 9106 but for the lanes; about 0.2 s.
    pub const STANDARD: KdfParams = KdfParams { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// As little as Argon2 allows. For tests: a keystore of this kind falls to a guessing machine.
    pub const DANGEROUS_FAST: KdfParams = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };

    /// What a file may ask of the machine that opens it: 1 GiB, 16 passes, 16 lanes.
    const MAX: KdfParams = KdfParams { memory_kib: 1024 * 1024, passes: 16, lanes: 16 };

    fn within_bounds(self) -> bool {
        let max = Self::MAX;
        (8..=max.memory_kib).contains(&self.memory_kib)
            && (1..=max.passes).contains(&self.passes)
            && (1..=max.lanes).contains(&self.lanes)
            && self.memory_kib >= 8 * self.lanes
    }
}

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
        let bytes = seal(self, passphrase, kdf, rng).map_err(|e| CreateError::Kdf(e.to_string()))?;
        write_synced(path, &bytes, |file| file.persist_noclobber(path)).map_err(|e| match e.kind() {
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
        let bytes = seal(self, new, kdf, rng).map_err(|e| CreateError::Kdf(e.to_string()))?;
        let written = write_synced(path, &bytes, |file| file.persist(path));
        Ok(written.map_err(|e| CreateError::Io(path.to_owned(), e))?)
    }

    /// Opens a keystore file.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Keystore, OpenError> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
            _ => OpenError::Io(path.to_owned(), e),
        })?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| OpenError::Io(path.to_owned(), e))?;
        unseal(path, &bytes, passphrase)
    }
}

fn seal(
    keystore: &Keystore,
    passphrase: &Passphrase,
    kdf: KdfParams,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<u8>, argon2::Error> {
    let salt: [u8; 16] = random_bytes(rng);
    let header = Writer::with_capacity(HEADER_BYTES)
        .raw(MAGIC)
        .u16(VERSION)
        .u16(CipherSuite::Aes256.code())
        .u32(kdf.memory_kib)
        .u32(kdf.passes)
        .u32(kdf.lanes)
        .raw(&salt)
        .public();
    let key = stretch(passphrase, kdf, &salt)?;
    let body = aead::wrap(&key, &header, &keystore.to_bytes(), rng);
    let mut bytes =
        Writer::with_capacity(HEADER_BYTES + 4 + body.len() + CHECKSUM_BYTES).raw(&header).bytes(&body).public();
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    Ok(bytes)
}

fn unseal(path: &Path, bytes: &[u8], passphrase: &Passphrase) -> Result<Keystore, OpenError> {
    let here = || path.to_owned();
    if !bytes.starts_with(MAGIC) || bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(OpenError::NotAKeystore(here()));
    }
    let damaged = |_: WireError| OpenError::Damaged(here());
    let mut reader = Reader::new(bytes);
    reader.expect(MAGIC, "magic").map_err(damaged)?;
    let version = reader.u16().map_err(damaged)?;
    if version > VERSION {
        return Err(OpenError::Newer { path: here(), what: "format", number: version });
    }
    let (covered, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(|| OpenError::Damaged(here()))?;
    if version != VERSION || Sha256::digest(covered)[..] != checksum[..] {
        return Err(OpenError::Damaged(here()));
    }
    let suite = reader.u16().map_err(damaged)?;
    if CipherSuite::from_code(suite).is_none() {
        return Err(OpenError::Newer { path: here(), what: "algorithm suite", number: suite });
    }
    let mut number = || reader.u32().map_err(damaged);
    let kdf = KdfParams { memory_kib: number()?, passes: number()?, lanes: number()? };
    if !kdf.within_bounds() {
        return Err(OpenError::Unreasonable(here()));
    }
    let salt = reader.array().map_err(damaged)?;
    let body = reader.bytes().map_err(damaged)?;
    reader.expect(checksum, "checksum").and_then(|()| reader.finish()).map_err(damaged)?;
    let key = stretch(passphrase, kdf, &salt).map_err(|e| OpenError::Kdf(e.to_string()))?;
    let contents = aead::unwrap(&key, &bytes[..HEADER_BYTES], body).map_err(|_| OpenError::WrongPassphrase(here()))?;
    Keystore::from_bytes(&contents).map_err(|e| OpenError::Contents(here(), e.to_string()))
}

fn stretch(passphrase: &Passphrase, kdf: KdfParams, salt: &[u8; 16]) -> Result<WrapKey, argon2::Error> {
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32))?;
    let mut key = zeroize::Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        passphrase.as_bytes(),
        salt,
        &mut *key,
    )?;
    Ok(WrapKey::new(*key))
}

/// Writes a file that is complete and synced before `persist` gives it its name.
fn write_synced(
    path: &Path,
    bytes: &[u8],
    persist: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> std::io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    // A temporary file has mode 0600 from its creation, and is removed if we fail.
    let mut file = NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    persist(file).map_err(|e| e.error)?;
    File::open(dir)?.sync_all()
}
