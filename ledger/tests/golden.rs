//! The bytes of entries, seals and app hashes are final: these are theirs, for fixed keys and times.

use vouchsafe_circuits::{Fe, SchemaId};
use vouchsafe_ledger::Engine;
use vouchsafe_ledger_types::entry::{Body, OpenDataSet};
use vouchsafe_ledger_types::ids::EntryId;
use vouchsafe_ledger_types::units::{Height, MicroEpsilon};

use crate::world::{self, at, commit, create, data_set, disclosure, genesis, hospital};

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
    let lines = found.iter().map(|(what, bytes)| format!("{what}: {}\n", bytes.trim_end()));
    // of the other kinds the ids, which are digests of their bytes
    let ids = others().map(|(what, body)| format!("{what} id: {}\n", hospital().sign(1, body).id()));
    let found: String = lines.chain(ids).collect();
    assert_eq!(found, expected, "\n{found}");
}

fn others() -> impl Iterator<Item = (&'static str, Body)> {
    let id = EntryId::from_bytes([8; 32]);
    let set = data_set(&hospital(), "all");
    // not the built-in schemas, whose ids change with their documents
    let schemas = [1, 2, 3].map(|n| SchemaId::new(Fe::from_u64(n))).to_vec();
    let all = OpenDataSet { name: "all".parse().unwrap(), schemas, budget: MicroEpsilon::new(1_000_000) };
    [
        ("grant", world::grant(at(500))),
        ("revoke", world::revoke(id)),
        ("release", world::release(id)),
        ("emergency", world::emergency(at(1), at(2))),
        ("review", world::review(id)),
        ("data set", Body::OpenDataSet(all)),
        ("project", world::open_project(set, 500_000)),
        ("reserve", world::reserve(id, 1000)),
        ("spend", world::spend(id)),
    ]
    .into_iter()
}
