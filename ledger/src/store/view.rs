//! A consistent view of the store, as of one block; later blocks do not change it.

use borsh::BorshDeserialize;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{KeyHash, OwnedValue, Version};
use rocksdb::{DB, Direction, IteratorMode};
use vouchsafe_circuits::tree::{NodeId, Position};
use vouchsafe_circuits::{Commitment, Fe, Suite};
use vouchsafe_ledger_types::ids::{EntryId, LogHash, MemberId};
use vouchsafe_ledger_types::log::LogNode;
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::units::{BlockTime, EntryIndex, Height};

use super::{Family, keys, read_error};
use crate::memory::empty_map_root;
use crate::state::{ReadError, StateRead};

/// Where an entry is.
pub(crate) type Location = (Height, EntryIndex);

/// A stored row: key and value.
type Row = (Box<[u8]>, Box<[u8]>);

/// The store as of one block.
pub(crate) struct View<'a> {
    db: &'a DB,
    snapshot: rocksdb::Snapshot<'a>,
    tip: Option<Height>,
}

impl<'a> View<'a> {
    pub(super) fn new(db: &'a DB) -> Result<Self, ReadError> {
        let mut view = Self { db, snapshot: db.snapshot(), tip: None };
        let tip = view.get(Family::Meta, keys::TIP)?;
        view.tip = tip.map(|bytes| keys::number(&bytes, "the tip").map(Height::new)).transpose()?;
        Ok(view)
    }

    /// The height of this view; none before the first block.
    pub(crate) fn tip(&self) -> Option<Height> {
        self.tip
    }

    pub(super) fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, ReadError> {
        self.snapshot.get_cf(family.handle(self.db)?, key).map_err(read_error)
    }

    /// The rows of a family from a key on, in order.
    pub(super) fn rows(
        &self,
        family: Family,
        from: &[u8],
    ) -> Result<impl Iterator<Item = Result<Row, ReadError>> + '_, ReadError> {
        let mode = IteratorMode::From(from, Direction::Forward);
        let rows = self.snapshot.iterator_cf(family.handle(self.db)?, mode);
        Ok(rows.map(|row| row.map_err(read_error)))
    }

    pub(crate) fn seal(&self, height: Height) -> Result<Option<Seal>, ReadError> {
        let Some(bytes) = self.get(Family::Seals, &keys::height(height))? else { return Ok(None) };
        let seal = Seal::decode(&bytes).map_err(|error| ReadError::damaged(format!("seal {height}: {error}")))?;
        if seal.height != height {
            return Err(ReadError::damaged(format!("seal {height} is that of {}", seal.height)));
        }
        Ok(Some(seal))
    }

    pub(crate) fn locate(&self, id: EntryId) -> Result<Option<Location>, ReadError> {
        let Some(bytes) = self.get(Family::Located, id.as_bytes())? else { return Ok(None) };
        let bytes: [u8; 12] = keys::fixed(&bytes, "an entry's place")?;
        let height = Height::new(keys::number(&bytes[..8], "a height")?);
        Ok(Some((height, EntryIndex::new(u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]])))))
    }

    pub(crate) fn receipt(&self, (height, index): Location) -> Result<Receipt, ReadError> {
        let bytes = self.get(Family::Receipts, &keys::entry(height, index))?;
        let bytes = bytes.ok_or_else(|| ReadError::damaged(format!("receipt {height}/{index} is missing")))?;
        Receipt::decode(&bytes).map_err(|error| ReadError::damaged(format!("receipt {height}/{index}: {error}")))
    }

    /// The receipts of a block, in order.
    pub(crate) fn receipts(&self, height: Height) -> Result<Vec<Receipt>, ReadError> {
        let rows = self.block_rows(Family::Receipts, height)?;
        let parsed = rows.iter().map(|bytes| {
            Receipt::decode(bytes).map_err(|error| ReadError::damaged(format!("a receipt of {height}: {error}")))
        });
        parsed.collect()
    }

    pub(crate) fn entry(&self, (height, index): Location) -> Result<Vec<u8>, ReadError> {
        let bytes = self.get(Family::Entries, &keys::entry(height, index))?;
        bytes.ok_or_else(|| ReadError::damaged(format!("entry {height}/{index} is missing")))
    }

    /// The signed entries of a block, in order.
    pub(crate) fn entries(&self, height: Height) -> Result<Vec<Vec<u8>>, ReadError> {
        self.block_rows(Family::Entries, height)
    }

    fn block_rows(&self, family: Family, height: Height) -> Result<Vec<Vec<u8>>, ReadError> {
        let prefix = keys::height(height);
        let mut values = Vec::new();
        for row in self.rows(family, &prefix)? {
            let (key, value) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            if *key != keys::entry(height, EntryIndex::new(values.len() as u32)) {
                return Err(ReadError::damaged(format!("rows of block {height} are missing")));
            }
            values.push(value.into_vec());
        }
        Ok(values)
    }

    pub(crate) fn log_node(&self, node: LogNode) -> Result<LogHash, ReadError> {
        let bytes = self.get(Family::Log, &keys::log_node(node))?;
        let bytes = bytes.ok_or_else(|| ReadError::damaged(format!("log node {node:?} is missing")))?;
        Ok(LogHash::from_bytes(keys::fixed(&bytes, "a log node")?))
    }

    /// The newest version of a value that is not above this one, with that version.
    pub(super) fn value_at(&self, path: &KeyHash, version: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let from = keys::value(path, version);
        let mode = IteratorMode::From(&from, Direction::Reverse);
        let mut rows = self.snapshot.iterator_cf(Family::Values.handle(self.db)?, mode);
        match rows.next() {
            None => Ok(None),
            Some(row) => {
                let (key, value) = row.map_err(read_error)?;
                let key: [u8; 40] = keys::fixed(&key, "a value's key")?;
                if key[..32] != path.0 {
                    return Ok(None);
                }
                Ok(Some((keys::number(&key[32..], "a version")?, value.into_vec())))
            }
        }
    }
}

