//! The configuration of a service: one strict TOML file. A key that is not known is an error, never ignored.
//!
//! ```text
//! --config FILE, else DIR/serve.toml, else the defaults below; --listen on the command line wins
//! ```
//!
//! Units stand in the names (`_seconds`, `_ms`, `_bytes_max`). File names are relative to the file that names them.
//! No secret stands in it: the passphrase comes from where every verb takes it.

mod limits;
mod questions;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use limits::{Limits, LimitsError};
pub use questions::QuestionsConfig;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where the services listen.
    pub listen: SocketAddr,
    /// Serves without TLS on addresses that other machines can reach. For test networks alone.
    pub dangerous_plaintext: bool,
    /// Certificates; without them the service speaks plaintext, on loopback alone.
    pub tls: Option<TlsFiles>,
    /// How much is taken on at a time.
    pub limits: Limits,
    /// Who may bring records.
    pub records: RecordsConfig,
    /// What evidence is verified against.
    pub verifier: VerifierConfig,
    /// How questions are answered online.
    pub questions: QuestionsConfig,
    /// What is written down.
    pub log: LogConfig,
    /// Where Prometheus reads.
    pub metrics: Option<MetricsConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 7443)),
            dangerous_plaintext: false,
            tls: None,
            limits: Limits::default(),
            records: RecordsConfig::default(),
            verifier: VerifierConfig::default(),
            questions: QuestionsConfig::default(),
            log: LogConfig::default(),
            metrics: None,
        }
    }
}

/// The files of TLS, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate and those between it and the root.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// Who signs the certificates of clients; without it no client is asked for one.
    #[serde(default)]
    pub client_ca_file: Option<PathBuf>,
    /// Whether a client without a certificate is let in.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// No connection without one.
    #[default]
    Required,
    /// Who has none connects all the same, and has no name.
    Optional,
}

/// Who may bring records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordsConfig {
    /// DNS or URI names in client certificates. Compared letter by letter: `*` stands for nothing.
    pub operators: Vec<String>,
}

/// What evidence is verified against.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifierConfig {
    /// Trust files of other ledgers, besides the institution's own.
    pub trust_files: Vec<PathBuf>,
}

/// What is written to standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// One line for people, or one JSON object for machines.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// From which weight on a line is written. It concerns this program's own lines: of the libraries only warnings are
/// written, since their details could hold what clients send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// What went wrong on our side.
    Error,
    /// What may go wrong.
    Warn,
    /// Start, stop, and each call by its method.
    #[default]
    Info,
    /// Connections too.
    Debug,
}

/// Where Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Plain HTTP, for whoever can reach it.
    pub listen: SocketAddr,
}

/// Why a configuration was refused. The fault is whoever wrote it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {0} cannot be read")]
    Io(PathBuf, #[source] std::io::Error),
    /// It is not TOML of this form.
    #[error("the configuration {0} is not valid: {1}")]
    Form(PathBuf, String),
    /// A limit that cannot be.
    #[error("the configuration is not valid: {0}")]
    Limits(#[from] LimitsError),
    /// Other machines could reach it, and there is no TLS.
    #[error(
        "{0} can be reached by other machines: give [tls], listen on 127.0.0.1, or set dangerous_plaintext on a test network"
    )]
    Plaintext(SocketAddr),
    /// An operator that no certificate can name.
    #[error("records.operators can name nobody: it needs [tls] with client_ca_file")]
    OperatorsWithoutTls,
    /// An operator's name that is none.
    #[error("records.operators: {0:?} is not a name as in a certificate: no spaces, no '*', not empty")]
    Operator(String),
}

impl Config {
    /// The configuration of a folder: this file, else `DIR/serve.toml`, else the defaults.
    pub fn find(data: &Path, file: Option<&Path>) -> Result<Config, ConfigError> {
        let own = data.join("serve.toml");
        match file {
            Some(file) => Config::read(file),
            None if own.exists() => Config::read(&own),
            None => Ok(Config::default()),
        }
    }

    /// Reads a file. [`Config::check`] comes after the command line has had its say.
    pub fn read(file: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|e| ConfigError::Io(file.to_owned(), e))?;
        let mut config: Config =
            toml::from_str(&text).map_err(|e| ConfigError::Form(file.to_owned(), e.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        config.files_mut().for_each(|path| *path = folder.join(&*path));
        Ok(config)
    }

    fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = self.tls.iter_mut().flat_map(|tls| {
            [Some(&mut tls.certificate_file), Some(&mut tls.key_file), tls.client_ca_file.as_mut()]
                .into_iter()
                .flatten()
        });
        tls.chain(self.verifier.trust_files.iter_mut())
    }

    /// Whether the parts fit each other.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.limits.check()?;
        self.questions.check()?;
        if self.tls.is_none() && !self.listen.ip().is_loopback() && !self.dangerous_plaintext {
            return Err(ConfigError::Plaintext(self.listen));
        }
        let has_client_ca = self.tls.as_ref().is_some_and(|tls| tls.client_ca_file.is_some());
        if !self.records.operators.is_empty() && !has_client_ca {
            return Err(ConfigError::OperatorsWithoutTls);
        }
        let bad = |name: &&String| name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '*');
        match self.records.operators.iter().find(bad) {
            Some(name) => Err(ConfigError::Operator(name.clone())),
            None => Ok(()),
        }
    }
}
