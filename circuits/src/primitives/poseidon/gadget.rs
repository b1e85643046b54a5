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
