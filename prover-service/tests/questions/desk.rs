//! A node with four patients that questions are asked of, and parties that ask.
//!
//! An adult, a child, somebody whose day of birth is not known, and a number that nobody has: one request, four answers.

use std::path::Path;
use std::sync::Arc;

use rand::rngs::OsRng;
use serde_json::{Value as Json, json};
use time::macros::date;
use tonic::Status;
use tonic::transport::Channel;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::entry::Body;
use vouchsafe_ledger_types::evidence::{Evidence, read_json};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::Height;
use vouchsafe_prover_service::ask::{Question, ask};
use vouchsafe_prover_service::client::Party;
use vouchsafe_prover_service::config::Config;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::proto::prover_client::ProverClient;
use vouchsafe_prover_service::proto::{AskRequest, AskResponse, QuestionRef, SignedCall};
use vouchsafe_prover_service::server::{ANSWER, ASK};

use crate::scene::{found, now, open, question, runtime, take_in};
use crate::server::world::{World, start};

/// Over 18.
pub const ADULT: usize = 0;
/// Under 18.
pub const CHILD: usize = 1;
/// Who knows.
pub const AGELESS: usize = 2;
/// Not known here.
pub const NOBODY: usize = 3;

/// What is asked: yes of the adult, no of the child, unknown of the third.
pub const OF_AGE: (&str, &str) = ("patient", "birthDate <= yearsAgo(18)");

/// A node and what a client needs to ask it.
pub struct Desk {
    pub world: World,
    pub trust: Trust,
    name: &'static str,
}

/// Slots that tests need not wait for.
pub fn quick(config: &mut Config) {
    config.questions.slot_ms = 100;
    config.questions.delay_ms = 300;
    config.questions.per_slot = 8;
    config.limits.call_seconds = 120;
}

/// Founds a node; policy is Cedar, or the standard one.
pub fn set(name: &'static str, policy: Option<&str>, change: impl FnOnce(&mut Config)) -> Desk {
    let (data, trust) = found(name);
    if let Some(policy) = policy {
        std::fs::write(data.join("policy.cedar"), policy).unwrap();
    }
    let institution = open(&data);
    runtime().block_on(take_in(&institution, &Source::new("desk").unwrap(), &patients()));
    let world = start(data, Arc::new(institution), &format!("{name}-pki"), change);
    Desk { world, trust, name }
}

/// The adult's whole chart, and two more patients.
fn patients() -> Vec<Json> {
    let chart = hospital::generate(1, 1, date!(2026 - 06 - 15)).remove(0);
    let adult = chart["entry"][0]["resource"].clone();
    let other = |number: usize, born: Option<&str>| {
        let mut patient = adult.clone();
        patient["id"] = json!(format!("other-{number}"));
        let (system, value) = (hospital::MRN_SYSTEM, hospital::record_number(number));
        let value = value.strip_prefix(&format!("{system}|")).unwrap();
        patient["identifier"] = json!([{ "system": system, "value": value }]);
        patient.as_object_mut().unwrap().remove("birthDate");
        if let Some(born) = born {
            patient["birthDate"] = json!(born);
        }
        patient
    };
    vec![chart, other(CHILD, Some("2015-03-02")), other(AGELESS, None)]
}

/// What a signed call brought.
pub type Said<T> = Result<T, Status>;

impl Desk {
    /// A node over the same folder, after the one before has ended.
    pub fn again(self, change: impl FnOnce(&mut Config)) -> Desk {
        let Desk { mut world, trust, name } = self;
        let data = world.data.clone();
        world.tell_to_stop();
        world.ended().unwrap();
        drop(world);
        let institution = Arc::new(open(&data));
        Desk { world: start(data, institution, &format!("{name}-pki"), change), trust, name }
    }

    /// A party that this institution knows.
    pub fn admit(&self, name: &str, roles: &[PartyRole]) -> PartySecrets {
        let secrets = PartySecrets::generate(name.parse().unwrap(), &mut OsRng);
        self.world.node.parties().admit(secrets.card().unwrap(), roles.iter().copied().collect()).unwrap();
        secrets
    }

    /// A verifier called `insurer`.
    pub fn insurer(&self) -> PartySecrets {
        self.admit("insurer", &[PartyRole::Verifier])
    }

    /// A request of the insurer.
    pub fn request(&self, parts: &[(&str, &str)]) -> Request {
        self.request_of("insurer", "HPAYMT", parts)
    }

    /// A request of somebody, for a purpose.
    pub fn request_of(&self, verifier: &str, purpose: &str, parts: &[(&str, &str)]) -> Request {
        let question = Question { verifier: verifier.to_owned(), purpose: purpose.to_owned(), ..question(parts) };
        ask(&question, &self.trust, now(), &mut OsRng).unwrap()
    }

    /// A party's signed question.
    pub fn call(&self, party: &PartySecrets, request: &Request, subject: &str) -> SignedCall {
        let request = serde_json::to_vec(request).unwrap();
        self.sign(party, ASK, &AskRequest { request, subject: subject.to_owned() })
    }

    /// A party's signed call.
    pub fn sign(&self, party: &PartySecrets, method: &str, message: &impl prost::Message) -> SignedCall {
        Party { secrets: party, chain: self.trust.chain.clone() }.sign(method, message, now(), &mut OsRng)
    }

    /// Asks about a patient.
    pub fn ask(&self, party: &PartySecrets, request: &Request, patient: usize) -> Said<AskResponse> {
        let call = self.call(party, request, &hospital::record_number(patient));
        self.world.block_on(ask_with(self.world.connect(), call))
    }

    /// The body of the answer.
    pub fn body(&self, party: &PartySecrets, question: &[u8]) -> Said<Vec<u8>> {
        let call = self.sign(party, ANSWER, &QuestionRef { question: question.to_vec() });
        self.world.block_on(answer_with(self.world.connect(), call))
    }

    /// Asks and waits for the body.
    pub fn asked(&self, party: &PartySecrets, request: &Request, patient: usize) -> Vec<u8> {
        let taken = self.ask(party, request, patient).unwrap();
        self.body(party, &taken.question).unwrap()
    }

    /// The outcomes that were logged, oldest first, as the openings have them.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let institution = self.world.node.institution();
        let snapshot = institution.ledger().snapshot().unwrap();
        let mut outcomes = Vec::new();
        for height in 1..=snapshot.height().get() {
            for entry in snapshot.entries(Height::new(height)).unwrap() {
                if let Body::Disclosure(body) = &entry.entry().body {
                    let suite = institution.identity().suite;
                    let opening = institution.disclosures().opening(body.commitment, suite).unwrap();
                    outcomes.push(opening.details().outcome);
                }
            }
        }
        outcomes
    }

    /// The folder.
    pub fn data(&self) -> &Path {
        &self.world.data
    }
}

/// `Prover.Ask`.
pub async fn ask_with(channel: Channel, call: SignedCall) -> Said<AskResponse> {
    Ok(ProverClient::new(channel).ask(call).await?.into_inner())
}

/// `Prover.Answer`.
pub async fn answer_with(channel: Channel, call: SignedCall) -> Said<Vec<u8>> {
    Ok(ProverClient::new(channel).answer(call).await?.into_inner().body)
}

/// The evidence in a body, if it is an answer.
pub fn evidence_of(body: &[u8]) -> Option<Evidence> {
    let json: Json = serde_json::from_slice(body).unwrap();
    if json == json!({ "refused": true }) {
        return None;
    }
    Some(read_json("evidence", json["evidence"].to_string().as_bytes()).unwrap())
}
