//! The permutation with sparse matrices in the partial rounds: 2t − 1 products for each instead of t².
//!
//! ```text
//! S, the S-box of a partial round, touches element 0 alone, so it commutes with D = diag(1, D̂):
//!     M S M S x = N S (D M) S x,    M = N · D,    N = ( m00  m·D̂⁻¹ ; m'  1 )
//! ```
//!
//! From the last partial round to the first, each D moves one round back; the first one goes into the matrix of the
//! full round before. Round constants of elements 1… move forward in the same way. Source: appendix B of the
//! Poseidon paper (eprint 2019/458). The circuit keeps the plain form.

use ark_ff::PrimeField;

use super::{FULL_ROUNDS, WIDTH_MAX};

type Matrix<F> = Vec<Vec<F>>;

/// Constants and matrices, rearranged.
pub(super) struct Sparse<F> {
    first_constants: Matrix<F>,
    last_constants: Matrix<F>,
    mds: Matrix<F>,
    /// The matrix of the last full round of the first half.
    before: Matrix<F>,
    partial: Vec<Partial<F>>,
}

/// A partial round.
struct Partial<F> {
    constant: F,
    row: Vec<F>,
    column: Vec<F>,
}

impl<F: PrimeField> Sparse<F> {
    pub(super) fn new(constants: &Matrix<F>, mds: &Matrix<F>, partial_rounds: usize) -> Sparse<F> {
        let t = mds.len();
        let half = FULL_ROUNDS / 2;
        let mut constants = constants.clone();
        for round in half..half + partial_rounds {
            let mut moved = constants[round].clone();
            moved[0] = F::zero();
            constants[round][1..].fill(F::zero());
            for (to, more) in constants[round + 1].iter_mut().zip(times(mds, &moved)) {
                *to += more;
            }
        }
        let mut matrix = mds.clone();
        let mut partial = Vec::with_capacity(partial_rounds);
        for round in (half..half + partial_rounds).rev() {
            let inner: Matrix<F> = matrix[1..].iter().map(|row| row[1..].to_vec()).collect();
            let inverse = inverse(&inner);
            let mut row = vec![matrix[0][0]];
            row.extend((0..t - 1).map(|j| (0..t - 1).map(|i| matrix[0][i + 1] * inverse[i][j]).sum::<F>()));
            let column = matrix[1..].iter().map(|row| row[0]).collect();
            partial.push(Partial { constant: constants[round][0], row, column });
            let mut diagonal = vec![vec![F::zero(); t]; t];
            diagonal[0][0] = F::one();
            for (to, from) in diagonal[1..].iter_mut().zip(&inner) {
                to[1..].copy_from_slice(from);
            }
            matrix = product(&diagonal, mds);
        }
        partial.reverse();
        Sparse {
            first_constants: constants[..half].to_vec(),
            last_constants: constants[half + partial_rounds..].to_vec(),
            mds: mds.clone(),
            before: matrix,
            partial,
        }
    }

    /// Permutes a state of the width that these constants are for.
    pub(super) fn permute(&self, state: &mut [F]) {
        for (round, constants) in self.first_constants.iter().enumerate() {
            let last = round + 1 == self.first_constants.len();
            full_round(state, constants, if last { &self.before } else { &self.mds });
        }
        for Partial { constant, row, column } in &self.partial {
            let first = fifth_power(state[0] + constant);
            let mut mixed = row[0] * first;
            for ((element, across), down) in state[1..].iter_mut().zip(&row[1..]).zip(column) {
                mixed += *element * across;
                *element += first * down;
            }
            state[0] = mixed;
        }
        for constants in &self.last_constants {
            full_round(state, constants, &self.mds);
        }
    }
}

fn full_round<F: PrimeField>(state: &mut [F], constants: &[F], matrix: &Matrix<F>) {
    let mut boxed = [F::zero(); WIDTH_MAX];
    for ((out, element), constant) in boxed.iter_mut().zip(&*state).zip(constants) {
        *out = fifth_power(*element + constant);
    }
    for (out, row) in state.iter_mut().zip(matrix) {
        *out = row.iter().zip(&boxed).map(|(m, e)| *m * e).sum();
    }
}

fn fifth_power<F: PrimeField>(x: F) -> F {
    x.square().square() * x
}

fn times<F: PrimeField>(matrix: &Matrix<F>, vector: &[F]) -> Vec<F> {
    matrix.iter().map(|row| row.iter().zip(vector).map(|(m, v)| *m * v).sum()).collect()
}

fn product<F: PrimeField>(a: &Matrix<F>, b: &Matrix<F>) -> Matrix<F> {
    let column = |j: usize| b.iter().map(|row| row[j]).collect::<Vec<F>>();
    let columns: Matrix<F> = (0..b.len()).map(column).collect();
    a.iter().map(|row| columns.iter().map(|c| row.iter().zip(c).map(|(x, y)| *x * y).sum()).collect()).collect()
}

/// The inverse of a square matrix by elimination.
///
/// # Panics
/// If there is none: every square part of a Cauchy matrix has one, and so have products of such.
fn inverse<F: PrimeField>(matrix: &Matrix<F>) -> Matrix<F> {
    let n = matrix.len();
    let mut rows: Matrix<F> = matrix.clone();
    for (i, row) in rows.iter_mut().enumerate() {
        row.extend((0..n).map(|j| if i == j { F::one() } else { F::zero() }));
    }
    for pivot in 0..n {
        let found = (pivot..n).find(|row| !rows[*row][pivot].is_zero());
        let Some(found) = found else { unreachable!("the inner matrices of Poseidon are invertible") };
        rows.swap(pivot, found);
        let Some(scale) = rows[pivot][pivot].inverse() else { unreachable!("the pivot is not zero") };
        rows[pivot].iter_mut().for_each(|element| *element *= scale);
        let own = rows[pivot].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(at, _)| *at != pivot) {
            let factor = row[pivot];
            row.iter_mut().zip(&own).for_each(|(element, o)| *element -= factor * o);
        }
    }
    rows.into_iter().map(|row| row[n..].to_vec()).collect()
}
