//! Groth16 with arkworks: setup, prove, verify, and the points in their bytes.
//!
//! What arkworks leaves to its caller is done here: the number of inputs, canonical encodings, the checks of a
//! verifying key. Randomness is fresh for each proof; arkworks' prover without it is banned in clippy.toml.
//! Curve types do not leave this file's callers, `keys` and its folder.

use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, PrimeGroup};
use ark_ff::UniformRand;
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, SynthesisError};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use zeroize::Zeroize;

use crate::backend::r1cs::{self, Matrices};
use crate::backend::{Proof, SecretRng};
use crate::statements::fact::circuit::Circuit;
use crate::suite::SuiteField;

pub(crate) type ArkProvingKey<E> = ark_groth16::ProvingKey<E>;
pub(crate) type ArkVerifyingKey<E> = ark_groth16::VerifyingKey<E>;
pub(crate) type ArkPrepared<E> = ark_groth16::PreparedVerifyingKey<E>;

/// Why a proof is not accepted. Which of these it was is for logs, not for whoever sent the proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ProofRefused {
    #[error("the proof's bytes are not three points in their canonical encoding")]
    Encoding,
    #[error("the key is for {expected} public inputs, {given} were given")]
    InputCount { expected: usize, given: usize },
    #[error("the pairing equation does not hold")]
    Equation,
}

/// Why a verifying key is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRefused {
    /// The points do not decode: too short, too long, not canonical, off the curve or out of the subgroup.
    #[error("the key's points are not in their canonical encoding, on the curve and in the subgroup")]
    Encoding,
    /// It is for another number of public inputs.
    #[error("the key is for {given} public inputs, the statement has {expected}")]
    InputCount {
        /// What the statement has.
        expected: usize,
        /// What the key is for.
        given: usize,
    },
    /// A point is the identity: whatever it should bind, it does not.
    #[error("a point of the key is the identity")]
    Identity,
    /// Anybody can make proofs with such a key: δ is γ, or a generator.
    #[error("the key's delta is equal to gamma or to a generator: nobody did the last step of its setup")]
    Degenerate,
    /// With such a proving key proofs would not hide the witness.
    #[error("the proving key's delta or beta differ between the two groups: its proofs would not hide the record")]
    Blinding,
}

/// A key of one party, who could have kept what it takes to forge proofs.
pub(crate) fn setup<E: Pairing>(
    circuit: impl ConstraintSynthesizer<E::ScalarField>,
    rng: &mut dyn SecretRng,
) -> Result<ArkProvingKey<E>, SynthesisError> {
    let [alpha, beta, gamma, delta] = std::array::from_fn(|_| E::ScalarField::rand(rng));
    let (g1, g2) = (E::G1::generator(), E::G2::generator());
    Groth16::<E>::generate_parameters_with_qap(circuit, alpha, beta, gamma, delta, g1, g2, &mut &mut *rng)
}

/// A proof of whatever the circuit is filled with; a false one comes out as bytes that verify nowhere.
pub(crate) fn prove<E: Pairing<ScalarField: SuiteField>>(
    key: &ArkProvingKey<E>,
    matrices: &Matrices<E::ScalarField>,
    circuit: &Circuit<'_>,
    rng: &mut dyn SecretRng,
) -> Result<Proof, SynthesisError> {
    let mut values = r1cs::assignment::<E::ScalarField>(circuit)?;
    let (mut r, mut s) = (E::ScalarField::rand(rng), E::ScalarField::rand(rng));
    let proof = Groth16::<E>::create_proof_with_reduction_and_matrices(
        key,
        r,
        s,
        &matrices.abc,
        matrices.instance,
        matrices.constraints(),
        &values,
    );
    values.zeroize();
    r.zeroize();
    s.zeroize();
    Proof::from_bytes(&compressed(&proof?)).map_err(|_| SynthesisError::Unsatisfiable)
}

