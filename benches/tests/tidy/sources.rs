//! What sources may hold, and how long they may be.

use super::{code_of, rust_files, without_tests, words};

/// Files that may be longer than [`LINES_MAX`], with the reason.
const LONG_FILES: &[(&str, &str)] = &[];
const LINES_MAX: usize = 500;

/// Where a library or a module may be named.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("rocksdb", &["ledger/src/store", "access/src/vault/index", "ledger/tests/"]),
    ("tonic", &["prover-service/"]),
    ("tokio", &["prover-service/", "access/tests/", "ledger/src/engine/cometbft", "benches/"]),
    ("ark_groth16", &["circuits/src/backend"]),
];

/// What a replica must not use: it would not give the same state everywhere.
const NOT_DETERMINISTIC: &[&str] =
    &["f32", "f64", "HashMap", "HashSet", "SystemTime", "Instant", "thread_rng", "OsRng"];
const STATE_MACHINE: &[&str] = &["ledger/src/state_machine", "ledger/src/state.rs", "ledger/src/sealing.rs"];

const BAD_NAMES: &[&str] =
    &["mod.rs", "utils.rs", "util.rs", "common.rs", "helpers.rs", "helper.rs", "misc.rs", "manager.rs"];

const FOLDERS: &[&str] = &["circuits", "ledger", "access", "prover-service", "benches"];

fn all() -> Vec<(String, String)> {
    FOLDERS.iter().flat_map(|folder| rust_files(folder)).collect()
}

fn nondeterminism(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code_of(without_tests(text)) {
        found.extend(words(&line).filter(|word| NOT_DETERMINISTIC.contains(word)).map(str::to_owned));
        let floats = words(&line).filter(|word| word.ends_with("_f32") || word.ends_with("_f64"));
        found.extend(floats.map(str::to_owned));
        if is_float_literal(&line) {
            found.push(line.trim().to_owned());
        }
    }
    found
}

/// `1.5`, but neither `a.0` nor `0..16`.
fn is_float_literal(line: &str) -> bool {
    let bytes = line.as_bytes();
    (1..bytes.len().saturating_sub(1)).any(|dot| {
        let digits = bytes[dot] == b'.' && bytes[dot - 1].is_ascii_digit() && bytes[dot + 1].is_ascii_digit();
        let start = (0..dot).rev().take_while(|at| bytes[*at].is_ascii_digit()).last().unwrap_or(dot);
        let before = start.checked_sub(1).map(|at| bytes[at]);
        digits && !before.is_some_and(|b| b == b'.' || b == b'_' || b.is_ascii_alphanumeric())
    })
}

fn strangers(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code_of(without_tests(text)) {
        for (library, homes) in NAMED_ONLY_IN {
            if words(&line).any(|word| word == *library) && !homes.iter().any(|home| name.starts_with(home)) {
                found.push(format!("{name} names {library}; its home is {}", homes.join(", ")));
            }
        }
    }
    found
}

#[test]
fn the_state_machine_is_deterministic() {
    let files: Vec<_> =
        all().into_iter().filter(|(name, _)| STATE_MACHINE.iter().any(|s| name.starts_with(s))).collect();
    assert!(files.len() >= 5, "the state machine has moved: tell this test where");
    for (name, text) in files {
        assert_eq!(nondeterminism(&text), Vec::<String>::new(), "{name}");
    }
    for bad in
        ["let x: f64 = y;", "let x = 1.5;", "use std::collections::HashMap;", "SystemTime::now()", "a.as_secs_f64()"]
    {
        assert!(!nondeterminism(bad).is_empty(), "{bad}");
    }
    assert!(nondeterminism("let x = pair.0.1; for i in 0..16 {} // f64 1.5").is_empty());
}

#[test]
fn libraries_stay_at_home() {
    for (name, text) in all() {
        assert_eq!(strangers(&name, &text), Vec::<String>::new());
    }
    assert_eq!(strangers("access/src/vault.rs", "use rocksdb::DB;").len(), 1);
    assert_eq!(strangers("ledger/src/store/write.rs", "use rocksdb::DB;").len(), 0);
}

#[test]
fn files_stay_short() {
    for (name, text) in all() {
        let lines = text.lines().count();
        let excused = LONG_FILES.iter().any(|(file, _)| *file == name);
        assert!(lines <= LINES_MAX || excused, "{name} has {lines} lines: make two of it");
    }
    for (file, _) in LONG_FILES {
        assert!(
            all().iter().any(|(name, text)| name == file && text.lines().count() > LINES_MAX),
            "{file} is short now"
        );
    }
}

#[test]
fn names_say_something() {
    for (name, _) in all() {
        let file = name.rsplit('/').next().unwrap_or(&name);
        assert!(!BAD_NAMES.contains(&file), "{name}");
    }
}

#[test]
fn no_crate_has_unsafe_code_and_every_file_says_what_it_is() {
    for folder in ["circuits", "ledger/types", "ledger", "access", "prover-service"] {
        let root = format!("{folder}/src/lib.rs");
        let (_, text) = rust_files(folder).into_iter().find(|(name, _)| *name == root).expect("a root");
        assert!(text.contains("#![forbid(unsafe_code)]"), "{root}");
    }
    for (name, text) in all() {
        let header = text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!(header > 0, "{name} does not say what it is");
        assert!(header <= 16, "{name}: a header of {header} lines; twelve say enough");
    }
}

#[test]
fn generated_protobuf_types_end_in_convert() {
    for (name, text) in all() {
        let uses = code_of(&text).iter().any(|line| line.contains("crate::proto") || line.contains("super::proto"));
        // messages of the ledger end in one module; those of gRPC in the services and their client
        let homes = [
            "ledger/types/src/convert",
            "ledger/types/src/lib.rs",
            "prover-service/src/server",
            "prover-service/src/client.rs",
        ];
        let home = homes.iter().any(|home| name.starts_with(home));
        assert!(!uses || home, "{name} names generated types");
    }
}
