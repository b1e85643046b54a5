//! The vault's index: which records there are, of whom, in which state, and the wraps of their data keys. On RocksDB.
//!
//! ```text
//! records     commitment → row          sources     source handle → head; source ‖ version → what it became
//! subjects    id → wrapped secrets      aliases     handle → subject id
//! by_subject  id ‖ schema ‖ commitment  pending     number → what the ledger has still to be asked
//! blobs       blob id → commitment      meta        format, check value of the keystore
//! ```
//!
//! Every change is one synced batch. Rows hold handles, commitments and sealed bytes, no identifier and no value;
//! they do tell which records are one subject's, and how many there are. Row bytes: `rows`.

mod backup;
mod rows;

use std::path::{Path, PathBuf};

use rocksdb::{
    ColumnFamily, DB, DBRecoveryMode, Direction, ErrorKind, IteratorMode, Options, ReadOptions, WriteBatch,
    WriteOptions,
};
use vouchsafe_circuits::ids::{Commitment, SchemaId};

pub use rows::RecordState;
pub(super) use rows::{Intent, Pending, RecordRow, SourceHead};

use super::blobs::BlobId;
use crate::secret::IndexSecret;
use crate::subject::{AliasRow, Handle, SubjectId};
use crate::wire::WireError;

const FORMAT: u32 = 1;
const FORMAT_KEY: &[u8] = b"format";
const CHECK_KEY: &[u8] = b"keystore-check";

const RECORDS: &str = "records";
const SOURCES: &str = "sources";
const SUBJECTS: &str = "subjects";
const ALIASES: &str = "aliases";
const BY_SUBJECT: &str = "by_subject";
const PENDING: &str = "pending";
const BLOBS: &str = "blobs";
const META: &str = "meta";
const FAMILIES: [&str; 8] = [RECORDS, SOURCES, SUBJECTS, ALIASES, BY_SUBJECT, PENDING, BLOBS, META];

