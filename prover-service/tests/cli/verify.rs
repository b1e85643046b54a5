//! Changed evidence is refused with status 1, whatever was changed; what is not evidence at all is bad usage, 2.

use std::path::Path;

use serde_json::{Value as Json, json};
use vouchsafe_ledger_types::evidence::{Evidence, ReadError, read_json};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::verify::Verifier;
use vouchsafe_prover_service::ask::compile_part;

use super::story::{ADULT, Story, ask, story};
use crate::program::{folder, vouch, write};
use crate::scene;

const VERIFY: &str = "verify {} --request {} --trust {} --json";

/// A verifier in this process, with the exit status that the program would have.
struct Desk {
    request: Request,
    trust: Trust,
    evidence: Json,
}

impl Desk {
    fn of(story: &Story) -> Desk {
        let read = |path: &Path| std::fs::read(path).unwrap();
        Desk {
            request: read_json("a request file", &read(&story.request)).unwrap(),
            trust: read_json("a trust file", &read(&story.trust)).unwrap(),
            evidence: serde_json::from_slice(&read(&story.evidence)).unwrap(),
        }
    }

    fn status(&self, evidence: &Json) -> u8 {
        let evidence = match Evidence::read(evidence.to_string().as_bytes()) {
            Ok(evidence) => evidence,
            Err(ReadError::BadValue(_)) => return 1,
            Err(_) => return 2,
        };
        let (request, trust) = (&self.request, &self.trust);
        let verifier = Verifier { request, trust, now: scene::now(), compile: &compile_part };
        u8::from(verifier.verify(&evidence).is_err())
    }

    fn with(&self, pointer: &str, value: Json) -> Json {
        let mut evidence = self.evidence.clone();
        *evidence.pointer_mut(pointer).unwrap() = value;
        evidence
    }
}

/// All values of a document that hold no others, by JSON pointer.
fn leaves(value: &Json, at: String, into: &mut Vec<(String, Json)>) {
    match value {
        Json::Object(object) => object.iter().for_each(|(key, v)| leaves(v, format!("{at}/{key}"), into)),
        Json::Array(items) => items.iter().enumerate().for_each(|(i, v)| leaves(v, format!("{at}/{i}"), into)),
        leaf => into.push((at, leaf.clone())),
    }
}

/// All objects of a document, by JSON pointer.
fn objects(value: &Json, at: String, into: &mut Vec<String>) {
    match value {
        Json::Object(object) => {
            object.iter().for_each(|(key, v)| objects(v, format!("{at}/{key}"), into));
            into.push(at);
        }
        Json::Array(items) => items.iter().enumerate().for_each(|(i, v)| objects(v, format!("{at}/{i}"), into)),
        _ => {}
    }
}

/// Another character of the same kind, so that the text is still hex or base64 where it was.
fn flipped(character: char) -> char {
    match character {
        '0' => '1',
        '9' => '8',
        'a' => 'b',
        'A' => 'B',
        '1'..='8' | 'b'..='z' | 'B'..='Z' => char::from(character as u8 - 1),
        '+' => '/',
        _ => 'A',
    }
}

/// A text that ends with padding, with every other last digit: some of them differ in bits that nothing reads.
fn respelled(text: &str) -> Vec<String> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.trim_end_matches('=');
    let Some(last) = digits.chars().last().filter(|_| digits.len() < text.len()) else { return Vec::new() };
    let padding = &text[digits.len()..];
    let others = DIGITS.chars().filter(|other| *other != last);
    others.map(|other| format!("{}{other}{padding}", &digits[..digits.len() - last.len_utf8()])).collect()
}

/// The text with one character changed, at up to `places` places from end to end.
fn flips(text: &str, places: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let count = characters.len();
    let mut at: Vec<usize> =
        (0..places.min(count)).map(|i| i * (count - 1) / places.min(count).max(2).saturating_sub(1)).collect();
    at.dedup();
    at.into_iter()
        .map(|place| {
            let mut characters = characters.clone();
            characters[place] = flipped(characters[place]);
            characters.into_iter().collect()
        })
        .collect()
}

#[test]
fn one_character_changed_anywhere_is_refused() {
    let Some(story) = story() else { return };
    let desk = Desk::of(story);
    assert_eq!(desk.status(&desk.evidence), 0);
    let mut all = Vec::new();
    leaves(&desk.evidence, String::new(), &mut all);
    let mut tried = 0;
    for (pointer, leaf) in &all {
        let others = match leaf {
            Json::String(text) if text.is_empty() => vec![json!("A")],
            Json::String(text) => flips(text, 24).into_iter().chain(respelled(text)).map(Json::from).collect(),
            Json::Number(number) if number.as_u64().is_some() => {
                let number = number.as_u64().unwrap();
                vec![json!(number.wrapping_add(1)), json!(number.wrapping_sub(1)), json!(-1)]
            }
            Json::Number(number) => vec![json!(number.as_i64().unwrap() + 1)],
            Json::Bool(value) => vec![json!(!value)],
            _ => vec![],
        };
        for other in others {
            let changed = desk.with(pointer, other);
            assert_eq!(desk.status(&changed), 1, "{pointer}: {}", changed.pointer(pointer).unwrap());
            tried += 1;
        }
    }
    println!("{tried} changes of {} values, all refused", all.len());
    assert!(tried > 500, "{tried}");
}

