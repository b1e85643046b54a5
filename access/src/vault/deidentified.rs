//! Reading for research: the fields of tiers 0 to 2 of a schema's active records, opened with the key of tier 2 alone.
//!
//! ```text
//! hold_still    no staging and no settling meanwhile: the list of records and the ledger's anchor are of one moment
//! open_low      the listed records, some at a time: blobs fetched, then opened on all cores
//! ```
//!
//! A field above tier 2 comes out as withheld: its ciphertext is not touched. A record whose subject was erased is
//! left out. The header stays closed, so whether a record is valid on a day is not known here.

use std::sync::Arc;

use futures_util::lock::MutexGuard;
use futures_util::{StreamExt, TryStreamExt, stream};
use rayon::prelude::*;
use vouchsafe_circuits::ids::{Commitment, SchemaId};
use vouchsafe_circuits::record::{Absence, FieldIndex, FieldValue, Tier};
use vouchsafe_circuits::schema::Schema;

use super::blobs::BlobError;
use super::index::{IndexError, RecordRow, RecordState};
use super::{RecordId, Vault};
use crate::envelope::{Binding, EnvelopeError, Part, SealedPart, Wrap};
use crate::ladder::{EraseKey, TierKey};
use crate::subject::SubjectId;

/// The highest tier that research reads.
pub(crate) const RESEARCH_TIER: Tier = Tier::DeIdentified;

/// Records that are opened at one time: bounds the memory.
const RECORDS_AT_ONCE: usize = 1024;
/// Blobs on their way at one time.
const GETS: usize = 32;

/// The records of a cohort could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CohortError {
    /// Some records are not on the ledger yet, or the answer was not seen.
    #[error("{0} changes are not settled with the ledger: run `vouch ingest` or restart the node, then ask again")]
    Unsettled(usize),
    /// A record's blob is missing, damaged or unreadable.
    #[error("record {record} cannot be opened: {blob}")]
    Blob {
        /// The record.
        record: RecordId,
        /// What is wrong with which blob.
        #[source]
        blob: Box<BlobError>,
    },
    /// The blob is as stored, but the fields do not come out of it.
    #[error("record {record} cannot be opened: {why}; restore index and blobs from one backup")]
    Sealed {
        /// The record.
        record: RecordId,
        /// What is wrong.
        why: String,
    },
    /// The subject's row does not open.
    #[error("record {0} cannot be opened: its subject's row is damaged; restore the index from a backup")]
    Subject(RecordId),
    /// The threads that open records have gone.
    #[error("opening was stopped")]
    Stopped,
    /// The index failed.
    #[error("the vault's index failed")]
    Index(#[from] IndexError),
}

/// The vault while nothing is staged or settled: until this is dropped.
pub(crate) struct StillVault<'v> {
    vault: &'v Vault,
    _writing: MutexGuard<'v, ()>,
}

/// An active record, not opened yet.
pub(crate) struct Listed {
    commitment: Commitment,
    row: RecordRow,
}

/// A record as research may see it, before its de-identification rules.
pub(crate) struct LowRecord {
    /// Which record.
    pub id: RecordId,
    /// Whose it is.
    pub subject: SubjectId,
    /// One for each field of the schema, in order; those above tier 2 withheld.
    pub values: Vec<FieldValue>,
}

/// What opens one record's lower tiers, away from the index.
struct Job {
    id: RecordId,
    subject: SubjectId,
    binding: Binding,
    wraps: Vec<Wrap>,
    erase: EraseKey,
    blob: Vec<u8>,
}

