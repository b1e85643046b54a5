//! Asking: a verifier's question as a request, made offline from its trust file.
//!
//! A request has one part or several, on records of one subject. The part that has the subject's consent shown is
//! written by rule, not by the asker: its text is a function of verifier and purpose, so that a holder recomputes it
//! and compares. Spec: docs/spec/consent.md.

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::schema::{CodeForm, Schema, builtin, encode_code};
use vouchsafe_circuits::statements::fact::{Clause, TruthTable};
use vouchsafe_ledger_types::ids::{MemberId, MemberName};
use vouchsafe_ledger_types::request::{Part, REQUEST_VERSION, Request, RequestError, RequestNonce};
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::BlockTime;

use crate::predicate::{self, LANGUAGE, PredicateError};

/// What a verifier wants to know.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked, in order, all of one subject.
    pub parts: Vec<Asked>,
    /// Whether the subject's consent to this verifier and purpose must be shown along.
    pub with_consent: bool,
    /// The member that must have committed the records.
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

/// What is asked of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The record's schema.
    pub schema: Schema,
    /// What must hold, in CEL.
    pub predicate: String,
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
    /// Consent to such a purpose cannot be recorded.
    #[error("consent is given for a purpose of 1 to 15 characters: ask with a code of HL7 PurposeOfUse")]
    Purpose,
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
    let consent = question.with_consent.then(|| consent_part(&question.verifier, &question.purpose)).transpose()?;
    let issuer = MemberId::of(&trust.chain, &question.issuer);
    let parts = question.parts.iter().chain(&consent).map(|asked| part(asked, issuer, trust, asked_on));
    let parts = parts.collect::<Result<_, AskError>>()?;
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
        parts,
    };
    request.check()?;
    Ok(request)
}

fn part(asked: &Asked, issuer: MemberId, trust: &Trust, asked_on: u32) -> Result<Part, AskError> {
    let predicate = predicate::compile(&asked.predicate, &asked.schema, day(asked_on))?;
    let no_key = || AskError::NoKey(predicate.statement.name().to_owned());
    let key = trust.key_for(predicate.statement).ok_or_else(no_key)?;
    Ok(Part {
        statement: predicate.statement,
        key,
        issuer,
        schema: text_of(&asked.schema),
        language: LANGUAGE.to_owned(),
        predicate: asked.predicate.clone(),
        clauses: predicate.clauses,
        table: predicate.table,
    })
}

/// The part that has the subject's consent to this verifier and purpose shown: what policy writes, word for word.
pub fn consent_part(verifier: &str, purpose: &str) -> Result<Asked, AskError> {
    encode_code(CodeForm::Ascii, purpose).map_err(|_| AskError::Purpose)?;
    let (verifier, purpose) = (quoted(verifier), quoted(purpose));
    let predicate = format!("decision == \"permit\" && recipient == {verifier} && purpose == {purpose}");
    Ok(Asked { schema: builtin::consent(), predicate })
}

/// The consent part among the parts of a request, recomputed from its verifier and purpose. Policy must still say
/// from which issuer consent counts.
pub fn consent_part_of(request: &Request) -> Option<&Part> {
    let wanted = consent_part(&request.verifier, &request.purpose).ok()?;
    let schema = text_of(&wanted.schema);
    request.parts.iter().find(|part| {
        let same_text = part.language == LANGUAGE && part.predicate == wanted.predicate && part.schema == schema;
        same_text && compile_part(part, request.asked_on) == Ok((part.clauses.clone(), part.table))
    })
}

/// Whether the request has the subject's consent shown to its own verifier for its own purpose.
pub fn has_consent_part(request: &Request) -> bool {
    consent_part_of(request).is_some()
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

fn text_of(schema: &Schema) -> String {
    String::from_utf8_lossy(&schema.to_bytes()).into_owned()
}

/// A text as a CEL literal: nothing in it can end the literal.
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

fn day(days: u32) -> Day {
    Day::new(i32::try_from(days).unwrap_or(i32::MAX))
}
