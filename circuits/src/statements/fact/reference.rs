//! The reference prover: arkworks' own, which builds the constraint system anew for each proof.
//!
//! What our prover is measured against, and what to fall back to. Its proofs verify like ours; it checks nothing.

use rand::{CryptoRng, RngCore};

use crate::backend::Proof;
use crate::keys::ProvingKey;
use crate::statements::fact::assignment::Assignment;
use crate::statements::fact::circuit::Circuit;
use crate::statements::fact::{ProveError, Public, Violation, Witness};

/// Proves with arkworks alone.
pub fn prove(
    key: &ProvingKey,
    public: &Public,
    witness: &Witness,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Proof, ProveError> {
    let private = Assignment::new(key.suite(), &public.clauses, witness).map_err(Violation::from)?;
    let circuit = Circuit { inputs: public.inputs(), private: &private };
    key.prove_by_reference(circuit, rng).map_err(|_| ProveError::Backend)
}
