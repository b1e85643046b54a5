//! Checking a vault: every row reads, every blob is there and is what was stored, every record comes out of it.
//!
//! Records of a schema that is not given are checked as far as that goes without: blob and subject. Does not ask the
//! ledger: `settle` does.

use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_circuits::schema::Schema;

use super::blobs::{BlobError, BlobId};
use super::index::{IndexError, Intent, RecordState};
use super::read::ReadError;
use super::{RecordId, RecordSummary, Vault};

/// What a check found.
#[derive(Debug, Default)]
pub struct CheckReport {
    /// Records looked at.
    pub records: usize,
    /// Of these, opened in full, their commitment recomputed.
    pub opened: usize,
    /// Of these, of a subject that was erased.
    pub erased: usize,
    /// Pieces of work that the ledger has still to be asked for.
    pub pending: usize,
    /// Blobs that no record points to: left by a process that died while staging. Harmless.
    pub orphans: Vec<BlobId>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

/// Something wrong with a record.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The record does not open.
    #[error(transparent)]
    Record(#[from] ReadError),
    /// The record is not found by its subject, its blob or its state.
    #[error("record {record}: {what}; restore the index from a backup")]
    Row {
        /// The record.
        record: RecordId,
        /// What is wrong.
        what: &'static str,
    },
}

impl CheckReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The check itself could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The index failed, or a row of it cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The blob store could not be listed.
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl Vault {
    /// Checks everything. Nothing is changed.
    pub async fn check(&self, schemas: &[Arc<Schema>]) -> Result<CheckReport, CheckError> {
        let _one_at_a_time = self.writing.lock().await;
        let pending = self.index.pending()?;
        let mut report = CheckReport { pending: pending.len(), ..CheckReport::default() };
        let waiting: BTreeSet<RecordId> = pending
            .iter()
            .filter(|(_, p)| p.intent != Intent::Withdraw)
            .map(|(_, p)| RecordId::of(p.commitment))
            .collect();
        let schemas: Vec<_> = schemas.iter().map(|schema| (schema.id(), schema)).collect();
        let mut blobs: BTreeSet<BlobId> = self.blobs.list().await?.into_iter().collect();
        for record in self.index.records()? {
            let (commitment, row) = record?;
            let record = super::read::summary(RecordId::of(commitment), &row);
            report.records += 1;
            blobs.remove(&record.blob);
            if let Some(what) = self.misplaced(&record, waiting.contains(&record.id))? {
                report.faults.push(Fault::Row { record: record.id, what });
            }
            let schema = schemas.iter().find(|(id, _)| *id == record.schema).map(|(_, schema)| schema);
            match self.opens(&record, schema.map(|s| &***s)).await {
                Ok(opened) => report.opened += usize::from(opened),
                Err(ReadError::Erased(_)) => report.erased += 1,
                Err(e) => report.faults.push(e.into()),
            }
        }
        report.orphans = blobs.into_iter().collect();
        Ok(report)
    }

    async fn opens(&self, record: &RecordSummary, schema: Option<&Schema>) -> Result<bool, ReadError> {
        if let Some(schema) = schema {
            return self.open_for_proof(record.id, schema).await.map(|_| true);
        }
        let blob = self.blobs.get(record.blob).await;
        blob.map(|_| false).map_err(|blob| ReadError::Blob { record: record.id, blob })
    }

    fn misplaced(&self, record: &RecordSummary, waiting: bool) -> Result<Option<&'static str>, IndexError> {
        let commitment = record.id.commitment();
        if self.index.blob(record.blob)? != Some(commitment) {
            return Ok(Some("its blob is noted as another record's"));
        }
        if !self.index.is_of_subject(record.subject, record.schema, commitment)? {
            return Ok(Some("it is not among its subject's records"));
        }
        if (record.state == RecordState::Pending) != waiting {
            return Ok(Some("it is pending with no work for it, or the other way round"));
        }
        Ok(None)
    }
}
