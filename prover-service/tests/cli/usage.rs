//! Bad usage ends with 2 and says what to do; nothing is written.

use serde_json::json;

use super::story::{ADULT, ask, story};
use crate::program::{command, folder, run, vouch, words, write};
use crate::scene;

const VERIFY: &str = "verify {} --request {} --trust {} --json";

#[test]
fn what_is_no_evidence_request_or_trust_file_is_bad_usage() {
    let Some(story) = story() else { return };
    let home = folder("usage");
    let good = [&*story.evidence, &*story.request, &*story.trust];
    let text = home.join("text.json");
    std::fs::write(&text, "not JSON").unwrap();
    let empty = write(&home, "empty.json", &json!({}));
    let (missing, binary) = (home.join("missing.json"), home.join("binary.json"));
    std::fs::write(&binary, [0xff, 0xfe, 0]).unwrap();
    for place in 0..3 {
        let mut more: serde_json::Value = serde_json::from_slice(&std::fs::read(good[place]).unwrap()).unwrap();
        more["surprise"] = json!(true);
        let more = write(&home, "more.json", &more);
        for bad in [&text, &empty, &missing, &binary, &more, &home] {
            let mut files = good;
            files[place] = bad;
            let ran = vouch(VERIFY, &files).exits(2);
            assert!(ran.err.starts_with("vouch: "), "{ran:?}");
            assert_eq!(ran.json()["status"], 2);
        }
    }
}

#[test]
fn a_question_that_cannot_be_asked_is_bad_usage_and_writes_no_file() {
    let (_, trust) = scene::found("usage-trust");
    let home = folder("usage-request");
    let trust = write(&home, "trust.json", &json!(trust));
    let out = home.join("request.json");
    for (predicate, why) in [
        ("birthDate <= date(\"2008-02-30\")", "not a day of the calendar"),
        ("shoeSize == 4", "no such field"),
        ("birthDate <", "not CEL"),
        ("birthDate <= yearsAgo(18) || !(birthDate <= yearsAgo(18))", "always true"),
        ("familyName.exists(n, n == \"Okafor\")", "no other record exists"),
    ] {
        let ran = ask(&trust, predicate, &out).exits(2);
        assert!(ran.err.contains(why), "{ran:?}");
    }
    let line =
        "request --schema patient --issuer hospital --purpose HPAYMT --where active==\"true\" --trust {} --out {}";
    for (more, why) in [
        ("--verifier v --expires never", "--expires is a day"),
        ("--verifier v --expires 2020-01-01", "expire before it is asked"),
        ("--verifier v --max-age 0", "max_age_seconds"),
        ("--verifier v --schema dentist", "neither a built-in schema"),
        ("--verifier v --issuer St.Mary!", ""),
        ("", "--verifier"),
    ] {
        let mut words = words(line, &[&trust, &out]);
        for pair in more.split_whitespace().collect::<Vec<_>>().chunks(2) {
            // a value given before gives way
            match words.iter().position(|word| word == pair[0]) {
                Some(at) => words[at + 1] = pair[1].into(),
                None => words.extend(pair.iter().map(Into::into)),
            }
        }
        let ran = run(command(words)).exits(2);
        assert!(ran.err.contains(why), "{ran:?}");
    }
    let mut stale: serde_json::Value = serde_json::from_slice(&std::fs::read(&trust).unwrap()).unwrap();
    stale["refresh_by"] = json!(0);
    let ran = ask(&write(&home, "stale.json", &stale), ADULT, &out).exits(2);
    assert!(ran.err.contains("refresh-by"), "{ran:?}");
    assert!(!out.exists());
    ask(&trust, ADULT, &out).exits(0);
    assert!(out.exists());
}

#[test]
fn unknown_verbs_and_missing_files_are_bad_usage() {
    let home = folder("usage-verbs");
    vouch("", &[]).exits(2);
    vouch("frobnicate", &[]).exits(2);
    vouch("ingest --data {}", &[&home]).exits(2);
    vouch("init", &[]).exits(2);
    vouch("init --data {} --suite secp256k1", &[&home.join("data")]).exits(2);
    vouch("init --data {} --member UPPER", &[&home.join("data")]).exits(2);
    vouch("init --data {} --chain no/slash", &[&home.join("data")]).exits(2);
    let ran = vouch("ingest --data {} {}", &[&home, &home.join("none.json")]).exits(2);
    assert!(ran.err.contains("vouch init --data"), "{ran:?}");
    let ran = vouch("demo {} --json", &[&home.join("none.json")]).exits(2);
    assert!(ran.err.contains("none.json"), "{ran:?}");
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
}
