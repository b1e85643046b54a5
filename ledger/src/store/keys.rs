//! The one home of the store's row keys and of the fixed-size values beside them.

use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::tree::NodeId;
use vouchsafe_ledger_types::ids::{EntryId, MemberId};
use vouchsafe_ledger_types::log::LogNode;
use vouchsafe_ledger_types::units::{BlockTime, EntryIndex, Height};

use super::Family;
use crate::state::ReadError;

pub(super) const FORMAT: &[u8] = b"format";
pub(super) const TIP: &[u8] = b"tip";
pub(super) const FORMAT_VERSION: u32 = 1;

pub(super) fn height(height: Height) -> [u8; 8] {
    height.get().to_be_bytes()
}

pub(super) fn entry(at: Height, index: EntryIndex) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&height(at));
    key[8..].copy_from_slice(&index.get().to_be_bytes());
    key
}

pub(super) fn log_node(node: LogNode) -> [u8; 9] {
    let mut key = [0; 9];
    key[0] = node.level();
    key[1..].copy_from_slice(&node.index().to_be_bytes());
    key
}

pub(super) fn value(path: &jmt::KeyHash, version: u64) -> [u8; 40] {
    let mut key = [0; 40];
    key[..32].copy_from_slice(&path.0);
    key[32..].copy_from_slice(&version.to_be_bytes());
    key
}

pub(super) fn set_node(member: MemberId, node: NodeId) -> [u8; 37] {
    let mut key = [0; 37];
    key[..32].copy_from_slice(&member.to_bytes());
    key[32] = node.level;
    key[33..].copy_from_slice(&node.index.to_be_bytes());
    key
}

pub(super) fn position(member: MemberId, commitment: Commitment) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(&member.to_bytes());
    key[32..].copy_from_slice(commitment.fe().as_bytes());
    key
}

pub(super) fn expiry(time: BlockTime, id: EntryId) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&time.unix().to_be_bytes());
    key[8..].copy_from_slice(id.as_bytes());
    key
}

pub(super) fn stale(since: u64, family: Family, key: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(9 + key.len());
    row.extend_from_slice(&since.to_be_bytes());
    row.push(family as u8);
    row.extend_from_slice(key);
    row
}

/// Takes exactly N bytes out of a stored row.
pub(super) fn fixed<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], ReadError> {
    bytes.try_into().map_err(|_| ReadError::damaged(format!("{what} has {} bytes instead of {N}", bytes.len())))
}

pub(super) fn number(bytes: &[u8], what: &str) -> Result<u64, ReadError> {
    Ok(u64::from_be_bytes(fixed(bytes, what)?))
}
