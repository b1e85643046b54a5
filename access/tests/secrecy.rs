//! Secrecy: a lower tier cannot confirm a guess at a higher one, and the vault's files hold nothing readable.

use vouchsafe_circuits::record::{
    EncodedField, FieldIndex, FieldValue, Tier, Value, commitment_from, leaf_hash, root_of_leaves,
};
use vouchsafe_circuits::{Fe, Salt, Suite};

use crate::support::{FAMILY_NAME, GIVEN_NAME, Hospital, SYSTEM, files, mrn, new_id, patient, record};

const SUITE: Suite = Suite::Bn254;

/// A reader of tier 2 holds the salts of tiers 0 to 2, all leaf hashes, the header hash, and C. To confirm a guess at
/// the family name (tier 4) it needs that leaf's salt.
#[tokio::test]
async fn tier_2_cannot_confirm_a_guess_at_tier_4() {
    let (mut hospital, vault) = Hospital::new(50);
    let draft = patient(1, "1");
    let schema = draft.schema.clone();
    let id = new_id(&hospital.ingest(&vault, vec![record(draft)]).await[0]);
    let held = vault.open_for_proof(id, &schema).await.unwrap();
    let (at, field) = schema.field("familyName").unwrap();
    assert_eq!(field.tier, Tier::Identifying);
    let leaves = held.opening.leaves(SUITE).unwrap();
    let header = held.opening.header.hash(SUITE).unwrap();
    let root = root_of_leaves(SUITE, &leaves).unwrap();
    let c = commitment_from(SUITE, held.opening.issuer, held.opening.schema, root, header).unwrap();
    assert_eq!(c, id.commitment(), "what the reader holds is enough to recompute C");

    let guess = EncodedField::Present(field.encode(&Value::Text(FAMILY_NAME.to_owned())).unwrap());
    let confirms = |salt: &Salt| leaf_hash(SUITE, &guess, salt).unwrap() == leaves[at.as_usize()];
    for index in FieldIndex::all() {
        let tier = schema.field_at(index).map_or(Tier::Internal, |field| field.tier);
        let salt = &held.opening.salts[index.as_usize()];
        assert!(tier > Tier::DeIdentified || !confirms(salt), "the salt of field {} confirms", index.get());
    }
    assert!(!confirms(&Salt::new(Fe::ZERO)));
    // control: with the leaf's own salt, or with leaves that have none, the guess is confirmed
    assert!(confirms(&held.opening.salts[at.as_usize()]));
    let unsalted = leaf_hash(SUITE, &held.opening.fields[at.as_usize()], &Salt::new(Fe::ZERO)).unwrap();
    assert_eq!(leaf_hash(SUITE, &guess, &Salt::new(Fe::ZERO)).unwrap(), unsalted);
}

#[tokio::test]
async fn no_two_tiers_and_no_two_records_share_salts() {
    let (mut hospital, vault) = Hospital::new(51);
    let schema = patient(1, "1").schema;
    let outcomes = hospital.ingest(&vault, vec![record(patient(1, "1")), record(patient(1, "2"))]).await;
    let mut salts = Vec::new();
    for outcome in &outcomes {
        let held = vault.open_for_proof(new_id(outcome), &schema).await.unwrap();
        salts.extend(held.opening.salts.iter().map(Salt::fe));
        salts.push(held.opening.header.blinding.fe());
    }
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), 2 * 17);
}

#[tokio::test]
async fn the_vault_holds_nothing_readable() {
    let (mut hospital, vault) = Hospital::new(52);
    let schema = patient(0, "1").schema;
    hospital.ingest(&vault, (0..50).map(|n| record(patient(n, "1"))).collect()).await;
    hospital.ingest(&vault, (0..9).map(|n| record(patient(n, "2"))).collect()).await;
    let subject = vault.subject(&mrn(3)).unwrap().unwrap();
    let held = vault.open_for_proof(vault.find(subject, schema.id()).unwrap()[0], &schema).await.unwrap();
    drop(vault);

    let FieldValue::Present(Value::Text(name)) = &held.values[schema.place("familyName").unwrap()] else { panic!() };
    let needles: Vec<Vec<u8>> = vec![
        name.clone().into_bytes(),
        GIVEN_NAME.into(),
        b"female".to_vec(),
        SYSTEM.into(),
        b"MRN-00".to_vec(),
        b"Patient/".to_vec(),
        held.opening.header.subject_key.fe().as_bytes().to_vec(),
        held.opening.header.blinding.fe().as_bytes().to_vec(),
        held.opening.salts[0].fe().as_bytes().to_vec(),
        hospital.keystore.vault_root().expose().to_vec(),
        hospital.keystore.index_secret().expose().to_vec(),
    ];
    let dir = hospital.vault_dir();
    assert!(files(&dir).len() > 59, "the blobs are among the files looked at");
    for needle in &needles {
        for (path, bytes) in files(&dir) {
            assert!(!holds(&bytes, needle), "{} holds {:?}", path.display(), String::from_utf8_lossy(needle));
        }
    }
    // control: the same search finds each in a file where it is
    for needle in &needles {
        std::fs::write(dir.join("plain"), [&b"xyz"[..], needle, b"abc"].concat()).unwrap();
        assert!(files(&dir).iter().any(|(_, bytes)| holds(bytes, needle)));
    }
    assert_eq!(name, FAMILY_NAME);
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
