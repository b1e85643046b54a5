//! Writing a block: everything of it in one synced batch, with the pruning of what it made old enough to forget.

use rocksdb::WriteBatch;
use vouchsafe_ledger_types::units::EntryIndex;

use super::{Family, Store, View, keys, read_error};
use crate::sealing::SealedBlock;
use crate::state::ReadError;
use crate::state_machine::{Applied, Block};

/// How many stale rows one block removes at most, so that no block pays for a long backlog.
const PRUNED_PER_BLOCK_MAX: usize = 4096;

impl Store {
    /// Writes a block over the view it was applied to. Durable when this returns; after an error nobody knows whether it
    /// is, and the engine must stop.
    pub(crate) fn write(
        &self,
        view: &View<'_>,
        block: &Block,
        applied: &Applied,
        sealed: &SealedBlock,
    ) -> Result<(), ReadError> {
        let mut rows = Rows { store: self, batch: WriteBatch::default() };
        let height = applied.height;
        for (index, (entry, receipt)) in (0u32..).zip(block.entries.iter().zip(&applied.receipts)) {
            let key = keys::entry(height, EntryIndex::new(index));
            rows.put(Family::Entries, &key, entry.encoded())?;
            rows.put(Family::Receipts, &key, &receipt.encode())?;
            // A replayed or inadmissible entry in a foreign block must not displace the first one.
            if applied.burnt.contains_key(&entry.id()) && view.locate(entry.id())?.is_none() {
                rows.put(Family::Located, entry.id().as_bytes(), &key)?;
            }
        }
        rows.put(Family::Seals, &keys::height(height), &sealed.seal.encode())?;
        for (node, hash) in &sealed.log_nodes {
            rows.put(Family::Log, &keys::log_node(*node), hash.as_bytes())?;
        }
        for ((member, node), fe) in &applied.set_nodes {
            rows.put(Family::Sets, &keys::set_node(*member, *node), fe.as_bytes())?;
        }
        for ((member, commitment), position) in &applied.positions {
            rows.put(Family::Positions, &keys::position(*member, *commitment), &position.get().to_be_bytes())?;
        }
        for (id, expiry) in &applied.burnt {
            rows.put(Family::Burnt, id.as_bytes(), &expiry.unix().to_be_bytes())?;
            rows.put(Family::Expiries, &keys::expiry(*expiry, *id), &[])?;
        }
        for (expiry, id) in &applied.forgotten {
            rows.delete(Family::Burnt, id.as_bytes())?;
            rows.delete(Family::Expiries, &keys::expiry(*expiry, *id))?;
        }
        rows.map(view, sealed)?;
        rows.prune(view, self.oldest_kept(height))?;
        rows.put(Family::Meta, keys::FORMAT, &keys::FORMAT_VERSION.to_be_bytes())?;
        rows.put(Family::Meta, keys::TIP, &keys::height(height))?;
        self.db.write_opt(rows.batch, &self.write_options()).map_err(read_error)
    }
}

struct Rows<'a> {
    store: &'a Store,
    batch: WriteBatch,
}

impl Rows<'_> {
    fn put(&mut self, family: Family, key: &[u8], value: &[u8]) -> Result<(), ReadError> {
        self.batch.put_cf(family.handle(&self.store.db)?, key, value);
        Ok(())
    }

    fn delete(&mut self, family: Family, key: &[u8]) -> Result<(), ReadError> {
        self.batch.delete_cf(family.handle(&self.store.db)?, key);
        Ok(())
    }

    /// New nodes and values of the authenticated map, and which ones they make stale.
    fn map(&mut self, view: &View<'_>, sealed: &SealedBlock) -> Result<(), ReadError> {
        let encode = |error: std::io::Error| ReadError::damaged(format!("authenticated map: {error}"));
        for (key, node) in sealed.map.node_batch.nodes() {
            let (key, node) = (borsh::to_vec(key).map_err(encode)?, borsh::to_vec(node).map_err(encode)?);
            self.put(Family::Map, &key, &node)?;
        }
        for stale in &sealed.map.stale_node_index_batch {
            let key = borsh::to_vec(&stale.node_key).map_err(encode)?;
            self.put(Family::Stale, &keys::stale(stale.stale_since_version, Family::Map, &key), &[])?;
        }
        for ((version, path), value) in sealed.map.node_batch.values() {
            if let Some((before, _)) = view.value_at(path, u64::MAX)? {
                let key = keys::value(path, before);
                self.put(Family::Stale, &keys::stale(*version, Family::Values, &key), &[])?;
            }
            if let Some(value) = value {
                self.put(Family::Values, &keys::value(path, *version), value)?;
            }
        }
        Ok(())
    }

    /// Removes what became stale at the oldest kept height or before: no kept version reads it.
    fn prune(&mut self, view: &View<'_>, oldest_kept: u64) -> Result<(), ReadError> {
        let mut stale = Vec::new();
        for row in view.rows(Family::Stale, &[])?.take(PRUNED_PER_BLOCK_MAX) {
            let (row, _) = row?;
            let Some((since, rest)) = row.split_first_chunk::<8>() else {
                return Err(ReadError::damaged("a stale row is too short"));
            };
            if u64::from_be_bytes(*since) > oldest_kept {
                break;
            }
            let Some((family, key)) = rest.split_first() else {
                return Err(ReadError::damaged("a stale row is too short"));
            };
            let family = Family::from_code(*family).ok_or_else(|| ReadError::damaged("a stale row of no family"))?;
            stale.push((family, key.to_vec(), row));
        }
        for (family, key, row) in stale {
            self.delete(family, &key)?;
            self.delete(Family::Stale, &row)?;
        }
        Ok(())
    }
}
