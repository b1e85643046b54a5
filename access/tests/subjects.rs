//! Who a subject is: which names make somebody that subject, and which only find it.

use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{Draft, DraftError, Outcome, Vault};

use crate::support::{Hospital, mrn, new_id, patient, record, source};

fn licence(number: u32) -> Identifier {
    Identifier::new("urn:licence", &number.to_string()).unwrap()
}

fn with_licence(number: u32, licences: &[u32]) -> Draft {
    Draft { lookups: licences.iter().map(|n| licence(*n)).collect(), ..patient(number, "1") }
}

fn same(vault: &Vault, a: &Identifier, b: &Identifier) -> bool {
    vault.subject(a).unwrap().is_some() && vault.subject(a).unwrap() == vault.subject(b).unwrap()
}

/// Two people with one licence number stay two, and the second is told apart; with the licence as an identity, the
/// control, they would be one.
#[tokio::test]
async fn a_shared_number_does_not_merge_two_people() {
    let (mut hospital, vault) = Hospital::new(1);
    let staged =
        vault.stage(vec![record(with_licence(1, &[5])), record(with_licence(2, &[5, 6]))], &mut hospital.rng).await;
    let staged = staged.unwrap();
    assert!(staged.outcomes.iter().all(|outcome| matches!(outcome, Ok(Outcome::New(_)))));
    assert_eq!(staged.foreign_lookups, 1);
    assert!(!same(&vault, &mrn(1), &mrn(2)));
    assert!(same(&vault, &licence(5), &mrn(1)) && same(&vault, &licence(6), &mrn(2)));

    let as_identity = |number| Draft { subject: vec![mrn(number), licence(7)], ..patient(number, "1") };
    hospital.ingest(&vault, vec![record(as_identity(3)), record(as_identity(4))]).await;
    assert!(same(&vault, &mrn(3), &mrn(4)), "the control");
}

/// Whoever comes with a record number of their own gets it, though somebody else was found by it before.
#[tokio::test]
async fn a_name_to_look_up_is_nobodys_identity() {
    let (mut hospital, vault) = Hospital::new(2);
    let squatter = Draft { lookups: vec![mrn(9)], ..patient(1, "1") };
    hospital.ingest(&vault, vec![record(squatter)]).await;
    assert!(same(&vault, &mrn(9), &mrn(1)));
    hospital.ingest(&vault, vec![record(patient(9, "1"))]).await;
    assert!(!same(&vault, &mrn(9), &mrn(1)));
    // a record that is not the patient's own may be filed by a name that only finds the patient, and gives it none
    hospital.ingest(&vault, vec![record(with_licence(2, &[8]))]).await;
    let filed = Draft {
        subject: vec![licence(8)],
        lookups: vec![licence(80)],
        introduces: false,
        source: source("Condition/1", "1"),
        ..patient(2, "1")
    };
    hospital.ingest(&vault, vec![record(filed)]).await;
    let subject = vault.subject(&mrn(2)).unwrap().unwrap();
    assert_eq!(vault.find(subject, patient(2, "1").schema.id()).unwrap().len(), 2);
    assert_eq!(vault.subject(&licence(80)).unwrap(), None);
}

/// A second system with the same ids, or a mistake in the first one, cannot change another person's record.
#[tokio::test]
async fn a_version_of_another_subject_is_refused() {
    let (mut hospital, vault) = Hospital::new(3);
    let first = new_id(&hospital.ingest(&vault, vec![record(patient(1, "1"))]).await[0]);
    hospital.ingest(&vault, vec![record(patient(2, "1"))]).await;
    for stranger in [2, 77] {
        let takeover = Draft { subject: vec![mrn(stranger)], ..patient(1, "2") };
        let staged = vault.stage(vec![record(takeover)], &mut hospital.rng).await.unwrap();
        assert!(matches!(staged.outcomes[0], Err(DraftError::OtherSubject { .. })), "{stranger}");
    }
    assert_eq!(vault.subject(&mrn(77)).unwrap(), None, "what was refused left nothing behind");
    let subject = vault.subject(&mrn(1)).unwrap().unwrap();
    assert_eq!(vault.find(subject, patient(1, "1").schema.id()).unwrap(), [first]);
}
