//! Load on `Verifier.Verify` over TLS: distinct proofs and some bad ones, at a set rate, and as fast as it goes.
//!
//! ```text
//! 10,000 calls an hour for 60 s       open loop: calls leave on time, however long the ones before take → p50, p99
//! 1, 2, 4 … callers for some seconds  closed loop → the most verdicts in a second
//! 600 callers                         more than it takes on: told to come again, with a delay; then it is well
//! ```
//!
//! Every verdict is compared with the one that is right.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rand::rngs::OsRng;
use serde_json::Value;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_prover_service::answer::answer;
use vouchsafe_prover_service::ask::{Asked, Question, ask};
use vouchsafe_prover_service::client::{Channel, ClientError, verify_message};
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::key_files::{KeyFolder, KeyRing};
use vouchsafe_prover_service::proto::VerifyRequest;

use super::serving::{House, Node};
use super::{Figures, median, ms, rounded};

const PROOFS: usize = 40;
const CALLS_PER_HOUR: u64 = 10_000;
const SECONDS: u64 = 60;
/// More than `work_max` and `waiting_max` together.
const TOO_MANY: usize = 600;
/// Fewer than a connection may have open.
const CALLERS_PER_CONNECTION: usize = 75;

/// A call, and the verdict that is right.
pub(super) type Call = (VerifyRequest, bool);

/// Distinct proofs about one patient, and for every fourth of them a bad one made from it.
pub(super) async fn calls(house: &House, institution: &Institution) -> anyhow::Result<Vec<Call>> {
    let keys = KeyRing::new(KeyFolder::of(&institution.layout().keys()), house.trust.suite);
    let subject = hospital::record_number(0).parse()?;
    let now = SystemClock.now();
    let mut made = Vec::new();
    for number in 0..PROOFS {
        let predicate = format!("birthDate <= yearsAgo({})", 18 + number % 20);
        let question = Question {
            parts: vec![Asked { schema: builtin::patient(), predicate }],
            with_consent: false,
            issuer: "hospital".parse()?,
            verifier: "insurer".to_owned(),
            purpose: "HPAYMT".to_owned(),
            legal_basis: None,
            expires: now.plus_seconds(86_400).context("a day")?,
            max_age_seconds: 86_400,
        };
        let request = ask(&question, &house.trust, now, &mut OsRng)?;
        let evidence = answer(institution, &keys, &request, &subject, &mut OsRng).await?;
        made.push((request, evidence));
    }
    let mut calls = Vec::new();
    let call = |request: &_, evidence: &_, right| {
        let (request, evidence) = (serde_json::to_vec(request)?, serde_json::to_vec(evidence)?);
        anyhow::Ok((VerifyRequest { request, evidence, as_of: None }, right))
    };
    for (number, (request, evidence)) in made.iter().enumerate() {
        calls.push(call(request, evidence, true)?);
        let (other, others) = &made[(number + 1) % made.len()];
        let mut bad = evidence.clone();
        match number % 16 {
            0 => bad.answers[0].proof = others.answers[0].proof.clone(),
            4 => {
                bad.answers[0].public.pseudonym =
                    vouchsafe_circuits::Pseudonym::new(vouchsafe_circuits::Fe::from_u64(7))
            }
            8 => bad.answers[0].public.today = vouchsafe_circuits::record::Day::new(0),
            // replayed for another request
            12 => {
                calls.push(call(other, evidence, false)?);
                continue;
            }
            _ => continue,
        }
        calls.push(call(request, &bad, false)?);
    }
    Ok(calls)
}

