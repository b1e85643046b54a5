//! The demo: facts proved, doors opened and shut, every attack refused, every control through, all of it in the audit
//! trail; with its own hospital and with files. Its ledgers hold nothing that can be read.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_prover_service::demo::hospital;

use crate::cli::patients;
use crate::fixtures;
use crate::program::{command, folder, run};

/// What the issue asks to be refused, by a word of the attempt.
const REFUSED: [&str; 9] = [
    "replayed to another verifier, over gRPC",
    "consent was taken back",
    "without a grant",
    "grant was revoked",
    "vault changed",
    "before the ledger took the entry",
    "researcher at the door",
    "more than the project's budget",
    "budget others spent",
];

/// The kinds of entries that the story leaves.
const KINDS: [&str; 11] = [
    "question",
    "grant",
    "release",
    "revocation",
    "emergency",
    "review",
    "data set",
    "project",
    "budget reserved",
    "budget spent",
    "withdrawal",
];

fn ends_well(figures: &Json) {
    let list = |name: &str| figures[name].as_array().unwrap_or_else(|| panic!("no {name}: {figures}")).clone();
    assert!(figures["records"].as_u64() > Some(0));
    let facts = list("facts");
    assert!(facts.len() >= 6, "{figures}");
    for fact in &facts {
        assert_eq!(fact["valid"], true, "{fact}");
        assert!(fact["where"].as_str().is_some_and(|text| !text.is_empty()), "{fact}");
        for figure in ["prove_ms", "verify_ms", "constraints"] {
            assert!(fact[figure].as_u64().is_some(), "{fact}");
        }
        let domain = if fact["statement"] == "fact-1" { 1 << 13 } else { 1 << 14 };
        assert!(fact["constraints"].as_u64() <= Some(domain), "{fact}");
    }
    let refusals = list("refusals");
    assert!(refusals.len() >= 17, "{figures}");
    for attempt in &refusals {
        assert_eq!(attempt["refused"], true, "{attempt}");
        assert!(attempt["why"].as_str().is_some_and(|text| !text.is_empty()), "{attempt}");
        if let Some(control) = attempt.get("control") {
            assert_eq!(control["accepted"], true, "{attempt}");
        }
    }
    for words in REFUSED {
        let named = |attempt: &&Json| attempt["attempt"].as_str().is_some_and(|text| text.contains(words));
        let attempt = refusals.iter().find(named).unwrap_or_else(|| panic!("nobody tried {words:?}"));
        assert!(attempt.get("control").is_some(), "{attempt}");
    }
    let controls = refusals.iter().filter(|attempt| attempt.get("control").is_some()).count();
    assert!(controls >= 17, "{figures}");
    audited(figures);
}

/// Every kind of entry is in the trail; only the patched prover's entries have no opening.
fn audited(figures: &Json) {
    let of = |kind: &str| figures["trail"][kind].as_u64().unwrap_or(0);
    for kind in KINDS {
        assert!(of(kind) > 0, "no {kind} in the trail: {figures}");
    }
    // two grants, both revoked; two releases and an emergency; three answers that were paid, one that was stored
    assert_eq!((of("grant"), of("revocation")), (2, 2), "{figures}");
    assert_eq!((of("release"), of("emergency"), of("review")), (2, 1, 1), "{figures}");
    assert_eq!(figures["openings"], 3);
    assert_eq!((of("budget reserved"), of("budget spent")), (3, 3), "{figures}");
    assert_eq!(figures["queries"], 4);
    let unopened = figures["unopened"].as_u64().unwrap();
    assert!((1..of("question")).contains(&unopened), "{figures}");
}

#[test]
fn it_ends_well_with_its_own_hospital() {
    ends_well(&run(command(["demo", "--json", "--patients", "4"])).exits(0).json());
}

#[test]
fn it_ends_well_with_files_of_others() {
    let Some(fixtures) = fixtures::folder() else { return };
    let mut demo = command(["demo", "--json"]);
    demo.args(patients(&fixtures));
    let figures = run(demo).exits(0).json();
    ends_well(&figures);
    assert_eq!(figures["records"], 397);
}

#[test]
fn it_speaks_to_people_and_its_ledgers_tell_nothing() {
    let kept = folder("demo-kept").join("folders");
    let keep = kept.to_str().unwrap();
    let before = today();
    let ran = run(command(["demo", "--patients", "2", "--keep", keep])).exits(0);
    assert!(!ran.out.contains("ACCEPTED") && !ran.out.contains("STILL REFUSED"), "{}", ran.out);
    assert!(ran.out.contains("without the check Proof: it goes through"), "{}", ran.out);
    assert!(ran.out.contains("NO OPENING"), "{}", ran.out);
    if before != today() {
        return; // midnight: the hospital of which day it was is not known
    }
    let mut personal = BTreeSet::new();
    hospital::generate(1, 2, before).iter().for_each(|bundle| texts(bundle, &mut personal));
    // what the schemas say is public, and on the ledger: systems, units, codes
    let schemas: Vec<u8> = builtin::all().iter().flat_map(|schema| schema.to_bytes()).collect();
    personal.retain(|text| !holds(&schemas, text.as_bytes()));
    assert!(personal.len() > 50, "too little to look for");
    for member in ["st-mary", "north-clinic"] {
        let bytes = bytes_below(&kept.join(member).join("ledger"));
        assert!(bytes.len() > 10_000, "no ledger of {member}");
        assert_eq!(readable(&bytes, &personal), Vec::<&str>::new(), "on the ledger of {member}");
    }
    // nor is any of it printed
    assert_eq!(readable(ran.out.as_bytes(), &names()), Vec::<&str>::new());
    // control: what is looked for is found where it is
    let first = personal.first().unwrap();
    assert_eq!(readable(format!("...{first}...").as_bytes(), &personal), [first]);
    let again = run(command(["demo", "--keep", keep])).exits(2);
    assert!(again.err.contains("there already"), "{}", again.err);
}

fn today() -> time::Date {
    time::OffsetDateTime::now_utc().date()
}

/// What names the protagonist.
fn names() -> BTreeSet<String> {
    let bundle = &hospital::generate(1, 1, today())[0];
    let patients = bundle["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]);
    let patient = patients.clone().find(|resource| resource["resourceType"] == "Patient").unwrap();
    let name = &patient["name"][0];
    [&name["family"], &name["given"][0], &patient["birthDate"]].map(|text| text.as_str().unwrap().to_owned()).into()
}

/// Every text of a JSON document that is long enough not to turn up by chance.
fn texts(value: &Json, found: &mut BTreeSet<String>) {
    match value {
        Json::String(text) if text.len() >= 8 => {
            found.insert(text.clone());
        }
        Json::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Json::Object(members) => members.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The texts that stand in these bytes, as they are or as their SHA-256.
fn readable<'a>(bytes: &[u8], needles: &'a BTreeSet<String>) -> Vec<&'a str> {
    let hash = |needle: &str| <[u8; 32]>::from(Sha256::digest(needle.as_bytes()));
    let found = needles.iter().filter(|needle| {
        let hash = hash(needle);
        holds(bytes, needle.as_bytes()) || holds(bytes, &hash[..31]) || holds(bytes, hex::encode(hash).as_bytes())
    });
    found.map(String::as_str).collect()
}

/// All bytes of the files below a folder, one after another.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_below(&path) } else { std::fs::read(&path).unwrap() });
    }
    all
}
