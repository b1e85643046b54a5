//! Proving and verifying a fact.
//!
//! The prover checks the relation natively, proves, and verifies its own proof before it leaves. The verifier
//! checks the public values, makes the input vector from them itself, then the proof. Neither keeps anything:
//! freshness and replay are the evidence's business, not the proof's.

use rand::{CryptoRng, RngCore};

use crate::backend::{Proof, r1cs};
use crate::keys::{PreparedVerifyingKey, ProvingKey, SetupError, VerifyFailure};
use crate::statements::fact::assignment::Assignment;
use crate::statements::fact::circuit::Circuit;
use crate::statements::fact::{Public, PublicError, Violation, Witness, relation};
use crate::statements::{Shape, Statement};
use crate::suite::{Suite, with_field};

/// Why there is no proof: first the record and the question, then our own faults.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The fact is not true, or the question not well made.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The prover failed.
    #[error("our bug: the prover failed")]
    Backend,
    /// The proof of a true fact did not verify: the proving key is damaged, or the circuit is not the relation.
    #[error("the proof did not verify and was thrown away: make the proving key again; if that does not help, our bug")]
    OwnProof(#[source] VerifyError),
}

/// Why a proof is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The public values are not those of the key's statement.
    #[error(transparent)]
    Public(#[from] PublicError),
    /// The bytes are no proof of this suite.
    #[error("the proof's bytes are not three points in their canonical encoding")]
    Encoding,
    /// The proof is not of these public values under this key.
    #[error("the proof is not of these public values under this key")]
    Refused,
    /// The key is for another number of public inputs.
    #[error("the key is for {expected} public inputs, the question has {given}")]
    InputCount {
        /// What the key is for.
        expected: usize,
        /// What the question has.
        given: usize,
    },
}

/// Proves a fact that is true; of one that is not, says which clause fails.
pub fn prove(
    key: &ProvingKey,
    public: &Public,
    witness: &Witness,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, ProveError> {
    let suite = key.suite();
    public.check(suite, key.statement()).map_err(Violation::from)?;
    let private = Assignment::new(suite, &public.clauses, witness).map_err(Violation::from)?;
    relation::holds(suite, public, &private)?;
    let circuit = Circuit { inputs: public.inputs(), private: &private };
    let proof = key.prove(&circuit, rng).map_err(|_| ProveError::Backend)?;
    verify(key.prepared(), public, &proof).map_err(ProveError::OwnProof)?;
    Ok(proof)
}

/// Accepts a proof of these public values, which the caller made from its own request and a trusted seal.
pub fn verify(key: &PreparedVerifyingKey, public: &Public, proof: &Proof) -> Result<(), VerifyError> {
    public.check(key.suite(), key.statement())?;
    key.verify(&public.inputs(), proof).map_err(VerifyError::from)
}

/// The shape of a statement's constraint system.
pub fn shape(suite: Suite, statement: Statement) -> Result<Shape, SetupError> {
    with_field!(suite, F => r1cs::shape::<F>(statement)).map_err(|_| SetupError(statement))
}

impl From<VerifyFailure> for VerifyError {
    fn from(failure: VerifyFailure) -> VerifyError {
        use crate::backend::groth16::ProofRefused;
        match failure {
            VerifyFailure::Input(error) => VerifyError::Public(PublicError::Element(error)),
            VerifyFailure::Proof(ProofRefused::Encoding) => VerifyError::Encoding,
            VerifyFailure::Proof(ProofRefused::InputCount { expected, given }) => {
                VerifyError::InputCount { expected, given }
            }
            VerifyFailure::Proof(ProofRefused::Equation) => VerifyError::Refused,
        }
    }
}
