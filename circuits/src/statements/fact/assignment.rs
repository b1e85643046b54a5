//! What the private side of the circuit is filled with, value by value. Relation and circuit both read it.
//!
//! An honest holder's comes from a [`Witness`]; one that lies may hold anything, which is how the tests attack.
//! Wiped when dropped; has no Debug.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::fe::{Fe, FeError};
use crate::primitives::poseidon::hash_fe;
use crate::primitives::tree::{ARITY, DEPTH, Position};
use crate::record::{EncodedField, FieldIndex, leaf_hash};
use crate::statements::fact::{Clause, Witness};
use crate::suite::Suite;
use crate::tags::Tag;

/// Levels of a record's own tree.
pub const RECORD_DEPTH: usize = 2;

/// One step of a path: the bits of the digit, less significant first, and all four children.
#[derive(Clone, Copy)]
pub struct Step {
    /// Which child is on the path.
    pub digit: [Fe; 2],
    /// The four children.
    pub children: [Fe; ARITY],
}

/// The private side of one clause.
#[derive(Clone)]
pub struct ClauseAssignment {
    /// 1 if the field has a value, 0 if it is absent.
    pub present: Fe,
    /// The value, or the reason why there is none.
    pub content: Fe,
    /// The leaf's salt.
    pub salt: Fe,
    /// The children on the way from the leaf to the record root; the digits are those of the public field.
    pub children: [[Fe; ARITY]; RECORD_DEPTH],
}

/// Every value that the prover of a fact chooses; the rest follows from these.
#[derive(Clone)]
pub struct Assignment {
    /// The subject key.
    pub subject_key: Fe,
    /// The first valid day.
    pub from: Fe,
    /// The last valid day.
    pub until: Fe,
    /// The header's blinding.
    pub blinding: Fe,
    /// The record root.
    pub root: Fe,
    /// The path from the commitment to the anchor.
    pub path: [Step; DEPTH],
    /// One for each clause of the statement.
    pub clauses: Vec<ClauseAssignment>,
}

impl Assignment {
    /// An honest holder's assignment.
    pub fn new(suite: Suite, clauses: &[Clause], witness: &Witness) -> Result<Assignment, FeError> {
        let Witness { opening, path } = witness;
        let header = &opening.header;
        let mut node = opening.commitment(suite)?.fe();
        let mut steps = [Step { digit: [Fe::ZERO; 2], children: [Fe::ZERO; ARITY] }; DEPTH];
        for (level, (step, siblings)) in steps.iter_mut().zip(&path.siblings).enumerate() {
            let digit = path.position.digit(level);
            let others = (0..ARITY).filter(|place| *place != digit);
            for (place, sibling) in others.zip(siblings) {
                step.children[place] = *sibling;
            }
            step.children[digit] = node;
            step.digit = digit_bits(digit);
            node = hash_fe(suite, &step.children)?;
        }
        Ok(Assignment {
            subject_key: header.subject_key.fe(),
            from: Fe::from_u64(u64::from(header.valid.from)),
            until: Fe::from_u64(u64::from(header.valid.until)),
            blinding: header.blinding.fe(),
            root: opening.root(suite)?.fe(),
            path: steps,
            clauses: clauses.iter().map(|clause| open_field(suite, witness, clause.field)).collect::<Result<_, _>>()?,
        })
    }

    /// All zero: what a shape is made from.
    pub(crate) fn blank(clauses: usize) -> Assignment {
        let clause = ClauseAssignment {
            present: Fe::ZERO,
            content: Fe::ZERO,
            salt: Fe::ZERO,
            children: [[Fe::ZERO; ARITY]; RECORD_DEPTH],
        };
        Assignment {
            subject_key: Fe::ZERO,
            from: Fe::ZERO,
            until: Fe::ZERO,
            blinding: Fe::ZERO,
            root: Fe::ZERO,
            path: [Step { digit: [Fe::ZERO; 2], children: [Fe::ZERO; ARITY] }; DEPTH],
            clauses: vec![clause; clauses],
        }
    }
}

/// The digits of a field's leaf in the record's own tree.
pub(crate) fn field_digit(field: FieldIndex, level: usize) -> usize {
    Position::new(u32::from(field.get())).digit(level)
}

fn digit_bits(digit: usize) -> [Fe; 2] {
    [Fe::from_u64((digit & 1) as u64), Fe::from_u64((digit >> 1) as u64)]
}

fn open_field(suite: Suite, witness: &Witness, field: FieldIndex) -> Result<ClauseAssignment, FeError> {
    let opening = &witness.opening;
    let (encoded, salt) = (&opening.fields[field.as_usize()], &opening.salts[field.as_usize()]);
    let (present, content) = match encoded {
        EncodedField::Present(value) => (Fe::from_u64(1), *value),
        EncodedField::Absent(reason) => (Fe::ZERO, Fe::from_u64(*reason as u64)),
    };
    let leaves = opening.leaves(suite)?;
    debug_assert!(leaf_hash(suite, encoded, salt).is_ok_and(|leaf| leaf == leaves[field.as_usize()]));
    let mut children = [[Fe::ZERO; ARITY]; RECORD_DEPTH];
    let first = field.as_usize() / ARITY * ARITY;
    for (child, leaf) in children[0].iter_mut().zip(&leaves[first..]) {
        *child = leaf.fe();
    }
    for (child, four) in children[1].iter_mut().zip(leaves.chunks_exact(ARITY)) {
        *child = hash_fe(suite, &[four[0].fe(), four[1].fe(), four[2].fe(), four[3].fe()])?;
    }
    Ok(ClauseAssignment { present, content, salt: salt.fe(), children })
}

/// The tag of a leaf.
pub(crate) const fn leaf_tag(present: bool) -> Tag {
    if present { Tag::Present } else { Tag::Absent }
}

impl Zeroize for Step {
    fn zeroize(&mut self) {
        self.digit.iter_mut().chain(&mut self.children).for_each(Fe::zeroize);
    }
}

impl Zeroize for ClauseAssignment {
    fn zeroize(&mut self) {
        [&mut self.present, &mut self.content, &mut self.salt].into_iter().for_each(Fe::zeroize);
        self.children.iter_mut().flatten().for_each(Fe::zeroize);
    }
}

impl Zeroize for Assignment {
    fn zeroize(&mut self) {
        let Assignment { subject_key, from, until, blinding, root, path, clauses } = self;
        [subject_key, from, until, blinding, root].into_iter().for_each(Fe::zeroize);
        path.iter_mut().for_each(Zeroize::zeroize);
        clauses.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl Drop for Assignment {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for Assignment {}