/// The document's text with every key of one object given twice.
fn doubled(value: &Json, at: String, target: &str) -> String {
    match value {
        Json::Object(object) => {
            let pair =
                |(key, v): (&String, &Json)| format!("{}:{}", json!(key), doubled(v, format!("{at}/{key}"), target));
            let mut pairs: Vec<String> = object.iter().map(pair).collect();
            if at == target {
                pairs.push(pairs[0].clone());
            }
            format!("{{{}}}", pairs.join(","))
        }
        Json::Array(items) => {
            let items = items.iter().enumerate().map(|(i, v)| doubled(v, format!("{at}/{i}"), target));
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        leaf => leaf.to_string(),
    }
}

#[test]
fn a_key_given_twice_is_bad_usage() {
    let Some(story) = story() else { return };
    let evidence = Desk::of(story).evidence;
    assert!(Evidence::read(doubled(&evidence, String::new(), "nowhere").as_bytes()).is_ok());
    let mut all = Vec::new();
    objects(&evidence, String::new(), &mut all);
    for pointer in all {
        let read = Evidence::read(doubled(&evidence, String::new(), &pointer).as_bytes());
        assert!(matches!(read, Err(ReadError::Form { .. })), "{pointer}: {read:?}");
    }
}

#[test]
fn a_missing_and_an_unknown_key_are_bad_usage_everywhere() {
    let Some(story) = story() else { return };
    let desk = Desk::of(story);
    let mut all = Vec::new();
    objects(&desk.evidence, String::new(), &mut all);
    assert!(all.len() > 15);
    for pointer in all {
        let mut more = desk.evidence.clone();
        more.pointer_mut(&pointer).unwrap()["surprise"] = json!(1);
        assert_eq!(desk.status(&more), 2, "{pointer}: a key more");
        let keys: Vec<String> = desk.evidence.pointer(&pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        for key in keys {
            let mut less = desk.evidence.clone();
            less.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().remove(&key);
            assert_eq!(desk.status(&less), 2, "{pointer}: without {key}");
            let mut other = desk.evidence.clone();
            other.pointer_mut(&pointer).unwrap()[&key] = json!(true);
            assert_eq!(desk.status(&other), 2, "{pointer}: {key} of another type");
        }
    }
}

#[test]
fn the_program_ends_with_1_on_each_kind_of_tampering() {
    let Some(story) = story() else { return };
    let (desk, home) = (Desk::of(story), folder("tampered"));
    let (request, trust) = (&story.request, &story.trust);
    for (pointer, check) in [
        ("/answers/0/proof", "Proof"),
        ("/answers/0/public/pseudonym", "Proof"),
        ("/answers/0/public/anchor", "PublicInputs"),
        ("/seal/state_root", "Seal"),
        ("/disclosure/seal/log_root", "Disclosure"),
        ("/request/nonce", "Request"),
        ("/checkpoint", "Checkpoint"),
    ] {
        let text = desk.evidence.pointer(pointer).unwrap().as_str().unwrap();
        // not the first character: that of a checkpoint is its form, that of a number may be the largest one
        let other = &flips(text, 9)[if pointer == "/checkpoint" { 7 } else { 3 }];
        let file = write(&home, "evidence.json", &desk.with(pointer, json!(other)));
        let ran = vouch(VERIFY, &[&file, request, trust]).exits(1);
        let said = ran.json();
        assert_eq!(said["valid"], false);
        assert!(said["check"] == check || said["check"] == "Form", "{pointer}: {said}");
        assert!(!said["why"].as_str().unwrap().is_empty());
    }
}

#[test]
fn another_request_or_trust_file_is_refused() {
    let Some(story) = story() else { return };
    let home = folder("others");
    let again = home.join("again.json");
    ask(&story.trust, ADULT, &again).exits(0);
    let ran = vouch(VERIFY, &[&story.evidence, &again, &story.trust]).exits(1);
    assert_eq!(ran.json()["check"], "Request");
    let (_, foreign) = scene::found("foreign");
    let foreign = write(&home, "trust.json", &json!(foreign));
    let ran = vouch(VERIFY, &[&story.evidence, &story.request, &foreign]).exits(1);
    assert_eq!(ran.json()["check"], "Request");
}
