//! Reading: which records there are, and one of them in full, for the holder's own proof.
//!
//! Nothing here releases a record to a reader: that goes through the one door, with an entry on the ledger first.

use std::collections::BTreeMap;

use vouchsafe_circuits::ids::{IssuerId, SchemaId};
use vouchsafe_circuits::record::{FieldValue, RecordOpening};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tree::Position;

use super::blobs::{BlobError, BlobId};
use super::index::{Changes, IndexError, RecordRow, RecordState};
use super::sealing::{self, OpenRecordError, OpenedRecord};
use super::{RecordId, Vault};
use crate::subject::{self, Identifier, SubjectId, SubjectSecrets};

/// A record as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSummary {
    /// Which record.
    pub id: RecordId,
    /// Its schema.
    pub schema: SchemaId,
    /// The member that committed it.
    pub issuer: IssuerId,
    /// The suite of its commitment.
    pub suite: Suite,
    /// Whose it is.
    pub subject: SubjectId,
    /// Where it stands.
    pub state: RecordState,
    /// Its blob.
    pub blob: BlobId,
}

/// A record in full: everything that a proof about it needs, and all that is confidential about it.
#[derive(Clone, Debug)]
pub struct HeldRecord {
    /// Which record.
    pub id: RecordId,
    /// The suite of its commitment.
    pub suite: Suite,
    /// Where it stands; look at it before proving.
    pub state: RecordState,
    /// Whose it is: the subject whose erase key opened it.
    pub subject: SubjectId,
    /// What opens its commitment; it was checked that it does.
    pub opening: RecordOpening,
    /// The raw values, in the order of the schema's fields.
    pub values: Vec<FieldValue>,
}

impl HeldRecord {
    /// Its position in the active set, if it is active.
    pub fn active_position(&self) -> Option<Position> {
        match self.state {
            RecordState::Committed { position, .. } => Some(position),
            _ => None,
        }
    }
}

/// A record could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such record.
    #[error("there is no record {0} in this vault")]
    NoRecord(RecordId),
    /// It was withdrawn or superseded.
    #[error("record {0} is not active any more")]
    NotActive(RecordId),
    /// The schema given is not the record's.
    #[error("record {record} has schema {has}, not {given}: give the record's own schema")]
    OtherSchema {
        /// The record.
        record: RecordId,
        /// Its schema.
        has: SchemaId,
        /// The schema given.
        given: SchemaId,
    },
    /// The subject's erase key was destroyed.
    #[error("record {0} cannot be opened: its subject was erased")]
    Erased(RecordId),
    /// The record's blob is missing, damaged or unreadable.
    #[error("record {record} cannot be opened: {blob}")]
    Blob {
        /// The record.
        record: RecordId,
        /// What is wrong with which blob.
        #[source]
        blob: BlobError,
    },
    /// The blob is as stored, but the record does not come out of it.
    #[error("record {record} cannot be opened from blob {blob}: {why}; restore index and blobs from one backup")]
    Sealed {
        /// The record.
        record: RecordId,
        /// Its blob.
        blob: BlobId,
        /// What is wrong.
        why: String,
    },
    /// The subject's row does not open.
    #[error(
        "record {record} cannot be opened: the row of subject {subject} is damaged; restore the index from a backup"
    )]
    Subject {
        /// The record.
        record: RecordId,
        /// The subject.
        subject: SubjectId,
    },
    /// The index failed.
    #[error("the vault's index failed")]
    Index(#[from] IndexError),
}

impl Vault {
    /// The subject with this identifier, if the vault knows it. Any identifier it was given will do.
    pub fn subject(&self, identifier: &Identifier) -> Result<Option<SubjectId>, IndexError> {
        let handle = subject::alias_handle(&self.keys.handles, identifier);
        Ok(self.index.alias(&self.keys.handles, handle)?.map(|row| row.subject))
    }

    /// The records of a subject that have this schema and are committed and active.
    pub fn find(&self, subject: SubjectId, schema: SchemaId) -> Result<Vec<RecordId>, IndexError> {
        let mut active = Vec::new();
        for commitment in self.index.records_of(subject, schema)? {
            let row = self.index.record(commitment)?;
            if row.is_some_and(|row| matches!(row.state, RecordState::Committed { .. })) {
                active.push(RecordId::of(commitment));
            }
        }
        Ok(active)
    }

    /// A record as the index knows it.
    pub fn record(&self, id: RecordId) -> Result<Option<RecordSummary>, IndexError> {
        Ok(self.index.record(id.commitment())?.map(|row| summary(id, &row)))
    }

    /// All records, in whichever state, in the order of their ids.
    pub fn records(&self) -> Result<impl Iterator<Item = Result<RecordSummary, IndexError>>, IndexError> {
        let rows = self.index.records()?;
        Ok(rows.map(|row| row.map(|(commitment, row)| summary(RecordId::of(commitment), &row))))
    }