impl Vault {
    /// Waits until nothing is being staged or settled, and keeps it so. Refuses while changes are pending: then the
    /// ledger may know of records that this vault does not count, or the other way round.
    pub(crate) async fn hold_still(&self) -> Result<StillVault<'_>, CohortError> {
        let writing = self.writing.lock().await;
        match self.index.pending()?.len() {
            0 => Ok(StillVault { vault: self, _writing: writing }),
            pending => Err(CohortError::Unsettled(pending)),
        }
    }

    /// Opens the listed records' fields of tiers 0 to 2 and hands them on, in no particular order.
    pub(crate) async fn open_low(
        &self,
        listed: Vec<Listed>,
        schema: &Arc<Schema>,
        mut each: impl FnMut(LowRecord),
    ) -> Result<(), CohortError> {
        // From here on there is no key above tier 2: derivation goes downwards only.
        let keys: Arc<[TierKey]> = self.keys.epochs.iter().map(|holder| holder.tier(RESEARCH_TIER)).collect();
        let mut listed = listed.into_iter();
        loop {
            let some: Vec<Listed> = listed.by_ref().take(RECORDS_AT_ONCE).collect();
            if some.is_empty() {
                return Ok(());
            }
            let jobs = stream::iter(some.into_iter().map(|record| self.job(record))).buffer_unordered(GETS);
            let jobs: Vec<Job> = jobs.try_filter_map(async |job| Ok(job)).try_collect().await?;
            for opened in open_all(jobs, keys.clone(), schema.clone()).await? {
                each(opened);
            }
        }
    }

    /// None if the subject was erased.
    async fn job(&self, listed: Listed) -> Result<Option<Job>, CohortError> {
        let Listed { commitment, row } = listed;
        let id = RecordId::of(commitment);
        let Some(wrapped) = self.index.subject(row.subject)? else { return Ok(None) };
        let secrets = self.keys.subject_rows.open(row.subject, &wrapped).map_err(|_| CohortError::Subject(id))?;
        let blob =
            self.blobs.get(row.blob).await.map_err(|blob| CohortError::Blob { record: id, blob: Box::new(blob) })?;
        let binding = row.binding(commitment);
        let erase = secrets.erase_key.clone();
        Ok(Some(Job { id, subject: row.subject, binding, wraps: row.wraps, erase, blob }))
    }
}

impl StillVault<'_> {
    /// The active records of a schema.
    pub(crate) fn list(&self, schema: SchemaId) -> Result<Vec<Listed>, IndexError> {
        let mut listed = Vec::new();
        for record in self.vault.index.records()? {
            let (commitment, row) = record?;
            if row.schema == schema && matches!(row.state, RecordState::Committed { .. }) {
                listed.push(Listed { commitment, row });
            }
        }
        Ok(listed)
    }
}

async fn open_all(jobs: Vec<Job>, keys: Arc<[TierKey]>, schema: Arc<Schema>) -> Result<Vec<LowRecord>, CohortError> {
    let (done, result) = futures_channel::oneshot::channel();
    rayon::spawn(move || {
        let opened: Result<Vec<LowRecord>, CohortError> =
            jobs.into_par_iter().map(|job| job.open(&keys, &schema)).collect();
        let _ = done.send(opened); // nobody waits any more: the query was given up
    });
    result.await.map_err(|_| CohortError::Stopped)?
}

impl Job {
    fn open(self, keys: &[TierKey], schema: &Schema) -> Result<LowRecord, CohortError> {
        let values = self.values(keys, schema).map_err(|why| CohortError::Sealed { record: self.id, why })?;
        Ok(LowRecord { id: self.id, subject: self.subject, values })
    }

    fn values(&self, keys: &[TierKey], schema: &Schema) -> Result<Vec<FieldValue>, String> {
        let (cipher, parts) = SealedPart::from_blob(&self.blob).map_err(|e| e.to_string())?;
        if cipher != self.binding.cipher {
            return Err("the blob has another algorithm suite than its row".to_owned());
        }
        let mut values: Vec<FieldValue> = schema.all_absent(Absence::Withheld);
        for tier in Tier::ALL.into_iter().filter(|tier| *tier <= RESEARCH_TIER) {
            let fields: Vec<FieldIndex> =
                schema.fields().filter(|(_, field)| field.tier == tier).map(|(index, _)| index).collect();
            if fields.is_empty() {
                continue;
            }
            let opened = self.tier(tier, keys, &parts)?;
            if !opened.iter().map(|(index, _)| *index).eq(fields) {
                return Err(format!("tier {} holds other fields than the schema's", tier as u8));
            }
            for (index, value) in opened {
                values[index.as_usize()] = value;
            }
        }
        Ok(values)
    }