impl StateRead for View<'_> {
    fn bytes(&self, key: &StateKey) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.value_at(&key.path(), u64::MAX)?.map(|(_, value)| value))
    }

    fn position_of(&self, member: MemberId, commitment: Commitment) -> Result<Option<Position>, ReadError> {
        let Some(bytes) = self.get(Family::Positions, &keys::position(member, commitment))? else { return Ok(None) };
        Ok(Some(Position::new(u32::from_be_bytes(keys::fixed(&bytes, "a position")?))))
    }

    fn set_node(&self, member: MemberId, node: NodeId) -> Result<Option<Fe>, ReadError> {
        let Some(bytes) = self.get(Family::Sets, &keys::set_node(member, node))? else { return Ok(None) };
        // Which suite it is of, the tree's hashing checks again.
        let fe = Fe::from_bytes(Suite::Bn254, keys::fixed(&bytes, "a set node")?);
        fe.map(Some).map_err(|error| ReadError::damaged(format!("active set of {member}: {error}")))
    }

    fn is_burnt(&self, id: EntryId) -> Result<bool, ReadError> {
        Ok(self.get(Family::Burnt, id.as_bytes())?.is_some())
    }

    fn burnt_until(&self, time: BlockTime) -> Result<Vec<(BlockTime, EntryId)>, ReadError> {
        let mut burnt = Vec::new();
        for row in self.rows(Family::Expiries, &[])? {
            let key: [u8; 40] = keys::fixed(&row?.0, "an expiry")?;
            let expiry = BlockTime::from_unix(keys::number(&key[..8], "an expiry")?);
            let expiry = expiry.ok_or_else(|| ReadError::damaged("an expiry after the year 9999"))?;
            if expiry > time {
                break;
            }
            burnt.push((expiry, EntryId::from_bytes(keys::fixed(&key[8..], "an entry id")?)));
        }
        Ok(burnt)
    }
}

impl TreeReader for View<'_> {
    fn get_node_option(&self, key: &NodeKey) -> anyhow::Result<Option<Node>> {
        let bytes = self.get(Family::Map, &borsh::to_vec(key)?)?;
        match bytes {
            Some(bytes) => Ok(Some(Node::try_from_slice(&bytes)?)),
            None => Ok(empty_map_root(key)),
        }
    }

    fn get_value_option(&self, max_version: Version, path: KeyHash) -> anyhow::Result<Option<OwnedValue>> {
        Ok(self.value_at(&path, max_version)?.map(|(_, value)| value))
    }

    fn get_rightmost_leaf(&self) -> anyhow::Result<Option<(NodeKey, LeafNode)>> {
        anyhow::bail!("the map is never restored from its leaves")
    }
}
