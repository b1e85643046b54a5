//! Attacks on the reader, each with its control: the same with that one check left out goes through, or the same with
//! the secret that is kept from the attacker succeeds.

use serde_json::{Value, json};
use vouchsafe_access::door::{DoorError, GrantTerms, NoGrant, OpenOrder, Parcel, ParcelCheck, Reader};
use vouchsafe_access::ledger::AccessLedger;
use vouchsafe_circuits::record::{EncodedField, FieldValue, Tier, Value as FieldText, leaf_hash};
use vouchsafe_circuits::{LeafHash, Salt, Suite};
use vouchsafe_ledger_types::units::BlockTime;

use super::clinic::{Clinic, DAY, START};
use super::thief::Thief;
use crate::support::FAMILY_NAME;

async fn with_grant(seed: u64) -> Clinic {
    let mut clinic = Clinic::new(seed).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic
}

fn entry_of(clinic: &Clinic, parcel: &Parcel) -> [u8; 32] {
    *clinic.open(parcel).unwrap().entry.as_bytes()
}

/// Refused by this check, and by no other: without it, it opens.
fn refused_by(clinic: &Clinic, parcel: &Parcel, check: ParcelCheck) -> vouchsafe_access::door::OpenedParcel {
    assert_eq!(clinic.open(parcel).unwrap_err().check, check);
    let rules = clinic.chain.chain();
    let (secrets, expected) = (&clinic.doctor.secrets, clinic.records[0]);
    parcel.dangerous_open_without(check, secrets, expected, rules, clinic.chain.now()).unwrap()
}

/// A reader of tier 2 has the hashes of the leaves above, and every salt seed of its own tiers.
#[tokio::test]
async fn a_dictionary_finds_no_field_of_a_higher_tier() {
    let mut clinic = with_grant(120).await;
    let schema = clinic.schema.clone();
    let id = schema.id();
    let (at, field) = schema.field("familyName").unwrap();
    let names = ["Smith", "Jones", FAMILY_NAME, "Taylor"];
    let find = |seeds: &[(Tier, vouchsafe_circuits::SaltSeed)], leaf: LeafHash| {
        let mut salts: Vec<Salt> =
            seeds.iter().flat_map(|(_, s)| (0..16u8).map(|i| s.salt(i.try_into().unwrap()))).collect();
        salts.push(Salt::new(vouchsafe_circuits::Fe::ZERO));
        names.iter().find(|name| {
            let guess = EncodedField::Present(field.encode(&FieldText::Text((**name).to_owned())).unwrap());
            salts.iter().any(|salt| leaf_hash(Suite::Bn254, &guess, salt).unwrap() == leaf)
        })
    };
    let low = clinic.unseal(clinic.order(Tier::DeIdentified)).await.unwrap();
    let thief = Thief::new(&low.to_json());
    let keys = thief.data_keys(&entry_of(&clinic, &low));
    let seeds = thief.seeds(id.fe().as_bytes(), &keys);
    assert_eq!(seeds.iter().map(|(tier, _)| *tier).collect::<Vec<_>>(), [Tier::Internal, Tier::DeIdentified]);
    let leaves: Vec<(u8, LeafHash)> = serde_json::from_value(thief.get("leaves")).unwrap();
    let leaf = leaves.iter().find(|(index, _)| *index == at.get()).unwrap().1;
    assert_eq!(find(&seeds, leaf), None);
    // control: with the seed of tier 4, the same search finds it
    let high = clinic.unseal(clinic.order(Tier::Identifying)).await.unwrap();
    let thief = Thief::new(&high.to_json());
    let keys = thief.data_keys(&entry_of(&clinic, &high));
    assert_eq!(find(&thief.seeds(id.fe().as_bytes(), &keys), leaf), Some(&FAMILY_NAME));
}