    fn tier(
        &self,
        tier: Tier,
        keys: &[TierKey],
        parts: &[SealedPart],
    ) -> Result<Vec<(FieldIndex, FieldValue)>, String> {
        let part = Part::Tier(tier);
        let missing = || EnvelopeError::Parts(part).to_string();
        let sealed = parts.iter().find(|sealed| sealed.part() == part).ok_or_else(missing)?;
        let wrap = self.wraps.iter().find(|wrap| wrap.part() == part).ok_or_else(missing)?;
        let key = keys.iter().find(|key| key.epoch() == wrap.epoch());
        let key = key.ok_or_else(|| format!("the keystore has no key of epoch {}", wrap.epoch()))?;
        let data_key = wrap.open_with_tier_key(&self.binding, key, &self.erase).map_err(|e| e.to_string())?;
        Ok(sealed.open_tier(&self.binding, &data_key).map_err(|e| e.to_string())?.fields)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use vouchsafe_circuits::fe::Fe;
    use vouchsafe_circuits::ids::IssuerId;
    use vouchsafe_circuits::record::{Validity, Value};
    use vouchsafe_circuits::schema::builtin;
    use vouchsafe_circuits::suite::Suite;

    use super::*;
    use crate::ladder::{Epoch, HolderKey};
    use crate::secret::{EpochSecret, SubjectSecret};
    use crate::subject::{SubjectSecrets, subject_key};
    use crate::vault::sealing::{self, Plain};

    /// A patient's record, without the wraps of everything above tier 2.
    fn job() -> (Job, Schema, HolderKey) {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
        let schema = builtin::patient();
        let mut values = schema.all_absent(Absence::NotAsked);
        let texts = [("gender", Value::Code("female".to_owned())), ("familyName", Value::Text("Abernathy".to_owned()))];
        for (name, value) in texts {
            values[schema.place(name).unwrap()] = FieldValue::Present(value);
        }
        let plain = Plain {
            schema: &schema,
            schema_id: schema.id(),
            issuer: IssuerId::new(Fe::from_u64(1)),
            suite: Suite::Bn254,
            values: &values,
            fields: schema.encode(&values).unwrap(),
            valid: Validity::ALWAYS,
        };
        let subject = SubjectSecrets {
            erase_key: EraseKey::random(&mut rng),
            subject_key: subject_key(&SubjectSecret::new([2; 32]), &"s|1".parse().unwrap()),
        };
        let holder = HolderKey::of_epoch(Epoch::FIRST, &EpochSecret::random(&mut rng));
        let sealed = sealing::seal(&plain, &subject, &holder, &mut rng).unwrap();
        let low = |wrap: &Wrap| matches!(wrap.part(), Part::Tier(tier) if tier <= RESEARCH_TIER);
        let job = Job {
            id: RecordId::of(sealed.binding.commitment),
            subject: SubjectId::from_bytes([1; 16]),
            binding: sealed.binding,
            wraps: sealed.wraps.into_iter().filter(low).collect(),
            erase: subject.erase_key.clone(),
            blob: sealed.blob,
        };
        (job, schema, holder)
    }

    #[test]
    fn tier_2_and_below_come_out_with_that_key_alone_and_the_rest_is_withheld() {
        let (job, schema, holder) = job();
        let opened = job.open(&[holder.tier(Tier::DeIdentified)], &schema).unwrap();
        for (index, field) in schema.fields() {
            let value = &opened.values[index.as_usize()];
            assert_eq!(*value == FieldValue::Absent(Absence::Withheld), field.tier > RESEARCH_TIER, "{}", field.name);
        }
        let gender = &opened.values[schema.place("gender").unwrap()];
        assert_eq!(*gender, FieldValue::Present(Value::Code("female".to_owned())));
    }

    #[test]
    fn a_lower_key_another_epoch_and_a_missing_part_are_named() {
        let (job_1, schema, holder) = job();
        let low = job_1.open(&[holder.tier(Tier::Internal)], &schema);
        assert!(matches!(low, Err(CohortError::Sealed { .. })));
        let other = HolderKey::of_epoch(Epoch::new(1), &EpochSecret::new([3; 32]));
        assert!(job().0.open(&[other.tier(Tier::DeIdentified)], &schema).is_err());
        let (mut job_2, ..) = job();
        job_2.wraps.retain(|wrap| wrap.part() != Part::Tier(Tier::Internal));
        assert!(job_2.open(&[holder.tier(Tier::DeIdentified)], &schema).is_err());
    }
}
