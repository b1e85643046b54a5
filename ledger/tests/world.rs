//! A small consortium for the tests: two hospitals, a registrar, and entries written in their names.

use std::path::Path;
use std::sync::Arc;

use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Commitment, Fe, Suite};
use vouchsafe_ledger::{ManualClock, Options, Solo};
use vouchsafe_ledger_types::entry::{
    Amend, Body, Commit, Disclosure, Entry, FoundingMember, Genesis, Header, Nonce, Parameters, PurposeClass, Role,
    SignedEntry, Validator, VerifiedEntry, Withdraw,
};
use vouchsafe_ledger_types::ids::{ChainId, DisclosureCommitment, MemberId, MemberName};
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::units::BlockTime;

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
