//! A circuit as matrices: made once for a statement, and what an assignment does to them.
//!
//! Column 0 is the constant one, then the public inputs, then the private variables. Linear combinations are
//! inlined (arkworks' goal Constraints), so that rows speak of variables alone.

use std::sync::OnceLock;

use ark_relations::gr1cs::{
    ConstraintSystem, ConstraintSystemRef, Matrix, OptimizationGoal, R1CS_PREDICATE_LABEL, SynthesisError,
    SynthesisMode,
};
use sha2::{Digest, Sha256};

use crate::statements::fact::Violation;
use crate::statements::fact::circuit::{Circuit, Sections};
use crate::statements::{Shape, Statement};
use crate::suite::SuiteField;

/// The constraints of a statement: row i says ⟨a_i, z⟩ · ⟨b_i, z⟩ = ⟨c_i, z⟩.
pub(crate) struct Matrices<F> {
    /// a, b and c.
    pub(crate) abc: [Matrix<F>; 3],
    /// Columns of the constant one and the public inputs.
    pub(crate) instance: usize,
    /// Columns of the private variables.
    pub(crate) witnesses: usize,
    /// Where each clause's rows end.
    pub(crate) sections: Sections,
}

/// A suite's field with the matrices of its statements, made once per process.
pub(crate) trait Compiled: SuiteField {
    /// The matrices of a statement.
    fn matrices(statement: Statement) -> Result<&'static Matrices<Self>, SynthesisError>;
}

impl Compiled for ark_bn254::Fr {
    fn matrices(statement: Statement) -> Result<&'static Matrices<Self>, SynthesisError> {
        static MADE: [OnceLock<Matrices<ark_bn254::Fr>>; Statement::ALL.len()] =
            [const { OnceLock::new() }; Statement::ALL.len()];
        let slot = &MADE[statement as usize];
        match slot.get() {
            Some(made) => Ok(made),
            None => compile(statement).map(|made| slot.get_or_init(|| made)),
        }
    }
}

fn compile<F: SuiteField>(statement: Statement) -> Result<Matrices<F>, SynthesisError> {
    let blank = crate::statements::fact::dangerous::Assignment::blank(statement.clauses());
    let circuit = Circuit { inputs: vec![crate::fe::Fe::ZERO; statement.public_inputs()], private: &blank };
    let cs = system(SynthesisMode::Setup);
    let sections = circuit.synthesize(&cs)?;
    cs.finalize();
    let mut all = cs.to_matrices()?;
    let abc = all.remove(R1CS_PREDICATE_LABEL).and_then(|abc| abc.try_into().ok());
    Ok(Matrices {
        abc: abc.ok_or(SynthesisError::PredicateNotFound)?,
        instance: cs.num_instance_variables(),
        witnesses: cs.num_witness_variables(),
        sections,
    })
}

/// The values of all columns for a filled circuit. Secret: to be wiped by the caller.
pub(crate) fn assignment<F: SuiteField>(circuit: &Circuit<'_>) -> Result<Vec<F>, SynthesisError> {
    // values alone: the matrices are made once, with the keys
    let cs = system(SynthesisMode::Prove { construct_matrices: false, generate_lc_assignments: false });
    circuit.synthesize(&cs)?;
    let mut system = cs.borrow_mut().ok_or(SynthesisError::MissingCS)?;
    let mut all = std::mem::take(&mut system.assignments.instance_assignment);
    let mut private = std::mem::take(&mut system.assignments.witness_assignment);
    all.extend_from_slice(&private);
    zeroize::Zeroize::zeroize(&mut private);
    Ok(all)
}

/// The clauses whose constraints a filled circuit breaks, in order.
pub(crate) fn violations<F: Compiled>(statement: Statement, circuit: &Circuit<'_>) -> Vec<Violation> {
    let (Ok(matrices), Ok(values)) = (F::matrices(statement), assignment::<F>(circuit)) else {
        return vec![Violation::Element(crate::fe::FeError::NotCanonical(F::SUITE))];
    };
    matrices.broken_by(&values)
}

