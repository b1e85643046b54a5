//! How much a service takes on at a time. Beyond it callers are told to come again, and when.
//!
//! ```text
//! connection ──► open call ──► message read ──► work: runs, or waits its turn, or is turned away
//! ```
//!
//! What a call costs while its message is still on the way is an open call; only a whole message takes a place at work.

use std::time::Duration;

use serde::Deserialize;

/// The limits; all are at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections; further ones are closed at once.
    pub connections_max: u32,
    /// Calls of one connection.
    pub calls_per_connection_max: u32,
    /// Calls of all connections, those included whose message is not there yet.
    pub open_calls_max: u32,
    /// Calls at work.
    pub work_max: u32,
    /// Calls that wait for a place at work.
    pub waiting_max: u32,
    /// How long one waits for a place at most.
    pub waiting_ms: u64,
    /// When a caller that was turned away should come again.
    pub retry_after_ms: u64,
    /// How long a call may take, if its caller allows as much.
    pub call_seconds: u64,
    /// How long a stream may be silent.
    pub stream_idle_seconds: u64,
    /// The largest message.
    pub message_bytes_max: u32,
    /// The largest message of `Records.Commit`, which holds a document.
    pub document_bytes_max: u32,
    /// How long a TLS handshake may take.
    pub handshake_seconds: u64,
    /// How long calls may go on after the service was told to stop.
    pub shutdown_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 512,
            calls_per_connection_max: 128,
            open_calls_max: 1024,
            work_max: 32,
            waiting_max: 256,
            waiting_ms: 2_000,
            retry_after_ms: 1_000,
            call_seconds: 30,
            stream_idle_seconds: 60,
            message_bytes_max: 4 << 20,
            document_bytes_max: 16 << 20,
            handshake_seconds: 10,
            shutdown_seconds: 30,
        }
    }
}

/// A limit that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// It would let nothing in.
    #[error("limits.{0} must be at least 1")]
    Zero(&'static str),
    /// Out of its bounds.
    #[error("{name} must be between {least} and {most}")]
    Bounds {
        /// Which setting.
        name: &'static str,
        /// The least that can be.
        least: u64,
        /// The most that can be.
        most: u64,
    },
    /// More than can be meant.
    #[error("limits.{0} must be at most {1}")]
    TooLarge(&'static str, u64),
}

impl LimitsError {
    pub(super) fn within(name: &'static str, value: u64, least: u64, most: u64) -> Result<(), LimitsError> {
        if (least..=most).contains(&value) { Ok(()) } else { Err(LimitsError::Bounds { name, least, most }) }
    }
}

impl Limits {
    /// Whether the service can work with them.
    pub fn check(&self) -> Result<(), LimitsError> {
        const DAY_SECONDS: u64 = 86_400;
        let limits = [
            ("connections_max", u64::from(self.connections_max), 1 << 20),
            ("calls_per_connection_max", u64::from(self.calls_per_connection_max), 1 << 20),
            ("open_calls_max", u64::from(self.open_calls_max), 1 << 20),
            // each may hold a thread; tokio has 512 for such work
            ("work_max", u64::from(self.work_max), 400),
            ("waiting_max", u64::from(self.waiting_max), 1 << 20),
            ("waiting_ms", self.waiting_ms, DAY_SECONDS * 1000),
            ("retry_after_ms", self.retry_after_ms, DAY_SECONDS * 1000),
            ("call_seconds", self.call_seconds, DAY_SECONDS),
            ("stream_idle_seconds", self.stream_idle_seconds, DAY_SECONDS),
            ("message_bytes_max", u64::from(self.message_bytes_max), 1 << 30),
            ("document_bytes_max", u64::from(self.document_bytes_max), 256 << 20),
            ("handshake_seconds", self.handshake_seconds, DAY_SECONDS),
            ("shutdown_seconds", self.shutdown_seconds, DAY_SECONDS),
        ];
        for (name, limit, most) in limits {
            match limit {
                0 => return Err(LimitsError::Zero(name)),
                limit if limit > most => return Err(LimitsError::TooLarge(name, most)),
                _ => {}
            }
        }
        Ok(())
    }

    /// How long one waits for a place at most.
    pub fn waiting(&self) -> Duration {
        Duration::from_millis(self.waiting_ms)
    }

    /// When a caller that was turned away should come again.
    pub fn retry_after(&self) -> Duration {
        Duration::from_millis(self.retry_after_ms)
    }

    /// How long a call may take.
    pub fn call(&self) -> Duration {
        Duration::from_secs(self.call_seconds)
    }

    /// How long a stream may be silent.
    pub fn stream_idle(&self) -> Duration {
        Duration::from_secs(self.stream_idle_seconds)
    }

    /// How long a TLS handshake may take.
    pub fn handshake(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// How long calls may go on after the service was told to stop.
    pub fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds)
    }
}
