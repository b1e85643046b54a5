//! Killing `vouch ingest` (SIGKILL) at random moments: what was acknowledged is there, nothing is half there.
//!
//! A killed process leaves the operating system's cache alive; what a power cut would leave is for `power_cut`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::OsRng;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use time::macros::date;
use vouchsafe_access::vault::{RecordId, RecordState};
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_ledger::engine::Engine;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::{Schemas, Source, read_bundle};
use vouchsafe_prover_service::institution::Institution;

use crate::program::{command, run, words};
use crate::scene::{found, open, runtime};

const ROUNDS: usize = 10;
const PATIENTS: usize = 200;
const SEED: u64 = 20_260_615;
/// Old receipts looked at again in each round; in the last one all are.
const SAMPLE: usize = 40;

/// A hospital's files, and how many records they hold.
pub struct Files {
    names: Vec<PathBuf>,
    records: usize,
}

pub fn write_files(folder: &Path) -> Files {
    let (source, schemas) = (Source::new("fhir").unwrap(), Schemas::built_in());
    let mut files = Files { names: Vec::new(), records: 0 };
    for (number, bundle) in hospital::generate(SEED, PATIENTS, date!(2026 - 06 - 15)).iter().enumerate() {
        let (name, bytes) = (format!("{number:03}.json"), serde_json::to_vec(bundle).unwrap());
        files.records += read_bundle(&bytes, &name, &source, &schemas).records.len();
        files.names.push(folder.join(name));
        std::fs::write(&files.names[number], bytes).unwrap();
    }
    files
}

/// What was acknowledged: whole lines alone, for a killed process may have stopped in the middle of one.
pub fn receipts(file: &Path) -> Vec<RecordId> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| line.parse().unwrap()).collect()
}

/// The words of an ingest of all files.
pub fn words_of(data: &Path, receipts: &Path, files: &Files) -> Vec<OsString> {
    let mut words = words("ingest --json --data {} --receipts {}", &[data, receipts]);
    words.extend(files.names.iter().map(|name| name.as_os_str().to_owned()));
    words
}

/// Kills a run once this many bytes are acknowledged and then some time has passed. Whether it was still running.
pub fn kill(mut child: Child, receipts: &Path, bytes: u64, then: Duration) -> bool {
    use std::os::unix::process::ExitStatusExt;
    let started = Instant::now();
    while std::fs::metadata(receipts).map_or(0, |file| file.len()) < bytes && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "ingest hangs");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(then);
    let _ = child.kill();
    child.wait().unwrap().signal() == Some(9)
}

/// Of these, the records that the ledger does not hold active or that the vault cannot open.
pub async fn lost(institution: &Institution, records: impl IntoIterator<Item = RecordId>) -> Vec<RecordId> {
    let schemas = builtin::all();
    let mut lost = Vec::new();
    for record in records {
        let (ledger, member) = (institution.ledger(), institution.member());
        let place = ledger.snapshot().unwrap().lookup(member, record.commitment()).unwrap();
        if !place.is_some_and(|place| place.active) || !opens(institution, record, &schemas).await {
            lost.push(record);
        }
    }
    lost
}

async fn opens(institution: &Institution, record: RecordId, schemas: &[Schema]) -> bool {
    let Ok(Some(summary)) = institution.vault().record(record) else { return false };
    let Some(schema) = schemas.iter().find(|schema| schema.id() == summary.schema) else { return false };
    let held = institution.vault().open_for_proof(record, schema).await;
    held.is_ok_and(|held| held.active_position().is_some())
}

/// The vault's active records, with their positions.
fn committed(institution: &Institution) -> BTreeMap<RecordId, u32> {
    let records = institution.vault().records().unwrap().map(Result::unwrap);
    let position = |state| match state {
        RecordState::Committed { position, .. } => Some(position.get()),
        _ => None,
    };
    records.filter_map(|record| Some((record.id, position(record.state)?))).collect()
}

