//! The insurer's questions: asked of the hospital's node, verified offline and at the clinic's node.

use std::time::Instant;

use rand::rngs::OsRng;
use tonic::transport::Channel;
use vouchsafe_circuits::record::{FieldValue, Value};
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::statements::{Statement, fact};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::verify::Verifier;

use super::cast::{Cast, HOSPITAL, Person, now};
use super::{Attempt, DemoError, Told};
use crate::ask::{Asked, Question, ask, compile_part};
use crate::client::{self, Reply};
use crate::demo::FactFigures;
use crate::demo::questions::Chosen;
use crate::fhir::Mapped;
use crate::operator::Command;

/// What stands in a request besides its parts.
#[derive(Clone, Copy)]
pub(super) struct Purpose {
    pub(super) code: &'static str,
    pub(super) legal_basis: &'static str,
    pub(super) with_consent: bool,
}

/// An insurer's.
pub(super) const PAYMENT: Purpose =
    Purpose { code: "HPAYMT", legal_basis: "GDPR Art. 6(1)(b), contract", with_consent: false };
const COURT: Purpose = Purpose { code: "HLEGAL", legal_basis: "GDPR Art. 9(2)(f), legal claims", with_consent: false };

/// An answer that was believed.
pub(super) struct Shown {
    pub(super) request: Request,
    pub(super) evidence: Evidence,
}

/// Three questions, each about somebody of whom it is true; the answer to the first one is given back.
pub(super) async fn three_facts(
    cast: &Cast,
    chosen: &[Chosen],
    clinic: &Channel,
    told: &mut Told<'_>,
) -> Result<Shown, DemoError> {
    told.chapter(
        "An insurer asks the hospital's node three questions and gets three proofs",
        "It learns that each answer is yes, and nothing else: no date of birth, no value, no name. The clinic's node agrees.",
    );
    let mut first = None;
    for question in chosen {
        let parts = [(question.schema.clone(), question.predicate.clone())];
        let request = cast.ask(&parts, HOSPITAL, cast.insurer.name, PAYMENT)?;
        let asked = Telling { title: question.title, predicate: question.predicate.clone() };
        let shown = cast.fact(&cast.insurer, request, &question.subject, asked, clinic, told).await?;
        first.get_or_insert(shown);
    }
    first.ok_or_else(|| DemoError::missing("a question"))
}

/// A fact and who it is of, on two records of one subject in one file.
pub(super) async fn who_it_is(
    cast: &Cast,
    chosen: &[Chosen],
    records: &[Mapped],
    clinic: &Channel,
    told: &mut Told<'_>,
) -> Result<(), DemoError> {
    told.chapter(
        "A question of two parts",
        "The insurer knows the name on the claim. The identity part ties the fact to it: both are of one subject, in one file.",
    );
    let found = chosen.iter().rev().find_map(|question| Some((question, family_name(records, &question.subject)?)));
    let (question, name) = found.ok_or(DemoError::Files("family name"))?;
    let name = serde_json::to_string(&name).map_err(DemoError::own)?; // quotes as CEL does
    let parts =
        [(question.schema.clone(), question.predicate.clone()), (builtin::patient(), format!("familyName == {name}"))];
    let request = cast.ask(&parts, HOSPITAL, cast.insurer.name, PAYMENT)?;
    // the name is the insurer's knowledge, not the story's
    let predicate = format!("{} AND patient: familyName == (the name on the claim)", question.predicate);
    let asked = Telling { title: "a fact, and whose it is", predicate };
    cast.fact(&cast.insurer, request, &question.subject, asked, clinic, told).await?;
    Ok(())
}

fn family_name(records: &[Mapped], subject: &str) -> Option<String> {
    let schema = builtin::patient();
    let own = records.iter().filter(|record| record.subject.canonical.as_str() == subject);
    let mut patients = own.filter(|record| record.key.resource_type.schema_name() == schema.name());
    match patients.next()?.fields.get(schema.place("familyName")?)? {
        FieldValue::Present(Value::Text(name)) if !name.contains('\\') => Some(name.clone()),
        _ => None,
    }
}

