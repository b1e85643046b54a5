//! A store that is not what was written is refused, or reads as it was; it never reads as something else.

use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe_ledger::audit::audit;
use vouchsafe_ledger::{Engine, OpenError};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::units::Height;

use crate::world::{clinic, commit, create, disclosure, hospital, reopen, withdraw};

/// A ledger of a few blocks in a folder; its last seal.
fn write(dir: &Path) -> Seal {
    let ledger = create(dir);
    for n in 1..=8u64 {
        let entries = vec![hospital().sign(n, commit([n, 100 + n])), clinic().sign(n, disclosure(n as u8))];
        ledger.submit(entries).unwrap();
    }
    ledger.submit(vec![hospital().sign(50, withdraw(0, 1))]).unwrap();
    *ledger.snapshot().unwrap().seal()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Opens and audits: the seal it ends with, or why not.
fn read(dir: &Path) -> Result<Seal, String> {
    let ledger = reopen(dir).map_err(|error| error.to_string())?;
    let snapshot = ledger.snapshot().map_err(|error| error.to_string())?;
    audit(&snapshot).map_err(|error| error.to_string())?;
    Ok(*snapshot.seal())
}

/// Damages each file in turn, in several ways. Returns how many were refused.
fn damage_each_file(dir: &Path, seal: Seal) -> usize {
    let mut refused = 0;
    for file in files(dir) {
        let name = file.strip_prefix(dir).unwrap().to_owned();
        let bytes = fs::read(&file).unwrap();
        if bytes.is_empty() || name.ends_with("LOG") {
            continue;
        }
        let mut variants = vec![bytes[..bytes.len() / 2].to_vec(), bytes[..bytes.len() - 1].to_vec()];
        for part in [0, 1, 3, 5] {
            let mut flipped = bytes.clone();
            flipped[(bytes.len() - 1) * part / 5] ^= 0x10;
            variants.push(flipped);
        }
        for (way, damaged) in variants.into_iter().enumerate() {
            let scratch = tempfile::tempdir().unwrap();
            copy(dir, scratch.path());
            fs::write(scratch.path().join(&name), damaged).unwrap();
            match read(scratch.path()) {
                Ok(found) => assert_eq!(found, seal, "{name:?}, way {way}"),
                Err(_) => refused += 1,
            }
        }
    }
    refused
}

#[test]
fn damaged_files_in_the_write_ahead_log() {
    let dir = tempfile::tempdir().unwrap();
    let seal = write(dir.path());
    assert!(damage_each_file(dir.path(), seal) >= 6);
}

#[test]
fn damaged_tables() {
    let dir = tempfile::tempdir().unwrap();
    let seal = write(dir.path());
    // Opening moves the write-ahead log into tables.
    assert_eq!(read(dir.path()), Ok(seal));
    assert!(files(dir.path()).iter().any(|file| file.extension().is_some_and(|end| end == "sst")));
    assert!(damage_each_file(dir.path(), seal) >= 20);
}

#[test]
fn an_older_copy_is_noticed_by_the_guard() {
    let dir = tempfile::tempdir().unwrap();
    let old = tempfile::tempdir().unwrap();
    write(dir.path());
    copy(dir.path(), old.path());
    let ledger = reopen(dir.path()).unwrap();
    ledger.submit(vec![hospital().sign(60, commit([60]))]).unwrap();
    drop(ledger);
    fs::remove_dir_all(dir.path().join("db")).unwrap();
    copy(&old.path().join("db"), &dir.path().join("db"));
    let error = reopen(dir.path()).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, OpenError::Behind { store, guard } if store == Height::new(10) && guard == Height::new(11)),
        "{error}"
    );
    // The control: with the guard set back too, it opens. Only a witness can notice that.
    copy(old.path(), dir.path());
    assert!(reopen(dir.path()).is_ok());
    fs::remove_file(dir.path().join("guard")).unwrap();
    assert!(matches!(reopen(dir.path()), Err(OpenError::Damaged(_))));
}

/// Rows changed through the database itself, so that its own checksums are right.
#[test]
fn changed_rows() {
    let covered = ["seals", "entries", "receipts", "log", "sets", "positions", "located", "expiries", "meta"];
    // Old nodes and values of the map are read by nothing but proofs of old states; there the tip must be as it was.
    for family in covered.into_iter().chain(["map", "values"]) {
        for first in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            let seal = write(dir.path());
            change_row(&dir.path().join("db"), family, first);
            match read(dir.path()) {
                Ok(found) => assert!(found == seal && !covered.contains(&family), "{family}, first {first}"),
                Err(error) => assert!(error.contains("damaged store") || family == "meta", "{family}: {error}"),
            }
        }
    }
}

/// Flips one bit of the last byte of a family's first or last row.
fn change_row(db: &Path, family: &str, first: bool) {
    let options = rocksdb::Options::default();
    let families = rocksdb::DB::list_cf(&options, db).unwrap();
    let db = rocksdb::DB::open_cf(&options, db, families).unwrap();
    let handle = db.cf_handle(family).unwrap();
    let mode = if first { rocksdb::IteratorMode::Start } else { rocksdb::IteratorMode::End };
    let (key, value) = db.iterator_cf(handle, mode).next().unwrap().unwrap();
    let mut value = value.into_vec();
    match value.last_mut() {
        Some(last) => *last ^= 1,
        // A row that is all key: it goes.
        None => return db.delete_cf(handle, key).unwrap(),
    }
    db.put_cf(handle, key, value).unwrap();
}
