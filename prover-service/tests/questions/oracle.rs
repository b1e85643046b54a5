//! The remote truth oracle: all that an asker and its neighbour can see of questions, and whether it tells their answers.
//!
//! ```text
//! schedule fixed in advance:  question i by tenant i mod 2 at i·period: true, false, unknown or denied, in random order
//! seen of each                time of Ask · lateness against the slot · time in all · status · size
//!                             the neighbour's own next question · its other calls meanwhile · every metric's difference
//! ```
//!
//! `VOUCH_ORACLE_QUESTIONS` says how many; 160 if it is not set. The control is the same node with slots and decoys off.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use tonic::transport::Channel;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_prover_service::config::Config;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::proto::ledger_client::LedgerClient;
use vouchsafe_prover_service::proto::{AskResponse, HeightRef, QuestionRef};
use vouchsafe_prover_service::server::ANSWER;

use super::classify::{Score, Seen, scores};
use super::desk::{ADULT, AGELESS, CHILD, Desk, NOBODY, OF_AGE, Said, answer_with, ask_with, set};
use crate::scene::scene;

const TENANTS: [&str; 2] = ["insurer", "surgery"];
/// Refused at every institution whose policy this is.
const POLICY: &str = "permit (principal in Role::\"verifier\", action == Action::\"answer\", resource)
    when { context.purpose != \"HMARKT\" };";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    True,
    False,
    Unknown,
    Denied,
}

const CLASSES: [Class; 4] = [Class::True, Class::False, Class::Unknown, Class::Denied];

/// A question of the schedule.
#[derive(Clone)]
struct Planned {
    class: Class,
    tenant: usize,
    request: Request,
    patient: usize,
}

/// What was seen of one.
#[derive(Clone, Debug)]
struct Trace {
    began: Instant,
    ask_ms: f64,
    total_ms: f64,
    late_ms: f64,
    code: i32,
    bytes: usize,
    metrics: Vec<(String, f64)>,
}

fn questions() -> usize {
    std::env::var("VOUCH_ORACLE_QUESTIONS").map_or(160, |text| text.parse().unwrap())
}

/// As many of each class for each tenant, in an order that nothing seen later changes.
fn plan(desk: &Desk, questions: usize) -> Vec<Planned> {
    let mut rng = ChaCha20Rng::seed_from_u64(2026);
    let mut of_tenant = TENANTS.map(|_| {
        let mut classes: Vec<Class> = CLASSES.into_iter().cycle().take(questions.div_ceil(2)).collect();
        classes.shuffle(&mut rng);
        classes
    });
    let mut seen = 0;
    let mut planned = Vec::new();
    for number in 0..questions {
        let tenant = number % 2;
        let class = of_tenant[tenant].pop().unwrap();
        seen += 1;
        let (purpose, patient) = match class {
            Class::True => ("HPAYMT", ADULT),
            Class::False => ("HPAYMT", CHILD),
            Class::Unknown => ("HPAYMT", [AGELESS, NOBODY][seen % 2]),
            Class::Denied => ("HMARKT", [ADULT, CHILD][seen % 2]),
        };
        let request = desk.request_of(TENANTS[tenant], purpose, &[OF_AGE]);
        planned.push(Planned { class, tenant, request, patient });
    }
    planned
}

/// The metrics as they are now.
fn metrics(desk: &Desk) -> Vec<(String, f64)> {
    let text = desk.world.node.metrics().render();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    parsed.collect()
}

fn unix_ms() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Asks one question and watches everything.
async fn trace(desk: &Desk, channel: Channel, party: &PartySecrets, planned: &Planned) -> Trace {
    let call = desk.call(party, &planned.request, &hospital::record_number(planned.patient));
    let before = metrics(desk);
    let began = Instant::now();
    let taken: Said<AskResponse> = ask_with(channel.clone(), call).await;
    let ask_ms = ms(began);
    let (body, slot) = match taken {
        Ok(taken) => {
            let call = desk.sign(party, ANSWER, &QuestionRef { question: taken.question });
            (answer_with(channel, call).await, taken.answer_at as f64)
        }
        Err(status) => (Err(status), unix_ms()),
    };
    let (late_ms, total_ms) = (unix_ms() - slot, ms(began));
    let after = metrics(desk);
    let was = |name: &String| before.iter().find(|(other, _)| other == name).map_or(0.0, |(_, value)| *value);
    let metrics = after.iter().map(|(name, value)| (name.clone(), value - was(name))).collect();
    let (code, bytes) = body.as_ref().map_or_else(|status| (status.code() as i32, 0), |body| (0, body.len()));
    Trace { began, ask_ms, total_ms, late_ms, code, bytes, metrics }
}

