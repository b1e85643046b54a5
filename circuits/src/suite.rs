//! Suites: which curve a ledger proves on, chosen once at genesis.
//!
//! Outside this crate a suite is the [`Suite`] value; inside, code is generic over [`SuiteField`] and
//! `with_field!` turns the one into the other. Decisions: `docs/decisions/`.

use ark_ff::PrimeField;
use serde::{Deserialize, Serialize};

/// The proof suite of a ledger: curve, prover, and the parameters of Poseidon that go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Suite {
    /// BN254 with Groth16 of arkworks: about 100-bit soundness, verifies in EVM contracts.
    #[serde(rename = "bn254")]
    Bn254,
}

impl Suite {
    /// The number that stands for the suite in entries and in bound data.
    pub const fn code(self) -> u32 {
        match self {
            Suite::Bn254 => 1,
        }
    }

    /// The suite of a [`Suite::code`].
    pub const fn from_code(code: u32) -> Option<Suite> {
        match code {
            1 => Some(Suite::Bn254),
            _ => None,
        }
    }

    /// The name used on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Suite::Bn254 => "bn254",
        }
    }
}

impl std::fmt::Display for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of a suite.
#[derive(Debug, thiserror::Error)]
#[error("unknown suite {0:?}: this build knows bn254")]
pub struct UnknownSuite(String);

impl std::str::FromStr for Suite {
    type Err = UnknownSuite;

    fn from_str(name: &str) -> Result<Suite, UnknownSuite> {
        match name {
            "bn254" => Ok(Suite::Bn254),
            other => Err(UnknownSuite(other.to_owned())),
        }
    }
}

/// A scalar field that a suite computes in.
pub trait SuiteField: PrimeField {
    /// The suite it belongs to.
    const SUITE: Suite;
    /// Partial rounds of Poseidon for states of 2, 3, … 13 elements.
    const PARTIAL_ROUNDS: [usize; 12];
    /// Poseidon's parameters for a state of `t` elements, 2 to 13, made once per process.
    fn poseidon(t: usize) -> &'static crate::primitives::poseidon::Params<Self>;
}

/// Runs an expression with the scalar field of a suite bound to a type name.
macro_rules! with_field {
    ($suite:expr, $field:ident => $body:expr) => {
        match $suite {
            $crate::suite::Suite::Bn254 => {
                type $field = ark_bn254::Fr;
                $body
            }
        }
    };
}
pub(crate) use with_field;
