//! Institutions for tests, with a keystore that opens fast: a fresh one, and one that many tests read.
//!
//! The shared scene has a hospital with the demo's protagonist, and a clinic as a second member of the chain.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rand::rngs::OsRng;
use time::macros::date;
use tokio::runtime::Runtime;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::SystemClock;
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::MemberId;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;
use vouchsafe_ledger_types::verify::Verifier;
use vouchsafe_prover_service::answer::{AnswerError, answer};
use vouchsafe_prover_service::ask::{Asked, Question, ask, compile_part};
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Silent};
use vouchsafe_prover_service::institution::{Founder, Founding, Institution, Pen};
use vouchsafe_prover_service::key_files::{KeyFolder, KeyRing};

use crate::program::{self, PASSPHRASE};

const CHAIN: &str = "scene";

/// How long answers of the scene's requests are fresh, in seconds.
pub const MAX_AGE_SECONDS: u64 = 3_000;
/// How long they may be given.
pub const LIFETIME_SECONDS: u64 = 6_000;

/// Founds an institution in a folder of this name; returns the folder and the trust file's content.
pub fn found(name: &str) -> (PathBuf, Trust) {
    found_with(name, Vec::new())
}

fn found_with(name: &str, others: Vec<Founder>) -> (PathBuf, Trust) {
    let data = program::folder(name).join("data");
    let founding = Founding {
        chain: name.parse().unwrap(),
        suite: Suite::Bn254,
        member: "hospital".parse().unwrap(),
        others,
        keys: program::keys(),
        kdf: KdfParams::DANGEROUS_FAST,
        clock: Arc::new(SystemClock),
    };
    let trust = founding.found(&data, &passphrase(), &mut OsRng).unwrap();
    (data, trust)
}

/// Opens an institution.
pub fn open(data: &Path) -> Institution {
    Institution::open(data, &passphrase(), Arc::new(SystemClock)).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::new(PASSPHRASE.to_owned()).unwrap()
}

/// Takes resources or bundles in.
pub async fn take_in(institution: &Institution, source: &Source, files: &[serde_json::Value]) {
    let mut intake = Intake::new(institution, source);
    for (number, file) in files.iter().enumerate() {
        let bytes = serde_json::to_vec(file).unwrap();
        intake.bytes(&number.to_string(), &bytes, &mut Silent, &mut OsRng).await.unwrap();
    }
    assert!(intake.finish(&mut Silent, &mut OsRng).await.unwrap().errors.is_empty());
}

/// A runtime for the asynchronous parts.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The shared institution.
pub struct Scene {
    pub institution: Institution,
    pub clinic: Pen,
    pub keys: KeyRing,
    pub trust: Trust,
    pub subject: Identifier,
    runtime: Runtime,
}

/// The scene, set once.
pub fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(Scene::set)
}

impl Scene {
    fn set() -> Scene {
        let key = SigningKey::from_seed(&[7; 32]);
        let clinic = Founder { name: "clinic".parse().unwrap(), key: key.clone() };
        let member = MemberId::of(&CHAIN.parse().unwrap(), &clinic.name);
        let (data, trust) = found_with(CHAIN, vec![clinic]);
        let institution = open(&data);
        let runtime = runtime();
        let source = Source::new("scene").unwrap();
        runtime.block_on(take_in(&institution, &source, &hospital::generate(1, 2, date!(2026 - 06 - 15))));
        Scene {
            clinic: Pen::new(CHAIN.parse().unwrap(), member, key, Arc::new(SystemClock)),
            keys: KeyRing::new(KeyFolder::of(&institution.layout().keys()), Suite::Bn254),
            subject: hospital::record_number(0).parse().unwrap(),
            institution,
            trust,
            runtime,
        }
    }

    /// A question about patients, of the hospital.
    pub fn ask(&self, predicate: &str) -> Request {
        self.ask_of(predicate, "hospital")
    }

    /// A question about patients, of a member.
    pub fn ask_of(&self, predicate: &str, issuer: &str) -> Request {
        ask_with(&self.trust, predicate, issuer)
    }

    /// A question of several parts, of the hospital.
    pub fn ask_parts(&self, parts: &[(&str, &str)]) -> Request {
        ask(&question(parts), &self.trust, now(), &mut OsRng).unwrap()
    }

    /// The honest holder's answer about the protagonist.
    pub fn answer(&self, request: &Request) -> Result<Evidence, AnswerError> {
        self.runtime.block_on(answer(&self.institution, &self.keys, request, &self.subject, &mut OsRng))
    }

    /// Runs something asynchronous.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// What the asker verifies with, now.
    pub fn verifier<'a>(&'a self, request: &'a Request) -> Verifier<'a> {
        Verifier { request, trust: &self.trust, now: now(), compile: &compile_part }
    }
}

/// A question about patients on the ledger of this trust file.
pub fn ask_with(trust: &Trust, predicate: &str, issuer: &str) -> Request {
    let question = Question { issuer: issuer.parse().unwrap(), ..question(&[("patient", predicate)]) };
    ask(&question, trust, now(), &mut OsRng).unwrap()
}

/// A question of several parts, of the hospital.
pub fn question(parts: &[(&str, &str)]) -> Question {
    let asked = |(schema, predicate): &(&str, &str)| Asked {
        schema: builtin::by_name(schema).unwrap(),
        predicate: (*predicate).to_owned(),
    };
    Question {
        parts: parts.iter().map(asked).collect(),
        with_consent: false,
        issuer: "hospital".parse().unwrap(),
        verifier: "insurer".to_owned(),
        purpose: "HPAYMT".to_owned(),
        legal_basis: None,
        expires: now().plus_seconds(LIFETIME_SECONDS).unwrap(),
        max_age_seconds: MAX_AGE_SECONDS,
    }
}

/// The time.
pub fn now() -> BlockTime {
    use vouchsafe_ledger::clock::Clock;
    SystemClock.now()
}
