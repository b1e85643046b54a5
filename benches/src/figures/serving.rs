//! A hospital behind `vouch serve`, in a process of its own, with TLS: what the figures of the service are measured on.
//!
//! The program is this one: a child called `vouch` does what `vouch` does, and can be killed.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::Context;
use rand::rngs::OsRng;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use vouchsafe_access::keystore::KdfParams;
use vouchsafe_access::secret::Passphrase;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_ledger::clock::SystemClock;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_prover_service::client::{Channel, Remote};
use vouchsafe_prover_service::institution::{Founding, Institution};
use vouchsafe_prover_service::key_files::KeyFolder;

const PASSPHRASE: &str = "figures";
/// The name on the client's certificate, which may bring records.
const OPERATOR: &str = "ehr.hospital.test";

/// A hospital's folder and the certificates of both ends.
pub(super) struct House {
    _folder: tempfile::TempDir,
    pub(super) data: PathBuf,
    pub(super) trust: Trust,
    files: PathBuf,
}

/// A child that is killed when this is dropped.
pub(super) struct Node {
    child: Child,
    url: String,
    files: PathBuf,
}

/// `vouch` with these arguments.
pub(super) fn vouch<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0("vouch").args(arguments).env("VOUCH_PASSPHRASE", PASSPHRASE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    Ok(command)
}

impl House {
    /// Founds it, with proving keys.
    pub(super) fn found() -> anyhow::Result<House> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("hospital");
        let cache = KeyFolder::cache()?;
        let keys = Statement::ALL.map(|statement| cache.load_or_make(Suite::Bn254, statement));
        let founding = Founding {
            chain: "figures".parse()?,
            suite: Suite::Bn254,
            member: "hospital".parse()?,
            others: Vec::new(),
            keys: keys.into_iter().collect::<Result<_, _>>()?,
            kdf: KdfParams::DANGEROUS_FAST,
            clock: Arc::new(SystemClock),
        };
        let trust = founding.found(&data, &passphrase()?, &mut OsRng)?;
        let files = folder.path().join("tls");
        certificates(&files)?;
        let house = House { data, trust, files, _folder: folder };
        house.configure()?;
        Ok(house)
    }

    fn configure(&self) -> anyhow::Result<()> {
        let file = |name: &str| self.files.join(name).display().to_string();
        let (certificate, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
        let text = format!(
            "[tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\nclient_ca_file = {ca:?}\n\
             [records]\noperators = [{OPERATOR:?}]\n[log]\nlevel = \"error\"\n"
        );
        Ok(std::fs::write(self.data.join("serve.toml"), text)?)
    }

    /// Opens it in this process; no node may run.
    pub(super) fn open(&self) -> anyhow::Result<Institution> {
        Ok(Institution::open(&self.data, &passphrase()?, Arc::new(SystemClock))?)
    }

    /// Serves it.
    pub(super) fn serve(&self) -> anyhow::Result<Node> {
        let mut command = vouch(["serve", "--json", "--listen", "127.0.0.1:0", "--data"])?;
        let mut child = command.arg(&self.data).spawn()?;
        let mut line = String::new();
        let out = child.stdout.take().context("its output")?;
        BufReader::new(out).read_line(&mut line)?;
        let said: Value = serde_json::from_str(&line).context("vouch serve did not start")?;
        let address: std::net::SocketAddr = said["listening"].as_str().context("an address")?.parse()?;
        Ok(Node { child, url: format!("https://localhost:{}", address.port()), files: self.files.clone() })
    }
}

impl Node {
    /// A connection.
    pub(super) async fn connect(&self) -> anyhow::Result<Channel> {
        let file = |name: &str| self.files.join(name);
        let remote = Remote {
            url: self.url.clone(),
            ca_file: Some(file("ca.pem")),
            identity_files: Some((file("client.pem"), file("client.key"))),
        };
        Ok(remote.connect().await?)
    }

    /// Kill -9.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn passphrase() -> anyhow::Result<Passphrase> {
    Ok(Passphrase::new(PASSPHRASE.to_owned())?)
}

/// An authority, a server called `localhost`, and a client that may bring records.
fn certificates(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
    };
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    write("ca.pem", &params.self_signed(&key)?.pem())?;
    let issuer = Issuer::new(params, key);
    for (file, name) in [("server", "localhost"), ("client", OPERATOR)] {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &issuer)?;
        write(&format!("{file}.pem"), &certificate.pem())?;
        write(&format!("{file}.key"), &key.serialize_pem())?;
    }
    Ok(())
}
