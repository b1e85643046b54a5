//! Errors as callers see them: a google.rpc.Status with details that programs can read.
//!
//! ```text
//! whose fault       code                                     details
//! the caller's      INVALID_ARGUMENT, NOT_FOUND, …            ErrorInfo (reason, domain), BadRequest (field, why)
//! too much at once  RESOURCE_EXHAUSTED                        ErrorInfo, RetryInfo (when to come again)
//! ours              INTERNAL, UNAVAILABLE                     ErrorInfo with the number of a log line
//! ```
//!
//! A message holds nothing of our inside: no path, no state, no cause. Those stand in the log, under the number.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use rand::RngCore;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of our reasons.
pub const DOMAIN: &str = "vouchsafe.v1";

/// An error with a reason that programs can read.
pub fn refused(code: Code, reason: &str, text: impl Into<String>) -> Status {
    Status::with_error_details(code, text, ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new()))
}

/// A field of the request that cannot be. `why` may quote the caller's own bytes, never ours.
pub fn bad_field(field: &str, why: impl Into<String>) -> Status {
    let why = why.into();
    let mut details = ErrorDetails::with_bad_request_violation(field, why.clone());
    details.set_error_info("BAD_FIELD", DOMAIN, HashMap::new());
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {why}"), details)
}

/// Too much at once: come again.
pub fn overloaded(retry_after: Duration) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(retry_after));
    details.set_error_info("OVERLOADED", DOMAIN, HashMap::new());
    let text = format!("too much at once: come again in {} ms", retry_after.as_millis());
    Status::with_error_details(Code::ResourceExhausted, text, details)
}

/// The call's time is over.
pub fn too_late() -> Status {
    refused(Code::DeadlineExceeded, "DEADLINE", "the call's time is over")
}

/// Not taken any more.
pub fn stopping() -> Status {
    refused(Code::Unavailable, "STOPPING", "the service is stopping: try another one, or this one later")
}

/// The ledger has stopped. Whether what was sent is logged is not known.
pub fn ledger_stopped() -> Status {
    let text = "the ledger has stopped: send the same bytes again once the service is back";
    refused(Code::Unavailable, "LEDGER_STOPPED", text)
}

/// Our fault. The causes go to the log; the caller gets the number of the line.
pub fn ours(what: &'static str, error: &dyn Error) -> Status {
    let incident = format!("{:08x}", rand::rngs::OsRng.next_u32());
    let causes = causes(error);
    tracing::error!(incident, what, causes, "a call failed");
    let details = HashMap::from([("incident".to_owned(), incident.clone())]);
    let text = format!("our fault, not yours; tell the operator: incident {incident}");
    Status::with_error_details(Code::Internal, text, ErrorDetails::with_error_info("INTERNAL", DOMAIN, details))
}

/// An error with its causes, for the log.
pub fn causes(error: &dyn Error) -> String {
    let mut causes = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        causes = format!("{causes}: {cause}");
        next = cause.source();
    }
    causes
}

/// Whether an error with this code is the service's own fault.
pub fn is_ours(code: Code) -> bool {
    matches!(code, Code::Internal | Code::Unavailable | Code::DataLoss | Code::Unknown)
}
