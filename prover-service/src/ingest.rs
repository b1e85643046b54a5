//! Ingest: FHIR files into the vault and onto the ledger, each resource once.
//!
//! ```text
//! read file → map resources → stage a batch (durable, pending) → settle it on the ledger → acknowledge
//! ```
//!
//! What cannot be taken is reported with file, entry and path, and the rest is taken. A record is acknowledged
//! only when the ledger has it. A crash loses nothing acknowledged; running the same files again finishes the rest.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{CryptoRng, RngCore};
use serde::Serialize;
use vouchsafe_access::subject::{Identifier, IdentifierError};
use vouchsafe_access::vault::{Draft, Incoming, Outcome, RecordId, SettleError, SourceKey, StageError};
use vouchsafe_circuits::schema::Schema;

use crate::fhir::{self, BundleReading, Mapped, ResourceKey, ResourceType, Schemas, Source, SubjectId, Withdrawal};
use crate::institution::Institution;

/// Records that go to the ledger together.
const BATCH: usize = 128;

/// What was done, for people and machines.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Resources that were mapped to a record, by type.
    pub records: BTreeMap<String, u64>,
    /// Records that are new on the ledger.
    pub added: u64,
    /// Records that replaced an older version.
    pub amended: u64,
    /// Records that were withdrawn, being entered in error.
    pub withdrawn: u64,
    /// Resources whose version was there already.
    pub unchanged: u64,
    /// Resources whose version was seen before, and another one since: nothing was done.
    pub older: u64,
    /// Names of patients that were not taken, since they lead to another patient.
    pub names_not_taken: u64,
    /// Resources without a schema, by type.
    pub skipped: BTreeMap<String, u64>,
    /// Elements that no field could hold, by what they are.
    pub unmapped: BTreeMap<String, u64>,
    /// Numbers that lost digits to the scale of their field.
    pub rounded: u64,
    /// What was not taken, and why.
    pub errors: Vec<serde_json::Value>,
}

/// What is told while it goes on.
pub trait Progress {
    /// A file was read: so many records are to come.
    fn file(&mut self, file: &Path, records: usize);
    /// The ledger has these; they cannot be lost any more.
    fn acknowledged(&mut self, records: &[RecordId]);
    /// So many resources of the batch are dealt with.
    fn advanced(&mut self, resources: usize);
}

/// Tells nobody anything.
pub struct Silent;

impl Progress for Silent {
    fn file(&mut self, _: &Path, _: usize) {}
    fn acknowledged(&mut self, _: &[RecordId]) {}
    fn advanced(&mut self, _: usize) {}
}

/// Why ingest stopped. What was acknowledged stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// A batch could not be staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A batch could not be brought to the ledger; it stays pending.
    #[error(transparent)]
    Settle(#[from] SettleError),
}

/// Takes files in. A file that cannot be read is an error in the report, not the end.
pub async fn ingest(
    institution: &Institution,
    source: &Source,
    files: &[PathBuf],
    progress: &mut dyn Progress,
    rng: &mut (impl RngCore + CryptoRng + Send),
) -> Result<Report, IngestError> {
    let mut intake = Intake::new(institution, source);
    // what an earlier run left pending comes first
    institution.vault().settle(&institution.bridge(), rng).await?;
    for file in files {
        let name = file.display().to_string();
        let reading = match read_whole(file) {
            Ok(bytes) => fhir::read_bundle(&bytes, &name, source, &intake.schemas),
            Err(error) => {
                let why = format!("cannot be read: {error}");
                intake.report.errors.push(serde_json::json!({ "file": name, "path": "$", "why": why }));
                continue;
            }
        };
        progress.file(file, reading.records.len() + reading.withdrawals.len());
        intake.take(&name, reading, progress, rng).await?;
    }
    intake.finish(progress, rng).await
}

