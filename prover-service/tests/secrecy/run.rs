//! A whole run of a node with everything that it writes kept: log, metrics, errors, folders, and what Debug shows.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::rngs::OsRng;
use serde_json::Value as Json;
use time::macros::date;
use tonic::Status;
use tonic::transport::Endpoint;
use vouchsafe_access::door::Parcel;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::{EncodedField, FieldValue};
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::MicroEpsilon;
use vouchsafe_prover_service::ask::{Question, ask};
use vouchsafe_prover_service::client::{ClientError, OpenWish, Party, QueryWish, Reply};
use vouchsafe_prover_service::config::Config;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::node::Node;
use vouchsafe_prover_service::operator::{self, Command, DataSetOrder, GrantOrder, ProjectOrder};
use vouchsafe_prover_service::proto::prover_client::ProverClient;
use vouchsafe_prover_service::proto::{AskRequest, SignedCall};
use vouchsafe_prover_service::server::ASK;
use vouchsafe_prover_service::telemetry::Metrics;

use super::patterns::{LENGTH_MIN, Patterns};
use super::{bytes_below, texts};
use crate::program::{PASSPHRASE, command};
use crate::scene::{found, now, open, question, runtime, take_in};
use crate::server::{config::free_port, metrics, program};

/// What went in: texts of documents, identifiers, and every field as it is encoded for circuits.
async fn what_went_in(institution: &Institution, documents: &[Json], shown: &mut Vec<String>) -> Patterns {
    let mut patterns = Patterns::default();
    let mut all = BTreeSet::new();
    documents.iter().for_each(|document| texts(document, &mut all));
    all.extend([hospital::record_number(0), PASSPHRASE.to_owned()]);
    all.iter().for_each(|text| patterns.text(text));
    for record in institution.vault().records().unwrap() {
        let record = record.unwrap();
        let schema = builtin::all().into_iter().find(|schema| schema.id() == record.schema).unwrap();
        let held = institution.vault().open_for_proof(record.id, &schema).await.unwrap();
        shown.push(format!("{held:?} {:?} {:?}", held.opening, held.values));
        for (value, encoded) in held.values.iter().zip(&held.opening.fields) {
            let (FieldValue::Present(value), EncodedField::Present(fe)) = (value, encoded) else { continue };
            let little = *fe.as_bytes();
            let mut big = little;
            big.reverse();
            // a code such as "active" is in the schemas, its encoding is nowhere
            let name = format!("{} as a field element", serde_json::to_string(value).unwrap());
            patterns.bytes(&little, &name);
            patterns.bytes(&big, &name);
        }
    }
    patterns
}

struct House {
    trust: Trust,
    doctor: PartySecrets,
    verifier: PartySecrets,
    researcher: PartySecrets,
    record: RecordId,
    query: QueryWish,
    rules: vouchsafe_access::ledger::ChainRules,
    shown: Vec<String>,
}

/// Parties, a grant and a project.
async fn furnish(institution: Institution, trust: Trust, mut shown: Vec<String>) -> House {
    let vault = institution.vault();
    let subject = vault.subject(&hospital::record_number(0).parse().unwrap()).unwrap().unwrap();
    let record = vault.find(subject, builtin::patient().id()).unwrap()[0];
    let rules = institution.rules().clone();
    let node = Node::new(Arc::new(institution), Config::default(), Metrics::new().unwrap()).await.unwrap();
    let admit = |name: &str, role: PartyRole| {
        let secrets = PartySecrets::generate(name.parse().unwrap(), &mut OsRng);
        node.parties().admit(secrets.card().unwrap(), [role].into()).unwrap();
        secrets
    };
    let until = now().plus_seconds(3_600).unwrap();
    let doctor = admit("dr-ada", PartyRole::Reader);
    let verifier = admit("insurer", PartyRole::Verifier);
    let researcher = admit("dr-stat", PartyRole::Researcher);
    let grant = GrantOrder {
        party: "dr-ada".parse().unwrap(),
        tier: 4,
        purpose: "TREAT".to_owned(),
        until,
        schemas: vec!["patient".to_owned()],
        subject: Some(hospital::record_number(0)),
    };
    let data_set = DataSetOrder {
        name: "wards".parse().unwrap(),
        schemas: vec!["patient".to_owned()],
        budget: MicroEpsilon::new(9_000_000),
    };
    let project = ProjectOrder {
        title: "falls on wards".to_owned(),
        researcher: "dr-stat".parse().unwrap(),
        purpose: "HRESCH".to_owned(),
        data_set: "wards".parse().unwrap(),
        threshold: 5,
        budget: MicroEpsilon::new(8_000_000),
        until,
    };
    let mut project_id = None;
    let find = Command::Find { subject: hospital::record_number(0) };
    for command in [Command::Grant(grant), Command::OpenDataSet(data_set), Command::OpenProject(project), find] {
        shown.push(format!("{command:?}"));
        let done = operator::run(&node, command).await;
        assert_eq!(done.status, 0, "{done:?}");
        shown.push(format!("{done:?}"));
        project_id = project_id.or(done.outcome["project"].as_str().map(|id| id.parse().unwrap()));
    }
    let query = QueryWish {
        project: project_id.unwrap(),
        schema: "patient".to_owned(),
        cohort: "gender == \"female\"".to_owned(),
        histogram: None,
        pay: MicroEpsilon::new(1_000_000),
    };
    House { trust, doctor, verifier, researcher, record, query, rules, shown }
}

