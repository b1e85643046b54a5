//! The few ways in which variables are tied together: sums for free, products, bits, zero test, order.
//!
//! Every truth value is a field variable that is 0 or 1. Sums and multiples by constants cost no constraint.
//! What a function needs from its caller to be sound stands in its comment under "needs".

use ark_ff::{BigInteger, PrimeField};
use ark_r1cs_std::GR1CSVar;
use ark_r1cs_std::alloc::AllocVar;
use ark_r1cs_std::fields::FieldVar;
use ark_r1cs_std::fields::fp::{AllocatedFp, FpVar};
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, SynthesisError, Variable};

/// A witness with this value, tied to nothing yet.
pub(crate) fn witness<F: PrimeField>(
    cs: &ConstraintSystemRef<F>,
    value: impl FnOnce() -> Result<F, SynthesisError>,
) -> Result<FpVar<F>, SynthesisError> {
    FpVar::new_witness(cs.clone(), value)
}

/// `Σ coefficient · variable + constant`, as one linear combination: no constraint.
pub(crate) fn linear<'a, F: PrimeField>(
    terms: impl Iterator<Item = (F, &'a FpVar<F>)> + Clone,
    constant: F,
) -> Result<FpVar<F>, SynthesisError> {
    let mut cs = ConstraintSystemRef::None;
    let mut value = Some(constant);
    for (coefficient, term) in terms.clone() {
        cs = cs.or(term.cs());
        value = value.zip(term.value().ok()).map(|(sum, v)| sum + coefficient * v);
    }
    if cs.is_none() {
        return value.map(FpVar::Constant).ok_or(SynthesisError::AssignmentMissing);
    }
    let variable = cs.new_lc(|| {
        let mut sum = LinearCombination(vec![(constant, Variable::One)]);
        for (coefficient, term) in terms {
            match term {
                FpVar::Constant(c) => sum.0.push((coefficient * c, Variable::One)),
                FpVar::Var(v) => sum.0.push((coefficient, v.variable)),
            }
        }
        sum.compactify();
        sum
    })?;
    Ok(FpVar::Var(AllocatedFp::new(value, variable, cs)))
}

/// Enforces `a · b = c`.
pub(crate) fn enforce_product<F: PrimeField>(a: &FpVar<F>, b: &FpVar<F>, c: &FpVar<F>) -> Result<(), SynthesisError> {
    let cs = a.cs().or(b.cs()).or(c.cs());
    cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))
}

/// Enforces `a = b`.
pub(crate) fn enforce_equal<F: PrimeField>(a: &FpVar<F>, b: &FpVar<F>) -> Result<(), SynthesisError> {
    enforce_product(&(a - b), &FpVar::one(), &FpVar::zero())
}

/// Enforces that `x` is 0 or 1: `x · (1 − x) = 0`.
pub(crate) fn enforce_bit<F: PrimeField>(x: &FpVar<F>) -> Result<(), SynthesisError> {
    enforce_product(x, &(FpVar::one() - x), &FpVar::zero())
}

/// Enforces `x < 2^count` and returns the bits of `x`, least significant first.
///
/// There is one such list, because `2^count` is kept below half the modulus: sums do not wrap.
pub(crate) fn enforce_bits<F: PrimeField>(x: &FpVar<F>, count: usize) -> Result<Vec<FpVar<F>>, SynthesisError> {
    debug_assert!(count + 1 < F::MODULUS_BIT_SIZE as usize);
    let cs = x.cs();
    let bits = (0..count)
        .map(|i| {
            let bit = witness(&cs, || Ok(F::from(x.value()?.into_bigint().get_bit(i))))?;
            enforce_bit(&bit).map(|()| bit)
        })
        .collect::<Result<Vec<_>, _>>()?;
    enforce_equal(&from_bits(&bits)?, x)?;
    Ok(bits)
}

/// `Σ 2^i · bit_i`.
fn from_bits<F: PrimeField>(bits: &[FpVar<F>]) -> Result<FpVar<F>, SynthesisError> {
    let powers = std::iter::successors(Some(F::one()), |power| Some(power.double()));
    linear(powers.zip(bits), F::zero())
}

/// 1 if `x = 0`, else 0: `x · inverse = 1 − z` and `x · z = 0`.
///
/// If `x = 0` the first makes z 1; otherwise the second makes it 0. The inverse is free when `x = 0`, and only then.
pub(crate) fn is_zero<F: PrimeField>(x: &FpVar<F>) -> Result<FpVar<F>, SynthesisError> {
    let cs = x.cs();
    let zero = witness(&cs, || Ok(F::from(x.value()?.is_zero())))?;
    let inverse = witness(&cs, || Ok(x.value()?.inverse().unwrap_or_default()))?;
    enforce_product(x, &inverse, &(FpVar::one() - &zero))?;
    enforce_product(x, &zero, &FpVar::zero())?;
    Ok(zero)
}

/// 1 if `a ≥ b`, else 0: bit `count` of `a − b + 2^count`.
///
/// Needs: a and b are below `2^count`; then the sum lies between 1 and `2^(count+1) − 1`.
pub(crate) fn is_at_least<F: PrimeField>(a: &FpVar<F>, b: &FpVar<F>, count: usize) -> Result<FpVar<F>, SynthesisError> {
    let shifted = (a - b) + F::from(2u64).pow([count as u64]);
    let mut bits = enforce_bits(&shifted, count + 1)?;
    bits.pop().ok_or(SynthesisError::Unsatisfiable)
}

fn combination<F: PrimeField>(x: &FpVar<F>) -> LinearCombination<F> {
    match x {
        FpVar::Constant(c) if c.is_zero() => LinearCombination::zero(),
        FpVar::Constant(c) => LinearCombination(vec![(*c, Variable::One)]),
        FpVar::Var(v) => LinearCombination::from(v.variable),
    }
}
