//! A power cut during `vouch ingest`: of the folder only what was synced is left, and every acknowledged record is in it.
//!
//! The ledger's shim (`ledger/tests/shim/unsynced.c`) stands between the program and the disk and keeps a mirror of
//! synced files alone. Linux only: it is loaded before libc.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::crash::{is_whole, kill, lost, receipts, words_of, write_files};
use crate::program::{command, folder};
use crate::scene::{found, open, runtime};

/// Bytes of receipts before the cut: some 300 records.
const ACKNOWLEDGED_BYTES: u64 = 300 * 65;

fn shim(dir: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../ledger/tests/shim/unsynced.c");
    let library = dir.join("unsynced.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-pthread", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().expect("a C compiler named cc is needed").success());
    library
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn what_was_acknowledged_was_synced() {
    let (data, _) = found("power-cut");
    let data = data.canonicalize().unwrap();
    let base = folder("power-cut-mirror").canonicalize().unwrap();
    let (mirror, before, noted) = (base.join("mirror"), base.join("before"), base.join("receipts"));
    // the folder is durable when `init` returns; from here on only syncs count
    copy_folder(&data, &mirror);
    copy_folder(&data, &before);
    let mut ingest = command(words_of(&data, &noted, &write_files(&base)));
    ingest.env("LD_PRELOAD", shim(&base)).env("UNSYNCED_ROOT", &data).env("UNSYNCED_MIRROR", &mirror);
    let cut = kill(ingest.spawn().unwrap(), &noted, ACKNOWLEDGED_BYTES, Duration::from_millis(7));
    assert!(cut, "ingest ended before the power was cut");

    let acknowledged = receipts(&noted);
    assert!(acknowledged.len() >= 200, "{}", acknowledged.len());
    runtime().block_on(async {
        let after = open(&mirror);
        is_whole(&after).await;
        assert_eq!(lost(&after, acknowledged.iter().copied()).await, []);
        drop(after);
        // the control: a disk that had synced nothing would have lost them all
        let nothing = open(&before);
        assert_eq!(lost(&nothing, acknowledged.iter().copied()).await.len(), acknowledged.len());
    });
}
