//! What was acknowledged is there after a crash: of the process (kill -9), and of the machine (everything that was not
//! synced is gone, which `shim/unsynced.c` brings about). With syncing off, the second one does lose entries.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use vouchsafe_ledger::{Engine, Options, QueryError, Solo, SubmitError};
use vouchsafe_ledger_types::receipt::ReceiptCode;

use crate::world::{clock, commit, create, hospital, reopen, validator};

const DIR: &str = "LEDGER_CRASH_DIR";
const FIRST: &str = "LEDGER_CRASH_FIRST";
const THREADS: &str = "LEDGER_CRASH_THREADS";
const NO_SYNC: &str = "LEDGER_CRASH_NO_SYNC";
const COUNT: &str = "UNSYNCED_COUNT";
/// More entries than any round gets done.
const MANY: u64 = 1 << 20;

/// An acknowledged entry, and the count of syncs before it was submitted and after it was acknowledged.
struct Ack {
    number: u64,
    syncs: (u64, u64),
}

/// Not a test of its own: the process that is killed. Submits until then.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (first, threads) = (number(FIRST).unwrap(), number(THREADS).unwrap());
    let dir = PathBuf::from(dir);
    if !dir.join("guard").exists() {
        drop(create(&dir));
    }
    let options = Options::default();
    let options = if std::env::var(NO_SYNC).is_ok() { options.dangerous_no_sync() } else { options };
    let ledger = Solo::open(&dir, validator(), clock(), options).unwrap();
    let syncs = || std::env::var(COUNT).ok().and_then(|path| std::fs::read_to_string(path).ok()?.parse().ok());
    println!();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (ledger, syncs) = (&ledger, &syncs);
            scope.spawn(move || {
                for number in (first + thread..first + MANY).step_by(threads as usize) {
                    let before: u64 = syncs().unwrap_or(0);
                    let submitted = ledger.submit(vec![hospital().sign(number, commit([number]))]);
                    if let Err(SubmitError::Stopped(_)) = submitted {
                        // It stays stopped, for all callers.
                        let again = ledger.submit(vec![hospital().sign(number + MANY, commit([number + MANY]))]);
                        assert!(matches!(again, Err(SubmitError::Stopped(_))));
                        assert!(matches!(ledger.snapshot(), Err(QueryError::Stopped(_))));
                        return writeln!(std::io::stdout().lock(), "stopped").unwrap();
                    }
                    assert_eq!(submitted.unwrap()[0].code, ReceiptCode::Accepted);
                    let after = syncs().unwrap_or(0);
                    writeln!(std::io::stdout().lock(), "ack {number} {before} {after}").unwrap();
                }
            });
        }
    });
}

fn start(dir: &Path, first: u64, threads: u64, more: &[(&str, &Path)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child", "--nocapture"]).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env(DIR, dir).env(FIRST, first.to_string()).env(THREADS, threads.to_string());
    for (name, value) in more {
        command.env(name, value);
    }
    command.spawn().unwrap()
}

/// Reads acknowledgements: `enough` of them, or for a while; then kills the process, and reads what it still said.
fn kill_after(mut child: Child, enough: usize, pause: Duration) -> Vec<Ack> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acks = Vec::new();
    while acks.len() < enough {
        match lines.next() {
            Some(line) => acks.extend(parse(&line.unwrap())),
            None => panic!("the child ended by itself: {:?}", child.wait()),
        }
    }
    std::thread::sleep(pause);
    child.kill().unwrap();
    child.wait().unwrap();
    acks.extend(lines.map_while(Result::ok).filter_map(|line| parse(&line)));
    acks
}

fn parse(line: &str) -> Option<Ack> {
    let mut words = line.strip_prefix("ack ")?.split(' ').map(|word| word.parse().ok());
    // The last line may be cut short by the kill; then it was not acknowledged either.
    let (number, before, after) = (words.next()??, words.next()??, words.next()??);
    Some(Ack { number, syncs: (before, after) })
}

