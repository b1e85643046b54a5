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

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_relations::gr1cs::ConstraintSystem;

    use super::*;

    /// Whether a gadget over one witness is satisfied, by its own hints or with witnesses overwritten.
    fn satisfied(x: Fr, gadget: impl Fn(&FpVar<Fr>), overwrite: &[(usize, Fr)]) -> bool {
        let cs = ConstraintSystem::<Fr>::new_ref();
        let x = witness(&cs, || Ok(x)).unwrap();
        gadget(&x);
        cs.finalize();
        let mut filled = cs.borrow().unwrap().clone();
        for (place, value) in overwrite {
            filled.assignments.witness_assignment[*place] = *value;
        }
        broken(&filled) == 0
    }

    fn broken(cs: &ConstraintSystem<Fr>) -> usize {
        let values =
            [cs.assignments.instance_assignment.as_slice(), cs.assignments.witness_assignment.as_slice()].concat();
        let matrices = cs.to_matrices().unwrap().remove("R1CS").unwrap();
        let dot = |row: &[(Fr, usize)]| row.iter().map(|(c, i)| values[*i] * c).sum::<Fr>();
        (0..matrices[0].len())
            .filter(|row| dot(&matrices[0][*row]) * dot(&matrices[1][*row]) != dot(&matrices[2][*row]))
            .count()
    }

    fn fr(value: u128) -> Fr {
        Fr::from(value)
    }

    #[test]
    fn bits_are_bits_and_the_number_is_in_range() {
        let two_bits = |x: &FpVar<Fr>| drop(enforce_bits(x, 2).unwrap());
        for x in 0..4 {
            assert!(satisfied(fr(x), two_bits, &[]));
        }
        for x in [fr(4), fr(5), -fr(1), fr(1 << 120)] {
            assert!(!satisfied(x, two_bits, &[]));
        }
        // witness 0 is x, then its bits: 2 as (2, 0), 4 as (0, 2) and as (4, 0)
        for (x, bits) in [(2, [2, 0]), (4, [0, 2]), (4, [4, 0])] {
            assert!(!satisfied(fr(x), two_bits, &[(1, fr(bits[0])), (2, fr(bits[1]))]));
        }
        assert!(!satisfied(fr(2), two_bits, &[(1, fr(1)), (2, fr(1))]), "the bits of 3");
        assert!(satisfied(fr(2), two_bits, &[(1, fr(0)), (2, fr(1))]), "control");
    }

    #[test]
    fn only_zero_is_zero() {
        let test = |x: &FpVar<Fr>| drop(is_zero(x).unwrap());
        for x in [fr(0), fr(1), -fr(1), fr(1 << 120)] {
            assert!(satisfied(x, test, &[]));
            let truth = fr(u128::from(x == fr(0)));
            // witness 1 is the answer, 2 the inverse
            assert!(!satisfied(x, test, &[(1, fr(1) - truth)]));
            assert!(!satisfied(x, test, &[(1, fr(1) - truth), (2, fr(0))]));
            assert!(!satisfied(x, test, &[(1, fr(2))]));
        }
    }

    #[test]
    fn order_at_its_edges() {
        const COUNT: usize = 120;
        let top = (1u128 << COUNT) - 1;
        let edges = [0, 1, 2, top / 2, top - 1, top];
        for (a, b) in edges.into_iter().flat_map(|a| edges.map(|b| (a, b))) {
            let expect = |answer: u128| {
                move |x: &FpVar<Fr>| {
                    let b = witness(&x.cs(), || Ok(fr(b))).unwrap();
                    let at_least = is_at_least(x, &b, COUNT).unwrap();
                    enforce_equal(&at_least, &FpVar::Constant(fr(answer))).unwrap();
                }
            };
            assert_eq!(satisfied(fr(a), expect(1), &[]), a >= b, "{a} ≥ {b}");
            assert_eq!(satisfied(fr(a), expect(0), &[]), a < b, "{a} < {b}");
        }
    }

    #[test]
    fn products_and_equalities() {
        for (x, holds) in [(3, true), (4, false)] {
            assert_eq!(satisfied(fr(x), |x| enforce_equal(x, &FpVar::Constant(fr(3))).unwrap(), &[]), holds);
            assert_eq!(satisfied(fr(x), |x| enforce_product(x, x, &FpVar::Constant(fr(9))).unwrap(), &[]), holds);
        }
        for (x, holds) in [(0, true), (1, true), (2, false)] {
            assert_eq!(satisfied(fr(x), |x| enforce_bit(x).unwrap(), &[]), holds);
        }
    }
}
