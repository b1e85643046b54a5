//! Keys of a statement: made, stored, parsed, named.
//!
//! ```text
//! magic (8) | version | suite | statement | mark (4 each, little-endian) | length (8) | points | SHA-256 of the rest
//! ```
//!
//! A verifying key is checked point by point. A proving key is trusted once its checksum is right: it comes from
//! the holder's own disk, and the checksum guards against damage, not malice. A development key was made by one
//! party, who could forge; the mark is part of the key's id. Spec: docs/spec/fact.md, "keys".

mod file;

use std::sync::Arc;

use ark_bn254::Bn254;
use rand::{CryptoRng, RngCore};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub use crate::backend::groth16::KeyRefused;
use crate::backend::groth16::{self, ArkPrepared, ArkProvingKey, ArkVerifyingKey, ProofRefused};
use crate::backend::r1cs::{Compiled, Matrices};
use crate::backend::{Proof, SecretRng};
use crate::fe::{Fe, FeError};
use crate::statements::Statement;
use crate::statements::fact::circuit::Circuit;
use crate::statements::fact::dangerous::Assignment;
use crate::suite::Suite;
use crate::tags::{Domain, digest};

pub use file::KeyError;

/// The name of a verifying key: a digest of suite, statement, mark and points.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Takes 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> KeyId {
        KeyId(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// How a key came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// By one party, for development. No program makes other keys yet; 0 is kept for those of a ceremony.
    Development = 1,
}

/// What every key says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label {
    suite: Suite,
    statement: Statement,
    mark: Mark,
}

/// What a holder proves with.
#[derive(Clone)]
pub struct ProvingKey {
    label: Label,
    inner: Arc<InnerProvingKey>,
}

struct InnerProvingKey {
    key: ArkProvingKey<Bn254>,
    matrices: &'static Matrices<ark_bn254::Fr>,
    verifier: PreparedVerifyingKey,
}

/// What a verifier checks with; its id is in the trust file.
#[derive(Clone)]
pub struct VerifyingKey {
    label: Label,
    key: ArkVerifyingKey<Bn254>,
}

/// A verifying key with its pairings computed.
#[derive(Clone)]
pub struct PreparedVerifyingKey {
    label: Label,
    id: KeyId,
    key: Arc<ArkPrepared<Bn254>>,
}

/// The circuit could not be built: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("our bug: the circuit of {0} could not be built")]
pub struct SetupError(pub(crate) Statement);

/// Makes keys on this machine alone, marked as for development.
pub fn generate_development(
    suite: Suite,
    statement: Statement,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<(ProvingKey, VerifyingKey), SetupError> {
    make_development(suite, statement, rng)
}

fn make_development(
    suite: Suite,
    statement: Statement,
    rng: &mut dyn SecretRng,
) -> Result<(ProvingKey, VerifyingKey), SetupError> {
    let label = Label { suite, statement, mark: Mark::Development };
    let blank = Assignment::blank(statement.clauses());
    let circuit = Circuit { inputs: vec![Fe::ZERO; statement.public_inputs()], private: &blank };
    let key = groth16::setup::<Bn254>(circuit, rng).map_err(|_| SetupError(statement))?;
    let proving = ProvingKey::assemble(label, key).map_err(|_| SetupError(statement))?;
    let verifying = proving.verifying_key();
    Ok((proving, verifying))
}

impl ProvingKey {
    /// The statement it proves.
    pub fn statement(&self) -> Statement {
        self.label.statement
    }

    /// The suite it is of.
    pub fn suite(&self) -> Suite {
        self.label.suite
    }

    /// Whether one party made it.
    pub fn is_development(&self) -> bool {
        matches!(self.label.mark, Mark::Development)
    }

    /// The key that verifies its proofs.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { label: self.label, key: self.inner.key.vk.clone() }
    }

    /// The same, prepared.
    pub fn prepared(&self) -> &PreparedVerifyingKey {
        &self.inner.verifier
    }

    /// The bytes of a key file; several megabytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        file::write(file::PROVING, self.label, &file::uncompressed(&self.inner.key))
    }

    /// Parses a key file. Once the checksum is right, of the points only those are checked that hide the witness:
    /// others can spoil a proof, which is verified before it leaves, but not give anything away.
    pub fn from_bytes(bytes: &[u8]) -> Result<ProvingKey, KeyError> {
        let (label, points) = file::read(file::PROVING, bytes)?;
        ProvingKey::assemble(label, file::trusted(points)?)
    }

    fn assemble(label: Label, key: ArkProvingKey<Bn254>) -> Result<ProvingKey, KeyError> {
        let matrices = ark_bn254::Fr::matrices(label.statement).map_err(|_| KeyError::Circuit)?;
        let columns = matrices.instance + matrices.witnesses;
        let lengths = [key.a_query.len(), key.b_g1_query.len(), key.b_g2_query.len()];
        let others = (key.l_query.len(), key.h_query.len() + 1);
        if lengths != [columns; 3] || others != (matrices.witnesses, matrices.shape().domain) {
            return Err(KeyError::OtherCircuit);
        }
        groth16::check_verifying_key(&key.vk, label.statement.public_inputs())?;
        groth16::check_blinding(&key)?;
        let verifier = VerifyingKey { label, key: key.vk.clone() }.prepare();
        Ok(ProvingKey { label, inner: Arc::new(InnerProvingKey { key, matrices, verifier }) })
    }

    /// Proves without checking the relation; see `statements::fact::proof`.
    pub(crate) fn prove(&self, circuit: &Circuit<'_>, rng: &mut dyn SecretRng) -> Result<Proof, SetupError> {
        groth16::prove(&self.inner.key, self.inner.matrices, circuit, rng).map_err(|_| SetupError(self.label.statement))
    }
}