/// The vault changes one letter of a name. It has every key, and the entry is genuine.
#[tokio::test]
async fn a_field_changed_by_the_vault_is_noticed() {
    let mut clinic = with_grant(121).await;
    let parcel = clinic.unseal(clinic.order(Tier::Identifying)).await.unwrap();
    let mut thief = Thief::new(&parcel.to_json());
    let keys = thief.data_keys(&entry_of(&clinic, &parcel));
    let id = clinic.schema.id();
    thief.change_part(id.fe().as_bytes(), &keys, 4, |plain| {
        let at = plain.windows(FAMILY_NAME.len()).position(|w| w == FAMILY_NAME.as_bytes()).unwrap();
        plain[at] = b'O';
    });
    let changed = Parcel::from_json(&thief.json()).unwrap();
    let opened = refused_by(&clinic, &changed, ParcelCheck::Content);
    let lie = FAMILY_NAME.replacen('A', "O", 1);
    let shown = FieldValue::Present(FieldText::Text(lie));
    assert!(opened.fields.iter().any(|(_, value)| *value == shown), "control: unchecked, the reader believes it");
}

/// Hashes of leaves above the tier, or of the header, that are not the record's.
#[tokio::test]
async fn hashes_that_are_not_the_records_are_noticed() {
    let mut clinic = with_grant(122).await;
    let parcel = clinic.unseal(clinic.order(Tier::DeIdentified)).await.unwrap();
    let mut leaf = Thief::new(&parcel.to_json());
    let mut leaves = leaf.get("leaves");
    let first = leaves[0][1].clone();
    leaves[0][1] = leaves[1][1].clone();
    leaves[1][1] = first;
    leaf.set("leaves", leaves);
    let mut header = Thief::new(&parcel.to_json());
    header.set("header", json!("01".to_owned() + &"00".repeat(31)));
    for thief in [leaf, header] {
        refused_by(&clinic, &Parcel::from_json(&thief.json()).unwrap(), ParcelCheck::Content);
    }
}

/// A genuine parcel, of another patient.
#[tokio::test]
async fn another_patients_record_is_noticed() {
    let mut clinic = with_grant(123).await;
    let order = OpenOrder { record: clinic.records[1], ..clinic.order(Tier::Limited) };
    let parcel = clinic.unseal(order).await.unwrap();
    let opened = refused_by(&clinic, &parcel, ParcelCheck::Expected);
    assert_eq!(opened.record, clinic.records[1]);
}

#[tokio::test]
async fn a_parcel_past_its_time_is_refused() {
    let mut clinic = with_grant(124).await;
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    clinic.chain.pass(DAY);
    refused_by(&clinic, &parcel, ParcelCheck::InForce);
    // and never past its grant
    let mut clinic = Clinic::new(124).await;
    let short = GrantTerms { until: BlockTime::from_unix(START + 60).unwrap(), ..clinic.terms() };
    clinic.grant(short).await;
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    clinic.chain.pass(60);
    refused_by(&clinic, &parcel, ParcelCheck::InForce);
}

/// The time is in the entry's commitment and in the sealed keys: moving it is noticed twice.
#[tokio::test]
async fn time_purpose_tier_basis_and_opening_are_bound() {
    let mut clinic = with_grant(125).await;
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    let entry = entry_of(&clinic, &parcel);
    let genuine = Thief::new(&parcel.to_json());
    let keys = genuine.data_keys(&entry);
    let other = json!("ab".repeat(32));
    let mut question = genuine.get("question");
    question["audit"] = other.clone();
    let changes: [(&str, Value); 4] = [
        ("until", json!(START + 10 * DAY)),
        ("purpose", json!("HRESCH")),
        ("basis", json!({"grant": other})),
        ("question", question),
    ];
    for (what, value) in changes {
        let mut thief = Thief::new(&parcel.to_json());
        thief.set(what, value);
        thief.seal_keys(&keys, &entry);
        let changed = Parcel::from_json(&thief.json()).unwrap();
        refused_by(&clinic, &changed, ParcelCheck::Release);
    }
    // the keys alone are bound too
    let mut thief = Thief::new(&parcel.to_json());
    thief.set("until", json!(START + 10 * DAY));
    let changed = Parcel::from_json(&thief.json()).unwrap();
    let (rules, now) = (clinic.chain.chain(), clinic.chain.now());
    let opened =
        changed.dangerous_open_without(ParcelCheck::Release, &clinic.doctor.secrets, clinic.records[0], rules, now);
    assert_eq!(opened.unwrap_err().check, ParcelCheck::Keys);
}

