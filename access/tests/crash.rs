//! A crash at any step: nothing is half there, nothing is there twice, and settling again finishes the work.

use std::sync::Arc;

use vouchsafe_access::vault::{Incoming, StageError, Vault, local_blobs};

use crate::support::{Crash, FailingStore, Hospital, patient, record, source};

const RECORDS: u32 = 10;

fn batch(version: &str) -> Vec<Incoming> {
    (0..RECORDS).map(|n| record(patient(n, version))).collect()
}

/// Everything on the ledger is in the vault, active where the vault says so, and nothing else is.
async fn all_is_well(hospital: &Hospital, vault: &Vault, active: u32, in_all: usize) {
    let schema = patient(0, "1").schema;
    let report = vault.check(std::slice::from_ref(&schema)).await.unwrap();
    assert!(report.is_sound(), "{:?}", report.faults);
    assert_eq!((report.records, report.opened, report.pending), (in_all, in_all, 0));
    let leaves = hospital.ledger.leaves();
    assert_eq!(leaves.len(), in_all, "each record once");
    assert_eq!(hospital.ledger.active(), active as usize);
    for record in vault.records().unwrap() {
        let record = record.unwrap();
        let position = record.state.position().unwrap();
        let (commitment, is_active) = leaves[position.get() as usize];
        assert_eq!(commitment, record.id.commitment());
        let held = vault.open_for_proof(record.id, &schema).await.unwrap();
        assert_eq!(held.active_position().is_some(), is_active);
    }
}

#[tokio::test]
async fn while_blobs_are_written() {
    for crash in [Crash::Before, Crash::After] {
        for nth in [0, 4, 9] {
            let (mut hospital, vault) = Hospital::new(20);
            drop(vault);
            let blobs = local_blobs(&hospital.vault_dir().join("blobs")).unwrap();
            let failing = Arc::new(FailingStore::new(blobs, nth, crash));
            let vault = Vault::open_with_blobs(&hospital.vault_dir(), &hospital.keystore, failing).unwrap();
            let e = vault.stage(batch("1"), &mut hospital.rng).await.unwrap_err();
            assert!(matches!(e, StageError::Blob(_)));
            assert_eq!(vault.pending_count().unwrap(), 0, "nothing is staged");
            drop(vault);

            let vault = hospital.reopen();
            assert_eq!(vault.records().unwrap().count(), 0);
            assert!(hospital.ledger.leaves().is_empty());
            hospital.ingest(&vault, batch("1")).await;
            all_is_well(&hospital, &vault, RECORDS, RECORDS as usize).await;
        }
    }
}

#[tokio::test]
async fn after_staging_before_the_ledger_heard_of_it() {
    let (mut hospital, vault) = Hospital::new(21);
    hospital.stage(&vault, batch("1")).await;
    drop(vault);
    let vault = hospital.reopen();
    assert_eq!(vault.pending_count().unwrap(), RECORDS as usize);
    let settled = vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap();
    assert_eq!((settled.committed, settled.found), (RECORDS as usize, 0));
    all_is_well(&hospital, &vault, RECORDS, RECORDS as usize).await;
}

#[tokio::test]
async fn while_the_ledger_takes_commitments() {
    for crash in [Crash::Before, Crash::After] {
        for nth in 0..3 {
            let (mut hospital, vault) = Hospital::new(22);
            hospital.stage(&vault, batch("1")).await;
            hospital.ledger.crash_at(nth, crash);
            assert!(vault.settle(&hospital.ledger, &mut hospital.rng).await.is_err());
            drop(vault);
            let vault = hospital.reopen();
            // what is ingested again before settling is not committed again
            hospital.stage(&vault, batch("1")).await;
            let settled = vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap();
            assert_eq!(settled.found > 0, crash == Crash::After);
            all_is_well(&hospital, &vault, RECORDS, RECORDS as usize).await;
        }
    }
}

/// The control of the test above: one who does not look up before sending again commits twice.
#[tokio::test]
async fn without_looking_up_a_record_would_be_there_twice() {
    let (mut hospital, vault) = Hospital::new(22);
    hospital.stage(&vault, batch("1")).await;
    hospital.ledger.crash_at(0, Crash::After);
    assert!(vault.settle(&hospital.ledger, &mut hospital.rng).await.is_err());
    hospital.ledger.go_blind();
    vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap();
    assert!(hospital.ledger.leaves().len() > RECORDS as usize);
}

#[tokio::test]
async fn while_the_ledger_takes_amendments_and_withdrawals() {
    for crash in [Crash::Before, Crash::After] {
        for nth in 0..RECORDS as usize {
            let (mut hospital, vault) = Hospital::new(23);
            hospital.ingest(&vault, batch("1")).await;
            let changes = || {
                let mut incoming = batch("2");
                incoming.truncate(7);
                for n in 7..RECORDS {
                    incoming.push(Incoming::EnteredInError(source(&format!("Patient/{n}"), "2")));
                }
                incoming
            };
            hospital.stage(&vault, changes()).await;
            hospital.ledger.crash_at(nth, crash);
            assert!(vault.settle(&hospital.ledger, &mut hospital.rng).await.is_err());
            drop(vault);
            let vault = hospital.reopen();
            hospital.stage(&vault, changes()).await;
            let settled = vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap();
            assert_eq!(settled.found, usize::from(crash == Crash::After));
            all_is_well(&hospital, &vault, 7, RECORDS as usize + 7).await;
        }
    }
}

#[tokio::test]
async fn an_old_record_withdrawn_behind_our_back_does_not_block_its_amendment() {
    use vouchsafe_access::ledger::{LedgerWriter, Withdrawal};
    let (mut hospital, vault) = Hospital::new(24);
    let id = crate::support::new_id(&hospital.ingest(&vault, vec![record(patient(1, "1"))]).await[0]);
    hospital.stage(&vault, vec![record(patient(1, "2"))]).await;
    let position = vault.record(id).unwrap().unwrap().state.position().unwrap();
    hospital.ledger.withdraw(Withdrawal { position, commitment: id.commitment() }).await.unwrap();
    vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap();
    assert_eq!(hospital.ledger.active(), 1);
    assert_eq!(vault.pending_count().unwrap(), 0);
}

#[tokio::test]
async fn a_ledger_that_lost_a_record_is_noticed() {
    let (mut hospital, vault) = Hospital::new(25);
    hospital.ingest(&vault, vec![record(patient(1, "1"))]).await;
    hospital.ledger = crate::support::FakeLedger::default();
    hospital.stage(&vault, vec![record(patient(1, "2"))]).await;
    let e = vault.settle(&hospital.ledger, &mut hospital.rng).await.unwrap_err();
    assert!(matches!(e, vouchsafe_access::vault::SettleError::Lost(_)), "{e}");
}