/// What went wrong with the index.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// There is an index already.
    #[error("{0} holds a vault already: open it instead")]
    Exists(PathBuf),
    /// There is none.
    #[error("no vault at {0}: run `vouch init`, or give the right --data directory")]
    Missing(PathBuf),
    /// The index was made under another keystore.
    #[error("the vault at {0} belongs to another keystore: open it with the keystore that it was made with")]
    OtherKeystore(PathBuf),
    /// Another process has the index open.
    #[error("the vault at {0} is open in another process: stop that one first")]
    InUse(PathBuf),
    /// The index was written by a newer version.
    #[error("the vault at {0} has format {1}, which this version does not know: use a newer vouch")]
    Newer(PathBuf, u32),
    /// A row cannot be read.
    #[error("the vault's index is damaged: row {key} of {family} {why}; restore it from a backup")]
    Damaged {
        /// The column family.
        family: &'static str,
        /// The row's key, in hexadecimal.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// The storage engine failed.
    #[error("the vault's index failed")]
    Storage(#[from] rocksdb::Error),
}

/// The value by which an index knows its keystore.
pub(super) struct KeystoreCheck(pub [u8; 32]);

/// A number that puts pending work in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Turn(pub u64);

pub(super) struct Index {
    db: DB,
}

/// Changes that are written together or not at all.
#[derive(Default)]
pub(super) struct Changes(Vec<Change>);

type KeyAndValue = (Vec<u8>, Vec<u8>);

struct Change {
    family: &'static str,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl Index {
    /// Makes a new index. A half-made one, of a process that died meanwhile, is finished.
    pub(super) fn create(path: &Path, check: &KeystoreCheck) -> Result<Index, IndexError> {
        let index = Index { db: open_db(path, true)? };
        if index.get(META, FORMAT_KEY)?.is_some() {
            return Err(IndexError::Exists(path.to_owned()));
        }
        let mut changes = Changes::default();
        changes.put(META, FORMAT_KEY.to_vec(), FORMAT.to_be_bytes().to_vec());
        changes.put(META, CHECK_KEY.to_vec(), check.0.to_vec());
        index.write(changes)?;
        Ok(index)
    }

    /// Opens an index.
    pub(super) fn open(path: &Path, check: &KeystoreCheck) -> Result<Index, IndexError> {
        if !path.join("CURRENT").exists() {
            return Err(IndexError::Missing(path.to_owned()));
        }
        let index = Index { db: open_db(path, false)? };
        let format = index.get(META, FORMAT_KEY)?.ok_or_else(|| IndexError::Missing(path.to_owned()))?;
        let format = u32::from_be_bytes(exact(META, FORMAT_KEY, &format)?);
        if format != FORMAT {
            return Err(IndexError::Newer(path.to_owned(), format));
        }
        let stored = index.get(META, CHECK_KEY)?.unwrap_or_default();
        if !bool::from(subtle::ConstantTimeEq::ct_eq(&stored[..], &check.0[..])) {
            return Err(IndexError::OtherKeystore(path.to_owned()));
        }
        Ok(index)
    }

    /// Writes a batch: durable when this returns.
    pub(super) fn write(&self, changes: Changes) -> Result<(), IndexError> {
        let mut batch = WriteBatch::default();
        for Change { family, key, value } in changes.0 {
            match value {
                Some(value) => batch.put_cf(self.family(family)?, key, value),
                None => batch.delete_cf(self.family(family)?, key),
            }
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        Ok(self.db.write_opt(batch, &synced)?)
    }

    pub(super) fn record(&self, commitment: Commitment) -> Result<Option<RecordRow>, IndexError> {
        let key = key_of(commitment);
        let Some(bytes) = self.get(RECORDS, &key)? else { return Ok(None) };
        RecordRow::from_bytes(&bytes).map(Some).map_err(|e| damaged(RECORDS, &key, e))
    }

    /// All records, in the order of their commitments.
    pub(super) fn records(
        &self,
    ) -> Result<impl Iterator<Item = Result<(Commitment, RecordRow), IndexError>>, IndexError> {
        let rows = self.scan(RECORDS, &[])?;
        Ok(rows.map(|row| {
            let (key, value) = row?;
            let row = RecordRow::from_bytes(&value).map_err(|e| damaged(RECORDS, &key, e))?;
            Ok((commitment(RECORDS, &key, &key)?, row))
        }))
    }

    /// Which subject an identifier leads to, and how.
    pub(super) fn alias(&self, secret: &IndexSecret, handle: Handle) -> Result<Option<AliasRow>, IndexError> {
        let Some(bytes) = self.get(ALIASES, handle.as_bytes())? else { return Ok(None) };
        let row = AliasRow::from_bytes(secret, handle, &bytes);
        row.map(Some).ok_or_else(|| damaged(ALIASES, handle.as_bytes(), WireError::Bad("tag")))
    }

    /// A subject's wrapped secrets; none if they were destroyed.
    pub(super) fn subject(&self, id: SubjectId) -> Result<Option<Vec<u8>>, IndexError> {
        self.get(SUBJECTS, id.as_bytes())
    }

    pub(super) fn head(&self, source: Handle) -> Result<Option<SourceHead>, IndexError> {
        let Some(bytes) = self.get(SOURCES, source.as_bytes())? else { return Ok(None) };
        rows::head_from_bytes(&bytes).map(Some).map_err(|e| damaged(SOURCES, source.as_bytes(), e))
    }

    /// What a version of a resource became, if it was ever seen.
    pub(super) fn version(&self, source: Handle, version: Handle) -> Result<Option<SourceHead>, IndexError> {
        let key = version_key(source, version);
        let Some(bytes) = self.get(SOURCES, &key)? else { return Ok(None) };
        rows::head_from_bytes(&bytes).map(Some).map_err(|e| damaged(SOURCES, &key, e))
    }

    /// The commitments of a subject's records of a schema.
    pub(super) fn records_of(&self, id: SubjectId, schema: SchemaId) -> Result<Vec<Commitment>, IndexError> {
        let prefix = [&id.as_bytes()[..], schema.fe().as_bytes()].concat();
        self.scan(BY_SUBJECT, &prefix)?
            .map(|row| {
                let (key, _) = row?;
                let tail = key.get(48..).unwrap_or_default();
                commitment(BY_SUBJECT, &key, tail)
            })
            .collect()
    }

    /// Whether a record is listed as this subject's.
    pub(super) fn is_of_subject(
        &self,
        id: SubjectId,
        schema: SchemaId,
        commitment: Commitment,
    ) -> Result<bool, IndexError> {
        Ok(self.get(BY_SUBJECT, &by_subject_key(id, schema, commitment))?.is_some())
    }

    /// What the ledger has still to be asked, in order.
    pub(super) fn pending(&self) -> Result<Vec<(Turn, Pending)>, IndexError> {
        self.scan(PENDING, &[])?
            .map(|row| {
                let (key, value) = row?;
                let turn = Turn(u64::from_be_bytes(exact(PENDING, &key, &key)?));
                let pending = Pending::from_bytes(&value).map_err(|e| damaged(PENDING, &key, e))?;
                Ok((turn, pending))
            })
            .collect()
    }

    /// The turn after all pending work.
    pub(super) fn next_turn(&self) -> Result<Turn, IndexError> {
        match self.db.iterator_cf(self.family(PENDING)?, IteratorMode::End).next().transpose()? {
            None => Ok(Turn(0)),
            Some((key, _)) => Ok(Turn(u64::from_be_bytes(exact(PENDING, &key, &key)?) + 1)),
        }
    }

    pub(super) fn blob(&self, id: BlobId) -> Result<Option<Commitment>, IndexError> {
        let Some(bytes) = self.get(BLOBS, id.as_bytes())? else { return Ok(None) };
        commitment(BLOBS, id.as_bytes(), &bytes).map(Some)
    }

    fn get(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.db.get_cf(self.family(family)?, key)?)
    }

    fn scan<'a>(
        &'a self,
        family: &'static str,
        prefix: &[u8],
    ) -> Result<impl Iterator<Item = Result<KeyAndValue, IndexError>> + use<'a>, IndexError> {
        let prefix = prefix.to_vec();
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        let rows =
            self.db.iterator_cf_opt(self.family(family)?, options, IteratorMode::From(&prefix, Direction::Forward));
        Ok(rows
            .map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).map_err(IndexError::from))
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix))))
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, IndexError> {
        self.db.cf_handle(name).ok_or_else(|| IndexError::Damaged {
            family: name,
            key: String::new(),
            why: "and the whole family are missing".to_owned(),
        })
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn put_record(&mut self, commitment: Commitment, row: &RecordRow) {
        self.put(RECORDS, key_of(commitment).to_vec(), row.to_bytes());
    }

    /// A record that is new: its row, and what leads to it.
    pub(super) fn add_record(&mut self, commitment: Commitment, row: &RecordRow) {
        self.put_record(commitment, row);
        self.put(BLOBS, row.blob.as_bytes().to_vec(), key_of(commitment).to_vec());
        self.put(BY_SUBJECT, by_subject_key(row.subject, row.schema, commitment), Vec::new());
    }

    pub(super) fn put_alias(&mut self, secret: &IndexSecret, handle: Handle, row: AliasRow) {
        self.put(ALIASES, handle.as_bytes().to_vec(), row.to_bytes(secret, handle).to_vec());
    }

    pub(super) fn put_subject(&mut self, id: SubjectId, wrapped: Vec<u8>) {
        self.put(SUBJECTS, id.as_bytes().to_vec(), wrapped);
    }

    pub(super) fn delete_subject(&mut self, id: SubjectId) {
        self.delete(SUBJECTS, id.as_bytes().to_vec());
    }

    /// A version of a resource was seen, and is now the newest.
    pub(super) fn put_version(&mut self, source: Handle, version: Handle, head: SourceHead) {
        let bytes = rows::head_to_bytes(head);
        self.put(SOURCES, version_key(source, version).to_vec(), bytes.clone());
        self.put(SOURCES, source.as_bytes().to_vec(), bytes);
    }

    pub(super) fn put_pending(&mut self, turn: Turn, pending: &Pending) {
        self.put(PENDING, turn.0.to_be_bytes().to_vec(), pending.to_bytes());
    }

    pub(super) fn delete_pending(&mut self, turn: Turn) {
        self.delete(PENDING, turn.0.to_be_bytes().to_vec());
    }

    fn put(&mut self, family: &'static str, key: Vec<u8>, value: Vec<u8>) {
        self.0.push(Change { family, key, value: Some(value) });
    }

    fn delete(&mut self, family: &'static str, key: Vec<u8>) {
        self.0.push(Change { family, key, value: None });
    }
}

