//! Founding: what a consortium without proving keys can do, and that a folder is founded whole or not at all.

use std::sync::Arc;

use rand::rngs::OsRng;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::SystemClock;
use vouchsafe_prover_service::ask::{AskError, Asked, Question, ask};
use vouchsafe_prover_service::institution::{FoundError, Founding, Institution};

use crate::program::folder;
use crate::scene::now;

fn founding(chain: &str) -> Founding {
    Founding {
        chain: chain.parse().unwrap(),
        suite: Suite::Bn254,
        member: "hospital".parse().unwrap(),
        others: Vec::new(),
        keys: Vec::new(),
        kdf: KdfParams::DANGEROUS_FAST,
        clock: Arc::new(SystemClock),
    }
}

#[test]
fn without_keys_records_can_be_kept_and_nothing_asked() {
    let home = folder("founding");
    let data = home.join("data");
    let passphrase = Passphrase::new("p".to_owned()).unwrap();
    let trust = founding("keyless").found(&data, &passphrase, &mut OsRng).unwrap();
    assert!(trust.keys.is_empty() && !trust.accept_development_keys);
    drop(Institution::open(&data, &passphrase, Arc::new(SystemClock)).unwrap());
    let question = Question {
        parts: vec![Asked { schema: builtin::patient(), predicate: "birthDate <= yearsAgo(18)".to_owned() }],
        with_consent: false,
        issuer: "hospital".parse().unwrap(),
        verifier: "insurer".to_owned(),
        purpose: "HPAYMT".to_owned(),
        legal_basis: None,
        expires: now().plus_seconds(60).unwrap(),
        max_age_seconds: 60,
    };
    assert!(matches!(ask(&question, &trust, now(), &mut OsRng), Err(AskError::NoKey(_))));

    // a folder that is there is left alone, and nothing is left beside it
    assert!(matches!(founding("other").found(&data, &passphrase, &mut OsRng), Err(FoundError::Exists(_))));
    let names: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["data"]);
}