/// Nothing is half there: after settling nothing is pending, and vault and ledger hold the same. How many they
/// hold, and how many were pending.
pub async fn is_whole(institution: &Institution) -> (usize, usize) {
    let pending = institution.vault().pending_count().unwrap();
    institution.vault().settle(&institution.bridge(), &mut OsRng).await.unwrap();
    assert_eq!(institution.vault().pending_count().unwrap(), 0);
    let committed = committed(institution);
    let positions: BTreeSet<u32> = committed.values().copied().collect();
    let snapshot = institution.ledger().snapshot().unwrap();
    let set = snapshot.anchor(institution.member()).unwrap().unwrap();
    assert_eq!(set.active, committed.len() as u64, "vault and ledger hold the same number of records");
    assert_eq!(set.next_position, positions.len() as u64, "no position is used twice or left over");
    (committed.len(), pending)
}

#[test]
fn ten_kills_lose_nothing_that_was_acknowledged() {
    let (data, _) = found("crash");
    let home = data.parent().unwrap();
    let files = write_files(home);
    let mut rng = ChaCha20Rng::seed_from_u64(SEED);
    let runtime = runtime();
    let (mut all, mut lost_in_all, mut kills) = (BTreeSet::new(), 0, 0);
    let mut pending_in_all = 0;
    while kills < ROUNDS {
        let file = home.join(format!("receipts-{kills}"));
        // the first is killed as it starts; the others are spread over the whole, and leave some of it for the next
        let lines = if kills == 0 { 0 } else { rng.gen_range(0..(files.records - all.len()) / 4) };
        let then = Duration::from_micros(rng.gen_range(0..60_000));
        let was_running =
            kill(command(words_of(&data, &file, &files)).spawn().unwrap(), &file, 65 * lines as u64, then);
        assert!(was_running, "ingest ended before it was killed: give the hospital more patients");
        let acknowledged = receipts(&file);
        let sample: Vec<RecordId> =
            all.iter().copied().filter(|_| rng.gen_ratio(1, (all.len() / SAMPLE + 1) as u32)).collect();
        let institution = open(&data);
        let lost = runtime.block_on(async {
            let lost = lost(&institution, acknowledged.iter().copied().chain(sample)).await;
            pending_in_all += is_whole(&institution).await.1;
            lost
        });
        lost_in_all += lost.len();
        assert!(all.is_disjoint(&acknowledged.iter().copied().collect()), "a record was acknowledged as new twice");
        all.extend(acknowledged);
        kills += 1;
    }
    println!(
        "kill_rounds: {kills}, acknowledged: {} of {}, lost: {lost_in_all}; {pending_in_all} were under way",
        all.len(),
        files.records
    );
    assert_eq!(lost_in_all, 0);
    assert!(!all.is_empty() && all.len() < files.records, "the kills came in the middle");
    finishes(&data, &files, all);
}

/// Running the same files again does the rest, once.
fn finishes(data: &Path, files: &Files, acknowledged: BTreeSet<RecordId>) {
    let file = data.parent().unwrap().join("receipts-last");
    let report = run(command(words_of(data, &file, files))).exits(0).json();
    assert_eq!(
        report["added"].as_u64().unwrap() + report["unchanged"].as_u64().unwrap(),
        files.records as u64,
        "{report}"
    );
    assert_eq!(report["added"].as_u64().unwrap() as usize, receipts(&file).len());
    let institution = open(data);
    runtime().block_on(async {
        assert_eq!(is_whole(&institution).await, (files.records, 0));
        let all: BTreeSet<RecordId> = acknowledged.into_iter().chain(receipts(&file)).collect();
        // the check opens every record; what is left to see is that each receipt names one that is active
        let committed = committed(&institution);
        assert!(all.iter().all(|record| committed.contains_key(record)));
        let check =
            institution.vault().check(&builtin::all().into_iter().map(Arc::new).collect::<Vec<_>>()).await.unwrap();
        assert!(check.is_sound() && check.pending == 0 && check.opened == files.records, "{check:?}");
    });
}

/// The control: an id that nobody acknowledged is found to be lost.
#[test]
fn an_invented_receipt_is_found_out() {
    let scene = crate::scene::scene();
    let invented: RecordId = format!("{}00", "01".repeat(31)).parse().unwrap();
    let real = scene.institution.vault().records().unwrap().next().unwrap().unwrap().id;
    assert_eq!(scene.block_on(lost(&scene.institution, [real, invented])), [invented]);
}
