//! A small consortium for the tests: two hospitals, a registrar, and entries written in their names.

use std::path::Path;
use std::sync::Arc;

use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Commitment, Fe, Suite};
use vouchsafe_ledger::{ManualClock, Options, Solo};
use vouchsafe_ledger_types::entry::{
    Amend, Body, Commit, Disclosure, EmergencyAccess, Entry, FoundingMember, Genesis, Grant, Header, KeyRelease, Nonce,
    OpenDataSet, OpenProject, Parameters, PurposeClass, RegisterSchema, ReserveBudget, Review, RevokeGrant, Role,
    SignedEntry, SpendBudget, Validator, VerifiedEntry, Withdraw,
};
use vouchsafe_ledger_types::ids::{
    ChainId, DataSetId, DisclosureCommitment, EmergencyId, EntryId, GrantCommitment, GrantId, MemberId, MemberName,
    ProjectCommitment, ProjectId, QueryCommitment, ReservationId, ReviewCommitment, RuleSetDigest,
};
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::units::{BlockTime, MicroEpsilon};

pub const START: u64 = 1_700_000_000;

pub fn at(seconds: u64) -> BlockTime {
    BlockTime::from_unix(START + seconds).unwrap()
}

pub fn chain() -> ChainId {
    "demo".parse().unwrap()
}

/// Who signs: a member's name and key.
#[derive(Clone)]
pub struct Hand {
    pub name: MemberName,
    pub key: SigningKey,
}

impl Hand {
    pub fn new(name: &str, seed: u8) -> Self {
        Self { name: name.parse().unwrap(), key: SigningKey::from_seed(&[seed; 32]) }
    }

    pub fn id(&self) -> MemberId {
        MemberId::of(&chain(), &self.name)
    }

    pub fn entry(&self, nonce: u64, expiry: BlockTime, body: Body) -> Entry {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&nonce.to_be_bytes());
        let header = Header {
            chain: chain(),
            member: self.id(),
            signer: self.key.public(),
            algorithm: Algorithm::Ed25519,
            expiry,
            nonce: Nonce::new(bytes),
        };
        Entry { header, body }
    }

    pub fn sign(&self, nonce: u64, body: Body) -> SignedEntry {
        SignedEntry::sign(self.entry(nonce, at(3600), body), &[&self.key]).unwrap()
    }

    pub fn verified(&self, nonce: u64, body: Body) -> VerifiedEntry {
        self.sign(nonce, body).verify(&chain()).unwrap()
    }
}

pub fn hospital() -> Hand {
    Hand::new("hospital-a", 1)
}

pub fn clinic() -> Hand {
    Hand::new("clinic-b", 2)
}

/// Neither issues nor registers.
pub fn auditor() -> Hand {
    Hand::new("auditor", 3)
}

pub fn validator() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

pub fn parameters() -> Parameters {
    Parameters { block_entries_max: 64, entry_commitments_max: 100, expiry_horizon_seconds: 7200, ..Default::default() }
}

pub fn genesis_with(parameters: Parameters, development: bool) -> SignedEntry {
    let founder = |hand: &Hand, roles: &[Role]| FoundingMember {
        name: hand.name.clone(),
        roles: roles.to_vec(),
        keys: vec![hand.key.public()],
    };
    let genesis = Genesis {
        suite: Suite::Bn254,
        development,
        members: vec![
            founder(&hospital(), &[Role::Issuer, Role::Registrar]),
            founder(&clinic(), &[Role::Issuer]),
            founder(&auditor(), &[Role::Auditor]),
        ],
        validators: vec![Validator { name: "solo".parse().unwrap(), key: validator().public(), power: 1 }],
        parameters,
    };
    let entry = hospital().entry(0, at(3600), Body::Genesis(genesis));
    SignedEntry::sign(entry, &[&hospital().key, &clinic().key, &auditor().key]).unwrap()
}

pub fn genesis() -> SignedEntry {
    genesis_with(parameters(), true)
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at(0)))
}

