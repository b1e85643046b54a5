//! The circuit: one function for each clause of the statement, with the relation's names and the spec's headings.
//!
//! Generic over the number of clauses. Every clause of the predicate opens its own field by a path of two levels;
//! all lead to one record root, which enters the commitment (docs/decisions/0001). Bounds of public values
//! (today, operands, table size) are the verifier's: [`super::Public::check`]. Spec: docs/spec/fact.md.

mod predicate;

use ark_r1cs_std::alloc::AllocVar;
use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};

use crate::fe::Fe;
use crate::primitives::constraints::{enforce_bit, enforce_bits, enforce_equal, enforce_product, witness};
use crate::primitives::poseidon::gadget::hash;
use crate::primitives::tree::gadget::{Digit, open};
use crate::primitives::tree::{ARITY, DEPTH};
use crate::statements::fact::Violation;
use crate::statements::fact::assignment::{Assignment, ClauseAssignment, RECORD_DEPTH, Step};
use crate::statements::fact::inputs;
use crate::suite::SuiteField;
use crate::tags::Tag;

/// Bits of a day.
const DAY_BITS: usize = 32;

/// The circuit with the values it is filled with; for a shape, blank ones.
pub(crate) struct Circuit<'a> {
    pub(crate) inputs: Vec<Fe>,
    pub(crate) private: &'a Assignment,
}

/// Which clause of the statement the constraints up to (not including) this number belong to.
pub(crate) type Sections = Vec<(Violation, usize)>;

impl<F: SuiteField> ConstraintSynthesizer<F> for Circuit<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<F>) -> Result<(), SynthesisError> {
        self.synthesize(&cs).map(drop)
    }
}

impl Circuit<'_> {
    /// Fills the constraint system and says where each clause's constraints end.
    pub(crate) fn synthesize<F: SuiteField>(&self, cs: &ConstraintSystemRef<F>) -> Result<Sections, SynthesisError> {
        let public = Inputs(
            (self.inputs.iter())
                .map(|input| FpVar::new_input(cs.clone(), || element::<F>(*input)))
                .collect::<Result<_, _>>()?,
        );
        let private = Private::allocate(cs, self.private)?;
        let mut sections = Sections::new();
        let mut ends = |clause| sections.push((clause, cs.num_constraints()));

        let header = enforce_header(&private)?;
        ends(Violation::Header);
        enforce_fields(&public, &private)?;
        ends(Violation::Fields);
        let leaf = enforce_membership(&public, &private)?;
        ends(Violation::Membership);
        enforce_commitment(&public, &private, header, &leaf)?;
        ends(Violation::Commitment);
        enforce_validity(&public, &private)?;
        ends(Violation::Validity);
        predicate::enforce_predicate(&public, &private)?;
        ends(Violation::Predicate);
        enforce_pseudonym(&public, &private)?;
        ends(Violation::Pseudonym);
        enforce_binding(&public)?;
        ends(Violation::Binding);
        Ok(sections)
    }
}

/// The public inputs, by their place in [`inputs`].
struct Inputs<F: SuiteField>(Vec<FpVar<F>>);

impl<F: SuiteField> Inputs<F> {
    fn at(&self, input: usize) -> &FpVar<F> {
        &self.0[input]
    }

    fn of_clause(&self, clause: usize, offset: usize) -> &FpVar<F> {
        &self.0[inputs::of_clause(clause, offset)]
    }
}

/// The private values. Nothing is known of them before the clauses below have tied them.
struct Private<F: SuiteField> {
    subject_key: FpVar<F>,
    from: FpVar<F>,
    until: FpVar<F>,
    blinding: FpVar<F>,
    root: FpVar<F>,
    digits: Vec<Digit<F>>,
    children: Vec<[FpVar<F>; ARITY]>,
    clauses: Vec<PrivateClause<F>>,
}

struct PrivateClause<F: SuiteField> {
    present: FpVar<F>,
    content: FpVar<F>,
    salt: FpVar<F>,
    children: Vec<[FpVar<F>; ARITY]>,
}

impl<F: SuiteField> Private<F> {
    fn allocate(cs: &ConstraintSystemRef<F>, from: &Assignment) -> Result<Private<F>, SynthesisError> {
        let one = |value: Fe| witness(cs, || element(value));
        let four = |[a, b, c, d]: [Fe; ARITY]| Ok::<_, SynthesisError>([one(a)?, one(b)?, one(c)?, one(d)?]);
        let digit = |step: &Step| Ok::<_, SynthesisError>([one(step.digit[0])?, one(step.digit[1])?]);
        let clause = |from: &ClauseAssignment| {
            Ok::<_, SynthesisError>(PrivateClause {
                present: one(from.present)?,
                content: one(from.content)?,
                salt: one(from.salt)?,
                children: from.children.into_iter().map(four).collect::<Result<_, _>>()?,
            })
        };
        Ok(Private {
            subject_key: one(from.subject_key)?,
            from: one(from.from)?,
            until: one(from.until)?,
            blinding: one(from.blinding)?,
            root: one(from.root)?,
            digits: from.path.iter().map(digit).collect::<Result<_, _>>()?,
            children: from.path.iter().map(|step| four(step.children)).collect::<Result<_, _>>()?,
            clauses: from.clauses.iter().map(clause).collect::<Result<_, _>>()?,
        })
    }
}

