//! Submitting to the solo engine: shared blocks, replays, refusals, block bounds, block time.

use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_ledger::{Clock, Engine, ManualClock, OpenError, Options, QueryError, Solo, SubmitError};
use vouchsafe_ledger_types::entry::{EntryError, Parameters, SignedEntry};
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::units::Height;

use crate::world::{Hand, at, chain, clinic, clock, commit, commitment, create, disclosure, genesis, genesis_with};
use crate::world::{hospital, parameters, reopen, validator, withdraw};

#[test]
fn threads_share_blocks_and_replays_get_the_first_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    const THREADS: u64 = 32;
    const EACH: u64 = 4;
    let receipts: Vec<_> = std::thread::scope(|scope| {
        let submit = |thread: u64| {
            let ledger = &ledger;
            scope.spawn(move || {
                let mut receipts = Vec::new();
                for n in 0..EACH {
                    let number = 1 + thread * EACH + n;
                    let entry = hospital().sign(number, commit([number]));
                    receipts.extend(ledger.submit(vec![entry.clone()]).unwrap());
                    // A client that lost the answer asks again.
                    assert_eq!(ledger.submit(vec![entry]).unwrap()[0], receipts[receipts.len() - 1]);
                }
                receipts
            })
        };
        let threads: Vec<_> = (0..THREADS).map(submit).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(receipts.iter().all(|receipt| receipt.code == ReceiptCode::Accepted));
    let positions: BTreeSet<_> = receipts.iter().map(|receipt| receipt.first_position).collect();
    assert_eq!(positions, (0..(THREADS * EACH) as u32).collect());
    let snapshot = ledger.snapshot().unwrap();
    let blocks = snapshot.height().get() - 1;
    assert!(blocks < THREADS * EACH, "{blocks} blocks for {} entries: nothing was shared", THREADS * EACH);
    let audited = vouchsafe_ledger::audit::audit(&snapshot).unwrap();
    assert_eq!(audited.entries, 1 + THREADS * EACH);
}

/// The same entry from many threads at once is logged once.
#[test]
fn one_entry_from_many_threads() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let entry = hospital().sign(1, commit([1]));
    let receipts: BTreeSet<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| ledger.submit(vec![entry.clone()]).unwrap()[0])).collect();
        threads.into_iter().map(|thread| thread.join().unwrap().encode()).collect()
    });
    assert_eq!(receipts.len(), 1);
    // Also twice in one call, and after reopening, and after its expiry.
    let twice = ledger.submit(vec![entry.clone(), entry.clone()]).unwrap();
    assert_eq!(twice[0], twice[1]);
    drop(ledger);
    let late = Arc::new(ManualClock::new(at(50_000)));
    let ledger = Solo::open(dir.path(), validator(), late, Options::default()).unwrap();
    assert_eq!(ledger.submit(vec![entry]).unwrap()[0], twice[0]);
    assert_eq!(ledger.snapshot().unwrap().height(), Height::new(2));
}

#[test]
fn one_bad_entry_refuses_the_call_and_logs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let good = hospital().sign(1, commit([1]));
    let forged = SignedEntry::sign(clinic().entry(2, at(60), commit([2])), &[&hospital().key]).unwrap();
    let stranger = Hand::new("stranger", 7).sign(3, commit([3]));
    let expired = SignedEntry::sign(hospital().entry(4, at(0), commit([4])), &[&hospital().key]).unwrap();
    let mut elsewhere = hospital().entry(5, at(60), commit([5]));
    elsewhere.header.chain = "other".parse().unwrap();
    let elsewhere = SignedEntry::sign(elsewhere, &[&hospital().key]).unwrap();
    let unsigned = SignedEntry::sign(hospital().entry(6, at(60), commit([6])), &[]).unwrap();
    let submit = |bad: SignedEntry| ledger.submit(vec![good.clone(), bad]);
    let entry = |error| Err(SubmitError::Entry { nth: 1, error });
    assert_eq!(submit(forged), entry(EntryError::BadSignature(0)));
    assert_eq!(submit(elsewhere), entry(EntryError::WrongChain("other".parse().unwrap())));
    assert_eq!(submit(unsigned), entry(EntryError::SignatureCount { needed: 1 }));
    let not_admitted = |code| Err(SubmitError::NotAdmitted { nth: 1, code });
    assert_eq!(submit(stranger), not_admitted(ReceiptCode::UnknownMember));
    assert_eq!(submit(expired), not_admitted(ReceiptCode::Expired));
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.height(), Height::GENESIS);
    assert_eq!(snapshot.lookup(hospital().id(), commitment(1)), Ok(None));
    // A refusal by the rules is logged, and is no error.
    let receipts = ledger.submit(vec![good, hospital().sign(7, withdraw(9, 9))]).unwrap();
    assert_eq!([receipts[0].code, receipts[1].code], [ReceiptCode::Accepted, ReceiptCode::UnknownPosition]);
    assert_eq!(ledger.submit(Vec::new()), Ok(Vec::new()));
}

