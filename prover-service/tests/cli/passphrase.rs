//! No passphrase, no keystore: a clear error, and nothing is written or opened.

use std::fs;

use crate::program::{PASSPHRASE, command, folder, run, vouch, words};
use crate::scene;

#[test]
fn without_a_passphrase_nothing_is_made() {
    let home = folder("no-passphrase");
    let init = || words("init --data {}", &[&home.join("data")]);
    let mut without = command(init());
    without.env_remove("VOUCH_PASSPHRASE");
    let ran = run(without).exits(2);
    assert!(ran.err.contains("set VOUCH_PASSPHRASE, give --passphrase-file FILE"), "{ran:?}");
    let mut empty = command(init());
    empty.env("VOUCH_PASSPHRASE", "");
    let ran = run(empty).exits(2);
    assert!(ran.err.contains("the passphrase is empty"), "{ran:?}");
    let mut missing = command(init());
    missing.arg("--passphrase-file").arg(home.join("none"));
    let ran = run(missing).exits(2);
    assert!(ran.err.contains("none"), "{ran:?}");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "something was written");
}

#[test]
fn a_wrong_or_missing_passphrase_opens_nothing() {
    let (data, _) = scene::found("wrong-passphrase");
    let home = data.parent().unwrap();
    let bundle = home.join("bundle.json");
    fs::write(&bundle, "{}").unwrap();
    let ingest = || words("ingest --data {} --json {}", &[&data, &bundle]);
    let mut wrong = command(ingest());
    wrong.env("VOUCH_PASSPHRASE", "not it");
    let ran = run(wrong).exits(2);
    assert!(ran.err.to_lowercase().contains("passphrase") && !ran.err.contains("not it"), "{ran:?}");
    let mut without = command(ingest());
    without.env_remove("VOUCH_PASSPHRASE");
    run(without).exits(2);
    // from a file, with the newline that an editor leaves
    let file = home.join("passphrase");
    fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    let mut from_file = command(ingest());
    from_file.env_remove("VOUCH_PASSPHRASE").arg("--passphrase-file").arg(&file);
    let ran = run(from_file).exits(1); // an empty object is no resource, but the vault was opened
    assert_eq!(ran.json()["added"], 0);
}

#[test]
fn an_existing_folder_is_left_alone() {
    let home = folder("existing");
    let empty = home.join("empty");
    fs::create_dir(&empty).unwrap();
    let file = home.join("file");
    fs::write(&file, "precious").unwrap();
    for data in [&empty, &file] {
        let ran = vouch("init --data {}", &[data]).exits(2);
        assert!(ran.err.contains("is there already"), "{ran:?}");
    }
    assert_eq!(fs::read_dir(&empty).unwrap().count(), 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let (data, _) = scene::found("existing-institution");
    let before = fs::read(data.join("trust.json")).unwrap();
    vouch("init --data {}", &[&data]).exits(2);
    assert_eq!(fs::read(data.join("trust.json")).unwrap(), before);
}
