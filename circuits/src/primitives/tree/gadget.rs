//! Paths of a 4-ary tree in constraints: one path of any depth, opened from its leaf to its root.
//!
//! All four children of every node on the way are witnessed; two bits for each level pick one, which must be the
//! node below. Three constraints for the choice, two for the bits (by the caller), one hash.

use ark_r1cs_std::fields::fp::FpVar;
use ark_relations::gr1cs::SynthesisError;

use crate::primitives::constraints::enforce_equal;
use crate::primitives::poseidon;
use crate::primitives::tree::ARITY;
use crate::suite::SuiteField;

/// A digit of a position: two bits, the less significant first.
pub(crate) type Digit<F> = [FpVar<F>; 2];

/// The leaf and the root of a path, from the leaf's level upwards.
///
/// Needs: every digit is of two bits, as [`crate::primitives::constraints::enforce_bit`] enforces.
pub(crate) fn open<F: SuiteField>(
    digits: &[Digit<F>],
    children: &[[FpVar<F>; ARITY]],
) -> Result<(FpVar<F>, FpVar<F>), SynthesisError> {
    debug_assert_eq!(digits.len(), children.len());
    let mut levels = digits.iter().zip(children);
    let (digit, row) = levels.next().ok_or(SynthesisError::Unsatisfiable)?;
    let leaf = select(digit, row);
    let mut node = poseidon::gadget::hash(row)?;
    for (digit, row) in levels {
        enforce_equal(&select(digit, row), &node)?;
        node = poseidon::gadget::hash(row)?;
    }
    Ok((leaf, node))
}

/// The child that the digit names.
fn select<F: SuiteField>([low, high]: &Digit<F>, children: &[FpVar<F>; ARITY]) -> FpVar<F> {
    let [c0, c1, c2, c3] = children;
    let left = c0 + low * (c1 - c0);
    let right = c2 + low * (c3 - c2);
    &left + high * (right - &left)
}
