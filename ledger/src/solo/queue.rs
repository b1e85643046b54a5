//! Group commit: submitting threads queue up, one of them leads and writes a block for all who wait.
//!
//! Whoever finds no leader becomes it, takes whole submissions up to the block's bounds, writes, hands out the outcomes and
//! wakes the others. So while one block syncs, the next one gathers.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use vouchsafe_ledger_types::entry::VerifiedEntry;
use vouchsafe_ledger_types::ids::EntryId;
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode};
use vouchsafe_ledger_types::units::BlockTime;

use super::{Solo, advance};
use crate::engine::SubmitError;
use crate::state::ReadError;
use crate::state_machine::{Block, admission};
use crate::store::View;

type Outcome = Result<Vec<Receipt>, SubmitError>;

/// A submission that waits, and where its outcome is put.
struct Job {
    entries: Vec<VerifiedEntry>,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    leading: bool,
    stopped: Option<String>,
}

#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    turn: Condvar,
}

impl Queue {
    /// Why the engine has stopped, if it has.
    pub(super) fn stopped(&self) -> Option<String> {
        self.lock().stopped.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing under this lock can be left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a leader's turn; if it panicked, nobody knows what it wrote, and the engine stops.
struct Turn<'a>(&'a Queue);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.leading = false;
        if std::thread::panicking() && waiting.stopped.is_none() {
            waiting.stopped = Some("a thread died while it wrote".into());
        }
        self.0.turn.notify_all();
    }
}

/// Where the receipts of a submission come from.
enum Source {
    /// It was logged before.
    Before(Receipt),
    /// It is this entry of the block.
    InBlock(usize),
}

impl Solo {
    /// Submits entries in as few blocks as their bounds allow.
    pub(super) fn submit_verified(&self, entries: Vec<VerifiedEntry>) -> Outcome {
        // All are looked at before the first is logged, so that a refusal refuses the whole.
        let view = self.store.view()?;
        let seal = self.last_seal_time(&view)?;
        self.sort(&view, self.block_time(seal), &entries)?;
        drop(view);
        let mut receipts = Vec::with_capacity(entries.len());
        let mut rest = entries.into_iter().peekable();
        while rest.peek().is_some() {
            let mut room = Room::new(self);
            let mut entries = Vec::new();
            while let Some(entry) = rest.next_if(|entry| room.take(std::slice::from_ref(entry))) {
                entries.push(entry);
            }
            receipts.extend(self.enqueue(entries)?);
        }
        Ok(receipts)
    }

    fn enqueue(&self, entries: Vec<VerifiedEntry>) -> Outcome {
        let outcome = Arc::new(Mutex::new(None));
        let mut waiting = self.queue.lock();
        waiting.jobs.push_back(Job { entries, outcome: outcome.clone() });
        loop {
            if let Some(outcome) = outcome.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return outcome;
            }
            if let Some(why) = &waiting.stopped {
                return Err(SubmitError::Stopped(why.clone()));
            }
            if waiting.leading {
                waiting = self.queue.turn.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            waiting.leading = true;
            let jobs = self.take_jobs(&mut waiting);
            drop(waiting);
            let turn = Turn(&self.queue);
            self.lead(jobs);
            drop(turn);
            waiting = self.queue.lock();
        }
    }

    /// Whole submissions, up to the block's bounds; at least one.
    fn take_jobs(&self, waiting: &mut Waiting) -> Vec<Job> {
        let mut room = Room::new(self);
        let mut jobs = Vec::new();
        while let Some(job) = waiting.jobs.front() {
            if !room.take(&job.entries) && !jobs.is_empty() {
                break;
            }
            jobs.extend(waiting.jobs.pop_front());
        }
        jobs
    }

    fn lead(&self, jobs: Vec<Job>) {
        let outcomes = self.write_block(&jobs);
        let outcomes = outcomes.unwrap_or_else(|error| jobs.iter().map(|_| Err(error.clone())).collect());
        for (job, outcome) in jobs.iter().zip(outcomes) {
            if let Err(SubmitError::Stopped(why)) = &outcome {
                self.queue.lock().stopped = Some(why.clone());
            }
            *job.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        }
    }

