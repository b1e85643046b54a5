//! The checks one by one, in the order in which each may rely on those before it.

use vouchsafe_circuits::keys::VerifyingKey;
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::statements::fact::{self, Public};
use vouchsafe_circuits::{Anchor, RequestDigest};

use super::{CLOCK_SKEW_SECONDS, Check, Refusal, Verified, Verifier};
use crate::accepted::{Claim, in_log};
use crate::entry::{Body, PurposeClass};
use crate::evidence::{Answer, EVIDENCE_VERSION, Evidence};
use crate::request::Part;
use crate::state_value::{AnchorState, ChainState, MemberStatus, SchemaState, VerifyingKeyState};
use crate::trust::TRUST_VERSION;
use crate::units::ProtocolVersion;

type Outcome<T = ()> = Result<T, String>;

fn fail<T>(why: impl Into<String>) -> Outcome<T> {
    Err(why.into())
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Verifier<'_> {
    pub(super) fn run(&self, evidence: &Evidence, skipped: Option<Check>) -> Result<Verified, Refusal> {
        let judge = |check: Check, outcome: Outcome| match outcome {
            Err(why) if skipped != Some(check) => Err(Refusal { check, why }),
            _ => Ok(()),
        };
        let digest = self.request.digest().map_err(|e| Refusal { check: Check::Request, why: text(e) })?;
        judge(Check::Request, self.is_own_request(evidence, digest))?;
        judge(Check::Predicate, self.predicate_compiles_again())?;
        judge(Check::InForce, self.in_force())?;
        judge(Check::Checkpoint, self.checkpoint_is_signed(evidence))?;
        judge(Check::Seal, self.seal_is_in_log(evidence))?;
        judge(Check::Freshness, self.seal_is_fresh(evidence))?;
        judge(Check::Chain, self.chain_is_trusted(evidence))?;
        judge(Check::Disclosure, self.question_was_accepted(evidence, digest))?;
        judge(Check::LoggedFirst, logged_first(evidence))?;
        for (part, answer) in self.request.parts.iter().zip(&evidence.answers) {
            // without a proof of the anchor there is nothing to recompute: skipping takes the file's word for it
            let anchor = issuer_anchor(evidence, part, answer);
            judge(Check::Anchor, anchor.as_ref().map(|_| ()).map_err(Clone::clone))?;
            let anchor = anchor.unwrap_or(answer.public.anchor);
            let key = parsed_key(answer);
            judge(Check::Registry, self.key_and_schema_are_registered(evidence, part, answer, &key))?;
            let public = self.recomputed(evidence, part, answer, anchor, digest)?;
            judge(Check::PublicInputs, same_public(&answer.public, &public))?;
            let claimed = if skipped == Some(Check::PublicInputs) { &answer.public } else { &public };
            judge(Check::Proof, proof_holds(part, answer, claimed, &key))?;
        }
        let first = evidence.answers.first().map(|answer| answer.public.pseudonym);
        let none = || Refusal { check: Check::Request, why: "no answer in the file".to_owned() };
        Ok(Verified { pseudonym: first.ok_or_else(none)?, height: evidence.seal.height, time: evidence.seal.time })
    }

    fn is_own_request(&self, evidence: &Evidence, digest: RequestDigest) -> Outcome {
        if evidence.version != EVIDENCE_VERSION {
            return fail(format!("this program reads evidence of version {EVIDENCE_VERSION}"));
        }
        self.request.check().map_err(text)?;
        if self.request.chain != self.trust.chain || self.request.suite != self.trust.suite {
            return fail("the request is about another ledger than the trust file");
        }
        if evidence.request != *self.request || evidence.request.digest().map_err(text)? != digest {
            return fail("the evidence answers another request: use the request file that you sent");
        }
        if evidence.answers.len() != self.request.parts.len() {
            return fail("as many answers as the request has parts are needed");
        }
        let one_subject = evidence.answers.windows(2).all(|w| w[0].public.pseudonym == w[1].public.pseudonym);
        if one_subject { Ok(()) } else { fail("the answers are about different subjects") }
    }

    fn predicate_compiles_again(&self) -> Outcome {
        for part in &self.request.parts {
            let (clauses, table) = (self.compile)(part, self.request.asked_on)?;
            if clauses != part.clauses || table != part.table {
                return fail("the clauses in the request are not what its predicate says");
            }
        }
        Ok(())
    }

    fn in_force(&self) -> Outcome {
        if self.trust.version != TRUST_VERSION {
            return fail(format!("this program reads trust files of version {TRUST_VERSION}"));
        }
        if self.now > self.trust.refresh_by {
            return fail("the trust file is past its refresh-by date: fetch a new one");
        }
        if self.now > self.request.expires {
            return fail("the request has expired; judge archived evidence with --as-of");
        }
        Ok(())
    }

    fn checkpoint_is_signed(&self, evidence: &Evidence) -> Outcome {
        evidence.checkpoint.verify(&self.trust.chain, &self.trust.base.validators).map_err(text)?;
        if self.trust.witnesses_required > 0 {
            // nothing in this version makes cosignatures, so a file that demands them refuses everything
            return fail("the trust file demands witness cosignatures, and this checkpoint has none that count");
        }
        Ok(())
    }

    fn seal_is_in_log(&self, evidence: &Evidence) -> Outcome {
        let checkpoint = evidence.checkpoint.unverified();
        let base = &self.trust.base;
        in_log(checkpoint, &evidence.seal_inclusion, evidence.seal.leaf(), evidence.seal.leaf_index().get())
            .map_err(text)?;
        if evidence.seal.height < base.height {
            return fail("the seal is older than the trust file's base");
        }
        if evidence.seal.height == base.height && evidence.seal.app_hash() != base.app_hash {
            return fail("the seal differs from the trust file's base at the same height");
        }
        if evidence.seal.protocol_version != ProtocolVersion::CURRENT {
            return fail("the ledger runs rules that this program does not know: update it");
        }
        Ok(())
    }

    fn seal_is_fresh(&self, evidence: &Evidence) -> Outcome {
        let (now, sealed) = (self.now.unix(), evidence.seal.time.unix());
        if sealed > now.saturating_add(CLOCK_SKEW_SECONDS) {
            return fail("the seal lies in the future: check the clock");
        }
        let age = now.saturating_sub(sealed);
        if age > self.request.max_age_seconds {
            return fail(format!("the seal is {age} s old, and the request allows {} s", self.request.max_age_seconds));
        }
        Ok(())
    }

    fn chain_is_trusted(&self, evidence: &Evidence) -> Outcome {
        let state: Option<ChainState> = evidence.chain.read(evidence.seal.state_root, ()).map_err(text)?;
        let state = state.ok_or("the state knows no chain")?;
        let trusted = state.chain == self.trust.chain
            && state.suite == self.trust.suite
            && state.genesis == self.trust.genesis
            && state.protocol_version == evidence.seal.protocol_version;
        if !trusted {
            return fail("the state is of another chain, genesis or suite than the trust file");
        }
        if state.validators != self.trust.base.validators {
            return fail("the validators changed since the trust file was made: fetch a new one");
        }
        Ok(())
    }

    fn question_was_accepted(&self, evidence: &Evidence, digest: RequestDigest) -> Outcome {
        let disclosure = &evidence.disclosure;
        let claim = Claim {
            entry: &disclosure.entry,
            inclusion: &disclosure.inclusion,
            receipt: &disclosure.receipt,
            seal: &disclosure.seal,
            seal_inclusion: &disclosure.seal_inclusion,
        };
        let checkpoint = evidence.checkpoint.unverified();
        let entry = claim.check(&self.trust.chain, self.trust.suite, checkpoint).map_err(text)?;
        let Body::Disclosure(body) = &entry.entry().body else { return fail("the logged entry is not a disclosure") };
        if body.commitment != disclosure.opening.commitment(&digest) {
            return fail("the logged disclosure is not about this request");
        }
        if body.purpose != PurposeClass::of_code(&self.request.purpose) {
            return fail("the disclosure was logged for another purpose than the request's");
        }
        if self.request.parts.iter().any(|part| part.issuer != entry.entry().header.member) {
            return fail("the disclosure was logged by another member than the issuer");
        }
        Ok(())
    }

    fn key_and_schema_are_registered(
        &self,
        evidence: &Evidence,
        part: &Part,
        answer: &Answer,
        key: &Outcome<VerifyingKey>,
    ) -> Outcome {
        let root = evidence.seal.state_root;
        let schema: Option<SchemaState> = answer.schema.read(root, part.schema().map_err(text)?.id()).map_err(text)?;
        if schema.is_none_or(|schema| schema.retired) {
            return fail("the schema is not registered, or retired");
        }
        let key = key.as_ref().map_err(Clone::clone)?;
        if key.id() != part.key || !self.trust.accepts(part.statement, key.id()) {
            return fail("the verifying key is not the one that request and trust file name");
        }
        if key.statement() != part.statement || key.suite() != self.trust.suite {
            return fail("the verifying key is for another statement or suite");
        }
        if key.is_development() && !self.trust.accept_development_keys {
            return fail("the verifying key comes from a single-party setup, which the trust file does not accept");
        }
        let state: Option<VerifyingKeyState> = answer.key_registration.read(root, key.id()).map_err(text)?;
        let registered = state.is_some_and(|state| {
            !state.retired
                && state.statement.as_str() == part.statement.name()
                && state.development == key.is_development()
        });
        if registered { Ok(()) } else { fail("the verifying key is not registered for this statement, or retired") }
    }

    /// The public inputs as they must be; the pseudonym alone is the answer's.
    fn recomputed(
        &self,
        evidence: &Evidence,
        part: &Part,
        answer: &Answer,
        anchor: Anchor,
        digest: RequestDigest,
    ) -> Result<Public, Refusal> {
        let schema = part.schema().map_err(|e| Refusal { check: Check::Request, why: text(e) })?;
        Ok(Public {
            anchor,
            issuer: part.issuer.issuer(),
            schema: schema.id(),
            today: Day::new(evidence.seal.time.day() as i32), // the year 9999 ends below 2^22
            scope: self.request.scope(),
            pseudonym: answer.public.pseudonym,
            digest,
            table: part.table,
            clauses: part.clauses.clone(),
        })
    }
}

