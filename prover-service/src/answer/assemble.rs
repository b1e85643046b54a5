//! Putting an evidence file together: everything around the proofs, as of one block.
//!
//! It proves nothing and checks nothing: whoever verifies does. So a liar can call it too, and the attacks of the
//! demo do.

use vouchsafe_circuits::Proof;
use vouchsafe_circuits::statements::fact::Public;
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger::solo::Solo;
use vouchsafe_ledger_types::disclosure::QuestionOpening;
use vouchsafe_ledger_types::evidence::{Answer, DisclosureEvidence, EVIDENCE_VERSION, Evidence};
use vouchsafe_ledger_types::ids::{EntryId, KeyId, MemberId};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::units::Height;

/// The proof for one part, and whose anchor it is against.
#[derive(Clone)]
pub(crate) struct Proved {
    pub(crate) issuer: MemberId,
    pub(crate) public: Public,
    pub(crate) proof: Proof,
    pub(crate) key_id: KeyId,
    pub(crate) key: Vec<u8>,
}

/// The logged question.
#[derive(Clone, Copy)]
pub(crate) struct Logged {
    pub(crate) entry: EntryId,
    pub(crate) opening: QuestionOpening,
}

/// The evidence for answers proved against block `at`, under the newest checkpoint.
pub(crate) fn assemble(
    ledger: &Solo,
    request: &Request,
    proved: Vec<Proved>,
    logged: Logged,
    at: Height,
) -> Result<Evidence, QueryError> {
    let snapshot = ledger.snapshot()?;
    let newest = snapshot.height();
    let receipt = snapshot.receipt_proof(logged.entry)?;
    let logged_at = receipt.receipt.height;
    let entry = snapshot.entry(logged.entry)?.ok_or(QueryError::UnknownEntry(logged.entry))?;
    let proof_of = |key: StateKey| snapshot.state_proof_at(&key, at);
    let mut answers = Vec::new();
    for Proved { issuer, public, proof, key_id, key } in proved {
        answers.push(Answer {
            anchor: proof_of(StateKey::Anchor(issuer))?,
            schema: proof_of(StateKey::Schema(public.schema))?,
            key_registration: proof_of(StateKey::VerifyingKey(key_id))?,
            public,
            proof,
            key,
        });
    }
    Ok(Evidence {
        version: EVIDENCE_VERSION,
        request: request.clone(),
        answers,
        seal: snapshot.seal_at(at)?,
        seal_inclusion: snapshot.seal_inclusion(at, newest)?,
        chain: proof_of(StateKey::Chain)?,
        disclosure: DisclosureEvidence {
            inclusion: snapshot.entry_inclusion(logged.entry, newest)?,
            entry: entry.bytes,
            seal: snapshot.seal_at(logged_at)?,
            seal_inclusion: snapshot.seal_inclusion(logged_at, newest)?,
            receipt,
            opening: logged.opening,
        },
        validator_changes: Vec::new(),
        checkpoint: ledger.checkpoint(newest)?,
    })
}
