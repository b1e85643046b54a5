//! A record in an active set and a question about it, to build the tests of `fact` on.

use std::collections::BTreeMap;
use std::convert::Infallible;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use vouchsafe_circuits::fact::dangerous::Assignment;
use vouchsafe_circuits::fact::{Clause, Public, TruthTable, Witness};
use vouchsafe_circuits::record::{
    Absence, Day, EncodedField, FIELDS, FieldIndex, Header, RecordOpening, Validity, pseudonym,
};
use vouchsafe_circuits::tree::{self, MembershipPath, NodeId, Position};
use vouchsafe_circuits::{
    Anchor, Blinding, Fe, IssuerId, RequestDigest, Salt, SchemaId, Scope, Statement, SubjectKey, Suite,
};

pub const SUITE: Suite = Suite::Bn254;
pub const TODAY: i32 = 20_000;

pub fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

pub fn element(rng: &mut ChaCha20Rng) -> Fe {
    let mut bytes = [0; 31];
    rng.fill_bytes(&mut bytes);
    Fe::from_be_31(&bytes)
}

pub fn field(number: u8) -> FieldIndex {
    FieldIndex::try_from(number).expect("below 16")
}

pub fn number(value: u64) -> Fe {
    Fe::from_u64(value)
}

/// One record: field i holds 100 + i, except for a few; field 15 lies beyond the schema.
#[derive(Clone)]
pub struct Sample {
    pub opening: RecordOpening,
    pub path: MembershipPath,
    pub anchor: Anchor,
    pub scope: Scope,
}

pub const NOT_ASKED: u8 = 10;
pub const WITHHELD: u8 = 11;
pub const LONG_TEXT: u8 = 12;
pub const UNUSED: u8 = 15;

impl Sample {
    pub fn new() -> Sample {
        Sample::at(Position::new(0x0123_4567), |_| {})
    }

    /// A record that was changed before it was committed, at a place of the active set.
    pub fn at(position: Position, change: impl FnOnce(&mut RecordOpening)) -> Sample {
        let mut rng = rng(7);
        let mut fields: [EncodedField; FIELDS] = std::array::from_fn(|i| EncodedField::Present(number(100 + i as u64)));
        fields[usize::from(NOT_ASKED)] = EncodedField::Absent(Absence::NotAsked);
        fields[usize::from(WITHHELD)] = EncodedField::Absent(Absence::Withheld);
        fields[usize::from(LONG_TEXT)] = EncodedField::Present(Fe::from_be_31(&[0xee; 31]));
        fields[usize::from(UNUSED)] = EncodedField::Absent(Absence::Unused);
        let mut opening = RecordOpening {
            issuer: IssuerId::new(element(&mut rng)),
            schema: SchemaId::new(element(&mut rng)),
            fields,
            salts: std::array::from_fn(|_| Salt::new(element(&mut rng))),
            header: Header {
                subject_key: SubjectKey::new(element(&mut rng)).expect("not zero"),
                valid: Validity { from: TODAY as u32 - 100, until: TODAY as u32 + 100 },
                blinding: Blinding::new(element(&mut rng)),
            },
        };
        change(&mut opening);
        let commitment = opening.commitment(SUITE).expect("canonical").fe();
        let others = [1, 77].into_iter().chain([1, 2, 3, 0x4000_0000].map(|flip| position.get() ^ flip));
        let mut leaves: Vec<_> = others.map(|p| (Position::new(p), element(&mut rng))).collect();
        leaves.push((position, commitment));
        let empty = |_: NodeId| Ok::<_, Infallible>(None);
        let set = tree::update(SUITE, &empty, &leaves).expect("an empty tree");
        let nodes: BTreeMap<NodeId, Fe> = set.nodes.into_iter().collect();
        let path = tree::path(SUITE, &|id| Ok::<_, Infallible>(nodes.get(&id).copied()), position).expect("a path");
        Sample { opening, path, anchor: set.root, scope: Scope::new(element(&mut rng)) }
    }

    pub fn public(&self, table: TruthTable, clauses: &[Clause]) -> Public {
        Public {
            anchor: self.anchor,
            issuer: self.opening.issuer,
            schema: self.opening.schema,
            today: Day::new(TODAY),
            scope: self.scope,
            pseudonym: pseudonym(SUITE, &self.opening.header.subject_key, self.scope).expect("canonical"),
            digest: RequestDigest::new(number(0xd16e57)),
            table,
            clauses: clauses.to_vec(),
        }
    }

    pub fn witness(&self) -> Witness {
        Witness::new(self.opening.clone(), self.path.clone())
    }

    pub fn assignment(&self, public: &Public) -> Assignment {
        Assignment::new(SUITE, &public.clauses, &self.witness()).expect("canonical")
    }
}

/// The statement that has this many clauses.
pub fn statement(public: &Public) -> Statement {
    Statement::ALL.into_iter().find(|s| s.clauses() == public.clauses.len()).expect("one or four clauses")
}

/// "Clause 0 holds."
pub fn yes() -> TruthTable {
    TruthTable::from_fn(1, |c| c[0])
}

/// "Clause 0 does not hold."
pub fn no() -> TruthTable {
    TruthTable::from_fn(1, |c| !c[0])
}
