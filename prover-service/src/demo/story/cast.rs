//! Who plays: two institutions, each with a folder, a ledger and a node, and the parties that call them.
//!
//! ```text
//! hospital   records, its own policy; its ledger has the clinic as a founding member
//! clinic     a ledger of its own; holds the hospital's trust file and verifies for whoever asks
//! ```
//!
//! Nodes and callers show certificates to each other. Passphrases are random and forgotten, so that they are stretched
//! only a little.

use std::path::Path;
use std::sync::Arc;

use rand::rngs::OsRng;
use rand::{Rng, RngCore};
use serde_json::Value as Json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::ledger::ChainRules;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::Policy;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_circuits::Suite;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::ids::{ChainId, MemberId, MemberName};
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;

use super::DemoError;
use super::certificates::Authority;
use crate::client::{Party, Remote};
use crate::config::{ClientCertificate, Config, QuestionsConfig, TlsFiles};
use crate::institution::{Founder, Founding, Institution, Pen};
use crate::key_files::KeyPair;
use crate::node::Node;
use crate::operator::{Command, Done};
use crate::server::{Caller, ServeError, Server};
use crate::telemetry::Metrics;

/// The member that holds the records.
pub(super) const HOSPITAL: &str = "st-mary";
/// The member that verifies for others.
pub(super) const CLINIC: &str = "north-clinic";

/// What the hospital adds to the standard policy.
const HOUSE_RULES: &str = r#"
// Research may ask about somebody who consented to this very asker and purpose.
@id("research-needs-consent")
forbid (principal, action == Action::"answer", resource)
when { context.purpose == "HRESCH" && !context.consent };

// A court's question is looked at by a person.
@id("courts-are-answered-by-a-person")
forbid (principal, action == Action::"answer", resource)
when { context.purpose == "HLEGAL" && !context.person };
"#;

/// Answers leave often here, and soon: nobody has to wait for the story.
fn hasty() -> QuestionsConfig {
    QuestionsConfig { slot_ms: 250, delay_ms: 500, per_slot: 8, slots_ahead: 400, ..QuestionsConfig::default() }
}

/// Everybody in the story.
pub(super) struct Cast {
    pub(super) hospital: House,
    pub(super) clinic: House,
    /// The clinic's pen on the hospital's ledger.
    pub(super) clinic_pen: Pen,
    pub(super) insurer: Person,
    pub(super) court: Person,
    pub(super) registry: Person,
    pub(super) doctor: Person,
    pub(super) emergency_doctor: Person,
    pub(super) researcher: Person,
}

/// An institution with its node.
pub(super) struct House {
    pub(super) node: Arc<Node>,
    pub(super) trust: Trust,
    url: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

/// A party with its file, and a connection to a node under its own certificate.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) secrets: PartySecrets,
    chain: ChainId,
    pub(super) line: Channel,
}

/// What a house is made of.
struct Plot<'a> {
    folder: &'a Path,
    name: &'static str,
    suite: Suite,
    keys: Vec<KeyPair>,
    others: Vec<Founder>,
    house_rules: &'a str,
    trusts: Vec<std::path::PathBuf>,
    authority: &'a Authority,
}

