//! Poseidon with x^5, as circomlib computes it: one permutation of (0, inputs…), the first element is the hash.
//!
//! ```text
//! state of t = inputs + 1 elements; 8 full rounds around the partial ones; constants from Grain
//! ```
//!
//! Arity 1 to 12. Arity 4 is for tree nodes alone; see [`crate::tags`]. Not a sponge: inputs of different
//! arity are different functions. Spec: the Poseidon paper (eprint 2019/458), reference parameters.

pub(crate) mod gadget;
mod sparse;

use std::sync::OnceLock;

use ark_crypto_primitives::sponge::poseidon::find_poseidon_ark_and_mds;
use ark_ff::PrimeField;

use crate::fe::{Fe, FeError};
use crate::suite::{Suite, SuiteField, with_field};
use sparse::Sparse;

/// Full rounds, half before and half after the partial ones.
pub(crate) const FULL_ROUNDS: usize = 8;
/// The widest state: 12 inputs.
const WIDTH_MAX: usize = 13;

/// Round constants and matrix for one width.
pub struct Params<F> {
    /// One row of `t` constants per round.
    pub(crate) constants: Vec<Vec<F>>,
    /// The t × t matrix that mixes the state.
    pub(crate) mds: Vec<Vec<F>>,
    /// How many of the rounds are partial.
    pub(crate) partial_rounds: usize,
    /// The same permutation with fewer multiplications.
    sparse: Sparse<F>,
}

impl<F: PrimeField> Params<F> {
    fn generate(t: usize, partial_rounds: usize) -> Params<F> {
        let (constants, mds) = find_poseidon_ark_and_mds(
            u64::from(F::MODULUS_BIT_SIZE),
            t - 1,
            FULL_ROUNDS as u64,
            partial_rounds as u64,
            0,
        );
        let sparse = Sparse::new(&constants, &mds, partial_rounds);
        Params { constants, mds, partial_rounds, sparse }
    }

    /// Whether every element passes the S-box in this round.
    pub(crate) fn is_full(&self, round: usize) -> bool {
        let half = FULL_ROUNDS / 2;
        round < half || round >= half + self.partial_rounds
    }
}

impl SuiteField for ark_bn254::Fr {
    const SUITE: Suite = Suite::Bn254;
    // circomlib's N_ROUNDS_P
    const PARTIAL_ROUNDS: [usize; 12] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65];

    fn poseidon(t: usize) -> &'static Params<Self> {
        static TABLE: [OnceLock<Params<ark_bn254::Fr>>; 12] = [const { OnceLock::new() }; 12];
        TABLE[t - 2].get_or_init(|| Params::generate(t, Self::PARTIAL_ROUNDS[t - 2]))
    }
}

/// Poseidon of 1 to 12 elements of a suite's field, at the border: an element not below the modulus is refused.
///
/// # Panics
/// If there are no inputs or more than 12, as for `hash`.
pub fn hash_fe(suite: Suite, inputs: &[Fe]) -> Result<Fe, FeError> {
    with_field!(suite, F => hash_fe_in::<F>(inputs))
}

fn hash_fe_in<F: SuiteField>(inputs: &[Fe]) -> Result<Fe, FeError> {
    let elements = inputs.iter().map(|fe| fe.to_field()).collect::<Result<Vec<F>, _>>()?;
    Ok(Fe::from_field(&hash(&elements)))
}

/// Poseidon of 1 to 12 field elements.
///
/// # Panics
/// If there are no inputs or more than 12: a mistake in our code, since arities are fixed where it is called.
pub(crate) fn hash<F: SuiteField>(inputs: &[F]) -> F {
    assert!((1..=12).contains(&inputs.len()), "Poseidon takes 1 to 12 inputs");
    let t = inputs.len() + 1;
    let mut state = [F::zero(); WIDTH_MAX];
    state[1..t].copy_from_slice(inputs);
    F::poseidon(t).sparse.permute(&mut state[..t]);
    state[0]
}

/// The permutation as it is defined, round by round: what the faster one must agree with.
#[cfg(test)]
fn permute_by_definition<F: SuiteField>(state: &mut Vec<F>) {
    let params = F::poseidon(state.len());
    for (round, constants) in params.constants.iter().enumerate() {
        for (element, constant) in state.iter_mut().zip(constants) {
            *element += constant;
        }
        let boxes = if params.is_full(round) { state.len() } else { 1 };
        for element in &mut state[..boxes] {
            let square = element.square();
            *element *= square.square();
        }
        *state = params.mds.iter().map(|row| row.iter().zip(&*state).map(|(m, e)| *m * e).sum()).collect();
    }
}

#[cfg(test)]
mod tests {
    use ark_ff::UniformRand;
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_sparse_form_is_the_same_permutation() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for t in 2..=WIDTH_MAX {
            let inputs: Vec<ark_bn254::Fr> = (0..t).map(|_| UniformRand::rand(&mut rng)).collect();
            let (mut fast, mut slow) = (inputs.clone(), inputs);
            ark_bn254::Fr::poseidon(t).sparse.permute(&mut fast);
            permute_by_definition(&mut slow);
            assert_eq!(fast, slow, "width {t}");
        }
    }
}
