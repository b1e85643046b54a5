//! What the institution's own people can do at a node: one enum of commands, run the same way everywhere.
//!
//! ```text
//! vouch VERB ─► a node runs on DIR? ─ yes ─► DIR/operator.sock ─► run
//!                                   └ no ──► opens DIR itself  ─► run
//! ```
//!
//! Whoever reaches this needs no further right: the socket, or the folder and its passphrase, is the right.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use vouchsafe_access::policy::{PartyRole, UnknownRole};
use vouchsafe_ledger_types::card::{Card, PartyName};

use crate::calendar;
use crate::node::{Node, Phase};
use crate::parties::{Party, PartyError};

/// What can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// How the node is.
    Status {},
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
        Command::PartyAdmit { card, roles } => party(admit(node, card, &roles)),
        Command::PartyList {} => party(node.parties().list().map(|parties| {
            let parties: Vec<Json> = parties.iter().map(shown).collect();
            json!({ "parties": parties })
        })),
        Command::PartyRemove { name } => party(node.parties().remove(&name).map(|()| json!({ "removed": name }))),
    }
}

fn admit(node: &Node, card: Card, roles: &[String]) -> Result<Json, PartyError> {
    let roles = roles.iter().map(|role| role.parse()).collect::<Result<BTreeSet<PartyRole>, UnknownRole>>()?;
    Ok(shown(&node.parties().admit(card, roles)?))
}

fn shown(party: &Party) -> Json {
    let roles: Vec<&str> = party.roles.iter().map(|role| role.as_str()).collect();
    json!({ "name": party.card.name, "card": party.card.id(), "roles": roles })
}

fn party(outcome: Result<Json, PartyError>) -> Done {
    match outcome {
        Ok(outcome) => Done::ok(outcome),
        Err(error @ (PartyError::OtherCard(_) | PartyError::KeyTaken(_) | PartyError::Unknown(_))) => {
            Done::refused(error)
        }
        Err(error @ (PartyError::Io(..) | PartyError::Damaged(..))) => Done::ours(error),
        Err(error) => Done::usage(error),
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
