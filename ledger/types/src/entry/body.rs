//! What an entry says, one struct for each kind. Which of them take effect is for the state machine.

mod access;
mod research;

use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tree::Position;

pub use access::{EmergencyAccess, Grant, KeyRelease, Review, RevokeGrant};
pub(crate) use research::SCHEMAS_MAX;
pub use research::{OpenDataSet, OpenProject, ReserveBudget, SpendBudget};

use crate::ids::{ChainId, DisclosureCommitment, KeyId, MemberId, MemberName, StatementName};
use crate::signing::PublicKey;
use crate::units::BlockTime;

/// The kinds of entries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Founds the ledger.
    Genesis(Genesis),
    /// Registers a schema.
    RegisterSchema(RegisterSchema),
    /// Registers a verifying key.
    RegisterVerifyingKey(RegisterVerifyingKey),
    /// Appends commitments to the signer's own set.
    Commit(Commit),
    /// Replaces a commitment in the signer's own set.
    Amend(Amend),
    /// Withdraws a commitment from the signer's own set.
    Withdraw(Withdraw),
    /// Logs a blinded disclosure.
    Disclosure(Disclosure),
    /// Gives a reader a right, blinded.
    Grant(Grant),
    /// Takes a grant back.
    RevokeGrant(RevokeGrant),
    /// Logs that keys will be released under a grant.
    KeyRelease(KeyRelease),
    /// Reports an opening without a grant, in an emergency.
    EmergencyAccess(EmergencyAccess),
    /// Says that an emergency was reviewed.
    Review(Review),
    /// Puts schemas under one privacy budget.
    OpenDataSet(OpenDataSet),
    /// Opens a research project on a data set.
    OpenProject(OpenProject),
    /// Takes budget for a query before its noise is drawn.
    ReserveBudget(ReserveBudget),
    /// Says that a reservation's noise may have been drawn.
    SpendBudget(SpendBudget),
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Commits, amends and withdraws records, and discloses them.
    Issuer,
    /// Registers schemas and verifying keys.
    Registrar,
    /// Asks for the openings of disclosures.
    Auditor,
}

impl Role {
    pub(crate) fn code(self) -> u32 {
        match self {
            Role::Issuer => 1,
            Role::Registrar => 2,
            Role::Auditor => 3,
        }
    }

    pub(crate) fn from_code(code: u32) -> Option<Self> {
        match code {
            1 => Some(Role::Issuer),
            2 => Some(Role::Registrar),
            3 => Some(Role::Auditor),
            _ => None,
        }
    }
}

/// Founds the ledger. Signed by the first key of each founding member, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The curve and hash of everything on this ledger.
    pub suite: Suite,
    /// Whether development keys count here.
    pub development: bool,
    /// The founders; the header names the first of them.
    pub members: Vec<FoundingMember>,
    /// Whose signatures make a checkpoint.
    pub validators: Vec<Validator>,
    /// The bounds in force.
    pub parameters: Parameters,
}

/// A member from the beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundingMember {
    /// Its name, which gives its id.
    pub name: MemberName,
    /// What it may do; ascending, without repetition.
    pub roles: Vec<Role>,
    /// Its service's keys, one to eight.
    pub keys: Vec<PublicKey>,
}

impl FoundingMember {
    /// Its id on this chain.
    pub fn id(&self, chain: &ChainId) -> MemberId {
        MemberId::of(chain, &self.name)
    }
}

/// A validator and its checkpoint key.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// Its name in checkpoints.
    pub name: MemberName,
    /// Its checkpoint key.
    pub key: PublicKey,
    /// Its part of the voting power; at least 1.
    pub power: u64,
}

