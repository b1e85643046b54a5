//! `fact`: "an active record of this schema that this member committed, valid today, satisfies this predicate."
//!
//! ```text
//! Public, Clause, Mode, TruthTable   what verifier and prover agree on      Witness    what only the holder has
//! relation   natively, which clause fails       prove, verify    with Groth16        judge, eval   the predicate alone
//! ```
//!
//! It says that such a record exists, about *some* subject, never that no other does. It is as honest as its
//! issuer. Spec: docs/spec/fact.md.

mod assignment;
pub(crate) mod circuit;
pub mod dangerous;
pub(crate) mod inputs;
mod predicate;
mod proof;
mod public;
pub mod reference;
mod relation;

pub use predicate::{Clause, Mode, OPERAND_BITS, Truth, TruthTable, eval, judge};
pub use proof::{ProveError, VerifyError, prove, shape, verify};
pub use public::{Public, PublicError};
pub use relation::{Violation, relation};

use crate::primitives::tree::MembershipPath;
use crate::record::RecordOpening;

/// What the holder of a record has: its opening and its place in the issuer's active set.
pub struct Witness {
    opening: RecordOpening,
    path: MembershipPath,
}

impl Witness {
    /// Takes a record and the path of its commitment.
    pub fn new(opening: RecordOpening, path: MembershipPath) -> Witness {
        Witness { opening, path }
    }
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}
