//! The bytes of entries, seals and app hashes are final: these are theirs, for fixed keys and times.

use vouchsafe_ledger::Engine;
use vouchsafe_ledger_types::units::Height;

use crate::world::{commit, create, disclosure, genesis, hospital};

#[test]
fn bytes_that_never_change() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let entries = vec![hospital().sign(1, commit([10, 11])), hospital().sign(2, disclosure(7))];
    ledger.submit(entries.clone()).unwrap();
    let snapshot = ledger.snapshot().unwrap();
    let first = snapshot.seal_at(Height::GENESIS).unwrap();
    let found = [
        ("genesis id", genesis().id().to_string()),
        ("commit bytes", hex::encode(entries[0].encode())),
        ("disclosure bytes", hex::encode(entries[1].encode())),
        ("genesis seal", hex::encode(first.encode())),
        ("genesis app hash", first.app_hash().to_string()),
        ("seal", hex::encode(snapshot.seal().encode())),
        ("app hash", snapshot.seal().app_hash().to_string()),
        ("checkpoint", ledger.checkpoint(snapshot.height()).unwrap().to_string()),
    ];
    let expected = include_str!("golden/bytes.txt");
    let found: String = found.iter().map(|(what, bytes)| format!("{what}: {}\n", bytes.trim_end())).collect();
    assert_eq!(found, expected, "\n{found}");
}
