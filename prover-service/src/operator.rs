//! What the institution's own people can do at a node: one enum of commands, run the same way everywhere.
//!
//! ```text
//! vouch VERB ─► a node runs on DIR? ─ yes ─► DIR/operator.sock ─► run
//!                                   └ no ──► opens DIR itself  ─► run
//! ```
//!
//! Whoever reaches this needs no further right: the socket, or the folder and its passphrase, is the right.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use vouchsafe_ledger_types::ids::CallId;

use crate::backup::{self, BackupError};
use crate::calendar;
use crate::node::{Node, Phase};
use crate::questions::{QuestionError, now_ms};
use crate::server::causes;

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// How the node is.
    Status {},
    /// Copy the folder.
    Backup {
        /// Where to; not there yet.
        to: PathBuf,
    },
    /// Which questions wait for a person.
    Inbox {},
    /// A person's word on one of them.
    Decide {
        /// Which.
        question: CallId,
        /// Yes or no.
        permitted: bool,
    },
}

/// What came of it, as the verb prints it.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// What `--json` prints; null after an error.
    pub outcome: Json,
    /// The exit status of the verb.
    pub status: u8,
    /// What went wrong; empty if nothing did.
    pub error: String,
}

impl Done {
    /// It was done.
    pub fn ok(outcome: Json) -> Done {
        Done { outcome, status: 0, error: String::new() }
    }

    /// Refused: status 1.
    pub fn refused(error: impl ToString) -> Done {
        Done { outcome: Json::Null, status: 1, error: error.to_string() }
    }

    /// Bad usage: status 2.
    pub fn usage(error: impl ToString) -> Done {
        Done { outcome: Json::Null, status: 2, error: error.to_string() }
    }

    /// Our fault, or the machine's: status 3.
    pub fn ours(error: impl ToString) -> Done {
        Done { outcome: Json::Null, status: 3, error: error.to_string() }
    }
}

/// Does what a command says.
pub async fn run(node: &Node, command: Command) -> Done {
    match command {
        Command::Status {} => status(node),
        Command::Backup { to } => match backup::back_up(node.institution(), &to).await {
            Ok(manifest) => {
                Done::ok(json!({ "to": to, "height": manifest.height, "app_hash": manifest.app_hash, "files": manifest.files.len() }))
            }
            Err(error @ BackupError::Exists(_)) => Done::usage(error),
            Err(error) => Done::ours(causes(&error)),
        },
        Command::Inbox {} => match node.questions().inbox() {
            Ok(waiting) => Done::ok(json!({ "waiting": waiting })),
            Err(error) => Done::ours(error),
        },
        Command::Decide { question, permitted } => match node.questions().decide(question, permitted, now_ms()) {
            Ok(()) => Done::ok(json!({ "question": question, "permitted": permitted })),
            Err(error @ (QuestionError::Unknown | QuestionError::Decided)) => Done::refused(error),
            Err(error) => Done::ours(error),
        },
    }
}

fn status(node: &Node) -> Done {
    let identity = node.institution().identity();
    let height = match node.height() {
        Ok(height) => height,
        Err(error) => return Done::ours(error),
    };
    let pending = match node.institution().vault().pending_count() {
        Ok(pending) => pending,
        Err(error) => return Done::ours(error),
    };
    Done::ok(json!({
        "member": identity.member, "chain": identity.chain, "suite": identity.suite, "height": height,
        "pending_records": pending, "since": calendar::show_instant(node.began().unix()),
        "phase": match *node.phase().borrow() {
            Phase::Serving => "serving",
            Phase::Stopping => "stopping",
            Phase::Failed => "failed",
        },
    }))
}
