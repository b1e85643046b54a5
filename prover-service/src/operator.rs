//! What the institution's own people can do at a node: one enum of commands, run the same way everywhere.
//!
//! ```text
//! vouch VERB ─► a node runs on DIR? ─ yes ─► DIR/operator.sock ─► run
//!                                   └ no ──► opens DIR itself  ─► run
//! ```
//!
//! Whoever reaches this needs no further right: the socket, or the folder and its passphrase, is the right.

mod door;
mod parties;
mod questions;
mod research;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use vouchsafe_access::door::Finding;
use vouchsafe_ledger_types::card::{Card, PartyName};
use vouchsafe_ledger_types::ids::{CallId, EmergencyId, GrantId};
use vouchsafe_ledger_types::units::Height;

pub use door::{GrantOrder, OpenByParty};
pub use research::{DataSetOrder, ProjectOrder};

use crate::backup::{self, BackupError};
use crate::calendar;
use crate::node::{Node, Phase};
use crate::server::causes;
use crate::trail;

/// What can be done. It may name a subject: Debug shows the command's name alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// How the node is.
    Status {},
    /// Copies the folder.
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
    /// Gives a grant.
    Grant(GrantOrder),
    /// Takes a grant back.
    Revoke {
        /// Which.
        grant: GrantId,
    },
    /// All grants.
    Grants {},
    /// Opens a record for a party that stands at the desk.
    Open(OpenByParty),
    /// The ids of a subject's records.
    Find {
        /// Whose.
        subject: String,
    },
    /// All emergencies.
    Emergencies {},
    /// Somebody looked into an emergency.
    Review {
        /// Which.
        emergency: EmergencyId,
        /// Who looked.
        reviewer: PartyName,
        /// Whether it was in order.
        justified: bool,
        /// What there is to say.
        words: String,
    },
    /// Opens a data set.
    OpenDataSet(DataSetOrder),
    /// Opens a project.
    OpenProject(ProjectOrder),
    /// What was logged about access, opened.
    Trail {
        /// From which block on.
        from: Height,
    },
    /// Admits a card.
    PartyAdmit {
        /// The card.
        card: Card,
        /// What it may be here.
        roles: Vec<String>,
    },
    /// Those who are admitted.
    PartyList {},
    /// Forgets a party.
    PartyRemove {
        /// Its name.
        name: PartyName,
    },
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = serde_json::to_value(self).unwrap_or_default();
        write!(f, "Command({})", json["command"].as_str().unwrap_or_default())
    }
}

/// What came of it, as the verb prints it. It may name a subject, or hold a parcel: Debug leaves the outcome out.
#[derive(Clone, PartialEq)]
pub struct Done {
    /// What `--json` prints; null after an error.
    pub outcome: Json,
    /// The exit status of the verb.
    pub status: u8,
    /// What went wrong; empty if nothing did.
    pub error: String,
}

impl std::fmt::Debug for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Done({}, {:?})", self.status, self.error)
    }
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
        Command::PartyAdmit { card, roles } => parties::admit(node, card, &roles),
        Command::PartyList {} => parties::list(node),
        Command::PartyRemove { name } => parties::remove(node, &name),
        Command::Grant(order) => door::grant(node, order).await,
        Command::Revoke { grant } => door::revoke(node, grant).await,
        Command::Grants {} => door::grants(node).await,
        Command::Open(order) => door::open(node, order).await,
        Command::Find { subject } => door::find(node, &subject),
        Command::Emergencies {} => door::emergencies(node).await,
        Command::Review { emergency, reviewer, justified, words } => {
            door::review(node, emergency, Finding { reviewer, justified, words }).await
        }
        Command::OpenDataSet(order) => research::open_data_set(node, order).await,
        Command::OpenProject(order) => research::open_project(node, order).await,
        Command::Trail { from } => match trail::trail(node.institution(), from) {
            Ok(lines) => Done::ok(json!({ "lines": lines })),
            Err(error) => Done::ours(causes(&error)),
        },
        Command::Backup { to } => back_up(node, &to).await,
        Command::Inbox {} => questions::inbox(node),
        Command::Decide { question, permitted } => questions::decide(node, question, permitted),
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

async fn back_up(node: &Node, to: &Path) -> Done {
    match backup::back_up(node.institution(), to).await {
        Ok(made) => {
            Done::ok(json!({ "to": to, "height": made.height, "app_hash": made.app_hash, "files": made.files.len() }))
        }
        Err(error @ BackupError::Exists(_)) => Done::usage(error),
        Err(error) => Done::ours(causes(&error)),
    }
}