fn lost(ledger: &Solo, acks: &[Ack]) -> usize {
    let snapshot = ledger.snapshot().unwrap();
    let is_lost = |ack: &&Ack| {
        let id = hospital().sign(ack.number, commit([ack.number])).id();
        let receipt = snapshot.receipt(id).unwrap();
        !receipt.is_some_and(|receipt| receipt.code.is_accepted())
    };
    acks.iter().filter(is_lost).count()
}

#[test]
fn killed_ten_times_nothing_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let mut acks: Vec<Ack> = Vec::new();
    for round in 0..10u64 {
        let child = start(&dir, 1 + round * MANY, 4, &[]);
        acks.extend(kill_after(child, 1, Duration::from_millis(7 * round * round % 97)));
        let ledger = reopen(&dir).unwrap();
        assert_eq!(lost(&ledger, &acks), 0, "round {round}");
        vouchsafe_ledger::audit::audit(&ledger.snapshot().unwrap()).unwrap();
    }
    assert!(acks.len() >= 10);
}

/// Compiles the shim.
fn shim(dir: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/unsynced.c");
    let library = dir.join("unsynced.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-pthread", "-o"]).arg(&library).arg(source).arg("-ldl");
    assert!(compiler.status().expect("a C compiler named cc is needed").success());
    library
}

/// When a sync fails, the engine stops: nothing is acknowledged any more, by any thread, and what was is there.
#[test]
fn a_failed_sync_stops_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (root, mirror, count) = (base.join("ledger"), base.join("mirror"), base.join("count"));
    std::fs::create_dir(&mirror).unwrap();
    drop(create(&root));
    let library = shim(&base);
    let mut more: Vec<(&str, &Path)> = vec![("LD_PRELOAD", &library), ("UNSYNCED_ROOT", &root)];
    more.extend([("UNSYNCED_MIRROR", mirror.as_path()), (COUNT, &count), ("UNSYNCED_FAIL", Path::new("61"))]);
    let child = start(&root, 1, 4, &more).wait_with_output().unwrap();
    let lines = String::from_utf8(child.stdout).unwrap();
    let acks: Vec<Ack> = lines.lines().filter_map(parse).collect();
    assert_eq!(lines.lines().filter(|line| *line == "stopped").count(), 4, "{lines}");
    assert!(!acks.is_empty() && acks.len() < 500);
    assert_eq!(lost(&reopen(&root).unwrap(), &acks), 0);
}

/// A power cut after 30 acknowledgements: what is lost of them, and the acknowledgements.
fn power_cut(no_sync: bool) -> (usize, Vec<Ack>) {
    let dir = tempfile::tempdir().unwrap();
    let base = dir.path().canonicalize().unwrap();
    let (root, mirror, count) = (base.join("ledger"), base.join("mirror"), base.join("count"));
    std::fs::create_dir(&mirror).unwrap();
    let library = shim(&base);
    let mut more: Vec<(&str, &Path)> =
        vec![("LD_PRELOAD", &library), ("UNSYNCED_ROOT", &root), ("UNSYNCED_MIRROR", &mirror), (COUNT, &count)];
    if no_sync {
        more.push((NO_SYNC, Path::new("yes")));
    }
    let acks = kill_after(start(&root, 1, 1, &more), 30, Duration::ZERO);
    let ledger = reopen(&mirror).unwrap();
    vouchsafe_ledger::audit::audit(&ledger.snapshot().unwrap()).unwrap();
    (lost(&ledger, &acks), acks)
}

#[test]
fn a_power_cut_loses_nothing_acknowledged() {
    let (lost, acks) = power_cut(false);
    assert_eq!(lost, 0);
    // The batch and the guard, before each acknowledgement.
    assert!(acks.iter().all(|ack| ack.syncs.1 >= ack.syncs.0 + 2), "an acknowledgement without its syncs");
}

/// The control: without syncing, the same cut loses acknowledged entries, so the test above can fail.
#[test]
fn without_syncing_a_power_cut_does_lose_entries() {
    let (lost, acks) = power_cut(true);
    assert!(lost > 0 && acks.len() >= 30);
    // The database syncs now and then for reasons of its own.
    assert!(acks.iter().filter(|ack| ack.syncs.0 == ack.syncs.1).count() > acks.len() / 2);
}
