//! Questions that wait for a person.

use serde_json::json;
use vouchsafe_ledger_types::ids::CallId;

use super::Done;
use crate::node::Node;
use crate::questions::{QuestionError, now_ms};

pub(super) fn inbox(node: &Node) -> Done {
    match node.questions().inbox() {
        Ok(waiting) => Done::ok(json!({ "waiting": waiting })),
        Err(error) => Done::ours(error),
    }
}

pub(super) fn decide(node: &Node, question: CallId, permitted: bool) -> Done {
    match node.questions().decide(question, permitted, now_ms()) {
        Ok(()) => Done::ok(json!({ "question": question, "permitted": permitted })),
        Err(error @ (QuestionError::Unknown | QuestionError::Decided)) => Done::refused(error),
        Err(error) => Done::ours(error),
    }
}
