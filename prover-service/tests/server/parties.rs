//! Parties: admitted by their cards, each name and key once, whatever the name is.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::card::Card;
use vouchsafe_prover_service::parties::{Parties, PartyError};

use crate::program;

fn card(name: &str, seed: u64) -> Card {
    PartySecrets::generate(name.parse().unwrap(), &mut ChaCha20Rng::seed_from_u64(seed)).card().unwrap()
}

fn roles(roles: &[PartyRole]) -> BTreeSet<PartyRole> {
    roles.iter().copied().collect()
}

#[test]
fn a_card_is_admitted_found_and_removed() {
    let parties = Parties::of(&program::folder("parties").join("parties"));
    assert!(parties.list().unwrap().is_empty());
    let doctor = card("Dr. Ada Example", 1);
    let admitted = parties.admit(doctor.clone(), roles(&[PartyRole::Reader])).unwrap();
    assert_eq!(parties.list().unwrap(), std::slice::from_ref(&admitted));
    assert_eq!(parties.signer(&doctor.signing).unwrap(), Some(admitted));
    // again, with other roles
    let both = roles(&[PartyRole::Reader, PartyRole::Emergency]);
    assert_eq!(parties.admit(doctor.clone(), both.clone()).unwrap().roles, both);
    assert_eq!(parties.named(&doctor.name).unwrap().roles, both);
    assert!(matches!(parties.admit(doctor.clone(), roles(&[])), Err(PartyError::NoRole)));
    // another card under the name, and the key under another name
    let other = card("Dr. Ada Example", 2);
    assert!(matches!(parties.admit(other.clone(), both.clone()), Err(PartyError::OtherCard(_))));
    let renamed = Card::new("Dr. Eve".parse().unwrap(), doctor.signing, doctor.reader);
    assert!(matches!(parties.admit(renamed, both.clone()), Err(PartyError::KeyTaken(_))));
    parties.remove(&doctor.name).unwrap();
    assert!(matches!(parties.remove(&doctor.name), Err(PartyError::Unknown(_))));
    assert_eq!(parties.signer(&doctor.signing).unwrap(), None);
    assert!(parties.admit(other, both).is_ok());
}

#[test]
fn a_name_never_leaves_the_folder() {
    let folder = program::folder("parties-names");
    let parties = Parties::of(&folder.join("parties"));
    let names = ["../../escape", "/etc/passwd", "..", ".", "a/b", "a%2Fb", "Ünïcode 医", "con.json", "A b"];
    for (seed, name) in names.iter().enumerate() {
        parties.admit(card(name, seed as u64), roles(&[PartyRole::Verifier])).unwrap();
    }
    let mut found: Vec<String> = parties.list().unwrap().iter().map(|party| party.card.name.to_string()).collect();
    found.sort();
    let mut names = names.map(str::to_owned);
    names.sort();
    assert_eq!(found, names);
    let outside: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(outside, ["parties"]);
}

#[test]
fn a_changed_file_is_damaged() {
    let folder = program::folder("parties-damaged").join("parties");
    let parties = Parties::of(&folder);
    parties.admit(card("a", 1), roles(&[PartyRole::Auditor])).unwrap();
    let file = folder.join("a.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for bad in [
        good.replace("auditor", "king"),
        good.replace("\"a\"", "\"b\""),
        good.replace("\"version\": 1,\n  \"card\"", "\"version\": 2,\n  \"card\""),
        good.replacen('{', "{\"more\": 1,", 1),
        good[..good.len() / 2].to_owned(),
        " ".repeat(20_000) + &good,
    ] {
        assert_ne!(bad, good);
        std::fs::write(&file, &bad).unwrap();
        assert!(matches!(parties.list(), Err(PartyError::Damaged(..))), "{bad}");
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(parties.list().unwrap().len(), 1);
}
