//! A file with secrets, sealed under a passphrase: what the keystore and a party's file have in common.
//!
//! ```text
//! header    magic 8 · version u16 = 1 · suite u16 = 1 · memory KiB u32 · passes u32 · lanes u32 · salt 16
//! body      length u32 · nonce 12 ‖ AES-256-GCM-SIV(contents) ‖ tag 16, key = Argon2id(passphrase), bound to the header
//! checksum  SHA-256 of header and body: tells a damaged file from a wrong passphrase
//! ```
//!
//! The magic is bound with the header, so that a file of one sort never opens as another.
//! Does not protect against one who has both file and passphrase, nor a weak passphrase for ever.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, PersistError};
use zeroize::Zeroizing;

use crate::aead::{self, CipherSuite, WrapKey};
use crate::secret::{Passphrase, random_bytes};
use crate::wire::{Reader, WireError, Writer};

const VERSION: u16 = 1;
const HEADER_BYTES: usize = 40;
const CHECKSUM_BYTES: usize = 32;
/// No file of this kind is larger: about a thousand epochs take 40 kB.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// What a file begins with: which sort it is.
pub(crate) type Magic = [u8; 8];

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
    /// As little as Argon2 allows. For tests: a file of this kind falls to a guessing machine.
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

/// Why bytes did not open; the sort of file gives it its words.
pub(crate) enum UnsealError {
    /// Another magic, or far too long.
    OtherSort,
    /// A newer format or suite: what, and its number.
    Newer(&'static str, u16),
    /// The checksum does not match, or the file is cut.
    Damaged,
    /// It asks for more work than any such file needs.
    Unreasonable,
    /// The file is whole, but does not open.
    WrongPassphrase,
    /// The passphrase could not be stretched.
    Kdf(String),
}

/// The bytes of a file with these contents.
pub(crate) fn seal(
    magic: Magic,
    contents: &[u8],
    passphrase: &Passphrase,
    kdf: KdfParams,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<u8>, argon2::Error> {
    let salt: [u8; 16] = random_bytes(rng);
    let header = Writer::with_capacity(HEADER_BYTES)
        .raw(&magic)
        .u16(VERSION)
        .u16(CipherSuite::Aes256.code())
        .u32(kdf.memory_kib)
        .u32(kdf.passes)
        .u32(kdf.lanes)
        .raw(&salt)
        .public();
    let key = stretch(passphrase, kdf, &salt)?;
    let body = aead::wrap(&key, &header, contents, rng);
    let mut bytes =
        Writer::with_capacity(HEADER_BYTES + 4 + body.len() + CHECKSUM_BYTES).raw(&header).bytes(&body).public();
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    Ok(bytes)
}

/// The contents of a file of this sort.
pub(crate) fn unseal(magic: Magic, bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, UnsealError> {
    if !bytes.starts_with(&magic) || bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(UnsealError::OtherSort);
    }
    let damaged = |_: WireError| UnsealError::Damaged;
    let mut reader = Reader::new(bytes);
    reader.expect(&magic, "magic").map_err(damaged)?;
    let version = reader.u16().map_err(damaged)?;
    if version > VERSION {
        return Err(UnsealError::Newer("format", version));
    }
    let (covered, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(UnsealError::Damaged)?;
    if version != VERSION || Sha256::digest(covered)[..] != checksum[..] {
        return Err(UnsealError::Damaged);
    }
    let suite = reader.u16().map_err(damaged)?;
    if CipherSuite::from_code(suite).is_none() {
        return Err(UnsealError::Newer("algorithm suite", suite));
    }
    let mut number = || reader.u32().map_err(damaged);
    let kdf = KdfParams { memory_kib: number()?, passes: number()?, lanes: number()? };
    if !kdf.within_bounds() {
        return Err(UnsealError::Unreasonable);
    }
    let salt = reader.array().map_err(damaged)?;
    let body = reader.bytes().map_err(damaged)?;
    reader.expect(checksum, "checksum").and_then(|()| reader.finish()).map_err(damaged)?;
    let key = stretch(passphrase, kdf, &salt).map_err(|e| UnsealError::Kdf(e.to_string()))?;
    aead::unwrap(&key, &bytes[..HEADER_BYTES], body).map_err(|_| UnsealError::WrongPassphrase)
}

fn stretch(passphrase: &Passphrase, kdf: KdfParams, salt: &[u8; 16]) -> Result<WrapKey, argon2::Error> {
    let params = Params::new(kdf.memory_kib, kdf.passes, kdf.lanes, Some(32))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        passphrase.as_bytes(),
        salt,
        &mut *key,
    )?;
    Ok(WrapKey::new(*key))
}

/// Reads a file, but never more than one of this kind can have.
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file that is complete and synced before `persist` gives it its name; the name is synced too.
pub(crate) fn write_synced(
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
