//! Poseidon in constraints: the same permutation as [`super::hash`], three constraints for each S-box.
//!
//! Adding constants and mixing are linear and cost nothing; an S-box over a constant (the capacity in the
//! first round, a fixed tag) costs nothing either. With n inputs that are not constant:
//!
//! ```text
//! 3 · (8t + partial rounds) − 3 · (t − n)          arity 3: 264 less the constants, 4: 300, 5: 324
//! ```

use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::SynthesisError;

use crate::primitives::constraints::linear;
use crate::suite::SuiteField;

/// Poseidon of 1 to 12 field elements.
///
/// # Panics
/// If there are no inputs or more than 12, as the native twin.
pub(crate) fn hash<F: SuiteField>(inputs: &[FpVar<F>]) -> Result<FpVar<F>, SynthesisError> {
    assert!((1..=12).contains(&inputs.len()), "Poseidon takes 1 to 12 inputs");
    let t = inputs.len() + 1;
    let params = F::poseidon(t);
    let capacity = FpVar::Constant(F::zero());
    let mut state: Vec<FpVar<F>> =
        std::iter::once(&capacity).chain(inputs).zip(&params.constants[0]).map(|(e, c)| e + *c).collect();
    let zeros = vec![F::zero(); t];
    for round in 0..params.constants.len() {
        let boxes = if params.is_full(round) { t } else { 1 };
        for element in &mut state[..boxes] {
            *element = fifth_power(element)?;
        }
        // the next round's constants are added with this round's mixing: one combination for each element
        let constants = params.constants.get(round + 1).unwrap_or(&zeros);
        state = (params.mds.iter().zip(constants))
            .map(|(row, constant)| linear(row.iter().copied().zip(&state), *constant))
            .collect::<Result<_, _>>()?;
    }
    Ok(state.swap_remove(0))
}

fn fifth_power<F: SuiteField>(x: &FpVar<F>) -> Result<FpVar<F>, SynthesisError> {
    let square = x.square()?;
    Ok(square.square()? * x)
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_r1cs_std::GR1CSVar;
    use ark_relations::gr1cs::ConstraintSystem;

    use super::*;
    use crate::primitives::constraints::witness;

    /// Constraints of a hash of so many witnesses after so many constants.
    fn cost(constants: usize, witnesses: usize) -> usize {
        let cs = ConstraintSystem::<Fr>::new_ref();
        let mut inputs: Vec<FpVar<Fr>> = (0..constants as u64).map(|c| FpVar::Constant(Fr::from(c))).collect();
        inputs.extend((0..witnesses as u64).map(|w| witness(&cs, || Ok(Fr::from(w + 50))).unwrap()));
        let values: Vec<Fr> = inputs.iter().map(|input| input.value().unwrap()).collect();
        assert_eq!(hash(&inputs).unwrap().value().unwrap(), crate::primitives::poseidon::hash(&values));
        assert!(cs.is_satisfied().unwrap());
        cs.num_constraints()
    }

    #[test]
    fn computes_the_native_hash_at_the_expected_cost() {
        for arity in 1..=12 {
            let sboxes = 8 * (arity + 1) + Fr::PARTIAL_ROUNDS[arity - 1];
            assert_eq!(cost(0, arity), 3 * (sboxes - 1), "arity {arity}: the capacity is constant");
        }
        assert_eq!([cost(0, 3), cost(0, 4), cost(1, 2), cost(1, 4)], [261, 297, 258, 318]);
        assert_eq!(cost(3, 0), 0);
    }
}