/// The private variables that can be changed alone, if the filled circuit is satisfied.
pub(crate) fn loose_variables<F: Compiled>(statement: Statement, circuit: &Circuit<'_>) -> Option<usize> {
    let matrices = F::matrices(statement).ok()?;
    let mut values = assignment::<F>(circuit).ok().filter(|values| matrices.broken_rows(values).is_empty())?;
    let rows = matrices.rows_by_column();
    let loose = (matrices.instance..values.len()).filter(|column| {
        let kept = values[*column];
        values[*column] += F::from(7u64);
        let free = rows[*column].iter().all(|row| matrices.holds(*row, &values));
        values[*column] = kept;
        free
    });
    Some(loose.count())
}

/// The shape of a statement's matrices.
pub(crate) fn shape<F: Compiled>(statement: Statement) -> Result<Shape, SynthesisError> {
    Ok(F::matrices(statement)?.shape())
}

fn system<F: SuiteField>(mode: SynthesisMode) -> ConstraintSystemRef<F> {
    let cs = ConstraintSystem::new_ref();
    cs.set_optimization_goal(OptimizationGoal::Constraints);
    cs.set_mode(mode);
    cs
}

impl<F: SuiteField> Matrices<F> {
    pub(crate) fn constraints(&self) -> usize {
        self.abc[0].len()
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape {
            constraints: self.constraints(),
            public_inputs: self.instance - 1,
            witnesses: self.witnesses,
            domain: (self.constraints() + self.instance).next_power_of_two(),
            matrix_digest: hex::encode(self.digest()),
        }
    }

    /// The rows that these values break.
    fn broken_rows(&self, values: &[F]) -> Vec<usize> {
        (0..self.constraints()).filter(|row| !self.holds(*row, values)).collect()
    }

    fn holds(&self, row: usize, values: &[F]) -> bool {
        let dot = |row: &[(F, usize)]| row.iter().map(|(coefficient, column)| values[*column] * coefficient).sum::<F>();
        let [a, b, c] = &self.abc;
        dot(&a[row]) * dot(&b[row]) == dot(&c[row])
    }

    /// For each column the rows in which it has a coefficient.
    fn rows_by_column(&self) -> Vec<Vec<usize>> {
        let mut rows = vec![Vec::new(); self.instance + self.witnesses];
        for matrix in &self.abc {
            for (row, entries) in matrix.iter().enumerate() {
                for (_, column) in entries.iter().filter(|(coefficient, _)| !coefficient.is_zero()) {
                    rows[*column].push(row);
                }
            }
        }
        rows
    }

    fn broken_by(&self, values: &[F]) -> Vec<Violation> {
        let mut clauses: Vec<Violation> = Vec::new();
        for row in self.broken_rows(values) {
            let clause = self.sections.iter().find(|(_, end)| row < *end).map(|(clause, _)| clause.clone());
            if let Some(clause) = clause.filter(|clause| clauses.last() != Some(clause)) {
                clauses.push(clause);
            }
        }
        clauses
    }

    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"vouchsafe/matrices/v1");
        for size in [self.instance, self.witnesses, self.constraints()] {
            hash.update((size as u64).to_be_bytes());
        }
        for row in self.abc.iter().flatten() {
            hash.update((row.len() as u64).to_be_bytes());
            for (coefficient, column) in row {
                hash.update((*column as u64).to_be_bytes());
                hash.update(crate::fe::Fe::from_field(coefficient).as_bytes());
            }
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::fact::inputs;

    #[test]
    fn every_public_input_is_in_a_constraint() {
        for statement in Statement::ALL {
            let matrices = ark_bn254::Fr::matrices(statement).unwrap();
            assert_eq!(matrices.instance - 1, statement.public_inputs());
            let rows = matrices.rows_by_column();
            for input in 0..statement.public_inputs() {
                assert!(!rows[1 + input].is_empty(), "{statement}: {}", inputs::name(input));
            }
            assert!(rows.iter().all(|rows| !rows.is_empty()), "{statement}: a private variable in no constraint");
        }
    }
}
