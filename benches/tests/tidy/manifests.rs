//! Who may import whom, by the manifests.

use std::collections::BTreeMap;

use super::root;

const OURS: &str = "vouchsafe-";

/// Each crate's folder, and which of ours it may depend on.
const MAY_IMPORT: &[(&str, &str, &[&str])] = &[
    ("circuits", "vouchsafe-circuits", &[]),
    ("ledger/types", "vouchsafe-ledger-types", &["vouchsafe-circuits"]),
    ("ledger", "vouchsafe-ledger", &["vouchsafe-circuits", "vouchsafe-ledger-types"]),
    ("access", "vouchsafe-access", &["vouchsafe-circuits", "vouchsafe-ledger-types"]),
    (
        "prover-service",
        "vouchsafe-prover-service",
        &["vouchsafe-circuits", "vouchsafe-ledger-types", "vouchsafe-ledger", "vouchsafe-access"],
    ),
    (
        "benches",
        "vouchsafe-benches",
        &[
            "vouchsafe-circuits",
            "vouchsafe-ledger-types",
            "vouchsafe-ledger",
            "vouchsafe-access",
            "vouchsafe-prover-service",
        ],
    ),
];

/// A library that has its home in some crates alone. `dev` dependencies of tests are free.
const HOMES: &[(&str, &[&str])] = &[
    ("ark-", &["circuits"]),
    ("bellman", &["circuits"]),
    ("groth16", &["circuits"]),
    ("tonic", &["prover-service"]),
    ("tokio", &["prover-service", "benches"]),
    ("rocksdb", &["ledger", "access"]),
    ("cel", &["prover-service"]),
    ("clap", &["prover-service", "benches"]),
];

fn dependencies(manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let tables = ["dependencies", "build-dependencies"];
    tables.iter().filter_map(|t| manifest.get(*t)?.as_table()).flat_map(|t| t.keys().cloned()).collect()
}

/// What is wrong with a crate's dependencies.
fn breaches(folder: &str, manifest: &str) -> Vec<String> {
    let allowed = MAY_IMPORT.iter().find(|(f, _, _)| *f == folder).map_or(&[][..], |(_, _, allowed)| allowed);
    let mut found = Vec::new();
    for name in dependencies(manifest) {
        if name.starts_with(OURS) && !allowed.contains(&name.as_str()) {
            found.push(format!("{folder} may not import {name}"));
        }
        for (library, homes) in HOMES {
            let same = name == *library || (library.ends_with('-') && name.starts_with(library));
            if same && !homes.contains(&folder) {
                found.push(format!("{folder} may not use {name}: its home is {}", homes.join(", ")));
            }
        }
    }
    found
}

#[test]
fn imports_run_one_way() {
    for (folder, name, _) in MAY_IMPORT {
        let text = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("a manifest");
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name));
        assert_eq!(breaches(folder, &text), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_import_is_named() {
    let wrong = "[dependencies]\nvouchsafe-ledger.workspace = true\ntokio = \"1\"\nark-ff = \"0.6\"\n";
    assert_eq!(breaches("access", wrong).len(), 3);
    assert_eq!(breaches("ledger/types", "[build-dependencies]\nrocksdb = \"0\"").len(), 1);
    assert_eq!(breaches("access", "[dev-dependencies]\ntokio = \"1\"").len(), 0);
}

#[test]
fn the_workspace_is_these_crates() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let manifest: toml::Table = text.parse().expect("a manifest");
    let members = manifest["workspace"]["members"].as_array().expect("members");
    let members: Vec<_> = members.iter().filter_map(|m| m.as_str()).collect();
    let known: BTreeMap<_, _> = MAY_IMPORT.iter().map(|(folder, name, _)| (*folder, *name)).collect();
    assert_eq!(members.len(), known.len());
    assert!(members.iter().all(|member| known.contains_key(member)), "add the crate to MAY_IMPORT");
    let profiles = manifest["profile"].as_table().expect("profiles");
    assert_eq!(profiles.keys().collect::<Vec<_>>(), ["release"], "another profile compiles RocksDB again");
    assert_eq!(profiles["release"]["overflow-checks"].as_bool(), Some(true));
}
