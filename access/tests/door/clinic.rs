//! A hospital with a door, two doctors and a researcher.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_chacha::ChaCha20Rng;
use vouchsafe_access::disclosures::DisclosureBook;
use vouchsafe_access::door::{
    Door, DoorError, EmergencyBook, EmergencyOrder, Fittings, GrantBook, GrantTerms, OpenOrder, OpenedParcel, Parcel,
    ParcelError, Reader,
};
use vouchsafe_access::ledger::AccessLedger;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::{PartyRole, Policy};
use vouchsafe_access::subject::SubjectId;
use vouchsafe_access::vault::{RecordId, Vault};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_ledger_types::card::Card;
use vouchsafe_ledger_types::entry::PurposeClass;
use vouchsafe_ledger_types::ids::GrantId;
use vouchsafe_ledger_types::units::BlockTime;

use super::chain::Chain;
use crate::support::{Hospital, mrn, new_id, patient, record, rng};

pub const START: u64 = 1_760_000_000;
pub const DAY: u64 = 86_400;

/// A party and the roles that it has here.
pub struct Party {
    pub secrets: PartySecrets,
    pub card: Card,
    pub roles: BTreeSet<PartyRole>,
}

impl Party {
    /// Its secrets come from this seed alone, so that a thief in a test can have them too.
    pub fn new(name: &str, seed: u64, roles: &[PartyRole]) -> Party {
        let secrets = PartySecrets::generate(name.parse().unwrap(), &mut rng(seed));
        let card = secrets.card().unwrap();
        Party { secrets, card, roles: roles.iter().copied().collect() }
    }

    pub fn at_door(&self) -> Reader<'_> {
        Reader { card: &self.card, roles: &self.roles }
    }
}

pub struct Clinic {
    pub hospital: Hospital,
    pub chain: Arc<Chain>,
    pub vault: Arc<Vault>,
    pub door: Door,
    pub schema: Arc<Schema>,
    pub records: Vec<RecordId>,
    pub doctor: Party,
    pub other: Party,
    pub researcher: Party,
    pub rng: ChaCha20Rng,
}

pub const DOCTOR_SEED: u64 = 900;

impl Clinic {
    pub async fn new(seed: u64) -> Clinic {
        Clinic::with_policy(seed, Policy::STANDARD).await
    }

    pub async fn with_policy(seed: u64, policy: &str) -> Clinic {
        let (mut hospital, vault) = Hospital::new(seed);
        let chain = Arc::new(Chain::new(START));
        let drafts = (1..=3).map(|number| {
            let mut draft = patient(number, "1");
            draft.issuer = chain.member.issuer();
            record(draft)
        });
        let outcomes = hospital.ingest(&vault, drafts.collect()).await;
        let records = outcomes.iter().map(new_id).collect();
        let vault = Arc::new(vault);
        let door = door(&hospital, vault.clone(), chain.clone(), policy);
        Clinic {
            door,
            hospital,
            chain,
            vault,
            schema: Arc::new(builtin::patient()),
            records,
            doctor: Party::new("Dr. Ada", DOCTOR_SEED, &[PartyRole::Reader, PartyRole::Emergency]),
            other: Party::new("Dr. Bo", 901, &[PartyRole::Reader]),
            researcher: Party::new("R. Esearcher", 902, &[PartyRole::Researcher]),
            rng: rng(seed + 1000),
        }
    }

    /// The process dies and comes back.
    pub fn restart(&mut self) {
        self.door = door(&self.hospital, self.vault.clone(), self.chain.clone(), Policy::STANDARD);
    }

    pub fn terms(&self) -> GrantTerms {
        GrantTerms {
            card: self.doctor.card.id(),
            reader: self.doctor.card.name.clone(),
            tier: Tier::Identifying,
            schemas: None,
            subject: None,
            purpose: PurposeClass::Treatment,
            until: BlockTime::from_unix(START + 30 * DAY).unwrap(),
        }
    }

    pub fn order(&self, tier: Tier) -> OpenOrder {
        OpenOrder { record: self.records[0], tier, purpose: PurposeClass::Treatment, grant: None }
    }

    pub fn glass(&self) -> EmergencyOrder {
        EmergencyOrder {
            record: self.records[0],
            tier: Tier::Identifying,
            purpose: PurposeClass::Emergency,
            reason: "unconscious, allergies unknown".to_owned(),
        }
    }

    pub fn subject(&self, number: u32) -> SubjectId {
        self.vault.subject(&mrn(number)).unwrap().unwrap()
    }

    pub async fn grant(&mut self, terms: GrantTerms) -> GrantId {
        self.door.grant(terms, &mut self.rng).await.unwrap()
    }

    /// The doctor asks.
    pub async fn unseal(&mut self, order: OpenOrder) -> Result<Parcel, DoorError> {
        self.door.unseal(&self.doctor.at_door(), &order, &mut self.rng).await
    }

    pub async fn emergency(&mut self) -> Result<Parcel, DoorError> {
        let order = self.glass();
        self.door.emergency(&self.doctor.at_door(), &order, &mut self.rng).await
    }

    /// The doctor opens what came, having asked for the first record.
    pub fn open(&self, parcel: &Parcel) -> Result<OpenedParcel, ParcelError> {
        parcel.open(&self.doctor.secrets, self.records[0], self.chain.chain(), self.chain.now())
    }
}

fn door(hospital: &Hospital, vault: Arc<Vault>, chain: Arc<Chain>, policy: &str) -> Door {
    let (dir, seed) = (hospital.dir.path(), hospital.keystore.audit_seed());
    let clock = chain.clone();
    Door::new(Fittings {
        member: chain.member,
        vault,
        policy: Arc::new(Policy::load(policy).unwrap()),
        grants: GrantBook::open(&dir.join("grants"), seed).unwrap(),
        disclosures: DisclosureBook::open(&dir.join("disclosures"), seed).unwrap(),
        emergencies: EmergencyBook::open(&dir.join("emergencies"), seed).unwrap(),
        schemas: vec![Arc::new(builtin::patient())],
        now: Arc::new(move || clock.now()),
        ledger: chain,
    })
}