impl House {
    /// Asks, opens and counts, and does each in wrong ways too; returns what came back that is not meant to be read.
    async fn live(&mut self, address: &str) -> Vec<String> {
        let channel = Endpoint::from_shared(address.to_owned()).unwrap().connect().await.unwrap();
        let chain = self.trust.chain.clone();
        let by = |secrets| Party { secrets, chain: chain.clone() };
        let mut errors = Vec::new();
        let number = hospital::record_number(0);
        let request =
            ask(&question(&[("patient", "birthDate <= yearsAgo(18)")]), &self.trust, now(), &mut OsRng).unwrap();
        for (subject, answered) in [(number.clone(), true), (hospital::record_number(77), false)] {
            let asker = by(&self.verifier);
            let taken = asker.ask(&channel, &request, &subject, now(), &mut OsRng).await.unwrap();
            let reply = asker.reply(&channel, &taken.question, now(), &mut OsRng).await.unwrap();
            assert_eq!(matches!(reply, Reply::Evidence(_)), answered);
            if let Reply::Evidence(evidence) = reply {
                errors.push(serde_json::to_string(&evidence).unwrap());
            }
        }
        let wish = |tier: u8, purpose: &str| OpenWish {
            record: self.record,
            tier,
            purpose: purpose.to_owned(),
            emergency: false,
            reason: String::new(),
        };
        let parcels = by(&self.doctor).open(&channel, &wish(4, "TREAT"), now(), &mut OsRng).await.unwrap();
        let parcel = Parcel::from_json(&parcels[0]).unwrap();
        let opened = parcel.open(&self.doctor, self.record, &self.rules, now()).unwrap();
        assert!(!opened.fields.is_empty());
        self.shown.push(format!("{parcel:?} {opened:?} {:?}", self.doctor));
        errors.push(String::from_utf8(parcels[0].clone()).unwrap()); // sealed
        let counted = by(&self.researcher).query(&channel, &self.query, now(), &mut OsRng).await.unwrap();
        errors.push(format!("{counted:?}"));

        // what is refused, with values where none should be
        let refused = |error: ClientError| format!("{error} {error:?}");
        errors.push(refused(by(&self.doctor).open(&channel, &wish(4, "HPAYMT"), now(), &mut OsRng).await.unwrap_err()));
        errors
            .push(refused(by(&self.verifier).open(&channel, &wish(4, "TREAT"), now(), &mut OsRng).await.unwrap_err()));
        let other = QueryWish { cohort: "familyName == \"Bergström-Achebe\"".to_owned(), ..self.query.clone() };
        let _ = by(&self.researcher).query(&channel, &other, now(), &mut OsRng).await.unwrap_err();
        let told = |status: Status| format!("{status:?} {}", String::from_utf8_lossy(status.details()));
        let asked = |call: SignedCall| {
            let mut client = ProverClient::new(channel.clone());
            async move { client.ask(call).await.map(|_| ()) }
        };
        let bytes = serde_json::to_vec(&request).unwrap();
        let bad_subject = AskRequest { request: bytes.clone(), subject: number.replace('|', " ") };
        let bad_request = AskRequest { request: number.clone().into_bytes(), subject: number.clone() };
        for message in [bad_subject, bad_request] {
            let call = by(&self.verifier).sign(ASK, &message, now(), &mut OsRng);
            errors.push(told(asked(call).await.unwrap_err()));
        }
        let mut unsigned =
            by(&self.verifier).sign(ASK, &AskRequest { request: bytes, subject: number }, now(), &mut OsRng);
        unsigned.signature = vec![0; 64];
        errors.push(told(asked(unsigned).await.unwrap_err()));
        errors
    }