/// Bounds that every replica keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// How many entries a block may hold.
    pub block_entries_max: u32,
    /// How many bytes of entries a block may hold; at least one entry of full length.
    pub block_bytes_max: u64,
    /// How many commitments an entry may hold.
    pub entry_commitments_max: u32,
    /// How far in the future an entry may expire: so long its id is remembered.
    pub expiry_horizon_seconds: u64,
    /// How many heights back an anchor may be named.
    pub anchor_window_heights: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            block_entries_max: 1024,
            block_bytes_max: 8 << 20,
            entry_commitments_max: 4096,
            expiry_horizon_seconds: 24 * 3600,
            anchor_window_heights: 1024,
        }
    }
}

/// Registers a schema document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterSchema {
    /// The document's canonical bytes.
    pub schema: Vec<u8>,
}

/// Registers a verifying key by its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterVerifyingKey {
    /// The statement it verifies.
    pub statement: StatementName,
    /// The digest of its bytes.
    pub key_id: KeyId,
    /// Whether it comes from a single-party setup.
    pub development: bool,
}

/// Appends a batch of commitments, position after position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The commitments, in order of their positions.
    pub commitments: Vec<Commitment>,
}

/// Replaces a commitment: the old position becomes zero, the new commitment is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amend {
    /// Where the old one is.
    pub position: Position,
    /// The old commitment.
    pub old: Commitment,
    /// The new commitment.
    pub new: Commitment,
}

/// Withdraws one commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdraw {
    /// Where it is.
    pub position: Position,
    /// The commitment.
    pub commitment: Commitment,
}

/// Logs that something will be disclosed, before it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disclosure {
    /// What is disclosed to whom, blinded.
    pub commitment: DisclosureCommitment,
    /// Roughly what for.
    pub purpose: PurposeClass,
    /// Until when an auditor's wish to open it must be met.
    pub deadline: BlockTime,
}

/// Roughly what a disclosure is for; each stands for a class of HL7 purpose-of-use codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PurposeClass {
    /// TREAT: treatment.
    Treatment,
    /// ETREAT: emergency treatment.
    Emergency,
    /// HPAYMT: payment.
    Payment,
    /// HOPERAT: operations.
    Operations,
    /// PUBHLTH: public health.
    PublicHealth,
    /// HRESCH: research.
    Research,
    /// PATRQT: the patient asked.
    PatientRequest,
    /// HLEGAL: legal.
    Legal,
    /// Anything else.
    Other,
}

impl PurposeClass {
    const CODES: [(PurposeClass, u32, &'static str); 9] = [
        (PurposeClass::Treatment, 1, "TREAT"),
        (PurposeClass::Emergency, 2, "ETREAT"),
        (PurposeClass::Payment, 3, "HPAYMT"),
        (PurposeClass::Operations, 4, "HOPERAT"),
        (PurposeClass::PublicHealth, 5, "PUBHLTH"),
        (PurposeClass::Research, 6, "HRESCH"),
        (PurposeClass::PatientRequest, 7, "PATRQT"),
        (PurposeClass::Legal, 8, "HLEGAL"),
        (PurposeClass::Other, 9, "OTHER"),
    ];

    /// The class of a purpose-of-use code; an unknown code is `Other`.
    pub fn of_code(code: &str) -> Self {
        Self::CODES.iter().find(|(_, _, name)| *name == code).map_or(PurposeClass::Other, |(class, _, _)| *class)
    }

    /// The class that this code names, if it names one: where somebody acts on a purpose, an unknown one is no `OTHER`.
    pub fn named(code: &str) -> Option<Self> {
        Some(Self::of_code(code)).filter(|class| class.as_str() == code)
    }

    /// The code that names the class.
    pub fn as_str(self) -> &'static str {
        Self::CODES.iter().find(|(class, _, _)| *class == self).map_or("OTHER", |(_, _, name)| name)
    }

    pub(crate) fn code(self) -> u32 {
        Self::CODES.iter().find(|(class, _, _)| *class == self).map_or(9, |(_, code, _)| *code)
    }

    pub(crate) fn from_code(code: u32) -> Option<Self> {
        Self::CODES.iter().find(|(_, number, _)| *number == code).map(|(class, _, _)| *class)
    }
}
