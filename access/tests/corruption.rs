//! Blobs that are missing, cut, damaged or swapped are found and named, with their record.

use std::path::PathBuf;

use vouchsafe_access::vault::{BlobError, BlobId, ReadError, RecordId, Vault};

use crate::support::{Hospital, mrn, new_id, patient, record};

fn file_of(hospital: &Hospital, blob: BlobId) -> PathBuf {
    let name = blob.to_string();
    hospital.vault_dir().join("blobs").join(&name[..2]).join(&name)
}

async fn two_records(seed: u64) -> (Hospital, Vault, [(RecordId, BlobId); 2]) {
    let (mut hospital, vault) = Hospital::new(seed);
    let outcomes = hospital.ingest(&vault, vec![record(patient(1, "1")), record(patient(2, "1"))]).await;
    let ids = [0, 1].map(|n| {
        let id = new_id(&outcomes[n]);
        (id, vault.record(id).unwrap().unwrap().blob)
    });
    (hospital, vault, ids)
}

async fn fails(vault: &Vault, id: RecordId, blob: BlobId, damaged: bool) {
    let schema = patient(1, "1").schema;
    let e = vault.open_for_proof(id, &schema).await.unwrap_err();
    let ReadError::Blob { record, blob: why } = &e else { panic!("{e}") };
    assert_eq!(*record, id);
    match why {
        BlobError::Damaged(named) => assert!(damaged && *named == blob),
        BlobError::Missing(named) => assert!(!damaged && *named == blob),
        other => panic!("{other}"),
    }
    let text = e.to_string();
    assert!(text.contains(&id.to_string()) && text.contains(&blob.to_string()), "{text}");
    for schemas in [vec![schema], Vec::new()] {
        let report = vault.check(&schemas).await.unwrap();
        assert_eq!(report.faults.len(), 1, "the other record is sound");
        assert!(report.faults[0].to_string().contains(&blob.to_string()));
    }
}

#[tokio::test]
async fn a_missing_blob_is_named() {
    let (hospital, vault, [(id, blob), _]) = two_records(30).await;
    std::fs::remove_file(file_of(&hospital, blob)).unwrap();
    fails(&vault, id, blob, false).await;
}

#[tokio::test]
async fn a_cut_or_damaged_blob_is_named() {
    let (hospital, vault, [(id, blob), _]) = two_records(31).await;
    let path = file_of(&hospital, blob);
    let whole = std::fs::read(&path).unwrap();
    for damage in [whole[..whole.len() - 1].to_vec(), Vec::new(), {
        let mut bytes = whole.clone();
        bytes[50] ^= 1;
        bytes
    }] {
        std::fs::write(&path, damage).unwrap();
        fails(&vault, id, blob, true).await;
    }
    std::fs::write(&path, whole).unwrap();
    assert!(vault.open_for_proof(id, &patient(1, "1").schema).await.is_ok(), "control: restored, it opens");
}

#[tokio::test]
async fn a_swapped_blob_is_named() {
    let (hospital, vault, [(one, blob_one), (_, blob_two)]) = two_records(32).await;
    std::fs::copy(file_of(&hospital, blob_two), file_of(&hospital, blob_one)).unwrap();
    fails(&vault, one, blob_one, true).await;
}

#[tokio::test]
async fn blobs_without_a_record_are_counted() {
    let (hospital, vault, [(_, blob), _]) = two_records(34).await;
    let bytes = std::fs::read(file_of(&hospital, blob)).unwrap();
    let more = [&bytes[..], b"x"].concat();
    use sha2::Digest;
    let name = hex::encode(sha2::Sha256::digest(&more));
    let dir = hospital.vault_dir().join("blobs").join(&name[..2]);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(&name), more).unwrap();
    let report = vault.check(&[patient(1, "1").schema]).await.unwrap();
    assert!(report.is_sound());
    assert_eq!(report.orphans.iter().map(BlobId::to_string).collect::<Vec<_>>(), [name]);
}

#[tokio::test]
async fn without_the_erase_key_nothing_opens() {
    let (_hospital, vault, [(one, _), (two, _)]) = two_records(35).await;
    let schema = patient(1, "1").schema;
    assert!(vault.open_for_proof(one, &schema).await.is_ok(), "control: with it, it opens");
    vault.dangerous_destroy_erase_key(vault.subject(&mrn(1)).unwrap().unwrap()).await.unwrap();
    let e = vault.open_for_proof(one, &schema).await.unwrap_err();
    assert!(matches!(e, ReadError::Erased(id) if id == one));
    assert!(vault.open_for_proof(two, &schema).await.is_ok(), "other subjects are untouched");
    let report = vault.check(&[schema]).await.unwrap();
    assert!(report.is_sound() && report.erased == 1);
}