    /// How many records are committed and active, by schema.
    pub fn count_by_schema(&self) -> Result<BTreeMap<SchemaId, usize>, IndexError> {
        let mut counts = BTreeMap::new();
        for record in self.records()? {
            let record = record?;
            if matches!(record.state, RecordState::Committed { .. }) {
                *counts.entry(record.schema).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Opens a record in full, for the holder's own proving. Not for release: a reader gets keys through the one door.
    pub async fn open_for_proof(&self, id: RecordId, schema: &Schema) -> Result<HeldRecord, ReadError> {
        let (row, secrets, blob) = self.sealed_record(id, schema.id()).await?;
        let opened = sealing::open(
            &row.binding(id.commitment()),
            row.issuer,
            schema,
            &blob,
            &row.wraps,
            &secrets.erase_key,
            |epoch| self.keys.holder(epoch),
        );
        let OpenedRecord { opening, values } = opened.map_err(|e: OpenRecordError| ReadError::Sealed {
            record: id,
            blob: row.blob,
            why: e.to_string(),
        })?;
        Ok(HeldRecord { id, suite: row.proof, state: row.state, subject: row.subject, opening, values })
    }

    /// A record as it lies here: its row, its subject's secrets, its blob.
    pub(super) async fn sealed_record(
        &self,
        id: RecordId,
        given: SchemaId,
    ) -> Result<(RecordRow, SubjectSecrets, Vec<u8>), ReadError> {
        let row = self.index.record(id.commitment())?.ok_or(ReadError::NoRecord(id))?;
        if given != row.schema {
            return Err(ReadError::OtherSchema { record: id, has: row.schema, given });
        }
        let wrapped = self.index.subject(row.subject)?.ok_or(ReadError::Erased(id))?;
        let secrets = self
            .keys
            .subject_rows
            .open(row.subject, &wrapped)
            .map_err(|_| ReadError::Subject { record: id, subject: row.subject })?;
        let blob = self.blobs.get(row.blob).await.map_err(|blob| ReadError::Blob { record: id, blob })?;
        Ok((row, secrets, blob))
    }

    /// Destroys a subject's erase key: its records can no longer be opened from this index and the blobs. Withdraw its
    /// records first; a tombstone and a receipt are a later step. Backups, and the database's own files until they are
    /// compacted, still hold the key.
    pub async fn dangerous_destroy_erase_key(&self, subject: SubjectId) -> Result<(), IndexError> {
        let _one_at_a_time = self.writing.lock().await;
        let mut changes = Changes::default();
        changes.delete_subject(subject);
        self.index.write(changes)
    }
}

pub(super) fn summary(id: RecordId, row: &RecordRow) -> RecordSummary {
    RecordSummary {
        id,
        schema: row.schema,
        issuer: row.issuer,
        suite: row.proof,
        subject: row.subject,
        state: row.state,
        blob: row.blob,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rand::SeedableRng;
    use vouchsafe_circuits::fe::Fe;
    use vouchsafe_circuits::record::{Absence, Validity};
    use vouchsafe_circuits::schema::builtin;

    use super::*;
    use crate::keystore::Keystore;
    use crate::vault::{Draft, Incoming, Outcome, SourceKey};

    async fn two_records(dir: &std::path::Path) -> (Vault, Arc<Schema>, [RecordId; 2]) {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let vault = Vault::create(dir, &Keystore::generate(&mut rng)).unwrap();
        let schema = Arc::new(builtin::patient());
        let draft = |resource: &str| Draft {
            schema: schema.clone(),
            issuer: IssuerId::new(Fe::from_u64(1)),
            suite: Suite::Bn254,
            subject: vec!["s|1".parse().unwrap()],
            lookups: Vec::new(),
            introduces: true,
            fields: schema.all_absent(Absence::NotAsked),
            valid: Validity::ALWAYS,
            source: SourceKey { source: "s".into(), resource: resource.into(), version: "1".into() },
        };
        let incoming = ["a", "b"].map(|r| Incoming::Record(Box::new(draft(r)))).to_vec();
        let outcomes = vault.stage(incoming, &mut rng).await.unwrap().outcomes;
        let ids = [0, 1].map(|n| match outcomes[n] {
            Ok(Outcome::New(id)) => id,
            _ => panic!("not new"),
        });
        (vault, schema, ids)
    }

    /// One who can write the index shows one record's blob and wraps as another's of the same subject.
    #[tokio::test]
    async fn a_row_that_points_at_another_record_is_refused_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let (vault, schema, [one, two]) = two_records(dir.path()).await;
        let rows = [one, two].map(|id| vault.index.record(id.commitment()).unwrap().unwrap());
        let other = RecordRow { wraps: rows[1].wraps.clone(), ..rows[0].clone() };
        let both = RecordRow { blob: rows[1].blob, ..other.clone() };
        for doctored in [other, both, RecordRow { blob: rows[1].blob, ..rows[0].clone() }] {
            let mut changes = Changes::default();
            changes.put_record(one.commitment(), &doctored);
            vault.index.write(changes).unwrap();
            let e = vault.open_for_proof(one, &schema).await.unwrap_err();
            assert!(matches!(e, ReadError::Sealed { record, blob, .. } if record == one && blob == doctored.blob));
        }
        // control: with its own row it opens
        let mut changes = Changes::default();
        changes.put_record(one.commitment(), &rows[0]);
        vault.index.write(changes).unwrap();
        assert!(vault.open_for_proof(one, &schema).await.is_ok());
    }
}