/// The subject key is not zero: it has an inverse. Returns the header's hash.
fn enforce_header<F: SuiteField>(private: &Private<F>) -> Result<FpVar<F>, SynthesisError> {
    let key = &private.subject_key;
    let inverse = inverse_of(key)?;
    enforce_product(key, &inverse, &FpVar::one())?;
    hash(&[constant(Tag::Header), key.clone(), private.from.clone(), private.until.clone(), private.blinding.clone()])
}

/// Each clause's content is in the leaf of its public field index, under the one record root.
fn enforce_fields<F: SuiteField>(public: &Inputs<F>, private: &Private<F>) -> Result<(), SynthesisError> {
    let (present_tag, absent_tag) = (Tag::Present.fe(), Tag::Absent.fe());
    let (present_tag, absent_tag) = (element::<F>(present_tag)?, element::<F>(absent_tag)?);
    for (number, clause) in private.clauses.iter().enumerate() {
        enforce_bit(&clause.present)?;
        let tag = &clause.present * (present_tag - absent_tag) + absent_tag;
        let field = enforce_bits(public.of_clause(number, inputs::FIELD), 2 * RECORD_DEPTH)?;
        let digits: Vec<Digit<F>> = field.chunks_exact(2).map(|bits| [bits[0].clone(), bits[1].clone()]).collect();
        let (leaf, root) = open(&digits, &clause.children)?;
        enforce_equal(&leaf, &hash(&[tag, clause.content.clone(), clause.salt.clone()])?)?;
        enforce_equal(&root, &private.root)?;
    }
    Ok(())
}

/// A path of sixteen levels leads to the anchor. Returns the leaf it starts at.
fn enforce_membership<F: SuiteField>(public: &Inputs<F>, private: &Private<F>) -> Result<FpVar<F>, SynthesisError> {
    debug_assert_eq!(private.digits.len(), DEPTH);
    for [low, high] in &private.digits {
        enforce_bit(low)?;
        enforce_bit(high)?;
    }
    let (leaf, root) = open(&private.digits, &private.children)?;
    enforce_equal(&root, public.at(inputs::ANCHOR))?;
    Ok(leaf)
}

/// That leaf is the commitment, computed here: so a place that is empty or withdrawn, a zero leaf, is never it.
fn enforce_commitment<F: SuiteField>(
    public: &Inputs<F>,
    private: &Private<F>,
    header: FpVar<F>,
    leaf: &FpVar<F>,
) -> Result<(), SynthesisError> {
    let (issuer, schema) = (public.at(inputs::ISSUER).clone(), public.at(inputs::SCHEMA).clone());
    let commitment = hash(&[constant(Tag::Commitment), issuer, schema, private.root.clone(), header])?;
    enforce_equal(&commitment, leaf)
}

/// from ≤ today ≤ until, all of 32 bits (today by the verifier), so that the differences do not wrap.
fn enforce_validity<F: SuiteField>(public: &Inputs<F>, private: &Private<F>) -> Result<(), SynthesisError> {
    let today = public.at(inputs::TODAY);
    enforce_bits(&private.from, DAY_BITS)?;
    enforce_bits(&private.until, DAY_BITS)?;
    enforce_bits(&(today - &private.from), DAY_BITS)?;
    enforce_bits(&(&private.until - today), DAY_BITS)?;
    Ok(())
}

/// The pseudonym is that of the header's subject key in the public scope.
fn enforce_pseudonym<F: SuiteField>(public: &Inputs<F>, private: &Private<F>) -> Result<(), SynthesisError> {
    let scope = public.at(inputs::SCOPE).clone();
    let pseudonym = hash(&[constant(Tag::Pseudonym), private.subject_key.clone(), scope])?;
    enforce_equal(&pseudonym, public.at(inputs::PSEUDONYM))
}

/// The request digest enters a constraint: its square is a witness. Every other input is in a clause above.
fn enforce_binding<F: SuiteField>(public: &Inputs<F>) -> Result<(), SynthesisError> {
    let digest = public.at(inputs::DIGEST);
    let _square = digest * digest;
    Ok(())
}

fn constant<F: SuiteField>(tag: Tag) -> FpVar<F> {
    FpVar::Constant(F::from(tag as u64))
}

fn inverse_of<F: SuiteField>(x: &FpVar<F>) -> Result<FpVar<F>, SynthesisError> {
    use ark_r1cs_std::GR1CSVar;
    witness(&x.cs(), || Ok(x.value()?.inverse().unwrap_or_default()))
}

fn element<F: SuiteField>(value: Fe) -> Result<F, SynthesisError> {
    value.to_field().map_err(|_| SynthesisError::Unsatisfiable)
}
