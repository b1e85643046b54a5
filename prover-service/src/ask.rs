//! Asking: a verifier's question as a request, made offline from its trust file.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};
use vouchsafe_ledger_types::ids::{MemberId, MemberName};
use vouchsafe_ledger_types::request::{Part, REQUEST_VERSION, Request, RequestError, RequestNonce};
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;

use crate::predicate::{self, LANGUAGE, PredicateError};

/// What a verifier wants to know.
#[derive(Clone, Debug)]
pub struct Question {
    /// The predicate, in CEL.
    pub predicate: String,
    /// The schema of the records.
    pub schema: Schema,
    /// The member that must have committed the record.
    pub issuer: MemberName,
    /// Who asks.
    pub verifier: String,
    /// What for.
    pub purpose: String,
    /// On what legal ground.
    pub legal_basis: Option<String>,
    /// When the question lapses.
    pub expires: BlockTime,
    /// How old the seal under an answer may be.
    pub max_age_seconds: u64,
}

/// Why a question cannot be asked. The fault is the asker's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The predicate cannot be proved.
    #[error(transparent)]
    Predicate(#[from] PredicateError),
    /// The trust file names no key for the statement.
    #[error("the trust file names no verifying key for {0}: fetch a newer one")]
    NoKey(String),
    /// The trust file is too old to ask with.
    #[error("the trust file is past its refresh-by date: fetch a newer one")]
    StaleTrust,
    /// The question would lapse before it is asked.
    #[error("the request would expire before it is asked: give a later time")]
    Expired,
    /// A field of the request is out of its bounds.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// Makes a request. The nonce comes from `rng`.
pub fn ask(
    question: &Question,
    trust: &Trust,
    now: BlockTime,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Request, AskError> {
    if now > trust.refresh_by {
        return Err(AskError::StaleTrust);
    }
    if question.expires <= now {
        return Err(AskError::Expired);
    }
    let asked_on = now.day();
    let predicate = predicate::compile(&question.predicate, &question.schema, day(asked_on))?;
    let no_key = || AskError::NoKey(predicate.statement.name().to_owned());
    let key = trust.key_for(predicate.statement).ok_or_else(no_key)?;
    let mut nonce = [0; 32];
    rng.fill_bytes(&mut nonce);
    let request = Request {
        version: REQUEST_VERSION,
        chain: trust.chain.clone(),
        suite: trust.suite,
        verifier: question.verifier.clone(),
        purpose: question.purpose.clone(),
        legal_basis: question.legal_basis.clone(),
        asked_on,
        nonce: RequestNonce::new(nonce),
        expires: question.expires,
        max_age_seconds: question.max_age_seconds,
        parts: vec![Part {
            statement: predicate.statement,
            key,
            issuer: MemberId::of(&trust.chain, &question.issuer),
            schema: String::from_utf8_lossy(&question.schema.to_bytes()).into_owned(),
            language: LANGUAGE.to_owned(),
            predicate: question.predicate.clone(),
            clauses: predicate.clauses,
            table: predicate.table,
        }],
    };
    request.check()?;
    Ok(request)
}

/// The compiler that verifying hands the parts of a request to.
pub fn compile_part(part: &Part, asked_on: u32) -> Result<(Vec<Clause>, TruthTable), String> {
    if part.language != LANGUAGE {
        return Err(format!("the predicate is in {:?}; this program compiles {LANGUAGE}", part.language));
    }
    let schema = part.schema().map_err(|e| e.to_string())?;
    let predicate = predicate::compile(&part.predicate, &schema, day(asked_on)).map_err(|e| e.to_string())?;
    if predicate.statement != part.statement {
        return Err(format!("the predicate needs {}, not {}", predicate.statement.name(), part.statement.name()));
    }
    Ok((predicate.clauses, predicate.table))
}

/// A built-in schema by its name.
pub fn schema_named(name: &str) -> Option<Schema> {
    builtin::by_name(name)
}

fn day(days: u32) -> Day {
    Day::new(i32::try_from(days).unwrap_or(i32::MAX))
}
