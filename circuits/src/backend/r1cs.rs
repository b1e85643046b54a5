//! A circuit as matrices: made once for a statement, and what an assignment does to them.
//!
//! Column 0 is the constant one, then the public inputs, then the private variables. Linear combinations are
//! inlined (arkworks' goal Constraints), so that rows speak of variables alone.

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

/// The matrices of a statement.
pub(crate) fn matrices<F: SuiteField>(statement: Statement) -> Result<Matrices<F>, SynthesisError> {
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
pub(crate) fn violations<F: SuiteField>(statement: Statement, circuit: &Circuit<'_>) -> Vec<Violation> {
    let (Ok(matrices), Ok(values)) = (matrices::<F>(statement), assignment::<F>(circuit)) else {
        return vec![Violation::Element(crate::fe::FeError::NotCanonical(F::SUITE))];
    };
    matrices.broken_by(&values)
}

/// The shape of a statement's matrices.
pub(crate) fn shape<F: SuiteField>(statement: Statement) -> Result<Shape, SynthesisError> {
    Ok(matrices::<F>(statement)?.shape())
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
    pub(crate) fn broken_rows(&self, values: &[F]) -> Vec<usize> {
        let [a, b, c] = &self.abc;
        let dot = |row: &[(F, usize)]| row.iter().map(|(coefficient, column)| values[*column] * coefficient).sum::<F>();
        (0..self.constraints()).filter(|row| dot(&a[*row]) * dot(&b[*row]) != dot(&c[*row])).collect()
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
