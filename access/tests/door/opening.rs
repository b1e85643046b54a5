//! What goes well: a grant, an opening, the fields that were committed and no others; the auditor finds it all.

use vouchsafe_access::disclosures::DisclosureBook;
use vouchsafe_access::door::{Parcel, Standing};
use vouchsafe_access::keystore::{KdfParams, Keystore};
use vouchsafe_access::party::{CreatePartyError, OpenPartyError, PartySecrets};
use vouchsafe_access::policy::Policy;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::record::Tier;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::entry::{Body, PurposeClass};

use super::clinic::{Clinic, START};
use crate::support::{FAMILY_NAME, files, rng};

#[tokio::test]
async fn a_granted_reader_reads_what_was_committed() {
    let mut clinic = Clinic::new(100).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    let held = clinic.vault.open_for_proof(clinic.records[0], &clinic.schema).await.unwrap();
    for tier in [Tier::Internal, Tier::DeIdentified, Tier::Limited, Tier::Identifying] {
        let parcel = clinic.unseal(clinic.order(tier)).await.unwrap();
        let parcel = Parcel::from_json(&parcel.to_json()).unwrap();
        assert_eq!((parcel.record(), parcel.tier()), (clinic.records[0], tier));
        let opened = clinic.open(&parcel).unwrap();
        let wanted: Vec<_> = clinic
            .schema
            .fields()
            .filter(|(_, field)| field.tier <= tier)
            .map(|(index, _)| (index, held.values[index.as_usize()].clone()))
            .collect();
        assert_eq!(opened.fields, wanted, "tier {tier:?}");
        assert!(matches!(opened.standing, Standing::Logged { time, .. } if time.unix() == START));
    }
    assert_eq!(clinic.chain.releases(), 4);
}

/// The parcel is for anybody to see.
#[tokio::test]
async fn a_parcel_and_the_books_hold_nothing_readable() {
    let mut clinic = Clinic::new(101).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    let parcel = clinic.unseal(clinic.order(Tier::Identifying)).await.unwrap();
    let _ = clinic.emergency().await.unwrap();
    let mut all = vec![("parcel".into(), parcel.to_json())];
    for book in ["grants", "disclosures", "emergencies"] {
        all.extend(files(&clinic.hospital.dir.path().join(book)));
    }
    assert!(all.len() >= 5, "the books have pages");
    let reason = clinic.glass().reason;
    let needles = [FAMILY_NAME, "Dr. Ada", &reason, &clinic.doctor.card.id().to_string()];
    for (path, bytes) in &all[1..] {
        let path: &std::path::Path = path;
        for needle in needles {
            assert!(!bytes.windows(needle.len()).any(|w| w == needle.as_bytes()), "{}", path.display());
        }
    }
    assert!(!all[0].1.windows(FAMILY_NAME.len()).any(|w| w == FAMILY_NAME.as_bytes()));
    assert_eq!(format!("{:?}", clinic.open(&parcel).unwrap()), "OpenedParcel");
}

/// What the ledger holds is opened by the book: who, which record, which tier, under which policy.
#[tokio::test]
async fn the_auditor_finds_what_was_released() {
    let mut clinic = Clinic::new(102).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    let released = clinic.chain.accepted().into_iter().find_map(|body| match body {
        Body::KeyRelease(release) => Some(release),
        _ => None,
    });
    let seed = clinic.hospital.keystore.audit_seed();
    let book = DisclosureBook::open(&clinic.hospital.dir.path().join("disclosures"), seed).unwrap();
    let opening = book.opening(released.unwrap().commitment, Suite::Bn254).unwrap();
    let details = opening.details();
    assert_eq!((details.reader.as_str(), details.outcome), ("Dr. Ada", Outcome::Released));
    assert_eq!(details.verifier, clinic.doctor.card.id().to_string());
    assert_eq!((details.records.as_slice(), details.tier), (&[clinic.records[0].commitment()][..], Tier::Limited));
    assert_eq!(details.policy, Policy::load(Policy::STANDARD).unwrap().digest());
    assert_eq!(details.seen.get(), 2, "the block of the grant");
}

