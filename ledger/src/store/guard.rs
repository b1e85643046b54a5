//! The guard: a small file beside the store that remembers the last acknowledged log, so that a store that went back in
//! time is noticed.
//!
//! Two slots of 512 bytes, written in turn and synced, so that a torn write leaves the other:
//! magic 8 · sequence 8 · height 8 · log size 8 · log root 32 · SHA-256 of these 64 bytes. Integers are big-endian.
//! It does not notice an attacker who sets back both; for that there are witnesses.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use vouchsafe_ledger_types::ids::LogHash;
use vouchsafe_ledger_types::units::{Height, LogSize};

const MAGIC: &[u8; 8] = b"vouchgd1";
const SLOT_BYTES: u64 = 512;
const MARK_BYTES: usize = 96;

/// Why there is no guard to go by.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum GuardError {
    #[error("the guard file is missing or unreadable: {0}")]
    Io(#[from] io::Error),
    #[error("neither slot of the guard file is whole")]
    Damaged,
}

/// How far the ledger was when it last acknowledged anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GuardMark {
    pub(crate) height: Height,
    /// The log's size, the seal included.
    pub(crate) size: LogSize,
    pub(crate) root: LogHash,
}

impl GuardMark {
    /// Before the first block.
    pub(crate) fn nothing() -> Self {
        Self { height: Height::new(0), size: LogSize::new(0), root: LogHash::empty() }
    }
}

/// The open guard file.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    sequence: u64,
    sync: bool,
}

impl Guard {
    /// Makes a guard that has seen nothing. Overwrites what an unfinished creation left.
    pub(crate) fn create(path: &Path, sync: bool) -> Result<Self, GuardError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(2 * SLOT_BYTES)?;
        let mut guard = Self { file, sequence: 0, sync };
        guard.record(GuardMark::nothing())?;
        if let Some(parent) = path.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(guard)
    }

    /// Opens the guard and reads how far the ledger was.
    pub(crate) fn open(path: &Path, sync: bool) -> Result<(Self, GuardMark), GuardError> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let slots = [read_slot(&file, 0), read_slot(&file, 1)];
        let newest = slots.into_iter().flatten().max_by_key(|(sequence, _)| *sequence);
        let (sequence, mark) = newest.ok_or(GuardError::Damaged)?;
        Ok((Self { file, sequence, sync }, mark))
    }

    /// Remembers this, durably.
    pub(crate) fn record(&mut self, mark: GuardMark) -> Result<(), GuardError> {
        let sequence = self.sequence + 1;
        let mut bytes = [0; MARK_BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&sequence.to_be_bytes());
        bytes[16..24].copy_from_slice(&mark.height.get().to_be_bytes());
        bytes[24..32].copy_from_slice(&mark.size.get().to_be_bytes());
        bytes[32..64].copy_from_slice(mark.root.as_bytes());
        let check: [u8; 32] = Sha256::digest(&bytes[..64]).into();
        bytes[64..].copy_from_slice(&check);
        self.file.write_all_at(&bytes, sequence % 2 * SLOT_BYTES)?;
        if self.sync {
            self.file.sync_data()?;
        }
        self.sequence = sequence;
        Ok(())
    }
}

fn read_slot(file: &File, slot: u64) -> Option<(u64, GuardMark)> {
    let mut bytes = [0; MARK_BYTES];
    file.read_exact_at(&mut bytes, slot * SLOT_BYTES).ok()?;
    let check: [u8; 32] = Sha256::digest(&bytes[..64]).into();
    if &bytes[..8] != MAGIC || bytes[64..] != check {
        return None;
    }
    let number = |at: usize| bytes[at..at + 8].iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let mut root = [0; 32];
    root.copy_from_slice(&bytes[32..64]);
    let mark =
        GuardMark { height: Height::new(number(16)), size: LogSize::new(number(24)), root: LogHash::from_bytes(root) };
    Some((number(8), mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_write_leaves_the_mark_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guard");
        let mark = |n: u64| GuardMark { height: Height::new(n), size: LogSize::new(2 * n), root: LogHash::empty() };
        let mut guard = Guard::create(&path, true).unwrap();
        for n in 1..=5 {
            guard.record(mark(n)).unwrap();
        }
        assert_eq!(Guard::open(&path, true).unwrap().1, mark(5));
        let newest = guard.sequence % 2 * SLOT_BYTES;
        guard.file.write_all_at(b"torn", newest + 20).unwrap();
        assert_eq!(Guard::open(&path, true).unwrap().1, mark(4));
        guard.file.write_all_at(b"torn", SLOT_BYTES - newest + 20).unwrap();
        assert!(matches!(Guard::open(&path, true), Err(GuardError::Damaged)));
    }
}