impl Cast {
    /// Founds both institutions and puts them into service.
    pub(super) async fn assemble(suite: Suite, keys: Vec<KeyPair>, folder: &Path) -> Result<Cast, DemoError> {
        let authority = Authority::new(&folder.join("certificates"))?;
        let clinic_name: MemberName = CLINIC.parse().map_err(DemoError::own)?;
        let clinic_key = SigningKey::from_seed(&OsRng.r#gen());
        let others = vec![Founder { name: clinic_name.clone(), key: clinic_key.clone() }];
        let plot = Plot {
            folder,
            name: HOSPITAL,
            suite,
            keys: keys.clone(),
            others,
            house_rules: HOUSE_RULES,
            trusts: Vec::new(),
            authority: &authority,
        };
        let hospital = House::build(plot).await?;
        // what the hospital gave the clinic
        let trust_file = folder.join(format!("{HOSPITAL}.trust.json"));
        std::fs::copy(hospital.institution().layout().trust(), &trust_file).map_err(DemoError::own)?;
        let plot = Plot {
            folder,
            name: CLINIC,
            suite,
            keys,
            others: Vec::new(),
            house_rules: "",
            trusts: vec![trust_file],
            authority: &authority,
        };
        let clinic = House::build(plot).await?;
        let chain = hospital.trust.chain.clone();
        let member = MemberId::of(&chain, &clinic_name);
        let clinic_pen = Pen::new(chain, member, clinic_key, Arc::new(SystemClock));
        let person = async |name, domain, roles: &[&str]| hospital.admit(name, domain, roles, folder, &authority).await;
        Ok(Cast {
            insurer: person("harbour-insurance", "harbour.vouchsafe.example", &["verifier"]).await?,
            court: person("county-court", "court.vouchsafe.example", &["verifier"]).await?,
            registry: person("diabetes-registry", "registry.vouchsafe.example", &["verifier"]).await?,
            doctor: person("Dr. Ada Quist", "quist.vouchsafe.example", &["reader"]).await?,
            emergency_doctor: person("Dr. Ben Marlow", "marlow.vouchsafe.example", &["reader", "emergency"]).await?,
            researcher: person("Prof. Cleo Faber", "faber.vouchsafe.example", &["researcher"]).await?,
            hospital,
            clinic,
            clinic_pen,
        })
    }

    /// Somebody's connection to the clinic's node.
    pub(super) async fn line_to_clinic(&self, folder: &Path) -> Result<Channel, DemoError> {
        let certificates = folder.join("certificates");
        let file = |end: &str| certificates.join(format!("harbour.vouchsafe.example.{end}"));
        self.clinic.connect(&certificates.join("ca.pem"), (file("pem"), file("key"))).await
    }

    /// Ends both nodes.
    pub(super) async fn leave(self) -> Result<(), DemoError> {
        let Cast { hospital, clinic, .. } = self;
        let (first, second) = tokio::join!(hospital.close(), clinic.close());
        first.and(second)
    }
}

impl House {
    async fn build(plot: Plot<'_>) -> Result<House, DemoError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Plot { folder, name, suite, keys, others, house_rules, trusts, authority } = plot;
        let chain: ChainId = format!("demo-{:08x}", OsRng.next_u32()).parse().map_err(DemoError::own)?;
        let member = name.parse().map_err(DemoError::own)?;
        // the passphrase has 128 bits: nothing is to be gained by guessing
        let kdf = KdfParams::DANGEROUS_FAST;
        let founding = Founding { chain, suite, member, others, keys, kdf, clock: Arc::clone(&clock) };
        let passphrase = passphrase()?;
        let data = folder.join(name);
        let trust = founding.found(&data, &passphrase, &mut OsRng).map_err(DemoError::own)?;
        let institution = Institution::open(&data, &passphrase, clock).map_err(DemoError::own)?;
        let policy = format!("{}{house_rules}", Policy::STANDARD);
        std::fs::write(institution.layout().policy(), policy).map_err(DemoError::own)?;
        let files = authority.sign(&[&format!("{name}.vouchsafe.example"), "127.0.0.1"])?;
        let mut config = Config { listen: ([127, 0, 0, 1], 0).into(), questions: hasty(), ..Config::default() };
        config.tls = Some(TlsFiles {
            certificate_file: files.certificate,
            key_file: files.key,
            client_ca_file: Some(authority.ca_file().to_owned()),
            client_certificate: ClientCertificate::Required,
        });
        config.verifier.trust_files = trusts;
        // a slow machine proves slowly: better late than refused
        config.limits.call_seconds = 300;
        let metrics = Metrics::new().map_err(DemoError::own)?;
        let node = Arc::new(Node::new(Arc::new(institution), config, metrics).await.map_err(DemoError::own)?);
        let server = Server::bind(Arc::clone(&node)).await.map_err(DemoError::own)?;
        let url = format!("https://{}", server.address());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            // an error means that the story ended early
            let _ = stopped.await;
        }));
        Ok(House { node, trust, url, stop: Some(stop), task })
    }

    /// The institution.
    pub(super) fn institution(&self) -> &Institution {
        self.node.institution()
    }

    /// Where its node listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What a reader with its trust file judges acceptance by.
    pub(super) fn rules(&self) -> ChainRules {
        let Trust { chain, suite, base, .. } = &self.trust;
        ChainRules { chain: chain.clone(), suite: *suite, validators: base.validators.clone() }
    }

    /// Its own people do something, at the socket that nobody else reaches.
    pub(super) async fn order(&self, command: &Command) -> Result<Json, DemoError> {
        let socket = self.institution().layout().operator_socket();
        let caller = Caller::connect(&socket).await.map_err(DemoError::own)?;
        let mut caller = caller.ok_or_else(|| DemoError::missing("the operator's socket"))?;
        match caller.run(command).await.map_err(DemoError::own)? {
            Done { outcome, status: 0, .. } => Ok(outcome),
            Done { error, .. } => Err(DemoError::Own(error)),
        }
    }

    /// Makes a party with a file of its own, and admits its card.
    async fn admit(
        &self,
        name: &'static str,
        domain: &'static str,
        roles: &[&str],
        folder: &Path,
        authority: &Authority,
    ) -> Result<Person, DemoError> {
        let passphrase = passphrase()?;
        let file = folder.join(format!("{domain}.party"));
        let secrets = PartySecrets::generate(name.parse().map_err(DemoError::own)?, &mut OsRng);
        secrets.create(&file, &passphrase, KdfParams::DANGEROUS_FAST, &mut OsRng).map_err(DemoError::own)?;
        let secrets = PartySecrets::open(&file, &passphrase).map_err(DemoError::own)?;
        let card = secrets.card().map_err(DemoError::own)?;
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.order(&Command::PartyAdmit { card, roles }).await?;
        let files = authority.sign(&[domain])?;
        let line = self.connect(authority.ca_file(), (files.certificate, files.key)).await?;
        Ok(Person { name, secrets, chain: self.trust.chain.clone(), line })
    }

    async fn connect(
        &self,
        ca_file: &Path,
        identity: (std::path::PathBuf, std::path::PathBuf),
    ) -> Result<Channel, DemoError> {
        let remote =
            Remote { url: self.url.clone(), ca_file: Some(ca_file.to_owned()), identity_files: Some(identity) };
        remote.connect().await.map_err(DemoError::own)
    }

    async fn close(mut self) -> Result<(), DemoError> {
        if let Some(stop) = self.stop.take() {
            // it may have ended by itself, and then says why
            let _ = stop.send(());
        }
        self.task.await.map_err(DemoError::own)?.map_err(DemoError::own)
    }
}

impl Person {
    /// The party as a caller of the hospital's node.
    pub(super) fn party(&self) -> Party<'_> {
        Party { secrets: &self.secrets, chain: self.chain.clone() }
    }
}

fn passphrase() -> Result<Passphrase, DemoError> {
    Passphrase::new(hex::encode(OsRng.r#gen::<[u8; 16]>())).map_err(DemoError::own)
}

/// The time, for callers.
pub(super) fn now() -> BlockTime {
    SystemClock.now()
}
