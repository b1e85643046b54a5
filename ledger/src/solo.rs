//! The embedded engine: one process, one validator, no network.
//! ```text
//! ‹dir›/db       the store          ‹dir›/guard    how far it had come when it last acknowledged
//! ```
//! Callers from many threads share blocks (`solo::queue`). If a write fails, or a thread dies while it writes, the engine
//! stops: it refuses everything until the process has ended and opened the ledger again. Until others witness its
//! checkpoints, a solo ledger is its operator's word.

mod backup;
mod create;
mod queue;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vouchsafe_ledger_types::checkpoint::SignedCheckpoint;
use vouchsafe_ledger_types::entry::{SignedEntry, VerifiedEntry};
use vouchsafe_ledger_types::ids::{ChainId, MemberName};
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::state_value::ChainState;
use vouchsafe_ledger_types::units::{BlockTime, Height};

use crate::clock::Clock;
use crate::engine::{Engine, QueryError, SubmitError};
use crate::snapshot::Snapshot;
use crate::state::ReadError;
use crate::state_machine::{ApplyError, Block, apply};
use crate::store::{Guard, GuardMark, Store};

pub use backup::BackupError;
pub use create::OpenError;
use queue::Queue;

/// How a solo ledger is kept.
#[derive(Debug, Clone)]
pub struct Options {
    keep_heights: u64,
    sync: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep_heights: 1024, sync: true }
    }
}

impl Options {
    /// For how many heights back the state can still be proved; 1024 unless set.
    pub fn keep_heights(mut self, heights: u64) -> Self {
        self.keep_heights = heights.max(1);
        self
    }

    /// Acknowledges entries that a power cut would lose. For tests that show that syncing matters.
    pub fn dangerous_no_sync(mut self) -> Self {
        self.sync = false;
        self
    }
}

/// A ledger in this process.
pub struct Solo {
    folder: PathBuf,
    store: Store,
    guard: Mutex<Guard>,
    chain: ChainState,
    validator: MemberName,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    queue: Queue,
}

impl Solo {
    /// Founds a ledger in a folder and opens it. The genesis names one validator, the one with this key.
    pub fn create(
        dir: &Path,
        genesis: SignedEntry,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, OpenError> {
        create::create(dir, genesis, key, clock, options)
    }

    /// Opens a ledger, after checking its last block against what is stored and against the guard.
    pub fn open(dir: &Path, key: SigningKey, clock: Arc<dyn Clock>, options: Options) -> Result<Self, OpenError> {
        create::open(dir, key, clock, options)
    }

    /// Checks signatures, with all cores.
    fn verify(&self, entries: Vec<SignedEntry>) -> Result<Vec<VerifiedEntry>, SubmitError> {
        use rayon::prelude::*;
        let verified: Vec<_> = entries.into_par_iter().map(|entry| entry.verify(&self.chain.chain)).collect();
        let named = verified.into_iter().enumerate();
        named.map(|(nth, entry)| entry.map_err(|error| SubmitError::Entry { nth, error })).collect()
    }

    /// The time of a block now: never before the last one's.
    fn block_time(&self, last: BlockTime) -> BlockTime {
        self.clock.now().max(last)
    }
}

/// Applies, seals and writes a block; durable when this returns. `Err` with `Stopped` means: nobody knows.
fn advance(store: &Store, guard: &Mutex<Guard>, block: &Block) -> Result<Vec<Receipt>, SubmitError> {
    let view = store.view()?;
    let applied = apply(&view, block).map_err(|error| match error {
        ApplyError::Read(error) => SubmitError::Read(error),
        other => SubmitError::Stopped(other.to_string()),
    })?;
    let log = match view.tip() {
        None => vouchsafe_ledger_types::log::LogAppender::empty(),
        Some(height) => {
            let seal = view.seal(height)?.ok_or_else(|| ReadError::damaged(format!("seal {height} is missing")))?;
            vouchsafe_ledger_types::log::LogAppender::resume(seal.checkpoint_size(), &|node| view.log_node(node))?
        }
    };
    let sealed = crate::sealing::seal(block, &applied, &view, log)?;
    let stopped = |error: &dyn std::fmt::Display| SubmitError::Stopped(error.to_string());
    store.write(&view, block, &applied, &sealed).map_err(|error| stopped(&error))?;
    let mark = GuardMark { height: applied.height, size: sealed.log.size(), root: sealed.log.root() };
    let mut guard = guard.lock().map_err(|_| SubmitError::Stopped("a thread died while it wrote".into()))?;
    guard.record(mark).map_err(|error| stopped(&error))?;
    Ok(applied.receipts)
}

impl Engine for Solo {
    fn chain(&self) -> &ChainId {
        &self.chain.chain
    }

    fn submit(&self, entries: Vec<SignedEntry>) -> Result<Vec<Receipt>, SubmitError> {
        let entries = self.verify(entries)?;
        self.submit_verified(entries)
    }

    fn snapshot(&self) -> Result<Snapshot<'_>, QueryError> {
        if let Some(why) = self.queue.stopped() {
            return Err(QueryError::Stopped(why));
        }
        Ok(Snapshot::new(self.store.view()?)?)
    }

    fn checkpoint(&self, height: Height) -> Result<SignedCheckpoint, QueryError> {
        Ok(self.snapshot()?.checkpoint(height)?.sign(&[(&self.validator, &self.key)]))
    }
}