/// The neighbour's other calls, one after another, until the end: when, and how long each took.
type Probes = Arc<Mutex<Vec<(Instant, f64)>>>;

async fn probe(channel: Channel, unknown: impl Fn() -> vouchsafe_prover_service::proto::SignedCall, probes: Probes) {
    loop {
        for ledger in [true, false] {
            let began = Instant::now();
            if ledger {
                let _ = LedgerClient::new(channel.clone()).get_seal(HeightRef { height: None }).await;
            } else {
                // a question that there is not: the same lock, and no page
                let _ = answer_with(channel.clone(), unknown()).await;
            }
            probes.lock().unwrap().push((began, ms(began)));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Everything that was seen, as one row of numbers for each question.
struct Observed {
    classes: Vec<Class>,
    rows: Vec<Vec<f64>>,
    names: Vec<String>,
}

fn observe(name: &'static str, questions: usize, change: impl FnOnce(&mut Config)) -> Observed {
    // how long a question takes on this machine, now
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let request = scene().ask(OF_AGE.1);
        let began = Instant::now();
        scene().answer(&request).unwrap();
        took.push(began.elapsed());
    }
    took.sort();
    let period = (took[2] * 2).clamp(Duration::from_millis(150), Duration::from_secs(1));
    let desk = Arc::new(set(name, Some(POLICY), |config| {
        config.questions.slot_ms = 100;
        config.questions.delay_ms = 2 * period.as_millis() as u64;
        config.questions.per_slot = 4;
        config.questions.slots_ahead = 600;
        config.limits.call_seconds = 3_600;
        config.limits.open_calls_max = 100_000;
        change(config);
    }));
    let planned = plan(&desk, questions);
    let size = serde_json::to_vec(&planned[0].request).unwrap().len();
    assert!(planned.iter().all(|p| serde_json::to_vec(&p.request).unwrap().len() == size));
    let parties = TENANTS.map(|tenant| desk.admit(tenant, &[PartyRole::Verifier]));
    let channels = TENANTS.map(|tenant| desk.world.connect_as(tenant));
    let probes = Probes::default();
    let traces: Vec<Trace> = desk.world.block_on(async {
        let nothing = QuestionRef { question: vec![7; 32] };
        let unknown = || desk.sign(&parties[1], ANSWER, &nothing);
        let probing = probe(channels[1].clone(), unknown, Arc::clone(&probes));
        let began = Instant::now() + Duration::from_millis(300);
        let asking = (0u32..).zip(&planned).map(|(number, planned)| {
            let (desk, planned) = (Arc::clone(&desk), planned.clone());
            let (party, channel) = (parties[planned.tenant].clone(), channels[planned.tenant].clone());
            desk.clone().world.spawn(async move {
                tokio::time::sleep_until((began + period * number).into()).await;
                trace(&desk, channel, &party, &planned).await
            })
        });
        let asking: Vec<_> = asking.collect();
        let traced = async {
            let mut traces = Vec::new();
            for one in asking {
                traces.push(one.await.unwrap());
            }
            traces
        };
        tokio::select! {
            traces = traced => traces,
            () = probing => unreachable!(),
        }
    });
    let seconds = (period * questions as u32).as_secs();
    eprintln!("oracle {name}: {questions} questions, one every {period:?}, {seconds} s");
    assert!(traces.iter().filter(|trace| trace.code == 0).count() * 10 >= traces.len() * 9, "{:?}", traces[0]);
    check_outcomes(&desk, &planned);
    let probes = probes.lock().unwrap().clone();
    let classes = planned.iter().map(|planned| planned.class).collect();
    let (names, rows) = rows(&traces, &probes, period);
    Observed { classes, rows, names }
}

/// The node really said to each question what the plan says.
fn check_outcomes(desk: &Desk, planned: &[Planned]) {
    let outcomes = desk.outcomes();
    for class in CLASSES {
        let asked = planned.iter().filter(|planned| planned.class == class && planned.patient != NOBODY).count();
        let outcome = match class {
            Class::True => Outcome::Holds,
            Class::False => continue, // nobody is logged as a no, too
            Class::Unknown => Outcome::Unknown,
            Class::Denied => Outcome::Denied,
        };
        let logged = outcomes.iter().filter(|logged| **logged == outcome).count();
        assert!(logged * 10 >= asked * 9 && logged <= asked, "{class:?}: {logged} of {asked}");
    }
}

fn rows(traces: &[Trace], probes: &[(Instant, f64)], period: Duration) -> (Vec<String>, Vec<Vec<f64>>) {
    let metric_names: BTreeSet<&String> =
        traces.iter().flat_map(|trace| trace.metrics.iter().map(|(name, _)| name)).collect();
    let own = ["ask", "total", "lateness", "status", "size"];
    let others = ["neighbour's ask", "neighbour's lateness", "neighbour's mean call", "neighbour's longest call"];
    let mut names: Vec<String> = own.iter().chain(&others).map(|name| (*name).to_owned()).collect();
    names.extend(metric_names.iter().map(|name| (*name).clone()));
    let row = |(number, trace): (usize, &Trace)| {
        let next = traces.get(number + 1).unwrap_or(trace);
        let window = trace.began..trace.began + period;
        let calls: Vec<f64> = probes.iter().filter(|(at, _)| window.contains(at)).map(|(_, took)| *took).collect();
        let mean = calls.iter().sum::<f64>() / calls.len().max(1) as f64;
        let longest = calls.iter().copied().fold(0.0, f64::max);
        let own = [trace.ask_ms, trace.total_ms, trace.late_ms, f64::from(trace.code), trace.bytes as f64];
        let mut row = own.to_vec();
        row.extend([next.ask_ms, next.late_ms, mean, longest]);
        let metric = |name: &&&String| trace.metrics.iter().find(|(other, _)| other == **name).map_or(0.0, |(_, d)| *d);
        row.extend(metric_names.iter().map(|name| metric(&name)));
        row
    };
    (names, traces.iter().enumerate().map(row).collect())
}

/// Each pair of classes by each classifier.
fn judge(observed: &Observed) -> Vec<((Class, Class), String, Score)> {
    let mut judged = Vec::new();
    for (n, one) in CLASSES.into_iter().enumerate() {
        for other in CLASSES.into_iter().skip(n + 1) {
            let (mut train, mut test): (Vec<Seen<'_>>, Vec<Seen<'_>>) = Default::default();
            for (number, (class, row)) in observed.classes.iter().zip(&observed.rows).enumerate() {
                if [one, other].contains(class) {
                    // both tenants in both halves
                    let half = if number / 2 % 2 == 0 { &mut train } else { &mut test };
                    half.push((*class == one, row));
                }
            }
            let scores = scores(&train, &test, &observed.names);
            judged.extend(scores.into_iter().map(|(name, score)| ((one, other), name, score)));
        }
    }
    for ((one, other), name, score) in &judged {
        let Score { accuracy, bound } = score;
        eprintln!("oracle: {one:?} against {other:?} by {name}: {accuracy:.3}, chance stays below {bound:.3}");
    }
    judged
}

#[test]
fn nothing_that_can_be_seen_tells_the_answer() {
    let judged = judge(&observe("questions-oracle", questions(), |_| {}));
    assert_eq!(judged.len(), 18);
    let found: Vec<_> = judged.iter().filter(|(_, _, score)| score.beats_chance()).collect();
    assert!(found.is_empty(), "answers can be told apart: {found:?}");
}

/// The control: with answers that leave when they are made, and nothing made for a refusal, the same classifiers win.
#[test]
fn without_slots_the_same_classifiers_tell_the_answers() {
    let observed = observe("questions-oracle-control", questions().clamp(160, 400), |config| {
        config.questions.dangerous_without_slots = true;
    });
    let judged = judge(&observed);
    for other in [Class::False, Class::Unknown, Class::Denied] {
        let of_pair = judged.iter().filter(|(pair, _, _)| *pair == (Class::True, other));
        let best = of_pair.map(|(_, _, score)| score).max_by(|a, b| a.accuracy.total_cmp(&b.accuracy)).unwrap();
        assert!(best.beats_chance() && best.accuracy > 0.85, "True against {other:?}: {best:?}");
    }
}
