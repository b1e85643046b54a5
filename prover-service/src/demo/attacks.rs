//! The attacks, each tried by the patched prover of `forge` against the real verifier, and once more with the
//! defence left out, where it must go through.

use vouchsafe_circuits::record::RecordOpening;
use vouchsafe_circuits::{Commitment, Proof};
use vouchsafe_ledger_types::entry::{Body, Commit};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::verify::Check;

use super::forge::{Forge, Loot};
use super::story::DemoError;
use super::{Attempt, Control};
use crate::institution::Pen;

/// What the attacks work on.
pub(super) struct Targets<'a> {
    pub(super) forge: Forge<'a>,
    /// The hospital's pen.
    pub(super) hospital: Pen,
    /// A second member, which turns thief.
    pub(super) clinic: Pen,
    /// An honest answer and its request.
    pub(super) honest: (Request, Evidence),
    /// The same question, asked again with a new nonce.
    pub(super) asked_again: Request,
    /// The same question, asked of the clinic.
    pub(super) asked_of_clinic: Request,
    /// A question that the record below answers with no.
    pub(super) false_question: Request,
    /// The record behind the honest answer.
    pub(super) record: (Commitment, RecordOpening),
    /// A record that was valid until yesterday, and a question that it would answer.
    pub(super) expired: (Commitment, RecordOpening, Request),
    /// A record that was withdrawn: its place before that, and two questions asked after it.
    pub(super) withdrawn: (Loot, Request, Request),
}

type Tried = Result<Attempt, DemoError>;

