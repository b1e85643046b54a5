//! Settling: pending work reaches the ledger, once, and the index learns where.
//!
//! Each round takes the work whose predecessor is done. Every commitment is looked up first, so that one that the ledger
//! took before a crash is marked, not sent again. What is sent is shuffled, so that neighbours on the ledger are not
//! records of one subject. The index is written, synced, after every answer of the ledger.
//!
//! A failure leaves the rest pending; settle again. It does not retry by itself.

use futures_util::{StreamExt, stream};
use rand::seq::SliceRandom;
use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::ids::Commitment;
use vouchsafe_circuits::tree::Position;

use super::index::{Changes, IndexError, Intent, Pending, RecordRow, RecordState, Turn};
use super::{RecordId, Vault};
use crate::ledger::{Amendment, Height, LedgerError, LedgerView, LedgerWriter, Placed, Withdrawal};

/// Amendments and withdrawals on their way at one time, so that the ledger can put them into one block.
const ENTRIES: usize = 32;

/// What settling did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Records that the ledger took in now.
    pub committed: usize,
    /// Records that it took in now in the place of others.
    pub amended: usize,
    /// Records that it withdrew now.
    pub withdrawn: usize,
    /// Work that it had done already, before a crash.
    pub found: usize,
}

/// Settling stopped; what is not done is still pending, and nothing is half done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettleError {
    /// The ledger refused or did not answer.
    #[error("the ledger did not take a record; it stays pending, settle again")]
    Ledger(#[from] LedgerError),
    /// The ledger does not have a record that it acknowledged.
    #[error("the ledger does not know record {0}, which it once took in: it has lost entries, or is another ledger")]
    Lost(RecordId),
    /// The ledger answered with another number of places than it was given commitments.
    #[error("the ledger answered with {got} places for {sent} commitments")]
    Places {
        /// Commitments sent.
        sent: usize,
        /// Places answered.
        got: usize,
    },
    /// The index failed.
    #[error("the vault's index failed while settling")]
    Index(#[from] IndexError),
    /// Pending work speaks of a record that the index does not have, or waits for itself.
    #[error("pending work on record {0} cannot go on: the index is damaged; restore it from a backup")]
    Stuck(RecordId),
}

/// The answer to one amendment or withdrawal.
enum Done {
    Amended(Placed),
    Withdrawn,
    /// The old record is not active any more: the new one is to be committed on its own.
    CommitInstead,
    /// The ledger had done it.
    Found(Option<(Position, bool)>),
}

impl Vault {
    /// Brings all pending work to the ledger and learns what became of it. Run it after opening and after staging.
    pub async fn settle<L>(
        &self,
        ledger: &L,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<Settled, SettleError>
    where
        L: LedgerView + LedgerWriter + ?Sized,
    {
        let _one_at_a_time = self.writing.lock().await;
        let mut settled = Settled::default();
        loop {
            let pending = self.index.pending()?;
            let Some((_, first)) = pending.first() else { return Ok(settled) };
            let stuck = SettleError::Stuck(RecordId::of(first.commitment));
            let (commits, others): (Vec<_>, Vec<_>) =
                pending.into_iter().partition(|(_, p)| p.intent == Intent::Commit);
            let committed = self.settle_commits(ledger, commits, &mut settled, rng).await?;
            let changed = self.settle_others(ledger, others, &mut settled, rng).await?;
            // Each round gets on or fails; a chain of versions takes a round for each.
            if !committed && !changed {
                return Err(stuck);
            }
        }
    }

    /// How much work is pending.
    pub fn pending_count(&self) -> Result<usize, IndexError> {
        Ok(self.index.pending()?.len())
    }

    /// Whether there was anything to do; a failure to do it is an error.
    async fn settle_commits<L>(
        &self,
        ledger: &L,
        commits: Vec<(Turn, Pending)>,
        settled: &mut Settled,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<bool, SettleError>
    where
        L: LedgerView + LedgerWriter + ?Sized,
    {
        let any = !commits.is_empty();
        let mut found = Changes::default();
        let mut to_send = Vec::new();
        for (turn, pending) in commits {
            match ledger.lookup(pending.commitment).await? {
                Some(at) => {
                    self.mark(&mut found, pending.commitment, found_state(at.position, at.active))?;
                    found.delete_pending(turn);
                    settled.found += 1;
                }
                None => to_send.push((turn, pending.commitment)),
            }
        }
        if !found.is_empty() {
            self.index.write(found)?;
        }
        to_send.shuffle(rng);
        for batch in to_send.chunks(ledger.commit_max().max(1)) {
            let commitments: Vec<Commitment> = batch.iter().map(|(_, commitment)| *commitment).collect();
            let places = ledger.commit(commitments).await?;
            if places.len() != batch.len() {
                return Err(SettleError::Places { sent: batch.len(), got: places.len() });
            }
            let mut changes = Changes::default();
            for ((turn, commitment), placed) in batch.iter().zip(places) {
                self.mark(&mut changes, *commitment, placed_state(placed))?;
                changes.delete_pending(*turn);
            }
            self.index.write(changes)?;
            settled.committed += batch.len();
        }
        Ok(any)
    }

    /// Whether anything was ready to be done; a failure to do it is an error.
    async fn settle_others<L>(
        &self,
        ledger: &L,
        others: Vec<(Turn, Pending)>,
        settled: &mut Settled,
        rng: &mut (impl RngCore + CryptoRng + Send),
    ) -> Result<bool, SettleError>
    where
        L: LedgerView + LedgerWriter + ?Sized,
    {
        let mut ready = Vec::new();
        for (turn, pending) in others {
            let old = match pending.intent {
                Intent::Amend { old } => old,
                Intent::Withdraw | Intent::Commit => pending.commitment,
            };
            if let Some(position) = self.row(old)?.state.position() {
                ready.push((turn, pending, position));
            }
        }
        let any = !ready.is_empty();
        ready.shuffle(rng);
        let mut answers =
            stream::iter(ready.into_iter().map(|(turn, pending, position)| async move {
                (turn, pending, position, send(ledger, pending).await)
            }))
            .buffer_unordered(ENTRIES)
            .ready_chunks(ENTRIES);
        // Every answer is recorded, also after a failure: what the ledger did, it did.
        let mut failed = None;
        while let Some(answered) = answers.next().await {
            let mut changes = Changes::default();
            for (turn, pending, position, answer) in answered {
                match answer {
                    Ok(done) => self.record_answer(&mut changes, turn, pending, position, &done, settled)?,
                    Err(e) => failed = failed.or(Some(e)),
                }
            }
            if !changes.is_empty() {
                self.index.write(changes)?;
            }
        }
        failed.map_or(Ok(any), Err)
    }

    fn record_answer(
        &self,
        changes: &mut Changes,
        turn: Turn,
        pending: Pending,
        old_position: Position,
        done: &Done,
        settled: &mut Settled,
    ) -> Result<(), SettleError> {
        match (pending.intent, done) {
            (Intent::Amend { old }, Done::CommitInstead) => {
                self.mark(changes, old, RecordState::Superseded { position: old_position })?;
                changes.put_pending(turn, &Pending { intent: Intent::Commit, ..pending });
                return Ok(());
            }
            (Intent::Amend { old }, Done::Amended(placed)) => {
                self.mark(changes, pending.commitment, placed_state(*placed))?;
                self.mark(changes, old, RecordState::Superseded { position: old_position })?;
                settled.amended += 1;
            }
            (Intent::Amend { old }, Done::Found(Some((position, active)))) => {
                self.mark(changes, pending.commitment, found_state(*position, *active))?;
                self.mark(changes, old, RecordState::Superseded { position: old_position })?;
                settled.found += 1;
            }
            (Intent::Withdraw, done) => {
                self.mark(changes, pending.commitment, RecordState::Withdrawn { position: old_position })?;
                match done {
                    Done::Found(_) => settled.found += 1,
                    _ => settled.withdrawn += 1,
                }
            }
            _ => return Err(SettleError::Stuck(RecordId::of(pending.commitment))),
        }
        changes.delete_pending(turn);
        Ok(())
    }

    fn mark(&self, changes: &mut Changes, commitment: Commitment, state: RecordState) -> Result<(), SettleError> {
        let row = self.row(commitment)?;
        changes.put_record(commitment, &RecordRow { state, ..row });
        Ok(())
    }

    fn row(&self, commitment: Commitment) -> Result<RecordRow, SettleError> {
        self.index.record(commitment)?.ok_or_else(|| SettleError::Stuck(RecordId::of(commitment)))
    }
}

/// Asks the ledger for one amendment or withdrawal, unless it did it already.
async fn send<L>(ledger: &L, pending: Pending) -> Result<Done, SettleError>
where
    L: LedgerView + LedgerWriter + ?Sized,
{
    let commitment = pending.commitment;
    match pending.intent {
        Intent::Amend { old } => {
            if let Some(at) = ledger.lookup(commitment).await? {
                return Ok(Done::Found(Some((at.position, at.active))));
            }
            let at = ledger.lookup(old).await?.ok_or(SettleError::Lost(RecordId::of(old)))?;
            if !at.active {
                return Ok(Done::CommitInstead);
            }
            Ok(Done::Amended(ledger.amend(Amendment { position: at.position, old, new: commitment }).await?))
        }
        Intent::Withdraw => {
            let at = ledger.lookup(commitment).await?.ok_or(SettleError::Lost(RecordId::of(commitment)))?;
            if !at.active {
                return Ok(Done::Found(None));
            }
            let _: Height = ledger.withdraw(Withdrawal { position: at.position, commitment }).await?;
            Ok(Done::Withdrawn)
        }
        Intent::Commit => Err(SettleError::Stuck(RecordId::of(commitment))),
    }
}

fn placed_state(placed: Placed) -> RecordState {
    RecordState::Committed { position: placed.position, height: Some(placed.height) }
}

fn found_state(position: Position, active: bool) -> RecordState {
    if active { RecordState::Committed { position, height: None } } else { RecordState::Withdrawn { position } }
}
