//! The configuration: strict, and every sample in the docs is one that a server starts with.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use vouchsafe_prover_service::config::{Config, ConfigError, Limits, LimitsError};
use vouchsafe_prover_service::node::Node;
use vouchsafe_prover_service::server::{ServeError, Server, TlsError};
use vouchsafe_prover_service::telemetry::Metrics;

use super::pki::Authority;
use crate::program;
use crate::scene::{found, open, runtime};

fn samples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/samples");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "toml")).collect()
}

/// A port that nobody uses.
pub fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn every_sample_starts_a_server() {
    let samples = samples();
    assert!(samples.len() >= 3, "{samples:?}");
    let (data, _) = found("server-samples");
    let institution = Arc::new(open(&data));
    let folder = program::folder("server-samples-files");
    Authority::new().write(&folder.join("tls"));
    for sample in samples {
        // beside the files that it names
        let name = sample.file_name().unwrap();
        std::fs::copy(&sample, folder.join(name)).unwrap();
        let mut config = Config::read(&folder.join(name)).unwrap();
        config.check().unwrap();
        config.listen.set_port(0);
        if let Some(metrics) = &mut config.metrics {
            metrics.listen = free_port();
        }
        runtime().block_on(async {
            let (metrics, _exporter) = match config.metrics {
                Some(metrics) => Metrics::served(metrics.listen).map(|(m, e)| (m, Some(e))).unwrap(),
                None => (Metrics::new().unwrap(), None),
            };
            let node = Arc::new(Node::new(Arc::clone(&institution), config, metrics).await.unwrap());
            let server = Server::bind(node).await.unwrap_or_else(|e| panic!("{name:?}: {e}"));
            server.run(std::future::ready(())).await.unwrap();
        });
    }
}

#[test]
fn the_full_sample_names_every_default() {
    let full = Config::read(&samples().into_iter().find(|file| file.ends_with("serve-full.toml")).unwrap()).unwrap();
    assert_eq!(full.limits, Limits::default());
    assert_eq!((full.log, full.questions), (Config::default().log, Config::default().questions));
}

fn read(text: &str) -> Result<Config, ConfigError> {
    let file = program::folder("server-config").join("serve.toml");
    std::fs::write(&file, text).unwrap();
    Config::read(&file)
}

#[test]
fn what_is_not_known_or_not_of_its_kind_is_refused() {
    assert_eq!(read("").unwrap(), Config::default());
    for text in [
        "listens = \"127.0.0.1:1\"",
        "listen = \"localhost:1\"",
        "[limits]\nwork = 3",
        "[limits]\nwork_max = -1",
        "[limits]\nwork_max = \"3\"",
        "[tls]\ncertificate_file = \"a\"",
        "[tls]\ncertificate_file = \"a\"\nkey_file = \"b\"\nclient_certificate = \"never\"",
        "[records]\noperator = []",
        "[log]\nlevel = \"trace\"",
        "[questions]\ndangerous_without_slots = true",
        "[metrics]",
        "[other]",
        "not toml",
    ] {
        assert!(matches!(read(text), Err(ConfigError::Form(..))), "{text}");
    }
    assert!(matches!(Config::read(Path::new("/nowhere/serve.toml")), Err(ConfigError::Io(..))));
}

#[test]
fn parts_must_fit_each_other() {
    let check = |text: &str| read(text).unwrap().check();
    assert!(matches!(check("listen = \"0.0.0.0:1\""), Err(ConfigError::Plaintext(_))));
    assert!(matches!(check("listen = \"[::]:1\""), Err(ConfigError::Plaintext(_))));
    check("listen = \"[::1]:1\"").unwrap();
    check("listen = \"0.0.0.0:1\"\ndangerous_plaintext = true").unwrap();
    assert!(matches!(check("[records]\noperators = [\"a.test\"]"), Err(ConfigError::OperatorsWithoutTls)));
    let tls = "[tls]\ncertificate_file = \"a\"\nkey_file = \"b\"\nclient_ca_file = \"c\"\n";
    for name in ["", "*.test", "a b"] {
        let text = format!("{tls}[records]\noperators = [\"{name}\"]");
        assert!(matches!(check(&text), Err(ConfigError::Operator(_))), "{name}");
    }
    check(&format!("{tls}[records]\noperators = [\"a.test\", \"spiffe://test/ehr\"]")).unwrap();
    let zero = check("[limits]\nwork_max = 0").unwrap_err();
    assert!(matches!(zero, ConfigError::Limits(LimitsError::Zero("work_max"))), "{zero}");
    assert!(matches!(check("[limits]\nwork_max = 401"), Err(ConfigError::Limits(LimitsError::TooLarge(..)))));
}

#[test]
fn bad_certificates_are_named() {
    let (data, _) = found("server-certificates");
    let institution = Arc::new(open(&data));
    let folder = program::folder("server-certificates-files");
    let (mine, theirs) = (Authority::new().write(&folder.join("a")), Authority::new().write(&folder.join("b")));
    let (mine_cert, key, other) = (mine.certificate, mine.key, theirs.key);
    let start = |certificate: &Path, key: &Path, ca: &Path| {
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\nclient_ca_file = {ca:?}"
        );
        runtime().block_on(async {
            let (config, metrics) = (read(&text).unwrap(), Metrics::new().unwrap());
            let node = Node::new(Arc::clone(&institution), config, metrics).await.unwrap();
            Server::bind(Arc::new(node)).await.map(drop)
        })
    };
    start(&mine_cert, &key, &mine.clients).unwrap();
    let missing = folder.join("missing");
    assert!(matches!(start(&missing, &key, &mine.clients), Err(ServeError::Tls(TlsError::Io(..)))));
    assert!(matches!(start(&key, &key, &mine.clients), Err(ServeError::Tls(TlsError::NoCertificate(_)))));
    assert!(matches!(start(&mine_cert, &mine_cert, &mine.clients), Err(ServeError::Tls(TlsError::NoKey(_)))));
    assert!(matches!(start(&mine_cert, &key, &key), Err(ServeError::Tls(TlsError::NoCertificate(_)))));
    assert!(matches!(start(&mine_cert, &other, &mine.clients), Err(ServeError::TlsUnusable(_))));
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(matches!(start(&mine_cert, &key, &mine.clients), Err(ServeError::Tls(TlsError::KeyIsPublic(_)))));
}
