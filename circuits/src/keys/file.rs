//! The bytes of a key file, read strictly: no version, suite, statement, mark or length but those known.
//!
//! Layout in [`crate::keys`]. The checksum finds damage; it keeps nobody from writing another key.

use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sha2::{Digest, Sha256};

use crate::backend::groth16::KeyRefused;
use crate::keys::{Label, Mark};
use crate::statements::Statement;
use crate::suite::Suite;

/// What kind of key a file holds.
pub(super) type Magic = [u8; 8];
pub(super) const PROVING: Magic = *b"VOUCHSPK";
pub(super) const VERIFYING: Magic = *b"VOUCHSVK";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 8 + 4 * 4 + 8;
const CHECKSUM_BYTES: usize = 32;

/// Why bytes are not a key of this build. First the given file, then our own faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Too short, too long, or of another kind.
    #[error("not a key file of this kind")]
    NotAKey,
    /// Of a version, suite or statement that this build does not know.
    #[error("the key is of a version, suite or statement that this build does not know")]
    Unknown,
    /// The checksum is wrong.
    #[error("the key file is damaged (its checksum is wrong): make it or fetch it again")]
    Damaged,
    /// The key is not one to verify with.
    #[error(transparent)]
    Refused(#[from] KeyRefused),
    /// The key is for another version of the circuit.
    #[error("the proving key is for another version of the circuit: make it again")]
    OtherCircuit,
    /// The circuit could not be built.
    #[error("our bug: the circuit could not be built")]
    Circuit,
}

pub(super) fn write(magic: Magic, label: Label, points: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + points.len() + CHECKSUM_BYTES);
    bytes.extend_from_slice(&magic);
    for word in [VERSION, label.suite.code(), label.statement.code(), label.mark as u32] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(&(points.len() as u64).to_le_bytes());
    bytes.extend_from_slice(points);
    let checksum: [u8; CHECKSUM_BYTES] = Sha256::digest(&bytes).into();
    bytes.extend_from_slice(&checksum);
    bytes
}

pub(super) fn read(magic: Magic, bytes: &[u8]) -> Result<(Label, &[u8]), KeyError> {
    let rest = bytes.strip_prefix(&magic).ok_or(KeyError::NotAKey)?;
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(KeyError::NotAKey)?;
    let (version, rest) = word(rest)?;
    let (suite, rest) = word(rest)?;
    let (statement, rest) = word(rest)?;
    let (mark, rest) = word(rest)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or(KeyError::NotAKey)?;
    if version != VERSION {
        return Err(KeyError::Unknown);
    }
    let points = rest.strip_suffix(checksum).ok_or(KeyError::NotAKey)?;
    if u64::from_le_bytes(*length) != points.len() as u64 {
        return Err(KeyError::NotAKey);
    }
    if <[u8; CHECKSUM_BYTES]>::from(Sha256::digest(body)) != *checksum {
        return Err(KeyError::Damaged);
    }
    // a key that says it is of a ceremony had its mark changed: none can be told from a development key yet
    let mark = Some(Mark::Development).filter(|known| *known as u32 == mark);
    match (Suite::from_code(suite), Statement::from_code(statement), mark) {
        (Some(suite), Some(statement), Some(mark)) => Ok((Label { suite, statement, mark }, points)),
        _ => Err(KeyError::Unknown),
    }
}

fn word(bytes: &[u8]) -> Result<(u32, &[u8]), KeyError> {
    let (word, rest) = bytes.split_first_chunk::<4>().ok_or(KeyError::NotAKey)?;
    Ok((u32::from_le_bytes(*word), rest))
}

/// Points as they lie in memory: quick to read back.
pub(super) fn uncompressed(points: &impl CanonicalSerialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.uncompressed_size());
    // writing to a vector cannot fail; if it ever did, the short bytes parse nowhere
    let _ = points.serialize_uncompressed(&mut bytes);
    bytes
}

/// Points whose checksum was right, without a check of each.
pub(super) fn trusted<T: CanonicalDeserialize>(bytes: &[u8]) -> Result<T, KeyError> {
    let mut rest = bytes;
    let points = T::deserialize_uncompressed_unchecked(&mut rest).map_err(|_| KeyError::Damaged)?;
    if rest.is_empty() { Ok(points) } else { Err(KeyError::Damaged) }
}