fn open_db(path: &Path, create: bool) -> Result<DB, IndexError> {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
    options.set_paranoid_checks(true);
    // a log that is damaged before its end is damage, not an end: the default would drop what follows in silence
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_keep_log_file_num(2);
    DB::open_cf(&options, path, FAMILIES).map_err(|e| match e.kind() {
        // RocksDB has no kind of its own for a lock that is held.
        ErrorKind::IOError if e.as_ref().contains("lock") => IndexError::InUse(path.to_owned()),
        _ => IndexError::Storage(e),
    })
}

fn key_of(commitment: Commitment) -> [u8; 32] {
    *commitment.fe().as_bytes()
}

fn by_subject_key(id: SubjectId, schema: SchemaId, commitment: Commitment) -> Vec<u8> {
    [&id.as_bytes()[..], schema.fe().as_bytes(), &key_of(commitment)].concat()
}

fn version_key(source: Handle, version: Handle) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(source.as_bytes());
    key[32..].copy_from_slice(version.as_bytes());
    key
}

fn commitment(family: &'static str, key: &[u8], bytes: &[u8]) -> Result<Commitment, IndexError> {
    let bytes: [u8; 32] = exact(family, key, bytes)?;
    rows::commitment(bytes).map_err(|e| damaged(family, key, e))
}

fn exact<const N: usize>(family: &'static str, key: &[u8], bytes: &[u8]) -> Result<[u8; N], IndexError> {
    bytes.try_into().map_err(|_| damaged(family, key, WireError::Bad("length")))
}

fn damaged(family: &'static str, key: &[u8], why: WireError) -> IndexError {
    IndexError::Damaged { family, key: hex::encode(key), why: why.to_string() }
}
