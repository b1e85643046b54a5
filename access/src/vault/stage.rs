//! Staging: what comes in becomes pending records, durable here before the ledger hears of them.
//!
//! ```text
//! plan     (one at a time) what each incoming thing means: new, amends, withdraws, already there
//! seal     (all cores) salts, commitment, ciphertext
//! store    blobs, side by side; then one synced batch: records, subjects, aliases, versions, pending work
//! ```
//!
//! A crash before the batch leaves blobs that nothing points to, and nothing else; `check` counts them.

mod plan;

use futures_util::{StreamExt, TryStreamExt, stream};
use rand::{CryptoRng, RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;
use vouchsafe_circuits::fe::FeError;
use vouchsafe_circuits::ids::Commitment;

use super::blobs::{BlobError, BlobId};
use super::draft::{DraftError, Incoming};
use super::index::{Changes, IndexError, Intent, Pending, RecordRow, RecordState, Turn};
use super::sealing::{self, Plain, SealedRecord};
use super::{RecordId, Vault};
use crate::ladder::Epoch;
use plan::{Job, Plan, Step, Target};

/// Blobs on their way at one time: enough for their syncs to share the disk's.
const PUTS: usize = 32;

/// What an incoming thing became. Pending until [`Vault::settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A record of a resource that had none.
    New(RecordId),
    /// A record that replaces an older version's.
    Amends {
        /// The new record.
        record: RecordId,
        /// The one that it replaces.
        old: RecordId,
    },
    /// The resource's record is to be withdrawn.
    Withdraws(RecordId),
    /// This version was seen before: nothing to do. Its record, if it has one.
    AlreadyThere(Option<RecordId>),
    /// This version was seen before, and another one since: nothing is done. A source that names no versions cannot
    /// take a change back in this way.
    Older,
    /// Entered in error, and there was no record of it: noted, nothing to do.
    NothingToWithdraw,
}

/// What staging did, in the order of what came in.
#[derive(Debug)]
pub struct Staged {
    /// What each became, or why it was not taken.
    pub outcomes: Vec<Result<Outcome, DraftError>>,
    /// Names for lookup that were not taken, since they lead to another subject.
    pub foreign_lookups: usize,
}

/// Staging failed as a whole; nothing was staged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// A blob could not be stored.
    #[error("cannot store a record")]
    Blob(#[from] BlobError),
    /// The index failed.
    #[error("cannot stage records")]
    Index(#[from] IndexError),
    /// A subject's row does not open.
    #[error("the row of subject {0} does not open: the index is damaged; restore it from a backup")]
    Subject(crate::subject::SubjectId),
    /// The keystore has no key for its current epoch. Our bug.
    #[error("the keystore has no key of epoch {0}")]
    NoEpoch(Epoch),
    /// A commitment could not be computed. Our bug.
    #[error("cannot compute a commitment: {0}")]
    Commitment(#[from] FeError),
    /// The sealing work was dropped. Our bug.
    #[error("the sealing of records stopped")]
    Stopped,
}

impl Vault {
    /// Takes records in: durable here, pending for the ledger, when this returns. What cannot be taken is told apart;
    /// the rest is taken. Call [`Vault::settle`] next.
    pub async fn stage(
        &self,
        incoming: Vec<Incoming>,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<Staged, StageError> {
        let _one_at_a_time = self.writing.lock().await;
        let Plan { steps, jobs, mut changes, foreign_lookups } = self.plan(incoming, rng)?;
        let mut sealed = self.seal_all(jobs).await?;

        let blobs: Vec<(BlobId, Vec<u8>)> =
            sealed.iter_mut().map(|s| (s.row.blob, std::mem::take(&mut s.blob))).collect();
        stream::iter(blobs.into_iter().map(|(id, bytes)| self.blobs.put(id, bytes)))
            .buffer_unordered(PUTS)
            .try_collect::<Vec<()>>()
            .await?;

        let mut turn = self.index.next_turn()?;
        let outcomes =
            steps.into_iter().map(|step| step.map(|step| step.record(&sealed, &mut changes, &mut turn))).collect();
        if !changes.is_empty() {
            self.index.write(changes)?;
        }
        Ok(Staged { outcomes, foreign_lookups })
    }

    async fn seal_all(&self, jobs: Vec<Job>) -> Result<Vec<Sealed>, StageError> {
        let holder = self.keys.holder(self.keys.current).ok_or(StageError::NoEpoch(self.keys.current))?.clone();
        let (done, result) = futures_channel::oneshot::channel();
        rayon::spawn(move || {
            let sealed: Result<Vec<Sealed>, FeError> = jobs.par_iter().map(|job| job.seal(&holder)).collect();
            let _ = done.send(sealed); // nobody waits any more: staging was cancelled, and nothing is stored yet
        });
        Ok(result.await.map_err(|_| StageError::Stopped)??)
    }
}

/// A sealed record and its row.
struct Sealed {
    commitment: Commitment,
    row: RecordRow,
    blob: Vec<u8>,
}

impl Job {
    fn seal(&self, holder: &crate::ladder::HolderKey) -> Result<Sealed, FeError> {
        let draft = &self.encoded.draft;
        let plain = Plain {
            schema: &draft.schema,
            schema_id: self.encoded.schema,
            issuer: draft.issuer,
            suite: draft.suite,
            values: &draft.fields,
            fields: self.encoded.fields,
            valid: draft.valid,
        };
        let mut rng = ChaCha20Rng::from_seed(*self.seed);
        let SealedRecord { binding, blob, wraps } = sealing::seal(&plain, &self.secrets, holder, &mut rng)?;
        let row = RecordRow {
            cipher: binding.cipher,
            proof: binding.proof,
            schema: binding.schema,
            issuer: draft.issuer,
            subject: self.subject,
            blob: BlobId::of(&blob),
            source: self.source,
            state: RecordState::Pending,
            wraps,
        };
        Ok(Sealed { commitment: binding.commitment, row, blob })
    }
}

impl Target {
    fn resolve(self, sealed: &[Sealed]) -> Commitment {
        match self {
            Target::Stored(commitment) => commitment,
            Target::Job(job) => sealed[job].commitment,
        }
    }
}

impl Step {
    /// Writes the step into the batch.
    fn record(self, sealed: &[Sealed], changes: &mut Changes, turn: &mut Turn) -> Outcome {
        let mut pend = |changes: &mut Changes, commitment, intent| {
            changes.put_pending(*turn, &Pending { commitment, intent });
            turn.0 += 1;
        };
        match self {
            Step::Commit { job, source, version, replaces } => {
                let Sealed { commitment, row, .. } = &sealed[job];
                changes.add_record(*commitment, row);
                changes.put_version(source, version, Some(*commitment));
                let record = RecordId::of(*commitment);
                match replaces.map(|old| old.resolve(sealed)) {
                    None => {
                        pend(changes, *commitment, Intent::Commit);
                        Outcome::New(record)
                    }
                    Some(old) => {
                        pend(changes, *commitment, Intent::Amend { old });
                        Outcome::Amends { record, old: RecordId::of(old) }
                    }
                }
            }
            Step::Withdraw { target, source, version } => {
                let target = target.resolve(sealed);
                changes.put_version(source, version, None);
                pend(changes, target, Intent::Withdraw);
                Outcome::Withdraws(RecordId::of(target))
            }
            Step::Note { source, version } => {
                changes.put_version(source, version, None);
                Outcome::NothingToWithdraw
            }
            Step::Older => Outcome::Older,
            Step::Nothing(head) => Outcome::AlreadyThere(head.map(|target| RecordId::of(target.resolve(sealed)))),
        }
    }
}
