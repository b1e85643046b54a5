//! The whole path as a user walks it, once: init, ingest twice, request, prove, verify. Other tests read its files.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value as Json, json};

use crate::fixtures;
use crate::program::{Ran, command, folder, run, vouch, words};

/// Files of the story.
pub struct Story {
    pub data: PathBuf,
    pub trust: PathBuf,
    pub request: PathBuf,
    pub evidence: PathBuf,
    reports: [Json; 2],
}

/// A question that one of the patients answers with yes.
pub const ADULT: &str = "birthDate<=yearsAgo(18)";
/// Alberto Atencio, born 1993.
pub const SUBJECT: &str = "http://hospital.smarthealthit.org|fc712d1f-5a2e-4407-9c55-a2a2bad623c2";

/// The story, told once; none without the fixtures.
pub fn story() -> Option<&'static Story> {
    static STORY: OnceLock<Option<Story>> = OnceLock::new();
    STORY.get_or_init(|| fixtures::folder().map(|fixtures| tell(&fixtures))).as_ref()
}

fn tell(fixtures: &std::path::Path) -> Story {
    let home = folder("story");
    let file = |name: &str| home.join(name);
    let data = file("data");
    vouch("init --data {} --json", &[&data]).exits(0);
    let ingest = || {
        let mut words = words("ingest --json --data {}", &[&data]);
        words.extend(patients(fixtures).into_iter().map(PathBuf::into_os_string));
        run(command(words)).exits(0).json()
    };
    let reports = [ingest(), ingest()];
    let (trust, request, evidence) = (data.join("trust.json"), file("request.json"), file("evidence.json"));
    ask(&trust, ADULT, &request).exits(0);
    prove(&data, &request, SUBJECT, &evidence).exits(0);
    Story { data, trust, request, evidence, reports }
}

/// The five patients' bundles.
pub fn patients(fixtures: &std::path::Path) -> Vec<PathBuf> {
    let folder = fixtures.join("fhir-r4-synthea");
    let names = fixtures::files(&folder).into_iter().map(|(name, _)| name);
    names.filter(|name| !name.starts_with("practitioner")).map(|name| folder.join(name)).collect()
}

pub fn ask(trust: &std::path::Path, predicate: &str, out: &std::path::Path) -> Ran {
    ask_about("patient", trust, predicate, out)
}

/// Asks about records of a schema.
pub fn ask_about(schema: &str, trust: &std::path::Path, predicate: &str, out: &std::path::Path) -> Ran {
    let line = "request --json --issuer hospital --verifier insurer --purpose HPAYMT --trust {} --out {}";
    let mut words = words(line, &[trust, out]);
    words.extend(["--schema", schema, "--where", predicate].map(Into::into));
    run(command(words))
}

pub fn prove(data: &std::path::Path, request: &std::path::Path, subject: &str, out: &std::path::Path) -> Ran {
    let mut words = words("prove --json --data {} --request {} --out {}", &[data, request, out]);
    words.extend(["--subject", subject].map(Into::into));
    run(command(words))
}

#[test]
fn five_patients_are_taken_in_once() {
    let Some(Story { reports: [first, second], .. }) = story() else { return };
    let records =
        json!({"Patient": 5, "Observation": 290, "Condition": 20, "MedicationRequest": 20, "Immunization": 62});
    for (report, added, unchanged) in [(first, 397, 0), (second, 0, 397)] {
        assert_eq!(report["records"], records);
        assert_eq!(report["added"], added, "{report}");
        assert_eq!(report["unchanged"], unchanged, "{report}");
        assert_eq!(report["errors"], json!([]));
        assert_eq!((&report["amended"], &report["withdrawn"]), (&json!(0), &json!(0)));
        // what is not mapped is counted and named
        assert!(report["skipped"]["Encounter"].as_u64() > Some(0), "{report}");
        assert!(report["skipped"].get("Patient").is_none());
    }
}

#[test]
fn a_fact_about_one_of_them_is_proved_and_verified() {
    let Some(story) = story() else { return };
    let line = "verify {} --request {} --trust {} --json";
    let ran = vouch(line, &[&story.evidence, &story.request, &story.trust]).exits(0);
    assert_eq!(ran.json()["valid"], true);
    assert_eq!(ran.json()["where"], json!([ADULT]));
    assert_eq!(ran.json()["pseudonym"].as_str().unwrap().len(), 64);
    let said = vouch(line.trim_end_matches(" --json"), &[&story.evidence, &story.request, &story.trust]).exits(0);
    assert!(said.out.starts_with("Valid: birthDate"), "{}", said.out);
    // an archive judges as of the day; tomorrow's question has lapsed
    let line = "verify {} --request {} --trust {} --as-of 2100-01-01 --json";
    let ran = vouch(line, &[&story.evidence, &story.request, &story.trust]).exits(1);
    assert_eq!(ran.json()["check"], "InForce");
}

#[test]
fn what_cannot_be_shown_or_is_asked_of_nobody_is_refused() {
    let Some(story) = story() else { return };
    let home = folder("story-refused");
    let out = home.join("evidence.json");
    let child = home.join("child.json");
    ask(&story.trust, "birthDate > yearsAgo(18)", &child).exits(0);
    let ran = prove(&story.data, &child, SUBJECT, &out).exits(1);
    assert!(ran.json()["error"].as_str().unwrap().starts_with("not proved"), "{ran:?}");
    let ran = prove(&story.data, &story.request, "http://hospital.smarthealthit.org|nobody", &out).exits(1);
    assert!(ran.err.contains("no subject of this vault"), "{ran:?}");
    assert!(!out.exists());
}
