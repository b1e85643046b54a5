//! A patched prover: proves without checking anything, logs what it must, and makes the rest of the evidence
//! consistent. What it makes goes to the same verifier as honest evidence.

use std::sync::Arc;

use rand::RngCore;
use vouchsafe_circuits::record::{Day, RecordOpening, Tier, pseudonym};
use vouchsafe_circuits::statements::fact::dangerous::{Assignment, dangerous_prove_without_relation_check};
use vouchsafe_circuits::statements::fact::{Public, Witness};
use vouchsafe_circuits::tree::MembershipPath;
use vouchsafe_circuits::{Anchor, Commitment, Proof};
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger::solo::Solo;
use vouchsafe_ledger_types::disclosure::{DisclosureBlinding, DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::{MemberId, PolicyDigest};
use vouchsafe_ledger_types::request::{Part, Request};
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::Height;
use vouchsafe_ledger_types::verify::{Check, Refusal, Verified, Verifier};

use super::story::DemoError;
use crate::answer::{Logged, Proved, assemble};
use crate::ask::compile_part;
use crate::institution::Pen;
use crate::key_files::ProvingKeys;

/// The liar's tools.
pub(super) struct Forge<'a> {
    pub(super) ledger: &'a Arc<Solo>,
    pub(super) keys: &'a dyn ProvingKeys,
    pub(super) trust: &'a Trust,
}

/// A record with its place in some active set.
#[derive(Clone)]
pub(super) struct Loot {
    pub(super) opening: RecordOpening,
    pub(super) path: MembershipPath,
    pub(super) anchor: Anchor,
    pub(super) height: Height,
}

impl Forge<'_> {
    /// Logs a question as a member, as an honest holder would.
    pub(super) fn log(&self, pen: &Pen, request: &Request) -> Result<Logged, DemoError> {
        let blinding = || {
            let mut bytes = [0; 32];
            rand::rngs::OsRng.fill_bytes(&mut bytes);
            DisclosureBlinding::new(bytes)
        };
        let details = DisclosureDetails {
            reader: "liar".to_owned(),
            verifier: request.verifier.clone(),
            records: Vec::new(),
            tier: Tier::DeIdentified,
            outcome: Outcome::Holds,
            policy: PolicyDigest::NONE,
            seen: Height::GENESIS,
        };
        let digest = request.digest().map_err(DemoError::own)?;
        let opening = DisclosureOpening::new(details, digest, blinding(), blinding()).map_err(DemoError::own)?;
        let body = Disclosure {
            commitment: opening.commitment(),
            purpose: PurposeClass::of_code(&request.purpose),
            deadline: request.expires,
        };
        let receipt = pen.submit(self.ledger, Body::Disclosure(body)).map_err(DemoError::own)?;
        Ok(Logged { entry: receipt.entry, opening: opening.question() })
    }

    /// Where a commitment of a member is now.
    pub(super) fn loot(
        &self,
        member: MemberId,
        commitment: Commitment,
        opening: RecordOpening,
    ) -> Result<Loot, DemoError> {
        let snapshot = self.ledger.snapshot().map_err(DemoError::own)?;
        let place = snapshot.lookup(member, commitment).map_err(DemoError::own)?;
        let place = place.ok_or_else(|| DemoError::missing("a record of the demo"))?;
        let found = snapshot.membership(member, place.position).map_err(DemoError::own)?;
        let found = found.ok_or_else(|| DemoError::missing("a member of the demo"))?;
        Ok(Loot { opening, path: found.path, anchor: found.anchor, height: found.height })
    }

    /// The public inputs that a verifier would compute for this part at this block, with this anchor.
    pub(super) fn public(&self, request: &Request, loot: &Loot, at: Height) -> Result<Public, DemoError> {
        let part = only_part(request)?;
        let snapshot = self.ledger.snapshot().map_err(DemoError::own)?;
        let day = snapshot.seal_at(at).map_err(DemoError::own)?.time.day();
        Ok(Public {
            anchor: loot.anchor,
            issuer: part.issuer.issuer(),
            schema: part.schema().map_err(DemoError::own)?.id(),
            today: Day::new(day as i32), // block times end with the year 9999
            scope: request.scope(),
            pseudonym: pseudonym(request.suite, &loot.opening.header.subject_key, request.scope())
                .map_err(DemoError::own)?,
            digest: request.digest().map_err(DemoError::own)?,
            table: part.table,
            clauses: part.clauses.clone(),
        })
    }

    /// A proof of whatever is given.
    pub(super) fn prove(&self, request: &Request, public: &Public, loot: &Loot) -> Result<Proof, DemoError> {
        let part = only_part(request)?;
        let (proving, _) = self.pair(part)?;
        let witness = Witness::new(loot.opening.clone(), loot.path.clone());
        let private = Assignment::new(request.suite, &part.clauses, &witness).map_err(DemoError::own)?;
        dangerous_prove_without_relation_check(&proving, public, &private, &mut rand::rngs::OsRng)
            .map_err(DemoError::own)
    }

    /// The evidence file around a proof.
    pub(super) fn evidence(
        &self,
        request: &Request,
        public: Public,
        proof: Proof,
        logged: Logged,
        at: Height,
    ) -> Result<Evidence, DemoError> {
        let part = only_part(request)?;
        let (_, verifying) = self.pair(part)?;
        let key = verifying.to_bytes();
        let proved = Proved { issuer: part.issuer, public, proof, key_id: verifying.id(), key };
        assemble(self.ledger, request, vec![proved], logged, at).map_err(DemoError::own)
    }

    /// What the verifier of this request says.
    pub(super) fn judge(&self, request: &Request, evidence: &Evidence) -> Result<Verified, Refusal> {
        self.verifier(request).verify(evidence)
    }

    /// What it would say without one check.
    pub(super) fn judge_without(&self, check: Check, request: &Request, evidence: &Evidence) -> bool {
        self.verifier(request).dangerous_verify_without(check, evidence).is_ok()
    }

    /// The newest block.
    pub(super) fn height(&self) -> Result<Height, DemoError> {
        Ok(self.ledger.snapshot().map_err(DemoError::own)?.height())
    }

    fn verifier<'v>(&'v self, request: &'v Request) -> Verifier<'v> {
        use vouchsafe_ledger::clock::{Clock, SystemClock};
        Verifier { request, trust: self.trust, now: SystemClock.now(), compile: &compile_part }
    }

    fn pair(&self, part: &Part) -> Result<crate::key_files::KeyPair, DemoError> {
        self.keys.keys(part.statement).map_err(DemoError::own)
    }
}

fn only_part(request: &Request) -> Result<&Part, DemoError> {
    request.parts.first().ok_or_else(|| DemoError::missing("a part of the request"))
}