/// The figures of a node that serves these calls.
pub(super) async fn figures(node: &Node, calls: &[Call]) -> anyhow::Result<Figures> {
    let mut figures = Figures::new();
    let calls: Arc<[Call]> = calls.into();
    let channel = node.connect().await?;
    for call in calls.iter() {
        judged(&channel, call).await?; // and the keys are read
    }
    let took = at_rate(&channel, &calls).await?;
    figures.insert("verify_calls".to_owned(), Value::from(took.len()));
    figures.insert("verify_p50_ms".to_owned(), ms(median(&took)));
    figures.insert("verify_p99_ms".to_owned(), ms(took[took.len() * 99 / 100]));
    let mut most: f64 = 0.0;
    for callers in [1, 2, 4, 8, 16, 32] {
        most = most.max(as_fast_as_it_goes(node, &calls, callers).await?.0);
    }
    figures.insert("verify_max_per_s".to_owned(), rounded(most));
    let (done, turned_away) = as_fast_as_it_goes(node, &calls, TOO_MANY).await?;
    ensure!(turned_away > 0, "{TOO_MANY} callers were not too many");
    figures.insert("overload_turned_away".to_owned(), Value::from(turned_away));
    figures.insert("overload_verify_per_s".to_owned(), rounded(done));
    let began = Instant::now();
    while judged(&channel, &calls[0]).await? == Judged::TurnedAway {
        ensure!(began.elapsed() < Duration::from_secs(30), "it does not recover");
    }
    figures.insert("overload_recovery_ms".to_owned(), ms(began.elapsed()));
    Ok(figures)
}

#[derive(PartialEq, Eq)]
enum Judged {
    Right,
    TurnedAway,
}

/// One call; a wrong verdict is an error, and so is being turned away without a delay.
async fn judged(channel: &Channel, (message, right): &Call) -> anyhow::Result<Judged> {
    match verify_message(channel, message.clone()).await {
        Ok(verdict) if verdict.valid == *right => Ok(Judged::Right),
        Ok(verdict) => bail!("a wrong verdict: {verdict:?}"),
        Err(ClientError::Busy(delay)) if !delay.is_zero() => {
            tokio::time::sleep(delay).await;
            Ok(Judged::TurnedAway)
        }
        Err(error) => Err(error.into()),
    }
}

async fn at_rate(channel: &Channel, calls: &Arc<[Call]>) -> anyhow::Result<Vec<Duration>> {
    let began = Instant::now();
    let mut open = Vec::new();
    for number in 0..usize::try_from(CALLS_PER_HOUR * SECONDS / 3_600)? {
        let at = began + Duration::from_secs(3_600).mul_f64(number as f64 / CALLS_PER_HOUR as f64);
        let (channel, calls) = (channel.clone(), Arc::clone(calls));
        open.push(tokio::spawn(async move {
            tokio::time::sleep_until(at.into()).await;
            ensure!(judged(&channel, &calls[number % calls.len()]).await? == Judged::Right, "turned away");
            Ok(at.elapsed())
        }));
    }
    let mut took = Vec::new();
    for call in open {
        took.push(call.await??);
    }
    took.sort();
    Ok(took)
}

/// So many callers, each with its next call once the last is answered: verdicts in a second, and calls turned away.
async fn as_fast_as_it_goes(node: &Node, calls: &Arc<[Call]>, callers: usize) -> anyhow::Result<(f64, usize)> {
    const FOR: Duration = Duration::from_secs(5);
    let (done, turned_away) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut channels = Vec::new();
    for _ in 0..callers.div_ceil(CALLERS_PER_CONNECTION) {
        channels.push(node.connect().await?);
    }
    let began = Instant::now();
    let calling: Vec<_> = (0..callers)
        .map(|caller| {
            let channel = channels[caller / CALLERS_PER_CONNECTION].clone();
            let (calls, done, turned_away) = (Arc::clone(calls), Arc::clone(&done), Arc::clone(&turned_away));
            tokio::spawn(async move {
                let mut number = caller;
                while began.elapsed() < FOR {
                    match judged(&channel, &calls[number % calls.len()]).await? {
                        Judged::Right => done.fetch_add(1, Ordering::Relaxed),
                        Judged::TurnedAway => turned_away.fetch_add(1, Ordering::Relaxed),
                    };
                    number += 1;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for caller in calling {
        caller.await??;
    }
    let per_second = done.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    Ok((per_second, turned_away.load(Ordering::Relaxed)))
}