fn logged_first(evidence: &Evidence) -> Outcome {
    if evidence.disclosure.seal.height <= evidence.seal.height {
        return Ok(());
    }
    fail("the answer is proved against a seal from before the question was logged")
}

fn issuer_anchor(evidence: &Evidence, part: &Part, answer: &Answer) -> Outcome<Anchor> {
    let state: Option<AnchorState> = answer.anchor.read(evidence.seal.state_root, part.issuer).map_err(text)?;
    match state {
        None => fail("the issuer is not a member"),
        Some(state) if state.status != MemberStatus::Active => {
            fail("the issuer is suspended: its new facts do not count")
        }
        Some(state) => Ok(state.anchor),
    }
}

/// The verifying key in the file; far too long a one is not even looked at.
fn parsed_key(answer: &Answer) -> Outcome<VerifyingKey> {
    const BYTES_MAX: usize = 16 * 1024;
    if answer.key.len() > BYTES_MAX {
        return fail("the verifying key is too long");
    }
    VerifyingKey::from_bytes(&answer.key).map_err(text)
}

fn same_public(claimed: &Public, recomputed: &Public) -> Outcome {
    if claimed == recomputed { Ok(()) } else { fail("a public input differs from what request and seal say") }
}

fn proof_holds(part: &Part, answer: &Answer, public: &Public, key: &Outcome<VerifyingKey>) -> Outcome {
    let key = key.as_ref().map_err(Clone::clone)?;
    if key.statement() != part.statement {
        return fail("the verifying key is for another statement");
    }
    fact::verify(&key.prepare(), public, &answer.proof).map_err(text)
}
