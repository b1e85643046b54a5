//! The figures of the service: verifying under load, opening a record, the demo's refusals, kills while it serves.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rand::rngs::OsRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use vouchsafe_access::door::Parcel;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::ids::{DisclosureCommitment, EntryId};
use vouchsafe_prover_service::client::{Channel, OpenWish, Party, commit, submit};
use vouchsafe_prover_service::config::Config;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::ingest::{Intake, Silent};
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::operator::{self, Command, GrantOrder};
use vouchsafe_prover_service::proto::CommitRequest;
use vouchsafe_prover_service::telemetry::Metrics;

use super::serving::{House, Node, vouch};
use super::{Figures, load, median, ms};

const OPENINGS: usize = 51;
const ROUNDS: usize = 10;
/// Entries that are ready to be sent in one round.
const ENTRIES: usize = 3_000;
const SYSTEM: &str = "https://figures.vouchsafe.example/mrn";

pub(super) fn figures() -> anyhow::Result<Figures> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut figures = Figures::new();
    let house = House::found()?;
    let institution = house.open()?;
    let (calls, doctor, record) = runtime.block_on(async {
        take_in(&institution).await?;
        let calls = load::calls(&house, &institution).await?;
        let (doctor, record) = reader(institution).await?;
        anyhow::Ok((calls, doctor, record))
    })?;
    let node = house.serve()?;
    figures.extend(runtime.block_on(load::figures(&node, &calls))?);
    figures.insert("open_p50_ms".to_owned(), runtime.block_on(open(&house, &node, &doctor, record))?);
    node.kill()?;
    figures.insert("refusals".to_owned(), Value::from(refusals()?));
    figures.extend(kills(&runtime)?);
    Ok(figures)
}

async fn take_in(institution: &Institution) -> anyhow::Result<()> {
    let source = Source::new("figures")?;
    let mut intake = Intake::new(institution, &source);
    let today = vouchsafe_circuits::record::Day::new(20_000);
    let today = vouchsafe_prover_service::calendar::date_of(today).context("a date")?;
    for bundle in hospital::generate(7, 4, today) {
        intake.bytes("generated", &serde_json::to_vec(&bundle)?, &mut Silent, &mut OsRng).await?;
    }
    intake.finish(&mut Silent, &mut OsRng).await?;
    Ok(())
}

/// A doctor with a grant, and a record that it covers.
async fn reader(institution: Institution) -> anyhow::Result<(PartySecrets, RecordId)> {
    let vault = institution.vault();
    let subject = vault.subject(&hospital::record_number(0).parse()?)?.context("the patient")?;
    let record = *vault.find(subject, builtin::patient().id())?.first().context("a record")?;
    let doctor = PartySecrets::generate("dr-ada".parse()?, &mut OsRng);
    let node =
        vouchsafe_prover_service::node::Node::new(institution.into(), Config::default(), Metrics::new()?).await?;
    node.parties().admit(doctor.card()?, [PartyRole::Reader].into())?;
    let order = GrantOrder {
        party: "dr-ada".parse()?,
        tier: 4,
        purpose: "TREAT".to_owned(),
        until: SystemClock.now().plus_seconds(86_400).context("a day")?,
        schemas: Vec::new(),
        subject: None,
    };
    let done = operator::run(&node, Command::Grant(order)).await;
    ensure!(done.status == 0, "no grant: {done:?}");
    Ok((doctor, record))
}

/// From the signed call to the record's fields, checked.
async fn open(house: &House, node: &Node, doctor: &PartySecrets, record: RecordId) -> anyhow::Result<Value> {
    let channel = node.connect().await?;
    let trust = &house.trust;
    let rules = vouchsafe_access::ledger::ChainRules {
        chain: trust.chain.clone(),
        suite: trust.suite,
        validators: trust.base.validators.clone(),
    };
    let party = Party { secrets: doctor, chain: trust.chain.clone() };
    let (purpose, reason) = ("TREAT".to_owned(), String::new());
    let wish = OpenWish { record, tier: 4, purpose, emergency: false, reason };
    let mut took = Vec::new();
    for _ in 0..OPENINGS {
        let began = Instant::now();
        let parcels = party.open(&channel, &wish, SystemClock.now(), &mut OsRng).await?;
        let parcel = Parcel::from_json(parcels.first().context("a parcel")?)?;
        ensure!(!parcel.open(doctor, record, &rules, SystemClock.now())?.fields.is_empty(), "an empty record");
        took.push(began.elapsed());
    }
    took.sort();
    Ok(ms(median(&took)))
}

/// What the demo tried and what was refused; each of them must be.
fn refusals() -> anyhow::Result<usize> {
    let output = vouch(["demo", "--json", "--patients", "4"])?.output()?;
    ensure!(output.status.success(), "the demo failed");
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let refusals = said["refusals"].as_array().context("refusals")?;
    ensure!(refusals.iter().all(|attempt| attempt["refused"] == true), "an attack went through");
    Ok(refusals.len())
}

