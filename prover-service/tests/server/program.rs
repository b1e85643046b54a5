//! `vouch serve` as its operator meets it: a start, a status, a stop, and a disk that fails.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tonic::transport::Endpoint;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::verifier_client::VerifierClient;
use vouchsafe_prover_service::proto::{HeightRef, SubmitRequest, VerifyRequest};

use super::ledger::disclosure_of;
use crate::program::{self, command, vouch, words};
use crate::scene::{found, open, runtime, scene};

/// A server in a process of its own.
pub struct Serving {
    child: Child,
    pub address: String,
    log: std::thread::JoinHandle<String>,
}

/// Starts it.
pub fn serve(mut command: Command) -> Serving {
    let mut child = command.spawn().unwrap();
    // read as it comes: a full pipe would stop the server
    let mut stderr = child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let Ok(said) = serde_json::from_str::<serde_json::Value>(&line) else {
        panic!("{line:?} {}", log.join().unwrap());
    };
    Serving { child, address: format!("http://{}", said["listening"].as_str().unwrap()), log }
}

/// `vouch serve` on a folder.
pub fn words_of(data: &Path) -> Vec<std::ffi::OsString> {
    words("serve --json --listen 127.0.0.1:0 --data {}", &[data])
}

impl Serving {
    pub fn kill(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Its exit status and its log.
    pub fn ends(mut self) -> (Option<i32>, String) {
        let began = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        (self.child.wait().unwrap().code(), self.log.join().unwrap())
    }
}

#[test]
fn it_starts_tells_its_status_and_stops() {
    let (data, _) = found("serve-program");
    let config = data.join("serve.toml");
    std::fs::write(&config, "[log]\nformat = \"json\"\nlevel = \"debug\"\n").unwrap();
    let serving = serve(command(words_of(&data)));
    let status = vouch("status --json --data {}", &[&data]).exits(0).json();
    assert_eq!((status["phase"].as_str(), status["member"].as_str()), (Some("serving"), Some("hospital")));
    // whoever needs the folder itself is told who has it
    let busy = vouch("serve --data {}", &[&data]).exits(3);
    assert!(busy.err.contains("another process"), "{}", busy.err);
    serving.kill("-TERM");
    let (status, log) = serving.ends();
    assert_eq!(status, Some(0), "{log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
    // without a node the same verb opens the folder; a socket left behind by a kill does not matter
    let serving = serve(command(words_of(&data)));
    serving.kill("-KILL");
    serving.ends();
    assert!(data.join("operator.sock").exists());
    vouch("status --json --data {}", &[&data]).exits(0);
    let serving = serve(command(words_of(&data)));
    serving.kill("-INT");
    assert_eq!(serving.ends().0, Some(0));
}

#[test]
fn nothing_that_is_asked_is_in_the_log_or_the_metrics() {
    let (data, _) = found("serve-log");
    let port = super::config::free_port();
    let text = format!("[log]\nlevel = \"debug\"\n[metrics]\nlisten = \"{port}\"\n");
    std::fs::write(data.join("serve.toml"), text).unwrap();
    let serving = serve(command(words_of(&data)));
    let request = scene().ask("birthDate <= yearsAgo(37)");
    let bytes = serde_json::to_vec(&request).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("yearsAgo(37)"));
    let evidence = b"{\"version\": \"1987-06-05\"}".to_vec();
    let answered = runtime().block_on(async {
        let channel = Endpoint::from_shared(serving.address.clone()).unwrap().connect().await.unwrap();
        VerifierClient::new(channel).verify(VerifyRequest { request: bytes, evidence, as_of: None }).await
    });
    assert!(answered.is_err());
    let metrics = super::metrics::get(port);
    serving.kill("-TERM");
    let (_, log) = serving.ends();
    assert!(log.contains("Verifier/Verify") && metrics.contains("Verifier/Verify"), "the call is there: {log}");
    for text in [&log, &metrics] {
        for secret in
            ["1987-06-05", "yearsAgo", "birthDate", "insurer", &hex::encode("1987-06-05"), program::PASSPHRASE]
        {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// A disk that is full from now on: files of this process end at so many blocks of 512 bytes.
fn on_a_full_disk(data: &Path, blocks: u64) -> Command {
    let serve = command(words_of(data));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")).arg(serve.get_program());
    shell.args(serve.get_args()).envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    shell
}

#[test]
fn a_write_that_fails_ends_the_process_and_loses_nothing_acknowledged() {
    let (data, _) = found("serve-full-disk");
    let entries: Vec<_> = {
        let institution = open(&data);
        (0..4_000).map(|_| disclosure_of(&institution)).collect()
    };
    let serving = serve(on_a_full_disk(&data, 1_024));
    let acknowledged = runtime().block_on(async {
        let channel = Endpoint::from_shared(serving.address.clone()).unwrap().connect().await.unwrap();
        let mut client = LedgerClient::new(channel);
        let mut acknowledged = Vec::new();
        for (id, signed_entry) in entries {
            match client.submit(SubmitRequest { signed_entry }).await {
                Ok(_) => acknowledged.push(id),
                Err(status) => {
                    assert_eq!(status.code(), tonic::Code::Unavailable, "{status:?}");
                    break;
                }
            }
        }
        assert!(client.get_seal(HeightRef { height: None }).await.is_err());
        acknowledged
    });
    let (status, log) = serving.ends();
    assert_eq!(status, Some(3), "{log}");
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    let institution = open(&data);
    let snapshot = vouchsafe_ledger::engine::Engine::snapshot(institution.ledger().as_ref()).unwrap();
    for id in acknowledged {
        assert!(snapshot.receipt(id).unwrap().is_some(), "{id} was acknowledged and is gone");
    }
}

#[test]
fn bad_usage_is_said_before_the_folder_is_opened() {
    let (data, _) = found("serve-usage");
    let public = vouch("serve --listen 0.0.0.0:0 --data {}", &[&data]).exits(2);
    assert!(public.err.contains("can be reached by other machines"), "{}", public.err);
    std::fs::write(data.join("serve.toml"), "colour = 1").unwrap();
    let unknown = vouch("serve --data {}", &[&data]).exits(2);
    assert!(unknown.err.contains("colour"), "{}", unknown.err);
    vouch("serve --data {}", &[Path::new("/nowhere/at/all")]).exits(2);
}

#[test]
fn a_party_is_made_admitted_listed_and_removed() {
    let (data, _) = found("serve-party");
    let folder = program::folder("serve-party-files");
    let (file, card) = (folder.join("ada.party"), folder.join("ada.card.json"));
    let made = vouch("party new --json --name ada --out {} --card {}", &[&file, &card]).exits(0).json();
    vouch("party new --name ada --out {} --card {}", &[&file, &card]).exits(2);
    let serving = serve(command(words_of(&data)));
    let admitted = vouch("party admit --json --role reader --role emergency --data {} {}", &[&data, &card]);
    let admitted = admitted.exits(0).json();
    assert_eq!(admitted["card"], made["card"]);
    serving.kill("-TERM");
    assert_eq!(serving.ends().0, Some(0));
    // the same, now without a node
    let listed = vouch("party list --json --data {}", &[&data]).exits(0).json();
    assert_eq!(listed["parties"][0], admitted);
    vouch("party remove --data {} ada", &[&data]).exits(0);
    vouch("party remove --data {} ada", &[&data]).exits(1);
    vouch("party admit --role king --data {} {}", &[&data, &card]).exits(2);
}