    fn write_block(&self, jobs: &[Job]) -> Result<Vec<Outcome>, SubmitError> {
        let view = self.store.view()?;
        let tip = view.tip().ok_or_else(|| ReadError::damaged("there is no last block"))?;
        let height = tip.next().ok_or_else(|| SubmitError::Stopped("there is no next height".into()))?;
        let time = self.block_time(self.last_seal_time(&view)?);
        let mut block = Block { height, time, entries: Vec::new() };
        let mut places: BTreeMap<EntryId, usize> = BTreeMap::new();
        let mut sources: Vec<Result<Vec<Source>, SubmitError>> = Vec::new();
        for job in jobs {
            let sorted = self.sort(&view, time, &job.entries);
            sources.push(sorted.map(|sorted| {
                let place = |(entry, before): (&VerifiedEntry, Option<Receipt>)| match before {
                    Some(receipt) => Source::Before(receipt),
                    None => Source::InBlock(*places.entry(entry.id()).or_insert_with(|| {
                        block.entries.push(entry.clone());
                        block.entries.len() - 1
                    })),
                };
                job.entries.iter().zip(sorted).map(place).collect()
            }));
        }
        drop(view);
        // A block of nothing is none.
        let written = match block.entries.is_empty() {
            true => Vec::new(),
            false => advance(&self.store, &self.guard, &block)?,
        };
        let receipt = |source: Source| match source {
            Source::Before(receipt) => Ok(receipt),
            Source::InBlock(nth) => {
                written.get(nth).copied().ok_or_else(|| SubmitError::Stopped("a block lost a receipt".into()))
            }
        };
        Ok(sources.into_iter().map(|job| job?.into_iter().map(receipt).collect()).collect())
    }

    /// For each entry the receipt it has already, or none if it may be in a block; an error if one may not.
    fn sort(
        &self,
        view: &View<'_>,
        time: BlockTime,
        entries: &[VerifiedEntry],
    ) -> Result<Vec<Option<Receipt>>, SubmitError> {
        let sort = |(nth, entry): (usize, &VerifiedEntry)| {
            if let Some(at) = view.locate(entry.id())? {
                return Ok(Some(view.receipt(at)?));
            }
            match admission(view, &self.chain, time, entry)? {
                None => Ok(None),
                // Its id is burnt, but it is nowhere: only damage brings that about.
                Some(ReceiptCode::Replayed) => Err(ReadError::damaged(format!("entry {} is lost", entry.id())).into()),
                Some(code) => Err(SubmitError::NotAdmitted { nth, code }),
            }
        };
        entries.iter().enumerate().map(sort).collect()
    }

    fn last_seal_time(&self, view: &View<'_>) -> Result<BlockTime, ReadError> {
        let seal = view.tip().map(|height| view.seal(height)).transpose()?.flatten();
        seal.map(|seal| seal.time).ok_or_else(|| ReadError::damaged("the last seal is missing"))
    }
}

/// What still fits into a block.
struct Room {
    entries: u64,
    bytes: u64,
}

impl Room {
    fn new(solo: &Solo) -> Self {
        let parameters = &solo.chain.parameters;
        Self { entries: u64::from(parameters.block_entries_max), bytes: parameters.block_bytes_max }
    }

    /// Takes the room that these entries need, if there is so much.
    fn take(&mut self, entries: &[VerifiedEntry]) -> bool {
        let bytes: u64 = entries.iter().map(|entry| entry.encoded().len() as u64).sum();
        let left = self.entries.checked_sub(entries.len() as u64).zip(self.bytes.checked_sub(bytes));
        if let Some((entries, bytes)) = left {
            (self.entries, self.bytes) = (entries, bytes);
        }
        left.is_some()
    }
}
