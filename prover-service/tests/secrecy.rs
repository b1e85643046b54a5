//! Nothing readable leaves the vault: neither the ledger's files nor evidence hold a name, an identifier, a text of a
//! record, or a plain hash of one.

mod patterns;
mod run;

use std::collections::BTreeSet;

use rand::rngs::OsRng;
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::macros::date;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_prover_service::answer::answer;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Silent};
use vouchsafe_prover_service::key_files::{KeyFolder, KeyRing};

use crate::scene;

/// Shorter texts turn up by chance.
const LENGTH_MIN: usize = 8;

/// Every text of a JSON document that is long enough to look for.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.len() >= LENGTH_MIN => {
            found.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => members.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The texts that stand in these bytes, as they are or as their SHA-256, whole or the 31 bytes that a field holds.
fn readable<'a>(bytes: &[u8], needles: &'a BTreeSet<String>) -> Vec<&'a str> {
    let found = needles.iter().filter(|needle| {
        let hash: [u8; 32] = Sha256::digest(needle.as_bytes()).into();
        let mut reversed = hash;
        reversed[..31].reverse(); // field elements are little-endian
        holds(bytes, needle.as_bytes())
            || holds(bytes, &hash[..31])
            || holds(bytes, &reversed[..31])
            || holds(bytes, hex::encode(hash).as_bytes())
    });
    found.map(String::as_str).collect()
}

/// All bytes of the files below a folder, one after another.
fn bytes_below(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_below(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}

#[test]
fn ledger_evidence_and_folders_hold_nothing_readable() {
    let (data, trust) = scene::found("secrecy");
    let institution = scene::open(&data);
    let bundles = hospital::generate(1, 3, date!(2026 - 06 - 15));
    let source = Source::new("secret-source").unwrap();
    let runtime = scene::runtime();
    let request = scene::ask_with(&trust, "birthDate <= yearsAgo(18)", "hospital");
    let evidence = runtime.block_on(async {
        let mut intake = Intake::new(&institution, &source);
        for bundle in &bundles {
            intake.bytes("bundle", &serde_json::to_vec(bundle).unwrap(), &mut Silent, &mut OsRng).await.unwrap();
        }
        intake.finish(&mut Silent, &mut OsRng).await.unwrap();
        let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), Suite::Bn254);
        let subject = hospital::record_number(0).parse().unwrap();
        answer(&institution, &keys, &request, &subject, &mut OsRng).await.unwrap()
    });
    drop(institution);

    let mut needles = BTreeSet::new();
    bundles.iter().for_each(|bundle| texts(bundle, &mut needles));
    needles.insert(hospital::record_number(0));
    // what the schemas say is public: systems, units, codes
    let schemas: Vec<u8> = builtin::all().iter().flat_map(|schema| schema.to_bytes()).collect();
    needles.retain(|needle| !holds(&schemas, needle.as_bytes()));
    assert!(needles.len() > 100, "{}", needles.len());

    for folder in ["ledger", "vault", "disclosures", "keys"] {
        assert_eq!(readable(&bytes_below(&data.join(folder)), &needles), Vec::<&str>::new(), "{folder}");
    }
    let evidence = serde_json::to_vec(&evidence).unwrap();
    assert_eq!(readable(&evidence, &needles), Vec::<&str>::new());
    // the verifier's name is in its request, and in no file of the ledger
    let ledger = bytes_below(&data.join("ledger"));
    assert!(!holds(&ledger, request.verifier.as_bytes()) && holds(&evidence, request.verifier.as_bytes()));

    // the control: the search finds each text where it stands, and a plain hash too
    let plain = serde_json::to_vec(&bundles).unwrap();
    assert!(readable(&plain, &needles).len() > needles.len() * 9 / 10);
    let one: BTreeSet<String> = needles.iter().take(1).cloned().collect();
    let hash = Sha256::digest(one.iter().next().unwrap().as_bytes());
    assert_eq!(readable(&hash, &one).len(), 1);
}
