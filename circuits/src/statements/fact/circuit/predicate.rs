//! The predicate in constraints: modes, comparison, absence, and the fold of the truth table.
//!
//! Twin of `../predicate.rs`. Truth values are 0 or 1 by construction: bits, products of bits, or differences that
//! a comment below explains. Spec: docs/spec/fact.md, "predicate".

use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::SynthesisError;

use super::{Inputs, Private, PrivateClause};
use crate::primitives::constraints::{enforce_bits, enforce_equal, enforce_product, is_at_least, is_zero};
use crate::statements::fact::inputs;
use crate::statements::fact::predicate::OPERAND_BITS;
use crate::suite::SuiteField;

/// What a clause is worth: `value` counts only where `known` is 1.
pub(super) struct Answer<F: SuiteField> {
    pub(super) known: FpVar<F>,
    pub(super) value: FpVar<F>,
}

/// The predicate holds for every value of the clauses that are not known.
pub(super) fn enforce_predicate<F: SuiteField>(public: &Inputs<F>, private: &Private<F>) -> Result<(), SynthesisError> {
    let answers = (private.clauses.iter().enumerate())
        .map(|(number, clause)| answer(public, number, clause))
        .collect::<Result<Vec<_>, _>>()?;
    let table = enforce_bits(public.at(inputs::TABLE), 1 << answers.len())?;
    enforce_equal(&fold(table, &answers), &FpVar::one())
}

/// Halves the table for each clause in turn: `known ? (value ? t1 : t0) : t0 · t1`. Three constraints a pair.
pub(super) fn fold<F: SuiteField>(table: Vec<FpVar<F>>, answers: &[Answer<F>]) -> FpVar<F> {
    let mut table = table;
    for Answer { known, value } in answers {
        table = table
            .chunks_exact(2)
            .map(|pair| {
                let both = &pair[0] * &pair[1];
                let chosen = &pair[0] + value * (&pair[1] - &pair[0]);
                &both + known * (chosen - &both)
            })
            .collect();
    }
    table.swap_remove(0)
}

/// Which mode is on: at most one of these is 1.
struct Modes<F: SuiteField> {
    between: FpVar<F>,
    equals: FpVar<F>,
    absent: FpVar<F>,
    used: FpVar<F>,
}

impl<F: SuiteField> Modes<F> {
    /// Needs: nothing; the two bits of the public mode are enforced here.
    fn decode(mode: &FpVar<F>) -> Result<Modes<F>, SynthesisError> {
        let bits = enforce_bits(mode, 2)?;
        let absent = &bits[0] * &bits[1];
        let (between, equals) = (&bits[0] - &absent, &bits[1] - &absent);
        let used = &between + &bits[1];
        Ok(Modes { between, equals, absent, used })
    }
}

fn answer<F: SuiteField>(
    public: &Inputs<F>,
    number: usize,
    clause: &PrivateClause<F>,
) -> Result<Answer<F>, SynthesisError> {
    let input = |offset| public.of_clause(number, offset);
    let modes = Modes::decode(input(inputs::MODE))?;
    let between = is_between(&modes, input(inputs::LOW), input(inputs::HIGH), clause)?;
    let equal = is_zero(&(&clause.content - input(inputs::LOW)))?;
    let (missing, not_recorded) = absence(&modes, clause)?;

    let known_absent = &modes.absent * &not_recorded;
    // unknown: in use and the field missing, unless the clause asks for just that
    let known = FpVar::one() - missing + &known_absent;
    let value = between + &modes.equals * equal + known_absent;
    Ok(Answer { known, value })
}

/// 1 if the mode is between and low ≤ content ≤ high. A present content is then below 2^120, or nothing satisfies.
fn is_between<F: SuiteField>(
    modes: &Modes<F>,
    low: &FpVar<F>,
    high: &FpVar<F>,
    clause: &PrivateClause<F>,
) -> Result<FpVar<F>, SynthesisError> {
    // masked, since under other modes content and operand may be any field element
    let compared = &modes.between * &clause.present;
    let value = &compared * &clause.content;
    let (low, high) = (&modes.between * low, &modes.between * high);
    enforce_bits(&value, OPERAND_BITS)?;
    let from_low = is_at_least(&value, &low, OPERAND_BITS)?;
    let to_high = is_at_least(&high, &value, OPERAND_BITS)?;
    Ok(compared * (from_low * to_high))
}

/// Whether the clause is in use and its field missing, and whether it is missing as *not recorded* (1 to 3).
/// A missing field's reason is 1 to 6, or nothing satisfies.
fn absence<F: SuiteField>(modes: &Modes<F>, clause: &PrivateClause<F>) -> Result<(FpVar<F>, FpVar<F>), SynthesisError> {
    let missing = &modes.used * (FpVar::one() - &clause.present);
    let reason = enforce_bits(&(&missing * &clause.content), 3)?;
    // not 7
    let low_two = &reason[0] * &reason[1];
    enforce_product(&low_two, &reason[2], &FpVar::zero())?;
    // zero exactly when not missing; (1 − r0)(1 − r1) = 1 − r0 − r1 + r0 r1
    let low_none = FpVar::one() - &reason[0] - &reason[1] + &low_two;
    enforce_product(&low_none, &(FpVar::one() - &reason[2]), &(FpVar::one() - &missing))?;
    // r2 is 1 only where missing is: the difference is a bit
    let not_recorded = &missing - &reason[2];
    Ok((missing, not_recorded))
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_r1cs_std::GR1CSVar;
    use ark_relations::gr1cs::ConstraintSystem;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::primitives::constraints::witness;
    use crate::statements::fact::TruthTable;
    use crate::statements::fact::predicate::Answer as Native;

    #[test]
    fn the_fold_is_the_native_one() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(16);
        let mut both = [0; 2];
        for _ in 0..4_000 {
            // sparse and dense tables, so that yes and no are both seen with much unknown
            let table: u16 =
                if rng.r#gen() { rng.r#gen::<u16>() | rng.r#gen::<u16>() | rng.r#gen::<u16>() } else { rng.r#gen() };
            let states: [u8; 4] = std::array::from_fn(|_| rng.gen_range(0..3));
            let native = states.map(|s| if s == 2 { Native::Unknown } else { Native::Known(s == 1) });
            let cs = ConstraintSystem::<Fr>::new_ref();
            let bit = |bit: bool| witness(&cs, || Ok(Fr::from(bit))).unwrap();
            let bits = (0..16).map(|i| bit(table >> i & 1 == 1)).collect();
            // the value of what is unknown is anything
            let value = |s: u8, any: bool| bit(if s == 2 { any } else { s == 1 });
            let answers: Vec<_> =
                states.map(|s| Answer { known: bit(s != 2), value: value(s, rng.r#gen()) }).into_iter().collect();
            let folded = fold(bits, &answers).value().unwrap();
            let expected = TruthTable::new(table).holds(&native);
            assert_eq!(folded, Fr::from(expected), "{table:#x} {states:?}");
            assert!(cs.is_satisfied().unwrap());
            assert_eq!(cs.num_constraints(), 3 * 15);
            both[usize::from(expected)] += 1;
        }
        assert!(both.iter().all(|seen| *seen > 500), "{both:?}");
    }
}