/// Asks the opposite of a true fact: the honest holder has nothing to prove it with.
pub(super) async fn the_answer_is_no(cast: &Cast, chosen: &Chosen, told: &mut Told<'_>) -> Result<(), DemoError> {
    told.chapter(
        "A question whose answer is no",
        "It is logged like any other, takes as long, and no proof comes out: no, unknown and denied look alike.",
    );
    let parts = [(chosen.schema.clone(), opposite(&chosen.predicate))];
    let request = cast.ask(&parts, HOSPITAL, cast.insurer.name, PAYMENT)?;
    let reply = cast.reply(&cast.insurer, &request, &chosen.subject).await?;
    told.tried(refused("a false fact, asked of the honest holder", &reply, None));
    Ok(())
}

/// A court's questions wait for a person, who says yes to one and no to the other.
pub(super) async fn a_person_decides(
    cast: &Cast,
    chosen: &Chosen,
    clinic: &Channel,
    told: &mut Told<'_>,
) -> Result<(), DemoError> {
    told.chapter(
        "A court's question waits for a person at the hospital",
        "The policy sends it to the inbox. From outside, an answer and a refusal leave at the same slots and have the same size.",
    );
    let parts = [(chosen.schema.clone(), chosen.predicate.clone())];
    let mut replies = Vec::new();
    for permitted in [true, false] {
        let request = cast.ask(&parts, HOSPITAL, cast.court.name, COURT)?;
        let started = Instant::now();
        let party = cast.court.party();
        let taken = party.ask(&cast.court.line, &request, &chosen.subject, now(), &mut OsRng).await;
        let taken = taken.map_err(DemoError::own)?;
        let inbox = cast.hospital.order(&Command::Inbox {}).await?;
        let waits = |row: &&serde_json::Value| row["id"] == taken.question.as_str();
        let row = inbox["waiting"].as_array().into_iter().flatten().find(waits);
        let row = row.ok_or_else(|| DemoError::missing("the question in the inbox"))?;
        let word = if permitted { "yes" } else { "no" };
        told.line(&format!("in the inbox: {} asks for {}; a person says {word}", row["asker"], row["purpose"]));
        let question = taken.question.parse().map_err(DemoError::own)?;
        cast.hospital.order(&Command::Decide { question, permitted }).await?;
        let reply = party.reply(&cast.court.line, &taken.question, now(), &mut OsRng).await;
        replies.push((request, reply.map_err(DemoError::own)?, started.elapsed().as_millis() as u64));
    }
    let (_, denied, _) = replies.pop().ok_or_else(|| DemoError::missing("a reply"))?;
    let (request, reply, took_ms) = replies.pop().ok_or_else(|| DemoError::missing("a reply"))?;
    let Reply::Evidence(evidence) = reply else { return Err(DemoError::missing("the answer that a person permitted")) };
    let asked = Telling { title: "approved from the inbox", predicate: chosen.predicate.clone() };
    let valid = cast.believed(&request, &evidence, took_ms, asked, clinic, told).await?;
    told.tried(refused("a question that a person at the hospital denied", &denied, Some(("the person's no", valid))));
    Ok(())
}

/// How a fact is told.
pub(super) struct Telling {
    pub(super) title: &'static str,
    pub(super) predicate: String,
}

impl Cast {
    /// A request in the name of a verifier.
    pub(super) fn ask(
        &self,
        parts: &[(Schema, String)],
        issuer: &str,
        verifier: &str,
        purpose: Purpose,
    ) -> Result<Request, DemoError> {
        let part =
            |(schema, predicate): &(Schema, String)| Asked { schema: schema.clone(), predicate: predicate.clone() };
        let now = now();
        let question = Question {
            parts: parts.iter().map(part).collect(),
            with_consent: purpose.with_consent,
            issuer: issuer.parse().map_err(DemoError::own)?,
            verifier: verifier.to_owned(),
            purpose: purpose.code.to_owned(),
            legal_basis: Some(purpose.legal_basis.to_owned()),
            expires: now.plus_seconds(3_600).unwrap_or(now),
            max_age_seconds: 3_600,
        };
        ask(&question, &self.hospital.trust, now, &mut OsRng).map_err(DemoError::own)
    }

