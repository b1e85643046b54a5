//! The gate in front of all work: so many run, so many wait, the rest is told to come again.
//!
//! A caller enters once its message is whole, so nobody holds a place while bytes are still on the way. Whoever works
//! keeps the [`Permit`] until the work is done, also where the caller has gone meanwhile: work that nobody waits for any
//! more still counts. It is first come first served, whoever comes: it does not keep one caller from crowding out others.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tonic::Status;

use super::status;
use crate::config::Limits;
use crate::telemetry::Metrics;

/// Lets in as much as the limits say.
#[derive(Clone)]
pub struct Gate {
    limits: Limits,
    work: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// A place at work, until it is dropped.
pub struct Permit {
    _place: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.metrics.working.decrement(1.0);
    }
}

impl Gate {
    /// A gate that nobody has passed.
    pub fn new(limits: Limits, metrics: Arc<Metrics>) -> Gate {
        let semaphore = |places: u32| Arc::new(Semaphore::new(places as usize));
        Gate { limits, work: semaphore(limits.work_max), waiting: semaphore(limits.waiting_max), metrics }
    }

    /// Takes a place at work, if need be after waiting; `RESOURCE_EXHAUSTED` if there is none in time.
    pub async fn enter(&self) -> Result<Permit, Status> {
        let place = match Arc::clone(&self.work).try_acquire_owned() {
            Ok(place) => place,
            Err(TryAcquireError::Closed) => return Err(status::stopping()),
            Err(TryAcquireError::NoPermits) => self.wait().await?,
        };
        self.metrics.working.increment(1.0);
        Ok(Permit { _place: place, metrics: Arc::clone(&self.metrics) })
    }

    async fn wait(&self) -> Result<OwnedSemaphorePermit, Status> {
        let turned_away = || {
            self.metrics.turned_away.increment(1);
            status::overloaded(self.limits.retry_after())
        };
        let Ok(_seat) = self.waiting.try_acquire() else { return Err(turned_away()) };
        let _counted = Counted::new(&self.metrics.waiting);
        let place = tokio::time::timeout(self.limits.waiting(), Arc::clone(&self.work).acquire_owned()).await;
        match place {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(status::stopping()),
            Err(_) => Err(turned_away()),
        }
    }

    /// Does blocking work with a place of its own, which it keeps also if the caller goes away.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Status> + Send + 'static,
    ) -> Result<T, Status> {
        let permit = self.enter().await?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.unwrap_or_else(|error| Err(status::ours("a thread ended", &error)))
    }

    /// Whether nobody is at work.
    pub fn is_idle(&self) -> bool {
        self.work.available_permits() == self.limits.work_max as usize
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Counts one more as long as it lives.
pub(super) struct Counted(metrics::Gauge);

impl Counted {
    pub(super) fn new(gauge: &metrics::Gauge) -> Counted {
        gauge.increment(1.0);
        Counted(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
