//! Parties: admit a card, list, remove.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use vouchsafe_access::policy::{PartyRole, UnknownRole};
use vouchsafe_ledger_types::card::{Card, PartyName};

use super::Done;
use crate::node::Node;
use crate::parties::{Party, PartyError};

pub(super) fn admit(node: &Node, card: Card, roles: &[String]) -> Done {
    done(try_admit(node, card, roles))
}

pub(super) fn list(node: &Node) -> Done {
    done(node.parties().list().map(|parties| {
        let parties: Vec<Json> = parties.iter().map(shown).collect();
        json!({ "parties": parties })
    }))
}

pub(super) fn remove(node: &Node, name: &PartyName) -> Done {
    done(node.parties().remove(name).map(|()| json!({ "removed": name })))
}

fn try_admit(node: &Node, card: Card, roles: &[String]) -> Result<Json, PartyError> {
    let roles = roles.iter().map(|role| role.parse()).collect::<Result<BTreeSet<PartyRole>, UnknownRole>>()?;
    Ok(shown(&node.parties().admit(card, roles)?))
}

fn shown(party: &Party) -> Json {
    let roles: Vec<&str> = party.roles.iter().map(|role| role.as_str()).collect();
    json!({ "name": party.card.name, "card": party.card.id(), "roles": roles })
}

fn done(outcome: Result<Json, PartyError>) -> Done {
    match outcome {
        Ok(outcome) => Done::ok(outcome),
        Err(error @ (PartyError::OtherCard(_) | PartyError::KeyTaken(_) | PartyError::Unknown(_))) => {
            Done::refused(error)
        }
        Err(error @ (PartyError::Io(..) | PartyError::Damaged(..))) => Done::ours(error),
        Err(error) => Done::usage(error),
    }
}