    /// Asks online, and waits for what comes.
    pub(super) async fn reply(&self, asker: &Person, request: &Request, subject: &str) -> Result<Reply, DemoError> {
        let party = asker.party();
        let taken = party.ask(&asker.line, request, subject, now(), &mut OsRng).await.map_err(DemoError::own)?;
        party.reply(&asker.line, &taken.question, now(), &mut OsRng).await.map_err(DemoError::own)
    }

    /// A question that is answered with yes.
    pub(super) async fn fact(
        &self,
        asker: &Person,
        request: Request,
        subject: &str,
        asked: Telling,
        clinic: &Channel,
        told: &mut Told<'_>,
    ) -> Result<Shown, DemoError> {
        let started = Instant::now();
        let reply = self.reply(asker, &request, subject).await?;
        let took_ms = started.elapsed().as_millis() as u64;
        let Reply::Evidence(evidence) = reply else { return Err(DemoError::missing("the answer to a true question")) };
        self.believed(&request, &evidence, took_ms, asked, clinic, told).await?;
        Ok(Shown { request, evidence: *evidence })
    }

    /// Verifies an answer as its asker would: offline, and at the clinic's node.
    async fn believed(
        &self,
        request: &Request,
        evidence: &Evidence,
        prove_ms: u64,
        asked: Telling,
        clinic: &Channel,
        told: &mut Told<'_>,
    ) -> Result<bool, DemoError> {
        // what the verifier keeps is the file, so the file is what is verified
        let file = serde_json::to_vec(evidence).map_err(DemoError::own)?;
        let started = Instant::now();
        let read = Evidence::read(&file).map_err(DemoError::own)?;
        let verdict = self.verifier(request).verify(&read);
        let verify_ms = started.elapsed().as_millis() as u64;
        let online = client::verify(clinic, request, evidence).await.map_err(DemoError::own)?;
        let valid = verdict.is_ok() && online.valid;
        let (statement, constraints) = largest(request)?;
        told.line(&format!("{}: {}", asked.title, asked.predicate));
        let verdict = match (&verdict, online.valid) {
            (Ok(_), true) => "valid, offline and at the clinic's node".to_owned(),
            (Ok(_), false) => format!("valid offline, REFUSED by the clinic's node: {}", online.why),
            (Err(refusal), _) => refusal.to_string(),
        };
        told.line(&format!(
            "          {verdict}; {statement}, {constraints} constraints, answered in {prove_ms} ms, {} kB of evidence \
             verified in {verify_ms} ms",
            file.len() / 1024
        ));
        told.figures.facts.push(FactFigures {
            predicate: asked.predicate,
            valid,
            prove_ms,
            verify_ms,
            constraints,
            statement: statement.name().to_owned(),
            evidence_bytes: file.len(),
        });
        Ok(valid)
    }

    /// The insurer's verifier, with the hospital's trust file.
    pub(super) fn verifier<'a>(&'a self, request: &'a Request) -> Verifier<'a> {
        Verifier { request, trust: &self.hospital.trust, now: now(), compile: &compile_part }
    }
}

/// The statement of the largest circuit among the parts, and its constraints.
fn largest(request: &Request) -> Result<(Statement, usize), DemoError> {
    let mut largest = None;
    for part in &request.parts {
        let shape = fact::shape(request.suite, part.statement).map_err(DemoError::own)?;
        if largest.is_none_or(|(_, constraints)| constraints < shape.constraints) {
            largest = Some((part.statement, shape.constraints));
        }
    }
    largest.ok_or_else(|| DemoError::missing("a part of the request"))
}

/// An attempt to get an answer, which came to nothing if all is well.
pub(super) fn refused(attempt: &str, reply: &Reply, control: Option<(&str, bool)>) -> Attempt {
    match reply {
        Reply::Refused => Attempt::new(attempt, Err("refused, like a no, an unknown or a denial".to_owned()), control),
        Reply::Evidence(_) => Attempt::new(attempt, Ok(()), control),
    }
}

/// What is false when the question is true.
pub(super) fn opposite(predicate: &str) -> String {
    format!("!({predicate})")
}
