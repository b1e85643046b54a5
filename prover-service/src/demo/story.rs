//! The story of the demo, told to a stage.

use std::sync::Arc;
use std::time::Instant;

use rand::rngs::OsRng;
use rand::{Rng, RngCore};
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{Draft, HeldRecord, Incoming, Outcome, RecordId, SourceKey};
use vouchsafe_circuits::record::{Absence, Day, FieldValue, Validity, Value};
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::statements::{Statement, fact};
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::{ChainId, MemberId, MemberName};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::verify::Verifier;

use super::attacks::Targets;
use super::forge::Forge;
use super::questions::{Chosen, choose};
use super::{Attempt, FactFigures, Figures, Plan, Stage, hospital};
use crate::answer::{AnswerError, answer};
use crate::ask::{Asked, Question, ask, compile_part};
use crate::calendar;
use crate::fhir::{self, Mapped, Schemas, Source};
use crate::ingest::{Intake, Report, Silent};
use crate::institution::{Founder, Founding, Institution, Pen};
use crate::key_files::{KeyFolder, KeyRing};

const HOSPITAL: &str = "st-mary";
const CLINIC: &str = "north-clinic";
const VERIFIER: &str = "harbour-insurance";

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The files given hold nothing to show.
    #[error("the files hold no {0} to show: give FHIR R4 bundles of patients")]
    Files(&'static str),
    /// A file cannot be read.
    #[error("{0}")]
    Read(std::path::PathBuf, #[source] std::io::Error),
    /// Something of ours failed.
    #[error("the demo failed: {0}")]
    Own(String),
}

impl DemoError {
    pub(super) fn own(error: impl std::error::Error) -> DemoError {
        let mut text = error.to_string();
        if let Some(cause) = error.source() {
            text = format!("{text}: {cause}");
        }
        DemoError::Own(text)
    }

    pub(super) fn missing(what: &str) -> DemoError {
        DemoError::Own(format!("{what} is missing"))
    }
}

/// Runs the demo and returns its figures.
pub async fn run(plan: &Plan, stage: &mut dyn Stage) -> Result<Figures, DemoError> {
    let folder = tempfile::Builder::new().prefix("vouch-demo-").tempdir().map_err(DemoError::own)?;
    let cast = Cast::assemble(plan, folder.path(), stage)?;
    let (records, mapped) = cast.take_in(plan, stage).await?;
    let today = Day::new(i32::try_from(SystemClock.now().day()).unwrap_or(i32::MAX));
    let chosen = choose(&mapped, today);
    if chosen.len() < 3 {
        return Err(DemoError::Files("age, measurement and diagnosis"));
    }

    stage.chapter(
        "An insurer asks three questions and gets three proofs",
        "It learns that each answer is yes, and nothing else: no date of birth, no value, no name.",
    );
    let mut facts = Vec::new();
    let mut answered = Vec::new();
    for question in &chosen {
        let (figures, request, evidence) = cast.fact(question, stage).await?;
        facts.push(figures);
        answered.push((request, evidence));
    }
    let honest = answered.swap_remove(0);
    let mut refusals = vec![cast.false_fact(&chosen[0], stage).await?];
    stage.chapter(
        "Now somebody cheats",
        "A patched prover skips every check of its own; the verifier is the one that you would run.",
    );
    let targets = cast.targets(&chosen[0], honest).await?;
    for attempt in tokio::task::block_in_place(|| targets.all())? {
        tell_attempt(&attempt, stage);
        refusals.push(attempt);
    }
    Ok(Figures { records, facts, refusals })
}

fn tell_attempt(attempt: &Attempt, stage: &mut dyn Stage) {
    let mark = if attempt.refused { "refused " } else { "ACCEPTED" };
    stage.line(&format!("{mark}  {}", attempt.attempt));
    stage.line(&format!("          {}", attempt.why));
    if let Some(control) = &attempt.control {
        let outcome =
            if control.accepted { "it would have been believed" } else { "STILL REFUSED: the control failed" };
        stage.line(&format!("          without the check {}: {outcome}", control.without));
    }
}

/// Who plays.
struct Cast {
    institution: Institution,
    keys: KeyRing,
    trust: Trust,
    clinic: Pen,
}

impl Cast {
    fn assemble(plan: &Plan, folder: &std::path::Path, stage: &mut dyn Stage) -> Result<Cast, DemoError> {
        stage.chapter(
            "A hospital and a clinic found a ledger",
            "The ledger holds commitments, proofs of order and a log that outsiders can audit; never a record.",
        );
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let chain: ChainId = format!("demo-{:08x}", OsRng.next_u32()).parse().map_err(DemoError::own)?;
        let hospital: MemberName = HOSPITAL.parse().map_err(DemoError::own)?;
        let clinic: MemberName = CLINIC.parse().map_err(DemoError::own)?;
        let clinic_key = SigningKey::from_seed(&OsRng.r#gen());
        let cache = KeyFolder::cache().map_err(DemoError::own)?;
        let started = Instant::now();
        let keys = Statement::ALL.into_iter().map(|statement| cache.load_or_make(plan.suite, statement));
        let keys = keys.collect::<Result<Vec<_>, _>>().map_err(DemoError::own)?;
        stage.line(&format!("proving keys ready ({} ms; made once, then cached)", started.elapsed().as_millis()));
        let founding = Founding {
            chain: chain.clone(),
            suite: plan.suite,
            member: hospital,
            others: vec![Founder { name: clinic.clone(), key: clinic_key.clone() }],
            keys,
            kdf: KdfParams::STANDARD,
            clock: Arc::clone(&clock),
        };
        let passphrase = Passphrase::new(hex::encode(OsRng.r#gen::<[u8; 16]>())).map_err(DemoError::own)?;
        let data = folder.join(HOSPITAL);
        let trust = founding.found(&data, &passphrase, &mut OsRng).map_err(DemoError::own)?;
        let institution = Institution::open(&data, &passphrase, Arc::clone(&clock)).map_err(DemoError::own)?;
        stage.line(&format!("chain {chain}, members {HOSPITAL} and {CLINIC}, block {}", trust.base.height));
        let ring = KeyRing::new(KeyFolder::of(&institution.layout().keys()), plan.suite);
        let pen = Pen::new(chain.clone(), MemberId::of(&chain, &clinic), clinic_key, clock);
        Ok(Cast { institution, keys: ring, trust, clinic: pen })
    }

    async fn take_in(&self, plan: &Plan, stage: &mut dyn Stage) -> Result<(u64, Vec<Mapped>), DemoError> {
        stage.chapter(
            "The hospital takes in its records",
            "Each is encrypted in the vault, tier by tier; the ledger gets a commitment that hides it.",
        );
        let source = Source::new("demo").map_err(DemoError::own)?;
        let schemas = Schemas::built_in();
        let mut intake = Intake::new(&self.institution, &source);
        let mut mapped = Vec::new();
        let started = Instant::now();
        for (name, bytes) in bundles(plan)? {
            mapped.extend(fhir::read_bundle(&bytes, &name, &source, &schemas).records);
            intake.bytes(&name, &bytes, &mut Silent, &mut OsRng).await.map_err(DemoError::own)?;
        }
        let report: Report = intake.finish(&mut Silent, &mut OsRng).await.map_err(DemoError::own)?;
        let took = started.elapsed();
        for (kind, count) in &report.records {
            stage.line(&format!("{count:>6} {kind}"));
        }
        for error in report.errors.iter().take(5) {
            stage.line(&format!("not taken: {error}"));
        }
        let rate = report.added as f64 / took.as_secs_f64().max(0.001);
        stage.line(&format!("{} records in {} ms ({rate:.0} a second)", report.added, took.as_millis()));
        if report.added == 0 {
            return Err(DemoError::Files("records"));
        }
        Ok((report.added, mapped))
    }

    async fn fact(
        &self,
        chosen: &Chosen,
        stage: &mut dyn Stage,
    ) -> Result<(FactFigures, Request, Evidence), DemoError> {
        let request = self.ask(&chosen.predicate, &chosen.schema, HOSPITAL)?;
        let subject: Identifier = chosen.subject.parse().map_err(DemoError::own)?;
        let started = Instant::now();
        let evidence =
            answer(&self.institution, &self.keys, &request, &subject, &mut OsRng).await.map_err(DemoError::own)?;
        let prove_ms = started.elapsed().as_millis() as u64;
        // what the verifier gets is the file, so the file is what is verified
        let file = serde_json::to_vec(&evidence).map_err(DemoError::own)?;
        let started = Instant::now();
        let evidence = Evidence::read(&file).map_err(DemoError::own)?;
        let verdict = self.verifier(&request).verify(&evidence);
        let verify_ms = started.elapsed().as_millis() as u64;
        let statement = request.parts.first().map_or(Statement::Fact1, |part| part.statement);
        let shape = fact::shape(request.suite, statement).map_err(DemoError::own)?;
        let valid = verdict.is_ok();
        stage.line(&format!("{}: {}", chosen.title, chosen.predicate));
        let verdict = verdict.map_or_else(|refusal| refusal.to_string(), |_| "valid".to_owned());
        stage.line(&format!(
            "          {verdict}; {statement}, {} constraints, logged and proved in {prove_ms} ms, {} kB of evidence \
             verified offline in {verify_ms} ms",
            shape.constraints,
            file.len() / 1024
        ));
        let figures = FactFigures {
            predicate: chosen.predicate.clone(),
            valid,
            prove_ms,
            verify_ms,
            constraints: shape.constraints,
            statement: statement.name().to_owned(),
            evidence_bytes: file.len(),
        };
        Ok((figures, request, evidence))
    }

    /// Asks the opposite of a true fact: the honest holder has nothing to prove it with.
    async fn false_fact(&self, chosen: &Chosen, stage: &mut dyn Stage) -> Result<Attempt, DemoError> {
        stage.chapter("A question whose answer is no", "It is logged like any other, and no proof comes out.");
        let request = self.ask(&opposite(&chosen.predicate), &chosen.schema, HOSPITAL)?;
        let subject: Identifier = chosen.subject.parse().map_err(DemoError::own)?;
        let outcome = answer(&self.institution, &self.keys, &request, &subject, &mut OsRng).await;
        let attempt = match outcome {
            Err(error @ AnswerError::No(_)) => Attempt {
                attempt: "a false fact, asked of the honest holder".to_owned(),
                refused: true,
                why: error.to_string(),
                control: None,
            },
            Err(error) => return Err(DemoError::own(error)),
            Ok(_) => Attempt {
                attempt: "a false fact, asked of the honest holder".to_owned(),
                refused: false,
                why: "it was proved".to_owned(),
                control: None,
            },
        };
        tell_attempt(&attempt, stage);
        Ok(attempt)
    }

    async fn targets(&self, chosen: &Chosen, honest: (Request, Evidence)) -> Result<Targets<'_>, DemoError> {
        let forge = Forge { ledger: self.institution.ledger(), keys: &self.keys, trust: &self.trust };
        let subject: Identifier = chosen.subject.parse().map_err(DemoError::own)?;
        let record = self.held(&subject, &chosen.schema).await?;
        let commitment = record.id.commitment();
        let hospital = self.institution.pen();
        // somebody's cover that ended yesterday, and one that is withdrawn
        let cover = builtin::condition();
        let question = "icd10.under(\"Z02\")";
        let day = SystemClock.now().day();
        let ended = Validity { from: day.saturating_sub(400), until: day.saturating_sub(1) };
        let expired = self.commit(&subject, &cover, "expired", ended).await?;
        let withdrawn = self.commit(&subject, &cover, "withdrawn", Validity::ALWAYS).await?;
        let before = forge.loot(hospital.member(), withdrawn.id.commitment(), withdrawn.opening)?;
        self.withdraw("withdrawn").await?;
        Ok(Targets {
            asked_again: self.ask(&chosen.predicate, &chosen.schema, HOSPITAL)?,
            asked_of_clinic: self.ask(&chosen.predicate, &chosen.schema, CLINIC)?,
            false_question: self.ask(&opposite(&chosen.predicate), &chosen.schema, HOSPITAL)?,
            expired: (expired.id.commitment(), expired.opening, self.ask(question, &cover, HOSPITAL)?),
            withdrawn: (before, self.ask(question, &cover, HOSPITAL)?, self.ask(question, &cover, HOSPITAL)?),
            record: (commitment, record.opening),
            clinic: self.clinic.clone(),
            hospital,
            honest,
            forge,
        })
    }

    fn ask(&self, predicate: &str, schema: &Schema, issuer: &str) -> Result<Request, DemoError> {
        let now = SystemClock.now();
        let question = Question {
            parts: vec![Asked { schema: schema.clone(), predicate: predicate.to_owned() }],
            with_consent: false,
            issuer: issuer.parse().map_err(DemoError::own)?,
            verifier: VERIFIER.to_owned(),
            purpose: "HPAYMT".to_owned(),
            legal_basis: Some("GDPR Art. 6(1)(b), contract".to_owned()),
            expires: now.plus_seconds(3_600).unwrap_or(now),
            max_age_seconds: 3_600,
        };
        ask(&question, &self.trust, now, &mut OsRng).map_err(DemoError::own)
    }

    fn verifier<'a>(&'a self, request: &'a Request) -> Verifier<'a> {
        Verifier { request, trust: &self.trust, now: SystemClock.now(), compile: &compile_part }
    }

    /// A record of the subject, opened.
    async fn held(&self, subject: &Identifier, schema: &Schema) -> Result<HeldRecord, DemoError> {
        let vault = self.institution.vault();
        let subject = vault.subject(subject).map_err(DemoError::own)?;
        let subject = subject.ok_or_else(|| DemoError::missing("the demo's patient"))?;
        let records = vault.find(subject, schema.id()).map_err(DemoError::own)?;
        let id = records.first().ok_or_else(|| DemoError::missing("the patient's record"))?;
        vault.open_for_proof(*id, schema).await.map_err(DemoError::own)
    }

    /// Commits a record made for the attacks.
    async fn commit(
        &self,
        subject: &Identifier,
        schema: &Schema,
        name: &str,
        valid: Validity,
    ) -> Result<HeldRecord, DemoError> {
        let mut fields = schema.all_absent(Absence::NotAsked);
        if let Some(place) = schema.place("icd10") {
            fields[place] = FieldValue::Present(Value::Code("Z02.6".to_owned()));
        }
        let draft = Draft {
            schema: Arc::new(schema.clone()),
            issuer: self.institution.member().issuer(),
            suite: self.institution.identity().suite,
            subject: vec![subject.clone()],
            lookups: Vec::new(),
            introduces: false,
            fields,
            valid,
            source: source_of(name, "1"),
        };
        let id = match self.stage(Incoming::Record(Box::new(draft))).await? {
            Outcome::New(id) => id,
            _ => return Err(DemoError::missing("a new record")),
        };
        self.institution.vault().open_for_proof(id, schema).await.map_err(DemoError::own)
    }

    async fn withdraw(&self, name: &str) -> Result<RecordId, DemoError> {
        match self.stage(Incoming::EnteredInError(source_of(name, "2"))).await? {
            Outcome::Withdraws(id) => Ok(id),
            _ => Err(DemoError::missing("the record to withdraw")),
        }
    }

    async fn stage(&self, incoming: Incoming) -> Result<Outcome, DemoError> {
        let vault = self.institution.vault();
        let staged = vault.stage(vec![incoming], &mut OsRng).await.map_err(DemoError::own)?;
        vault.settle(&self.institution.bridge(), &mut OsRng).await.map_err(DemoError::own)?;
        let outcome = staged.outcomes.into_iter().next().ok_or_else(|| DemoError::missing("an outcome"))?;
        outcome.map_err(DemoError::own)
    }
}

fn source_of(name: &str, version: &str) -> SourceKey {
    SourceKey { source: "demo".to_owned(), resource: format!("Cover/{name}"), version: version.to_owned() }
}

/// The files of the plan, or the hospital's, as JSON bytes with a name.
fn bundles(plan: &Plan) -> Result<Vec<(String, Vec<u8>)>, DemoError> {
    let mut all = Vec::new();
    for file in &plan.files {
        let bytes = std::fs::read(file).map_err(|error| DemoError::Read(file.clone(), error))?;
        all.push((file.display().to_string(), bytes));
    }
    if !all.is_empty() {
        return Ok(all);
    }
    let day = Day::new(i32::try_from(SystemClock.now().day()).unwrap_or(i32::MAX));
    let today = calendar::date_of(day).ok_or_else(|| DemoError::missing("today in the calendar"))?;
    for (number, bundle) in hospital::generate(plan.seed, plan.patients, today).iter().enumerate() {
        all.push((format!("patient-{number}.json"), serde_json::to_vec(bundle).map_err(DemoError::own)?));
    }
    Ok(all)
}

/// What is false when the age question is true.
fn opposite(predicate: &str) -> String {
    format!("!({predicate})")
}