/// The same with nothing of ours: arkworks builds the constraint system anew.
pub(crate) fn prove_by_reference<E: Pairing<ScalarField: SuiteField>>(
    key: &ArkProvingKey<E>,
    circuit: Circuit<'_>,
    rng: &mut dyn SecretRng,
) -> Result<Proof, SynthesisError> {
    let proof = Groth16::<E>::create_random_proof_with_reduction(circuit, key, &mut &mut *rng)?;
    Proof::from_bytes(&compressed(&proof)).map_err(|_| SynthesisError::Unsatisfiable)
}

/// A verifying key with its pairings computed.
pub(crate) fn prepare<E: Pairing>(key: &ArkVerifyingKey<E>) -> ArkPrepared<E> {
    ark_groth16::prepare_verifying_key(key)
}

/// Accepts a proof of these inputs, or says why not.
pub(crate) fn verify<E: Pairing>(
    key: &ArkPrepared<E>,
    inputs: &[E::ScalarField],
    proof: &Proof,
) -> Result<(), ProofRefused> {
    let expected = key.vk.gamma_abc_g1.len().saturating_sub(1);
    if inputs.len() != expected {
        return Err(ProofRefused::InputCount { expected, given: inputs.len() });
    }
    let proof: ark_groth16::Proof<E> = exactly(proof.as_bytes()).ok_or(ProofRefused::Encoding)?;
    match Groth16::<E>::verify_proof(key, &proof, inputs) {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(ProofRefused::Equation),
    }
}

/// Parses a verifying key for a statement with this many public inputs.
pub(crate) fn parse_verifying_key<E: Pairing>(
    bytes: &[u8],
    public_inputs: usize,
) -> Result<ArkVerifyingKey<E>, KeyRefused> {
    let key: ArkVerifyingKey<E> = exactly(bytes).ok_or(KeyRefused::Encoding)?;
    check_verifying_key(&key, public_inputs)?;
    Ok(key)
}

/// What a key must be beyond well encoded. γ may be the generator, as in every ceremony of the usual kind.
pub(crate) fn check_verifying_key<E: Pairing>(
    key: &ArkVerifyingKey<E>,
    public_inputs: usize,
) -> Result<(), KeyRefused> {
    let given = key.gamma_abc_g1.len().saturating_sub(1);
    if key.gamma_abc_g1.len() != public_inputs + 1 {
        return Err(KeyRefused::InputCount { expected: public_inputs, given });
    }
    let g2_identity = [key.beta_g2, key.gamma_g2, key.delta_g2].iter().any(AffineRepr::is_zero);
    if g2_identity || key.alpha_g1.is_zero() || key.gamma_abc_g1.iter().any(AffineRepr::is_zero) {
        return Err(KeyRefused::Identity);
    }
    if key.delta_g2 == key.gamma_g2 || key.delta_g2 == E::G2Affine::generator() {
        return Err(KeyRefused::Degenerate);
    }
    Ok(())
}

/// What hides the witness: δ and β of the first group must be those of the second. With another δ a proof's first
/// point would be a function of the witness alone, and the proof would still verify. The other points of a proving key
/// cannot do that: A and B are then uniform, and C follows from them.
pub(crate) fn check_blinding<E: Pairing>(key: &ArkProvingKey<E>) -> Result<(), KeyRefused> {
    let (g1, g2) = (E::G1Affine::generator(), E::G2Affine::generator());
    let same = |first: E::G1Affine, second: E::G2Affine| E::pairing(first, g2) == E::pairing(g1, second);
    if same(key.delta_g1, key.vk.delta_g2) && same(key.beta_g1, key.vk.beta_g2) {
        Ok(())
    } else {
        Err(KeyRefused::Blinding)
    }
}

/// The compressed bytes of points.
pub(crate) fn compressed(points: &impl CanonicalSerialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.compressed_size());
    // writing to a vector cannot fail; if it ever did, the short bytes parse nowhere
    let _ = points.serialize_compressed(&mut bytes);
    bytes
}

/// Points that are on the curve, in the subgroup, and encoded in the one canonical way, without a byte to spare.
fn exactly<T: CanonicalDeserialize + CanonicalSerialize>(bytes: &[u8]) -> Option<T> {
    let mut rest = bytes;
    let points = T::deserialize_compressed(&mut rest).ok()?;
    (rest.is_empty() && compressed(&points) == bytes).then_some(points)
}

#[cfg(test)]
mod tests;