#[test]
fn a_long_submission_takes_several_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = create(dir.path());
    let entries: Vec<_> = (1..=150u64).map(|n| hospital().sign(n, disclosure(n as u8))).collect();
    let receipts = ledger.submit(entries.clone()).unwrap();
    assert_eq!(receipts.len(), 150);
    assert!(receipts.iter().zip(&entries).all(|(receipt, entry)| receipt.entry == entry.id()));
    let snapshot = ledger.snapshot().unwrap();
    assert_eq!(snapshot.height(), Height::new(4));
    assert_eq!(snapshot.entries(Height::new(2)).unwrap(), entries[..64]);
    assert_eq!(snapshot.entries(Height::new(4)).unwrap(), entries[128..]);
    assert_eq!(snapshot.entries(Height::new(5)), Err(QueryError::UnknownHeight(Height::new(5))));
}

#[test]
fn block_time_does_not_go_backwards() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let ledger = Solo::create(dir.path(), genesis(), validator(), clock.clone(), Options::default()).unwrap();
    for (now, time) in [(50, 50), (20, 50), (60, 60)] {
        clock.set(at(now));
        assert_eq!(clock.now(), at(now));
        ledger.submit(vec![hospital().sign(now, disclosure(1))]).unwrap();
        assert_eq!(ledger.snapshot().unwrap().seal().time, at(time));
    }
}

#[test]
fn founding_and_opening_are_refused_where_they_must_be() {
    let dir = tempfile::tempdir().unwrap();
    let found = |genesis, key, dir: &std::path::Path| {
        Solo::create(dir, genesis, key, clock(), Options::default()).map(|_| ()).map_err(|error| format!("{error:?}"))
    };
    assert!(matches!(reopen(dir.path()), Err(OpenError::Missing(_))));
    assert_eq!(found(genesis(), hospital().key, dir.path()), Err("NotValidator".into()));
    let other = hospital().sign(1, commit([1]));
    assert!(found(other, validator(), dir.path()).unwrap_err().starts_with("Genesis"));
    let half = {
        let whole = genesis();
        SignedEntry::sign(whole.entry().clone(), &[&hospital().key]).unwrap()
    };
    assert!(found(half, validator(), dir.path()).unwrap_err().starts_with("Genesis"));
    let nothing = Parameters { block_entries_max: 0, ..parameters() };
    let entry = std::panic::catch_unwind(|| genesis_with(nothing, true));
    assert!(entry.is_err(), "such a genesis cannot even be signed");
    assert_eq!(found(genesis(), validator(), dir.path()), Ok(()));
    assert!(found(genesis(), validator(), dir.path()).unwrap_err().starts_with("Exists"));
    let stranger = Solo::open(dir.path(), hospital().key, clock(), Options::default());
    assert!(matches!(stranger, Err(OpenError::NotValidator)));
    let ledger = reopen(dir.path()).unwrap();
    assert_eq!(*ledger.chain(), chain());
    // One process has it open; a second one is told so.
    assert!(matches!(reopen(dir.path()), Err(OpenError::Io(..))));
}