/// Reads a file; of one that is too large, enough to see that it is.
fn read_whole(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(fhir::FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Takes readings in, file after file; what they hold goes to vault and ledger in batches, whichever file it is from,
/// so that many small files cost no more syncs than a large one.
pub struct Intake<'a> {
    institution: &'a Institution,
    source: &'a Source,
    schemas: Schemas,
    shared: BTreeMap<ResourceType, Arc<Schema>>,
    waiting: Vec<(Place, Incoming)>,
    report: Report,
}

impl<'a> Intake<'a> {
    /// An intake for one source.
    pub fn new(institution: &'a Institution, source: &'a Source) -> Intake<'a> {
        let schemas = Schemas::built_in();
        let shared = ResourceType::ALL.into_iter().map(|t| (t, Arc::new(schemas.of(t).clone()))).collect();
        Intake { institution, source, schemas, shared, waiting: Vec::new(), report: Report::default() }
    }

    /// Reads one file's bytes and takes it in; the last of it may wait for [`Intake::finish`].
    pub async fn bytes(
        &mut self,
        name: &str,
        bytes: &[u8],
        progress: &mut dyn Progress,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<(), IngestError> {
        let reading = fhir::read_bundle(bytes, name, self.source, &self.schemas);
        self.take(name, reading, progress, rng).await
    }

    /// Takes in what still waits, and tells what was done.
    pub async fn finish(
        mut self,
        progress: &mut dyn Progress,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<Report, IngestError> {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.batch(rest, progress, rng).await?;
        }
        Ok(self.report)
    }

    async fn take(
        &mut self,
        file: &str,
        reading: BundleReading,
        progress: &mut dyn Progress,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<(), IngestError> {
        add_up(&mut self.report.skipped, reading.skipped);
        add_up(&mut self.report.unmapped, reading.unmapped);
        self.report.rounded += reading.rounded;
        self.report.errors.extend(reading.errors.iter().map(|e| serde_json::json!(e)));
        for record in reading.records {
            *self.report.records.entry(record.key.resource_type.to_string()).or_default() += 1;
            let place = Place { file: file.to_owned(), key: record.key.clone(), entry: record.entry };
            match self.draft(record) {
                Ok(draft) => self.waiting.push((place, Incoming::Record(Box::new(draft)))),
                Err(error) => self.refuse(&place, &error.to_string()),
            }
        }
        for Withdrawal { key, part, unread, version, entry, .. } in reading.withdrawals {
            let version = if unread { format!("{version}:unread") } else { version.to_string() };
            let source_key = source_key(&key, part, &version);
            let place = Place { file: file.to_owned(), key, entry };
            self.waiting.push((place, Incoming::EnteredInError(source_key)));
        }
        while self.waiting.len() >= BATCH {
            let batch: Vec<_> = self.waiting.drain(..BATCH).collect();
            self.batch(batch, progress, rng).await?;
        }
        Ok(())
    }

    async fn batch(
        &mut self,
        batch: Vec<(Place, Incoming)>,
        progress: &mut dyn Progress,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<(), IngestError> {
        let count = batch.len();
        let (places, incoming): (Vec<Place>, Vec<Incoming>) = batch.into_iter().unzip();
        let vault = self.institution.vault();
        let staged = vault.stage(incoming, rng).await?;
        vault.settle(&self.institution.bridge(), rng).await?;
        self.report.names_not_taken += staged.foreign_lookups as u64;
        let mut acknowledged = Vec::new();
        for (place, outcome) in places.iter().zip(staged.outcomes) {
            match outcome {
                Ok(Outcome::New(record)) => {
                    self.report.added += 1;
                    acknowledged.push(record);
                }
                Ok(Outcome::Amends { record, .. }) => {
                    self.report.amended += 1;
                    acknowledged.push(record);
                }
                Ok(Outcome::Withdraws(_)) => self.report.withdrawn += 1,
                Ok(Outcome::Older) => self.report.older += 1,
                Ok(_) => self.report.unchanged += 1,
                Err(error) => self.refuse(place, &error.to_string()),
            }
        }
        progress.acknowledged(&acknowledged);
        progress.advanced(count);
        Ok(())
    }

    fn draft(&self, record: Mapped) -> Result<Draft, IdentifierError> {
        let identity = self.institution.identity();
        let schema = self.shared.get(&record.key.resource_type).cloned();
        Ok(Draft {
            schema: schema.unwrap_or_else(|| Arc::new(self.schemas.of(record.key.resource_type).clone())),
            issuer: self.institution.member().issuer(),
            suite: identity.suite,
            subject: identifiers(std::iter::once(&record.subject.canonical).chain(&record.subject.aliases))?,
            lookups: identifiers(&record.subject.lookups)?,
            introduces: record.key.resource_type == ResourceType::Patient,
            fields: record.fields,
            valid: record.valid,
            source: source_key(&record.key, record.part, &record.version.to_string()),
        })
    }

    fn refuse(&mut self, Place { file, key, entry }: &Place, why: &str) {
        let path = format!("{}/{}", key.resource_type, key.id);
        self.report.errors.push(serde_json::json!({ "file": file, "entry": entry, "path": path, "why": why }));
    }
}

/// Which resource, and where it stands.
struct Place {
    file: String,
    key: ResourceKey,
    entry: Option<usize>,
}

fn source_key(key: &ResourceKey, part: Option<u8>, version: &str) -> SourceKey {
    let part = part.map(|part| format!("#{part}")).unwrap_or_default(); // no id has a '#'
    SourceKey {
        source: key.source.as_str().to_owned(),
        resource: format!("{}/{}{part}", key.resource_type, key.id),
        version: version.to_owned(),
    }
}

fn identifiers<'a>(ids: impl IntoIterator<Item = &'a SubjectId>) -> Result<Vec<Identifier>, IdentifierError> {
    ids.into_iter().map(|id| id.as_str().parse()).collect()
}

fn add_up(sums: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (key, count) in more {
        *sums.entry(key).or_default() += count;
    }
}
