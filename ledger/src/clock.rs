//! Where the time of blocks comes from. The state machine never asks: a block brings its time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use vouchsafe_ledger_types::units::BlockTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> BlockTime;
}

/// The machine's clock. A clock before 1970 or after 9999 reads 1970; block time does not go backwards all the same.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> BlockTime {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        BlockTime::from_unix(since.as_secs()).unwrap_or(BlockTime::EPOCH)
    }
}

/// A clock that stands still until it is set; for tests and for demonstrations.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that shows this time.
    pub fn new(time: BlockTime) -> Self {
        Self(AtomicU64::new(time.unix()))
    }

    /// Sets it.
    pub fn set(&self, time: BlockTime) {
        self.0.store(time.unix(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> BlockTime {
        BlockTime::from_unix(self.0.load(Ordering::SeqCst)).unwrap_or(BlockTime::EPOCH)
    }
}