pub fn create(dir: &Path) -> Solo {
    Solo::create(dir, genesis(), validator(), clock(), Options::default()).unwrap()
}

pub fn reopen(dir: &Path) -> Result<Solo, vouchsafe_ledger::OpenError> {
    Solo::open(dir, validator(), clock(), Options::default())
}

pub fn commitment(n: u64) -> Commitment {
    Commitment::new(Fe::from_u64(n))
}

pub fn commit(numbers: impl IntoIterator<Item = u64>) -> Body {
    Body::Commit(Commit { commitments: numbers.into_iter().map(commitment).collect() })
}

pub fn amend(position: u32, old: u64, new: u64) -> Body {
    Body::Amend(Amend { position: Position::new(position), old: commitment(old), new: commitment(new) })
}

pub fn withdraw(position: u32, old: u64) -> Body {
    Body::Withdraw(Withdraw { position: Position::new(position), commitment: commitment(old) })
}

pub fn disclosure(byte: u8) -> Body {
    Body::Disclosure(Disclosure {
        commitment: DisclosureCommitment::from_bytes([byte; 32]),
        purpose: PurposeClass::Treatment,
        deadline: at(100_000),
    })
}

pub fn grant(until: BlockTime) -> Body {
    Body::Grant(Grant { commitment: GrantCommitment::from_bytes([1; 32]), purpose: PurposeClass::Treatment, until })
}

pub fn revoke(grant: EntryId) -> Body {
    Body::RevokeGrant(RevokeGrant { grant: GrantId::of(grant) })
}

pub fn release(grant: EntryId) -> Body {
    Body::KeyRelease(KeyRelease {
        grant: GrantId::of(grant),
        commitment: DisclosureCommitment::from_bytes([2; 32]),
        purpose: PurposeClass::Treatment,
        deadline: at(10_000_000),
    })
}

pub fn emergency(released_at: BlockTime, review_by: BlockTime) -> Body {
    let commitment = DisclosureCommitment::from_bytes([3; 32]);
    Body::EmergencyAccess(EmergencyAccess { commitment, released_at, review_by, deadline: at(10_000_000) })
}

pub fn review(emergency: EntryId) -> Body {
    let commitment = ReviewCommitment::from_bytes([4; 32]);
    Body::Review(Review { emergency: EmergencyId::of(emergency), commitment })
}

pub fn register(schema: &Schema) -> Body {
    Body::RegisterSchema(RegisterSchema { schema: schema.to_bytes() })
}

pub fn data_set(hand: &Hand, name: &str) -> DataSetId {
    DataSetId::of(hand.id(), &name.parse().unwrap())
}

pub fn open_data_set(name: &str, schemas: &[Schema], budget: u64) -> Body {
    let mut schemas: Vec<_> = schemas.iter().map(Schema::id).collect();
    schemas.sort();
    Body::OpenDataSet(OpenDataSet { name: name.parse().unwrap(), schemas, budget: MicroEpsilon::new(budget) })
}

pub fn project(data_set: DataSetId, budget: u64) -> OpenProject {
    OpenProject {
        commitment: ProjectCommitment::from_bytes([5; 32]),
        data_set,
        purpose: PurposeClass::Research,
        rule_set: RuleSetDigest::from_bytes([6; 32]),
        threshold: 10,
        budget: MicroEpsilon::new(budget),
        until: at(100_000),
    }
}

pub fn open_project(data_set: DataSetId, budget: u64) -> Body {
    Body::OpenProject(project(data_set, budget))
}

pub fn reserve(project: EntryId, amount: u64) -> Body {
    let query = QueryCommitment::from_bytes([7; 32]);
    Body::ReserveBudget(ReserveBudget { project: ProjectId::of(project), query, amount: MicroEpsilon::new(amount) })
}

pub fn spend(reservation: EntryId) -> Body {
    Body::SpendBudget(SpendBudget { reservation: ReservationId::of(reservation) })
}

/// Three schemas that the tests register.
pub fn schemas() -> [Schema; 3] {
    [builtin::patient(), builtin::observation(), builtin::condition()]
}
