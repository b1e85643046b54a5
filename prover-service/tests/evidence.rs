//! Verifying evidence: what is refused, by which check, and that the check is what stops it.

mod attacks;
mod parts;
mod public_inputs;
mod table;

use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;
use vouchsafe_ledger_types::verify::{Check, Refusal, Verified, Verifier};
use vouchsafe_prover_service::ask::compile_part;

use crate::scene::{now, scene};

/// What a verifier has in its hands.
#[derive(Clone)]
struct Case {
    evidence: Evidence,
    request: Request,
    trust: Trust,
    now: BlockTime,
}

impl Case {
    /// An honest answer about the scene's protagonist.
    fn honest() -> Case {
        let request = scene().ask("birthDate <= yearsAgo(18)");
        let evidence = scene().answer(&request).unwrap();
        Case::of(request, evidence)
    }

    fn of(request: Request, evidence: Evidence) -> Case {
        Case { evidence, request, trust: scene().trust.clone(), now: now() }
    }

    fn verify(&self) -> Result<Verified, Refusal> {
        self.verifier().verify(&self.evidence)
    }

    fn verifier(&self) -> Verifier<'_> {
        Verifier { request: &self.request, trust: &self.trust, now: self.now, compile: &compile_part }
    }

    /// Refused by this check, and by none other: without it the evidence is believed.
    fn stopped_by_this_alone(&self, name: &str, check: Check) {
        self.refused(name, check);
        let without = self.verifier().dangerous_verify_without(check, &self.evidence);
        assert!(without.is_ok(), "{name}: the control without {check:?} failed: {without:?}");
    }

    fn refused(&self, name: &str, check: Check) {
        match self.verify() {
            Ok(_) => panic!("{name}: believed"),
            Err(refusal) => assert_eq!(refusal.check, check, "{name}: {refusal}"),
        }
    }
}

#[test]
fn honest_evidence_is_believed_and_survives_its_file() {
    let case = Case::honest();
    let verified = case.verify().unwrap();
    assert_eq!(verified.height, case.evidence.seal.height);
    let file = serde_json::to_vec_pretty(&case.evidence).unwrap();
    let read = Evidence::read(&file).unwrap();
    assert_eq!(read, case.evidence);
    assert_eq!(case.verifier().verify(&read), Ok(verified.clone()));
    // the name is the scope's: the same for another question of the same asker, another for another purpose
    let again = scene().ask("gender == \"female\" || gender == \"male\"");
    let again = scene().verifier(&again).verify(&scene().answer(&again).unwrap()).unwrap();
    assert_eq!(again.pseudonym, verified.pseudonym);
}
