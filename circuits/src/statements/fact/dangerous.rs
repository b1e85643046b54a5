//! What a patched prover can do: prove without checking, from any assignment. For attack tests and the demo.
//!
//! No risk to a verifier: against a prover that lies, circuit and verifier are the defence. It is one to an
//! honest holder, whose answer to a false fact would not verify and so could be told from a true one.

pub use crate::statements::fact::assignment::{Assignment, ClauseAssignment, RECORD_DEPTH, Step};

use rand::{CryptoRng, RngCore};

use crate::backend::Proof;
use crate::keys::ProvingKey;
use crate::statements::Statement;
use crate::statements::fact::{ProveError, Public, Violation, circuit::Circuit, relation};
use crate::suite::{Suite, with_field};

/// The relation over an assignment of any origin.
pub fn relation_of(suite: Suite, public: &Public, private: &Assignment) -> Result<(), Violation> {
    relation::holds(suite, public, private)
}

/// Which clauses of the circuit this assignment does not satisfy; none if it is a witness.
pub fn violations(suite: Suite, statement: Statement, public: &Public, private: &Assignment) -> Vec<Violation> {
    with_field!(suite, F => crate::backend::r1cs::violations::<F>(statement, &circuit(public, private)))
}

/// How many private variables could each be changed alone without breaking a constraint. Hints that their
/// gadget leaves free are among them: the inverse in a zero test of zero. None other should be.
pub fn loose_variables(suite: Suite, statement: Statement, public: &Public, private: &Assignment) -> Option<usize> {
    with_field!(suite, F => crate::backend::r1cs::loose_variables::<F>(statement, &circuit(public, private)))
}

/// A proof made of whatever is given, true or not.
pub fn dangerous_prove_without_relation_check(
    key: &ProvingKey,
    public: &Public,
    private: &Assignment,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, ProveError> {
    key.prove(&circuit(public, private), rng).map_err(|_| ProveError::Backend)
}

fn circuit<'a>(public: &Public, private: &'a Assignment) -> Circuit<'a> {
    Circuit { inputs: public.inputs(), private }
}