#[tokio::test]
async fn grants_are_listed_with_what_the_ledger_says() {
    let mut clinic = Clinic::new(103).await;
    let terms = clinic.terms();
    let first = clinic.grant(terms.clone()).await;
    let second = clinic.grant(terms.clone()).await;
    assert_ne!(first, second);
    clinic.door.revoke(first).await.unwrap();
    clinic.restart();
    let listed = clinic.door.grants().await.unwrap();
    assert_eq!(listed.len(), 2);
    for grant in listed {
        assert_eq!(grant.terms, terms);
        assert_eq!(grant.state.unwrap().revoked, grant.id == first);
        assert_eq!(grant.state.unwrap().purpose, PurposeClass::Treatment);
    }
}

#[test]
fn a_partys_file_opens_with_its_passphrase_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ada.party");
    let word = |text: &str| Passphrase::new(text.to_owned()).unwrap();
    let secrets = PartySecrets::generate("Dr. Ada".parse().unwrap(), &mut rng(1));
    secrets.create(&path, &word("open sesame"), KdfParams::DANGEROUS_FAST, &mut rng(2)).unwrap();
    let again = PartySecrets::open(&path, &word("open sesame")).unwrap();
    assert_eq!(again.card().unwrap(), secrets.card().unwrap());
    assert!(matches!(PartySecrets::open(&path, &word("sesame")), Err(OpenPartyError::WrongPassphrase(_))));
    let twice = secrets.create(&path, &word("x"), KdfParams::DANGEROUS_FAST, &mut rng(3));
    assert!(matches!(twice, Err(CreatePartyError::Exists(_))));
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(7).any(|w| w == b"Dr. Ada"));
    // a keystore is no party's file, nor the other way round, even with its magic changed and the checksum put right
    let keystore = dir.path().join("keystore");
    Keystore::generate(&mut rng(4)).create(&keystore, &word("k"), KdfParams::DANGEROUS_FAST, &mut rng(5)).unwrap();
    assert!(matches!(PartySecrets::open(&keystore, &word("k")), Err(OpenPartyError::NotAPartyFile(_))));
    let mut bytes = std::fs::read(&keystore).unwrap();
    bytes[..8].copy_from_slice(b"VOUCHPTY");
    let covered = bytes.len() - 32;
    let checksum = <sha2::Sha256 as sha2::Digest>::digest(&bytes[..covered]);
    bytes[covered..].copy_from_slice(&checksum);
    std::fs::write(dir.path().join("turned"), bytes).unwrap();
    let turned = PartySecrets::open(&dir.path().join("turned"), &word("k"));
    assert!(matches!(turned, Err(OpenPartyError::WrongPassphrase(_))));
}

/// A service runs these on any of its threads.
#[tokio::test]
async fn what_the_door_does_can_move_between_threads() {
    fn moves<T: Send>(future: T) -> T {
        future
    }
    let mut clinic = Clinic::new(104).await;
    let (terms, glass) = (clinic.terms(), clinic.glass());
    let grant = moves(clinic.door.grant(terms, &mut clinic.rng)).await.unwrap();
    let order = clinic.order(Tier::Limited);
    assert!(moves(clinic.door.unseal(&clinic.doctor.at_door(), &order, &mut clinic.rng)).await.is_ok());
    assert!(moves(clinic.door.emergency(&clinic.doctor.at_door(), &glass, &mut clinic.rng)).await.is_ok());
    assert_eq!(moves(clinic.door.submit_overdue(&mut clinic.rng)).await.unwrap(), 0);
    assert_eq!(moves(clinic.door.emergencies()).await.unwrap().len(), 1);
    moves(clinic.door.revoke(grant)).await.unwrap();
    assert_eq!(moves(clinic.door.grants()).await.unwrap().len(), 1);
}