/// Kill -9 while entries and documents stream in: what was acknowledged must be there afterwards.
fn kills(runtime: &tokio::runtime::Runtime) -> anyhow::Result<Figures> {
    let house = House::found()?;
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2026);
    let (mut acknowledged, mut lost) = (0, 0);
    for round in 0..ROUNDS {
        let entries = entries(&house.open()?)?;
        let node = house.serve()?;
        let wait = Duration::from_millis(rng.gen_range(300..1_500));
        let acked = runtime.block_on(stream(node, entries, round, wait))?;
        acknowledged += acked.entries.len() + acked.patients.len();
        lost += runtime.block_on(missing(&house, &acked))?;
    }
    ensure!(acknowledged > 10 * ROUNDS, "too little was acknowledged before the kills: {acknowledged}");
    Ok(Figures::from([
        ("kill_rounds".to_owned(), Value::from(ROUNDS)),
        ("kill_acknowledged".to_owned(), Value::from(acknowledged)),
        ("lost".to_owned(), Value::from(lost)),
    ]))
}

/// Entries that the institution signed and nobody sent.
fn entries(institution: &Institution) -> anyhow::Result<Vec<(EntryId, Vec<u8>)>> {
    let deadline = SystemClock.now().plus_seconds(90 * 86_400).context("a time")?;
    let entry = |_| {
        let commitment = DisclosureCommitment::from_bytes(OsRng.r#gen());
        let body = Disclosure { commitment, purpose: PurposeClass::of_code("TREAT"), deadline };
        let entry = institution.pen().write(Body::Disclosure(body))?;
        anyhow::Ok((entry.id(), entry.encode()))
    };
    (0..ENTRIES).map(entry).collect()
}

/// What the node said it has.
#[derive(Default)]
struct Acknowledged {
    entries: Vec<EntryId>,
    patients: Vec<String>,
}

enum Ack {
    Entry(EntryId),
    Patient(String),
}

/// Sends from several callers at once until the node is killed.
async fn stream(
    node: Node,
    entries: Vec<(EntryId, Vec<u8>)>,
    round: usize,
    wait: Duration,
) -> anyhow::Result<Acknowledged> {
    const CALLERS: usize = 4;
    let channel = node.connect().await?;
    let (acks, mut acked) = tokio::sync::mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    for share in entries.chunks(ENTRIES / CALLERS) {
        let (share, channel, acks) = (share.to_vec(), channel.clone(), acks.clone());
        callers.spawn(async move {
            for (id, bytes) in share {
                match submit(&channel, bytes).await {
                    Ok(receipt) if receipt.code == 0 => drop(acks.send(Ack::Entry(id))),
                    _ => break,
                }
            }
        });
    }
    for caller in 0..2 {
        callers.spawn(patients(channel.clone(), format!("{round}-{caller}"), acks.clone()));
    }
    drop((acks, channel));
    tokio::time::sleep(wait).await;
    node.kill()?;
    while callers.join_next().await.is_some() {}
    let mut all = Acknowledged::default();
    while let Some(ack) = acked.recv().await {
        match ack {
            Ack::Entry(id) => all.entries.push(id),
            Ack::Patient(subject) => all.patients.push(subject),
        }
    }
    Ok(all)
}

/// Brings one new patient after another.
async fn patients(channel: Channel, caller: String, acks: tokio::sync::mpsc::UnboundedSender<Ack>) {
    for number in 0.. {
        let value = format!("{caller}-{number}");
        let patient = json!({
            "resourceType": "Patient", "id": value, "meta": { "versionId": "1" }, "gender": "female",
            "identifier": [{ "system": SYSTEM, "value": value }], "birthDate": "1984-05-17",
        });
        let document = patient.to_string().into_bytes();
        let message = CommitRequest { name: value.clone(), source: "ehr".to_owned(), document };
        match commit(&channel, message).await {
            Ok(counts) if counts.added == 1 => drop(acks.send(Ack::Patient(format!("{SYSTEM}|{value}")))),
            _ => return,
        }
    }
}

/// What was acknowledged and is not there, or cannot be read.
async fn missing(house: &House, acked: &Acknowledged) -> anyhow::Result<usize> {
    let institution = house.open()?;
    institution.vault().settle(&institution.bridge(), &mut OsRng).await?;
    let snapshot = institution.ledger().snapshot()?;
    let (vault, schema) = (institution.vault(), builtin::patient());
    let mut lost = 0;
    for id in &acked.entries {
        lost += usize::from(snapshot.receipt(*id)?.is_none());
    }
    for subject in &acked.patients {
        let found = match vault.subject(&subject.parse()?)? {
            Some(subject) => vault.find(subject, schema.id())?,
            None => Vec::new(),
        };
        let there = match found.first() {
            Some(id) => {
                let place = snapshot.lookup(institution.member(), id.commitment())?;
                place.is_some_and(|place| place.active) && vault.open_for_proof(*id, &schema).await.is_ok()
            }
            None => false,
        };
        lost += usize::from(!there);
    }
    Ok(lost)
}