/// A key released on the entry of another release of the same record to the same reader.
#[tokio::test]
async fn one_entry_is_for_one_release() {
    let mut clinic = with_grant(126).await;
    let first = clinic.unseal(clinic.order(Tier::DeIdentified)).await.unwrap();
    let second = clinic.unseal(clinic.order(Tier::Identifying)).await.unwrap();
    let (one, two) = (entry_of(&clinic, &first), entry_of(&clinic, &second));
    let mut thief = Thief::new(&second.to_json());
    let keys = thief.data_keys(&two);
    thief.set("logged", Thief::new(&first.to_json()).get("logged"));
    thief.seal_keys(&keys, &one);
    refused_by(&clinic, &Parcel::from_json(&thief.json()).unwrap(), ParcelCheck::Release);
}

/// A key released with an entry that was signed and never sent.
#[tokio::test]
async fn a_key_without_an_accepted_entry_is_refused() {
    let mut clinic = with_grant(127).await;
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    let mut thief = Thief::new(&parcel.to_json());
    let signed = thief.get("logged")["accepted"]["entry"].clone();
    thief.set("logged", json!({ "promised": signed }));
    refused_by(&clinic, &Parcel::from_json(&thief.json()).unwrap(), ParcelCheck::Logged);
    // nor one that another ledger's validator vouches for
    let (mut rules, now) = (clinic.chain.chain().clone(), clinic.chain.now());
    rules.validators[0].key = vouchsafe_ledger_types::signing::SigningKey::from_seed(&[66; 32]).public();
    let (secrets, expected) = (&clinic.doctor.secrets, clinic.records[0]);
    assert_eq!(parcel.open(secrets, expected, &rules, now).unwrap_err().check, ParcelCheck::Logged);
    assert!(parcel.dangerous_open_without(ParcelCheck::Logged, secrets, expected, &rules, now).is_ok());
}

/// Another reader's parcel: refused by its address, and shut without that.
#[tokio::test]
async fn another_readers_parcel_does_not_open() {
    let mut clinic = with_grant(128).await;
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    let (rules, now, expected) = (clinic.chain.chain(), clinic.chain.now(), clinic.records[0]);
    let other = &clinic.other.secrets;
    assert_eq!(parcel.open(other, expected, rules, now).unwrap_err().check, ParcelCheck::Addressee);
    let shut = parcel.dangerous_open_without(ParcelCheck::Addressee, other, expected, rules, now);
    assert_eq!(shut.unwrap_err().check, ParcelCheck::Keys);
}

/// A card with the granted reader's name and another key is another card.
#[tokio::test]
async fn a_card_with_the_same_name_is_another_reader() {
    let mut clinic = with_grant(129).await;
    let mut card = clinic.doctor.card.clone();
    card.reader = clinic.other.card.reader;
    let (roles, order) = (clinic.doctor.roles.clone(), clinic.order(Tier::Limited));
    let refused = clinic.door.unseal(&Reader { card: &card, roles: &roles }, &order, &mut clinic.rng).await;
    assert!(matches!(refused, Err(DoorError::NoGrant(NoGrant::None))));
}

#[tokio::test]
async fn malformed_parcels_are_refused_with_words() {
    let mut clinic = with_grant(130).await;
    let parcel = clinic.unseal(clinic.order(Tier::DeIdentified)).await.unwrap();
    let json = parcel.to_json();
    for end in (0..json.len()).step_by(97) {
        assert!(Parcel::from_json(&json[..end]).is_err());
    }
    let more = String::from_utf8(json.clone()).unwrap().replacen('{', "{\"more\":1,", 1);
    assert!(Parcel::from_json(more.as_bytes()).is_err());
    let changes: [(&str, Value); 6] = [
        ("version", json!(2)),
        ("tier", json!(4)),
        ("parts", json!("")),
        ("keys", json!([])),
        ("leaves", json!([])),
        ("schema", json!("e30=")),
    ];
    for (what, value) in changes {
        let mut thief = Thief::new(&json);
        thief.set(what, value);
        let refused = clinic.open(&Parcel::from_json(&thief.json()).unwrap()).unwrap_err();
        assert_eq!(refused.check, ParcelCheck::Form, "{what}");
    }
}
