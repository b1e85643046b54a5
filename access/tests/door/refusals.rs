//! Who does not get in, and what a crash leaves. Whatever is refused before the entry leaves no entry.

use std::collections::BTreeSet;

use vouchsafe_access::door::{DoorError, GrantTerms, NoGrant, OpenOrder};
use vouchsafe_access::policy::{Denial, Policy};
use vouchsafe_access::vault::{Outcome, RecordId};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::{Commitment, Fe};
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::{EntryId, GrantId};
use vouchsafe_ledger_types::units::BlockTime;

use super::chain::Mood;
use super::clinic::{Clinic, DAY, START};
use crate::support::{patient, record};

fn why(error: DoorError) -> NoGrant {
    match error {
        DoorError::NoGrant(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_no_grant_covers_is_refused_before_the_entry() {
    let mut clinic = Clinic::new(110).await;
    let order = clinic.order(Tier::Limited);
    assert_eq!(why(clinic.unseal(order).await.unwrap_err()), NoGrant::None);
    let all = clinic.terms();
    let cases = [
        ("tier", GrantTerms { tier: Tier::DeIdentified, ..all.clone() }, NoGrant::Tier),
        ("purpose", GrantTerms { purpose: PurposeClass::Payment, ..all.clone() }, NoGrant::Purpose),
        (
            "schema",
            GrantTerms { schemas: Some(BTreeSet::from([builtin::observation().id()])), ..all.clone() },
            NoGrant::Schema,
        ),
        ("subject", GrantTerms { subject: Some(clinic.subject(2)), ..all.clone() }, NoGrant::Subject),
        ("reader", GrantTerms { card: clinic.other.card.id(), ..all.clone() }, NoGrant::OtherReader),
    ];
    for (what, terms, refusal) in cases {
        let grant = clinic.grant(terms).await;
        let order = OpenOrder { grant: Some(grant), ..order };
        let refused = clinic.unseal(order).await.unwrap_err();
        assert!(refused.is_refusal(), "{what}");
        assert_eq!(why(refused), refusal, "{what}");
    }
    let unknown = Some(GrantId::of(EntryId::from_bytes([9; 32])));
    assert_eq!(why(clinic.unseal(OpenOrder { grant: unknown, ..order }).await.unwrap_err()), NoGrant::None);
    // all of them together do not cover it either
    assert!(clinic.unseal(order).await.unwrap_err().is_refusal());
    assert_eq!(clinic.chain.releases(), 0);
    // control: each bound met exactly
    let fits = GrantTerms {
        tier: Tier::Limited,
        schemas: Some(BTreeSet::from([clinic.schema.id()])),
        subject: Some(clinic.subject(1)),
        ..all
    };
    clinic.grant(fits).await;
    assert!(clinic.unseal(order).await.is_ok());
    assert_eq!(clinic.chain.releases(), 1);
}

#[tokio::test]
async fn a_revoked_or_expired_grant_opens_nothing() {
    let mut clinic = Clinic::new(111).await;
    let terms = clinic.terms();
    let grant = clinic.grant(terms.clone()).await;
    let order = clinic.order(Tier::Limited);
    assert!(clinic.unseal(order).await.is_ok(), "control");
    clinic.door.revoke(grant).await.unwrap();
    assert_eq!(why(clinic.unseal(order).await.unwrap_err()), NoGrant::Revoked);
    clinic.grant(terms).await;
    assert!(clinic.unseal(order).await.is_ok(), "control: another grant");
    clinic.chain.pass(30 * DAY);
    assert!(clinic.unseal(order).await.unwrap_err().is_refusal());
    assert_eq!(clinic.chain.releases(), 2);
}

/// A page in the book is the institution's own note; the ledger's word counts.
#[tokio::test]
async fn a_page_without_an_entry_grants_nothing() {
    let mut clinic = Clinic::new(112).await;
    let terms = clinic.terms();
    clinic.chain.mood(Mood::CutOff);
    // the folder is asked for the time first, which needs the ledger: cut off between signing and sending
    assert!(clinic.door.grant(terms.clone(), &mut clinic.rng).await.is_err());
    clinic.chain.mood(Mood::Refuses);
    assert!(clinic.door.grant(terms, &mut clinic.rng).await.is_err());
    clinic.chain.mood(Mood::Well);
    assert_eq!(clinic.door.grants().await.unwrap().len(), 1, "the page was durable before the entry was sent");
    let order = clinic.order(Tier::Limited);
    assert_eq!(why(clinic.unseal(order).await.unwrap_err()), NoGrant::NotOnLedger);
}

#[tokio::test]
async fn the_policy_can_forbid_what_a_grant_allows_but_not_allow_what_none_does() {
    let never = "permit (principal, action, resource);
        forbid (principal, action == Action::\"open\", resource) when { context.tier >= 3 };";
    let mut clinic = Clinic::with_policy(113, never).await;
    assert_eq!(why(clinic.unseal(clinic.order(Tier::Internal)).await.unwrap_err()), NoGrant::None);
    let terms = clinic.terms();
    clinic.grant(terms).await;
    let refused = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap_err();
    assert!(matches!(refused, DoorError::Denied(Denial::NotPermitted(_))));
    assert_eq!(clinic.chain.releases(), 0);
    assert!(clinic.unseal(clinic.order(Tier::DeIdentified)).await.is_ok(), "control");
}

#[tokio::test]
async fn a_researcher_is_refused_the_record_even_with_a_grant() {
    let mut clinic = Clinic::new(114).await;
    let terms = GrantTerms { card: clinic.researcher.card.id(), ..clinic.terms() };
    clinic.grant(terms).await;
    let order = clinic.order(Tier::DeIdentified);
    let refused = clinic.door.unseal(&clinic.researcher.at_door(), &order, &mut clinic.rng).await;
    assert!(matches!(refused, Err(DoorError::Denied(_))));
    assert_eq!(clinic.chain.releases(), 0);
}

#[tokio::test]
async fn a_record_that_is_not_active_is_not_released() {
    let mut clinic = Clinic::new(115).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    let order = clinic.order(Tier::Limited);
    let unknown = OpenOrder { record: RecordId::of(Commitment::new(Fe::from_u64(7))), ..order };
    assert!(clinic.unseal(unknown).await.unwrap_err().is_refusal());
    let public = clinic.unseal(clinic.order(Tier::Public)).await.unwrap_err();
    assert!(public.is_refusal(), "there is no field of that tier");
    let mut newer = patient(1, "2");
    newer.issuer = clinic.chain.member.issuer();
    let vault = clinic.vault.clone();
    let outcomes = clinic.hospital.ingest(&vault, vec![record(newer)]).await;
    assert!(matches!(outcomes[0], Outcome::Amends { .. }));
    assert!(clinic.unseal(order).await.unwrap_err().is_refusal(), "superseded");
    let erased = clinic.subject(2);
    let second = OpenOrder { record: clinic.records[1], ..order };
    assert!(clinic.unseal(second).await.is_ok(), "control");
    vault.dangerous_destroy_erase_key(erased).await.unwrap();
    assert!(matches!(clinic.unseal(second).await, Err(DoorError::Release(_))));
}

/// Whatever the ledger does but accept, and show it: nothing is released.
#[tokio::test]
async fn without_a_proof_of_acceptance_nothing_is_released() {
    for mood in
        [Mood::CutOff, Mood::DiesAfter, Mood::Refuses, Mood::ShowsAnother, Mood::ShowsRefusal, Mood::OtherValidator]
    {
        let mut clinic = Clinic::new(116).await;
        let terms = clinic.terms();
        clinic.grant(terms).await;
        clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
        clinic.chain.mood(mood);
        let refused = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap_err();
        // a refusal that is shown is the ledger's answer, and nothing that could pass for its absence
        let shown = matches!(mood, Mood::ShowsAnother | Mood::OtherValidator);
        assert_eq!(matches!(refused, DoorError::NotShown(_)), shown, "{mood:?}: {refused:?}");
        assert_eq!(matches!(refused, DoorError::Ledger(_)), !shown, "{mood:?}: {refused:?}");
        clinic.chain.mood(Mood::Well);
        assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_ok(), "control");
    }
}

/// The entry is on the ledger and the process dies before the release: the ledger says too much rather than too little.
#[tokio::test]
async fn a_crash_between_entry_and_release_leaves_an_entry_and_no_parcel() {
    let mut clinic = Clinic::new(117).await;
    let terms = clinic.terms();
    clinic.grant(terms).await;
    clinic.chain.mood(Mood::DiesAfter);
    assert!(clinic.unseal(clinic.order(Tier::Limited)).await.is_err());
    assert_eq!(clinic.chain.releases(), 1, "the entry is there");
    let openings = std::fs::read_dir(clinic.hospital.dir.path().join("disclosures")).unwrap().count();
    assert_eq!(openings, 1, "and so is its opening");
    clinic.restart();
    clinic.chain.mood(Mood::Well);
    let parcel = clinic.unseal(clinic.order(Tier::Limited)).await.unwrap();
    assert!(clinic.open(&parcel).is_ok());
    assert_eq!(clinic.chain.releases(), 2, "asked again, logged again");
}

#[tokio::test]
async fn a_grant_that_makes_no_sense_is_refused() {
    let mut clinic = Clinic::new(118).await;
    let past = GrantTerms { until: BlockTime::from_unix(START).unwrap(), ..clinic.terms() };
    let nothing = GrantTerms { schemas: Some(BTreeSet::new()), ..clinic.terms() };
    for terms in [past, nothing] {
        assert!(matches!(clinic.door.grant(terms, &mut clinic.rng).await, Err(DoorError::Order(_))));
    }
    assert!(Policy::load(Policy::STANDARD).is_ok());
}