    /// Asks once more, now that the records cannot be read.
    async fn ask_in_vain(&self, address: &str) {
        let channel = Endpoint::from_shared(address.to_owned()).unwrap().connect().await.unwrap();
        let asker = Party { secrets: &self.verifier, chain: self.trust.chain.clone() };
        let asked = Question { ..question(&[("patient", "birthDate <= yearsAgo(18)")]) };
        let request = ask(&asked, &self.trust, now(), &mut OsRng).unwrap();
        let taken = asker.ask(&channel, &request, &hospital::record_number(0), now(), &mut OsRng).await.unwrap();
        assert!(matches!(asker.reply(&channel, &taken.question, now(), &mut OsRng).await.unwrap(), Reply::Refused));
        let doctor = Party { secrets: &self.doctor, chain: self.trust.chain.clone() };
        let (purpose, reason) = ("TREAT".to_owned(), String::new());
        let wish = OpenWish { record: self.record, tier: 4, purpose, emergency: false, reason };
        assert!(doctor.open(&channel, &wish, now(), &mut OsRng).await.is_err());
    }
}

fn damage_all(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { damage_all(&path) } else { std::fs::write(path, b"damaged").unwrap() }
    }
}

#[test]
fn nothing_that_a_run_writes_holds_what_went_in() {
    let (data, trust) = found("secrecy-run");
    let runtime = runtime();
    let institution = open(&data);
    let documents = hospital::generate(1, 3, date!(2026 - 06 - 15));
    let mut shown = Vec::new();
    let mut patterns = runtime.block_on(async {
        take_in(&institution, &Source::new("secret").unwrap(), &documents).await;
        what_went_in(&institution, &documents, &mut shown).await
    });
    // what the schemas say is public: systems, units, codes; and what the askers write themselves
    let schemas: Vec<u8> = builtin::all().iter().flat_map(|schema| schema.to_bytes()).collect();
    patterns.forget(&schemas);
    assert!(patterns.count() > 1_000, "{}", patterns.count());
    let mut house = runtime.block_on(furnish(institution, trust, shown));

    let port = free_port();
    let text = format!(
        "[log]\nformat = \"json\"\nlevel = \"debug\"\n[metrics]\nlisten = \"{port}\"\n\
        [questions]\nslot_ms = 100\ndelay_ms = 300\n"
    );
    std::fs::write(data.join("serve.toml"), text).unwrap();
    let serving = program::serve(command(program::words_of(&data)));
    let errors = runtime.block_on(house.live(&serving.address));
    damage_all(&data.join("vault").join("blobs"));
    runtime.block_on(house.ask_in_vain(&serving.address));
    let metrics = metrics::get(port);
    serving.kill("-TERM");
    let (status, log) = serving.ends();
    assert_eq!(status, Some(0), "{log}");
    assert!(log.contains("Prover/Ask") && log.contains("Records/Open") && log.contains("ERROR"), "{log}");
    assert!(metrics.contains("vouchsafe_questions_total 3"), "{metrics}");

    for (what, text) in
        [("log", &log), ("metrics", &metrics), ("errors", &errors.join("\n")), ("Debug", &house.shown.join("\n"))]
    {
        assert!(text.len() > 100, "{what}");
        assert_eq!(patterns.found(text.as_bytes()), BTreeSet::new(), "{what}");
    }
    for folder in std::fs::read_dir(&data).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            assert_eq!(patterns.found(&bytes_below(&folder)), BTreeSet::new(), "{}", folder.display());
        }
    }

    // the control: a value that is planted in the log is found, in each of its forms
    let secret = "Bergström-Achebe";
    assert!(
        secret.len() >= LENGTH_MIN && patterns.found(serde_json::to_string(&documents).unwrap().as_bytes()).len() > 100
    );
    for planted in [secret.to_owned(), hex::encode(secret)] {
        assert_eq!(patterns.found(format!("{log}{planted}").as_bytes()).len(), 1);
    }
    let encoded = patterns_of_birth();
    for planted in [encoded.to_vec(), hex::encode(encoded).into_bytes()] {
        assert!(!patterns.found(&[log.as_bytes(), &planted].concat()).is_empty());
    }
}

/// The protagonist's family name as a field element.
fn patterns_of_birth() -> [u8; 32] {
    let value = vouchsafe_circuits::record::Value::Date(vouchsafe_circuits::record::Day::new(5_250)); // 1984-05-17
    let schema = builtin::patient();
    let (_, field) = schema.field("birthDate").unwrap();
    *field.encode(&value).unwrap().as_bytes()
}
