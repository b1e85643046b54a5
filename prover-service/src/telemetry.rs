//! What a running service tells about itself: log lines and metrics.
//!
//! Neither holds a field value, a subject, a predicate or what came of a question; both count calls, not answers.
//! They do tell how much is asked, and by which connection when.

mod log;
mod metrics;

pub use log::init_log;
pub use metrics::{CallMetrics, Exporter, METHODS, Metrics, MetricsError};