impl Targets<'_> {
    /// All attacks, in the order of the story.
    pub(super) fn all(&self) -> Result<Vec<Attempt>, DemoError> {
        Ok(vec![
            self.tampered_proof()?,
            self.false_fact()?,
            self.other_request()?,
            self.backdated_today()?,
            self.withdrawn_record()?,
            self.seal_before_withdrawal()?,
            self.nothing_logged()?,
            self.claimed_for_another_member()?,
            self.copied_commitment()?,
        ])
    }

    fn attempt(&self, attempt: &str, request: &Request, evidence: &Evidence, without: Check) -> Attempt {
        self.attempt_with(attempt, request, evidence, without, evidence)
    }

    /// Tries `evidence`; the control tries `weaker`, the same attack shaped for a verifier without the check.
    fn attempt_with(
        &self,
        attempt: &str,
        request: &Request,
        evidence: &Evidence,
        without: Check,
        weaker: &Evidence,
    ) -> Attempt {
        let verdict = self.forge.judge(request, evidence);
        let accepted = self.forge.judge_without(without, request, weaker);
        let also_refused = self.forge.judge(request, weaker).is_err();
        Attempt {
            attempt: attempt.to_owned(),
            refused: verdict.is_err() && also_refused,
            why: verdict.err().map_or_else(|| "it was accepted".to_owned(), |refusal| refusal.to_string()),
            control: Some(Control { without: format!("the check {without:?}"), accepted }),
        }
    }

    /// Parts of a proof swapped: still points of the curve, no longer a proof.
    fn tampered_proof(&self) -> Tried {
        let (request, honest) = &self.honest;
        let mut evidence = honest.clone();
        let answer = evidence.answers.first_mut().ok_or_else(|| DemoError::missing("an answer"))?;
        let bytes = answer.proof.as_bytes();
        // A and C are points of the same group, of a quarter of the proof each
        let quarter = bytes.len() / 4;
        let swapped = [&bytes[bytes.len() - quarter..], &bytes[quarter..bytes.len() - quarter], &bytes[..quarter]];
        answer.proof = Proof::from_bytes(&swapped.concat()).map_err(DemoError::own)?;
        Ok(self.attempt("a proof whose first and last point are swapped", request, &evidence, Check::Proof))
    }

    /// A patched prover proves a fact that the record does not satisfy.
    fn false_fact(&self) -> Tried {
        let request = &self.false_question;
        let logged = self.forge.log(&self.hospital, request)?;
        let loot = self.forge.loot(self.hospital.member(), self.record.0, self.record.1.clone())?;
        let public = self.forge.public(request, &loot, loot.height)?;
        let proof = self.forge.prove(request, &public, &loot)?;
        let evidence = self.forge.evidence(request, public, proof, logged, loot.height)?;
        Ok(self.attempt("a false fact, proved by a patched prover", request, &evidence, Check::Proof))
    }

    /// The answer to an earlier request is sent for a new one, whose question is logged properly.
    fn other_request(&self) -> Tried {
        let request = &self.asked_again;
        let logged = self.forge.log(&self.hospital, request)?;
        let (_, honest) = &self.honest;
        let old = honest.answers.first().ok_or_else(|| DemoError::missing("an answer"))?;
        let loot = self.forge.loot(self.hospital.member(), self.record.0, self.record.1.clone())?;
        let public = self.forge.public(request, &loot, loot.height)?;
        let evidence = self.forge.evidence(request, public, old.proof.clone(), logged, loot.height)?;
        // a verifier that took the inputs from the file would see the old request's digest, which the proof fits
        let weaker = self.forge.evidence(request, old.public.clone(), old.proof.clone(), logged, loot.height)?;
        let name = "an answer used for another request";
        Ok(self.attempt_with(name, request, &evidence, Check::PublicInputs, &weaker))
    }

    /// A record that ended yesterday is proved as of the day before.
    fn backdated_today(&self) -> Tried {
        let (commitment, opening, request) = &self.expired;
        let logged = self.forge.log(&self.hospital, request)?;
        let loot = self.forge.loot(self.hospital.member(), *commitment, opening.clone())?;
        let mut backdated = self.forge.public(request, &loot, loot.height)?;
        backdated.today = vouchsafe_circuits::record::Day::new(backdated.today.get() - 2);
        let proof = self.forge.prove(request, &backdated, &loot)?;
        let honest_today = self.forge.public(request, &loot, loot.height)?;
        let evidence = self.forge.evidence(request, honest_today, proof.clone(), logged, loot.height)?;
        let weaker = self.forge.evidence(request, backdated, proof, logged, loot.height)?;
        let name = "an expired record, proved with a backdated today";
        Ok(self.attempt_with(name, request, &evidence, Check::PublicInputs, &weaker))
    }

    /// A withdrawn record is proved against the anchor from before, under today's seal.
    fn withdrawn_record(&self) -> Tried {
        let (loot, request, _) = &self.withdrawn;
        let logged = self.forge.log(&self.hospital, request)?;
        let at = self.forge.height()?;
        let public = self.forge.public(request, loot, at)?;
        let proof = self.forge.prove(request, &public, loot)?;
        let evidence = self.forge.evidence(request, public, proof, logged, at)?;
        let name = "a withdrawn record, proved against the anchor from before";
        Ok(self.attempt(name, request, &evidence, Check::PublicInputs))
    }

    /// The same, with the seal from before the withdrawal as well: everything in the file is true, and old.
    fn seal_before_withdrawal(&self) -> Tried {
        let (loot, _, request) = &self.withdrawn;
        let logged = self.forge.log(&self.hospital, request)?;
        let public = self.forge.public(request, loot, loot.height)?;
        let proof = self.forge.prove(request, &public, loot)?;
        let evidence = self.forge.evidence(request, public, proof, logged, loot.height)?;
        let name = "a withdrawn record, proved against a seal from before the withdrawal";
        Ok(self.attempt(name, request, &evidence, Check::LoggedFirst))
    }

    /// A true answer to a question that the ledger never saw; the file shows another question's entry.
    fn nothing_logged(&self) -> Tried {
        let request = &self.asked_again;
        let logged = self.forge.log(&self.hospital, &self.honest.0)?;
        let loot = self.forge.loot(self.hospital.member(), self.record.0, self.record.1.clone())?;
        let public = self.forge.public(request, &loot, loot.height)?;
        let proof = self.forge.prove(request, &public, &loot)?;
        let evidence = self.forge.evidence(request, public, proof, logged, loot.height)?;
        let name = "a true answer whose question was not logged";
        Ok(self.attempt(name, request, &evidence, Check::Disclosure))
    }

    /// The clinic, which has stolen the whole record, claims that it committed it, against the hospital's anchor.
    fn claimed_for_another_member(&self) -> Tried {
        self.stolen("the hospital's record, claimed for the clinic", &self.hospital)
    }

    /// The clinic commits a copy of the hospital's commitment in its own set and proves from there.
    fn copied_commitment(&self) -> Tried {
        let copy = Body::Commit(Commit { commitments: vec![self.record.0] });
        self.clinic.submit(self.forge.ledger, copy).map_err(DemoError::own)?;
        self.stolen("a copy of the hospital's commitment in the clinic's own set", &self.clinic)
    }

    /// The clinic answers for itself with a record whose commitment names the hospital. A verifier that took the inputs
    /// from the file would see the hospital's id there, which the proof fits.
    fn stolen(&self, name: &str, set_of: &Pen) -> Tried {
        let request = &self.asked_of_clinic;
        let logged = self.forge.log(&self.clinic, request)?;
        let loot = &self.forge.loot(set_of.member(), self.record.0, self.record.1.clone())?;
        let public = self.forge.public(request, loot, loot.height)?;
        let proof = self.forge.prove(request, &public, loot)?;
        let evidence = self.forge.evidence(request, public.clone(), proof, logged, loot.height)?;
        let mut truth = public;
        truth.issuer = self.hospital.member().issuer();
        let proof = self.forge.prove(request, &truth, loot)?;
        let weaker = self.forge.evidence(request, truth, proof, logged, loot.height)?;
        Ok(self.attempt_with(name, request, &evidence, Check::PublicInputs, &weaker))
    }
}
