//! The `vouch` program as somebody at a shell meets it: arguments in, exit status, text out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value as Json;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_prover_service::key_files::{KeyFolder, KeyPair};

/// What the tests' keystores open with.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as one JSON object.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not one object of JSON: {e}: {self:?}"))
    }

    /// The same, once the exit status is this.
    pub fn exits(self, status: i32) -> Ran {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }
}

/// Development keys, made once per target folder.
pub fn keys() -> Vec<KeyPair> {
    static KEYS: OnceLock<Vec<KeyPair>> = OnceLock::new();
    let make = || {
        let folder = KeyFolder::of(&keys_folder());
        Statement::ALL.map(|statement| folder.load_or_make(Suite::Bn254, statement).unwrap()).to_vec()
    };
    KEYS.get_or_init(make).clone()
}

fn keys_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys")
}

/// `vouch` with these arguments, the passphrase in its environment and nothing to read from.
pub fn command<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Command {
    keys(); // so that two programs do not make them at one time
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouch"));
    command.args(arguments).env("VOUCH_KEYS", keys_folder()).env("VOUCH_PASSPHRASE", PASSPHRASE);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it.
pub fn run(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs `vouch` with the words of a line; `{}` words come from the paths, in order.
pub fn vouch(line: &str, paths: &[&Path]) -> Ran {
    run(command(words(line, paths)))
}

/// The words of a line; `{}` words come from the paths, in order.
pub fn words(line: &str, paths: &[&Path]) -> Vec<std::ffi::OsString> {
    let mut paths = paths.iter();
    let word = |word: &str| match word {
        "{}" => paths.next().unwrap().as_os_str().to_owned(),
        word => word.into(),
    };
    let words = line.split_whitespace().map(word).collect();
    assert!(paths.next().is_none(), "more paths than places in {line:?}");
    words
}

/// An empty folder for a test, made anew on each run; its name tells whose it is.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes JSON to a file of a folder.
pub fn write(folder: &Path, name: &str, json: &Json) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, json.to_string()).unwrap();
    path
}
