//! The seal of a block: what a checkpoint covers and a verifier trusts.
//!
//! 124 bytes, integers big-endian: height 8 · time 8 · state root 32 · log size 8 · log root 32 · receipts root 32 ·
//! protocol version 4. Log size and root are those after the block's entries; the seal itself is the next leaf.
//! ```text
//! app hash = digest(AppHash, seal bytes)
//! ```
//! It names no chain: the checkpoint's origin and the chain's state value do.

use serde::{Deserialize, Serialize};
use vouchsafe_circuits::tags::{Domain, digest};

use crate::ids::{AppHash, LogHash, ReceiptsRoot, StateRoot};
use crate::units::{BlockTime, Height, LogIndex, LogSize, ProtocolVersion};

/// How many bytes a seal has.
pub const SEAL_BYTES: usize = 124;

/// Not the bytes of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// Another length.
    #[error("a seal has 124 bytes")]
    Length,
    /// A time after the year 9999, or a height or log size that cannot be.
    #[error("a seal's height, time or log size is out of range")]
    Range,
}

/// The seal of block `height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// Which block.
    pub height: Height,
    /// Its time.
    pub time: BlockTime,
    /// The root of the state after it.
    pub state_root: StateRoot,
    /// The log's size after its entries, without the seal.
    pub log_size: LogSize,
    /// The log's root at that size.
    pub log_root: LogHash,
    /// The root of the block's receipts.
    pub receipts_root: ReceiptsRoot,
    /// The rules it was applied under.
    pub protocol_version: ProtocolVersion,
}

impl Seal {
    /// The seal's bytes.
    pub fn encode(&self) -> [u8; SEAL_BYTES] {
        let mut bytes = [0; SEAL_BYTES];
        bytes[0..8].copy_from_slice(&self.height.get().to_be_bytes());
        bytes[8..16].copy_from_slice(&self.time.unix().to_be_bytes());
        bytes[16..48].copy_from_slice(self.state_root.as_bytes());
        bytes[48..56].copy_from_slice(&self.log_size.get().to_be_bytes());
        bytes[56..88].copy_from_slice(self.log_root.as_bytes());
        bytes[88..120].copy_from_slice(self.receipts_root.as_bytes());
        bytes[120..124].copy_from_slice(&self.protocol_version.get().to_be_bytes());
        bytes
    }

    /// Parses a seal's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let bytes: &[u8; SEAL_BYTES] = bytes.try_into().map_err(|_| SealError::Length)?;
        let number = |at: usize| u64::from_be_bytes(array(bytes, at));
        let seal = Self {
            height: Height::new(number(0)),
            time: BlockTime::from_unix(number(8)).ok_or(SealError::Range)?,
            state_root: StateRoot::from_bytes(array(bytes, 16)),
            log_size: LogSize::new(number(48)),
            log_root: LogHash::from_bytes(array(bytes, 56)),
            receipts_root: ReceiptsRoot::from_bytes(array(bytes, 88)),
            protocol_version: ProtocolVersion::new(u32::from_be_bytes(array(bytes, 120))),
        };
        if seal.height.get() == 0 || seal.log_size.get() == u64::MAX {
            return Err(SealError::Range);
        }
        Ok(seal)
    }

    /// The digest that consensus agrees on.
    pub fn app_hash(&self) -> AppHash {
        AppHash::from_bytes(digest(Domain::AppHash, &[&self.encode()]))
    }

    /// The seal's leaf hash in the log.
    pub fn leaf(&self) -> LogHash {
        LogHash::seal_leaf(&self.encode())
    }

    /// Where the seal is in the log: right after its block's entries.
    pub fn leaf_index(&self) -> LogIndex {
        LogIndex::new(self.log_size.get())
    }

    /// The size of the log that a checkpoint of this height covers: the seal is its last leaf.
    pub fn checkpoint_size(&self) -> LogSize {
        LogSize::new(self.log_size.get().saturating_add(1))
    }
}

/// N bytes at an offset; the callers' offsets are constants within the bytes.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_around_and_other_lengths_are_refused() {
        let seal = Seal {
            height: Height::new(7),
            time: BlockTime::from_unix(1_700_000_000).unwrap(),
            state_root: StateRoot::from_bytes([1; 32]),
            log_size: LogSize::new(40),
            log_root: LogHash::from_bytes([2; 32]),
            receipts_root: ReceiptsRoot::from_bytes([3; 32]),
            protocol_version: ProtocolVersion::CURRENT,
        };
        let bytes = seal.encode();
        assert_eq!(Seal::decode(&bytes), Ok(seal));
        assert_eq!(Seal::decode(&bytes[1..]), Err(SealError::Length));
        assert_eq!(Seal::decode(&[bytes.as_slice(), &[0]].concat()), Err(SealError::Length));
        let mut late = bytes;
        late[8] = 0xff;
        assert_eq!(Seal::decode(&late), Err(SealError::Range));
        for at in 0..SEAL_BYTES {
            let mut other = bytes;
            other[at] ^= 1;
            if let Ok(other) = Seal::decode(&other) {
                assert_ne!(other.app_hash(), seal.app_hash(), "{at}");
            }
        }
        let json = serde_json::to_string(&seal).unwrap();
        assert_eq!(serde_json::from_str::<Seal>(&json).unwrap(), seal);
        assert!(serde_json::from_str::<Seal>(&json.replacen('{', "{\"more\":1,", 1)).is_err());
    }
}
