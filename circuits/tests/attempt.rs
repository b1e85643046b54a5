//! A patched prover: a question and an assignment that can be bent, with everything else made consistent.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};
use vouchsafe_circuits::fact::dangerous::Assignment;
use vouchsafe_circuits::fact::{Clause, Public, TruthTable};
use vouchsafe_circuits::tags::Tag;
use vouchsafe_circuits::tree::Position;
use vouchsafe_circuits::{Anchor, Fe, Pseudonym, poseidon::hash_fe};

use crate::sample::{SUITE, Sample, field, number, yes};

/// A question and an assignment for it, to be bent.
pub struct Attempt {
    pub public: Public,
    pub private: Assignment,
}

impl Attempt {
    /// The sample's record and a question about it.
    pub fn new(table: TruthTable, clauses: &[Clause]) -> Attempt {
        let sample = Sample::new();
        let public = sample.public(table, clauses);
        Attempt { private: sample.assignment(&public), public }
    }

    /// "Field 4 holds 104": the true fact that most attacks begin from.
    pub fn honest() -> Attempt {
        Attempt::new(yes(), &[Clause::between(field(4), number(104), number(104))])
    }

    /// Commits to the one clause's leaf as it stands: as an issuer would who plays along.
    pub fn recommit(&mut self) {
        let (clause, digits) = (&mut self.private.clauses[0], Position::new(self.public.clauses[0].field.get().into()));
        let tag = Fr::from(2u64) - to_field(clause.present);
        clause.children[0][digits.digit(0)] = hash(&[to_fe(tag), clause.content, clause.salt]);
        clause.children[1][digits.digit(1)] = hash(&clause.children[0]);
        self.private.root = hash(&clause.children[1]);
        self.recommit_root();
    }

    /// Commits to the header and root as they stand.
    pub fn recommit_root(&mut self) {
        let commitment = self.commitment();
        let mut node = commitment;
        for (level, step) in self.private.path.iter_mut().enumerate() {
            step.children[place().digit(level)] = node;
            node = hash(&step.children);
        }
        self.public.anchor = Anchor::new(node);
        let pseudonym = hash(&[Tag::Pseudonym.fe(), self.private.subject_key, self.public.scope.fe()]);
        self.public.pseudonym = Pseudonym::new(pseudonym);
    }

    /// C of the header and root as they stand.
    pub fn commitment(&self) -> Fe {
        let private = &self.private;
        let header = hash(&[Tag::Header.fe(), private.subject_key, private.from, private.until, private.blinding]);
        hash(&[Tag::Commitment.fe(), self.public.issuer.fe(), self.public.schema.fe(), private.root, header])
    }
}

/// Where the sample's record is.
pub fn place() -> Position {
    Position::new(0x0123_4567)
}

pub fn hash(inputs: &[Fe]) -> Fe {
    hash_fe(SUITE, inputs).expect("canonical")
}

pub fn to_field(fe: Fe) -> Fr {
    Fr::from_le_bytes_mod_order(fe.as_bytes())
}

pub fn to_fe(value: Fr) -> Fe {
    let bytes = value.into_bigint().to_bytes_le().try_into().expect("32 bytes");
    Fe::from_bytes(SUITE, bytes).expect("canonical")
}

pub fn minus(value: u64) -> Fe {
    to_fe(-Fr::from(value))
}