impl ProvingKey {
    /// Proves with arkworks' own prover.
    pub(crate) fn prove_by_reference(
        &self,
        circuit: Circuit<'_>,
        rng: &mut dyn SecretRng,
    ) -> Result<Proof, SetupError> {
        groth16::prove_by_reference(&self.inner.key, circuit, rng).map_err(|_| SetupError(self.label.statement))
    }
}

impl VerifyingKey {
    /// The statement it is for.
    pub fn statement(&self) -> Statement {
        self.label.statement
    }

    /// The suite it is of.
    pub fn suite(&self) -> Suite {
        self.label.suite
    }

    /// Whether one party made it; a consortium that is not for development refuses such keys.
    pub fn is_development(&self) -> bool {
        matches!(self.label.mark, Mark::Development)
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        let Label { suite, statement, mark } = self.label;
        let parts = [
            suite.name().as_bytes(),
            statement.name().as_bytes(),
            &[mark as u8][..],
            &groth16::compressed(&self.key)[..],
        ];
        KeyId(digest(Domain::VerifyingKey, &parts))
    }

    /// The bytes of a key file.
    pub fn to_bytes(&self) -> Vec<u8> {
        file::write(file::VERIFYING, self.label, &groth16::compressed(&self.key))
    }

    /// Parses a key file and checks every point.
    pub fn from_bytes(bytes: &[u8]) -> Result<VerifyingKey, KeyError> {
        let (label, points) = file::read(file::VERIFYING, bytes)?;
        let key = groth16::parse_verifying_key(points, label.statement.public_inputs())?;
        Ok(VerifyingKey { label, key })
    }

    /// Computes what every verification shares.
    pub fn prepare(&self) -> PreparedVerifyingKey {
        let key = Arc::new(groth16::prepare(&self.key));
        PreparedVerifyingKey { label: self.label, id: self.id(), key }
    }
}

impl PreparedVerifyingKey {
    /// The statement it is for.
    pub fn statement(&self) -> Statement {
        self.label.statement
    }

    /// The suite it is of.
    pub fn suite(&self) -> Suite {
        self.label.suite
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether one party made it.
    pub fn is_development(&self) -> bool {
        matches!(self.label.mark, Mark::Development)
    }

    pub(crate) fn verify(&self, inputs: &[Fe], proof: &Proof) -> Result<(), VerifyFailure> {
        let elements = inputs.iter().map(|fe| fe.to_field()).collect::<Result<Vec<ark_bn254::Fr>, _>>()?;
        Ok(groth16::verify(&self.key, &elements, proof)?)
    }
}

/// Why a proof was not accepted, before it is sorted for the caller.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VerifyFailure {
    #[error(transparent)]
    Input(#[from] FeError),
    #[error(transparent)]
    Proof(#[from] ProofRefused),
}

impl std::fmt::Debug for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<KeyId, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes).map_err(D::Error::custom)?;
        if text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(D::Error::custom("a key id is 64 lower-case hexadecimal digits"));
        }
        Ok(KeyId(bytes))
    }
}

macro_rules! debug_label {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({}, {})"), self.label.suite, self.label.statement)
            }
        }
    )+};
}

debug_label!(ProvingKey, VerifyingKey, PreparedVerifyingKey);
