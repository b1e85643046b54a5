//! Answering: a holder checks a request, logs it, proves, and puts the evidence together.
//!
//! ```text
//! check request → find a record → note the opening → log the disclosure → prove against the new seal → evidence
//! ```
//!
//! A question that cannot be answered with yes is logged like any other; the reason goes to the holder alone.
//! What the verifier sees of a refusal, in time and size, is the business of the service that answers online.

mod assemble;

use rand::{CryptoRng, RngCore};
use vouchsafe_access::disclosures::BookError;
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{HeldRecord, IndexError, ReadError, RecordId};
use vouchsafe_circuits::record::{Day, Tier, pseudonym};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::fact::{self, ProveError, Public, Witness};
use vouchsafe_circuits::{Anchor, RequestDigest};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::{Part, Request, RequestError};
use vouchsafe_ledger_types::units::BlockTime;

pub(crate) use assemble::{Logged, Proved, assemble};

use crate::ask::compile_part;
use crate::institution::{Institution, WriteError};
use crate::key_files::{KeyFileError, ProvingKeys};

/// How far the asker's day may be from ours: its clock and time zone.
const ASKED_ON_DAYS: u32 = 1;
/// How many days an auditor can ask for the opening of a disclosure.
const OPENING_DAYS: u64 = 90;

/// Why there is no evidence. The first ones are the asker's fault; `No` is for the holder's eyes alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The request is not one that this institution can answer.
    #[error("the request cannot be answered: {0}")]
    Request(String),
    /// The request's form.
    #[error(transparent)]
    Form(#[from] RequestError),
    /// The subject is not known here.
    #[error("no subject of this vault has that identifier")]
    NoSubject,
    /// No active record shows it. The question was logged all the same.
    #[error("not proved: {0}")]
    No(&'static str),
    /// A record, or the vault's index, could not be read.
    #[error(transparent)]
    Read(Box<ReadError>),
    /// The keys are missing or damaged.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The book of disclosures.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger did not take the disclosure.
    #[error("the disclosure could not be logged, so nothing was disclosed")]
    Log(#[from] WriteError),
    /// The ledger could not be read.
    #[error(transparent)]
    Ledger(#[from] QueryError),
    /// The proof could not be made. Our bug, or a record that changed meanwhile.
    #[error(transparent)]
    Prove(#[from] ProveError),
}

impl From<ReadError> for AnswerError {
    fn from(error: ReadError) -> AnswerError {
        AnswerError::Read(Box::new(error))
    }
}

impl From<IndexError> for AnswerError {
    fn from(error: IndexError) -> AnswerError {
        ReadError::Index(error).into()
    }
}

/// A record that satisfies a part.
struct Found {
    record: HeldRecord,
    schema: Schema,
}

/// Answers a request about one subject. The disclosure is on the ledger when this returns, whatever it returns
/// after the checks of the request.
pub async fn answer(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let digest = check(institution, keys, request)?;
    let known = institution.vault().subject(subject)?;
    let mut found = Vec::new();
    for part in &request.parts {
        let schema = part.schema().map_err(RequestError::Schema)?;
        let candidates = match known {
            Some(subject) => institution.vault().find(subject, schema.id())?,
            None => Vec::new(),
        };
        found.push(choose(institution, part, schema, candidates).await?);
    }
    let opening = note(institution, request, digest, &found, rng)?;
    let body = Disclosure {
        commitment: opening.commitment(),
        purpose: PurposeClass::of_code(&request.purpose),
        deadline: deadline(institution.clock().now()),
    };
    let receipt = institution.pen().submit(institution.ledger(), Body::Disclosure(body))?;
    if known.is_none() {
        return Err(AnswerError::NoSubject);
    }
    let found: Option<Vec<Found>> = found.into_iter().collect();
    let found = found.ok_or(AnswerError::No("no active record of the subject satisfies the predicate"))?;
    let logged = Logged { opening: opening.question(), entry: receipt.entry };
    tokio::task::block_in_place(|| prove(institution, keys, request, found, digest, logged, rng))
}

/// Until when an auditor's wish to see the opening must be met: a whole number of days, since the deadline stands in
/// clear and must not tell one question from another.
fn deadline(now: BlockTime) -> BlockTime {
    const DAY: u64 = 86_400;
    let days = now.unix() / DAY + 1 + OPENING_DAYS;
    BlockTime::from_unix(days * DAY).unwrap_or(now)
}

fn check(institution: &Institution, keys: &dyn ProvingKeys, request: &Request) -> Result<RequestDigest, AnswerError> {
    let refuse = |why: &str| Err(AnswerError::Request(why.to_owned()));
    request.check()?;
    let identity = institution.identity();
    let now = institution.clock().now();
    if request.chain != identity.chain || request.suite != identity.suite {
        return refuse("it is about another ledger");
    }
    if now > request.expires {
        return refuse("it has expired");
    }
    if request.asked_on.abs_diff(now.day()) > ASKED_ON_DAYS {
        // whole years before today are the grid of dates: another day would shift the grid at will
        return refuse("its day of asking is not today: compare the clocks");
    }
    let snapshot = institution.ledger().snapshot()?;
    for part in &request.parts {
        if part.issuer != institution.member() {
            return refuse("it asks for records of another member");
        }
        let (clauses, table) = compile_part(part, request.asked_on).map_err(AnswerError::Request)?;
        if clauses != part.clauses || table != part.table {
            return refuse("its clauses are not what its predicate says");
        }
        let schema = part.schema().map_err(RequestError::Schema)?.id();
        if snapshot.value::<vouchsafe_ledger_types::state_value::SchemaState>(schema)?.is_none() {
            return refuse("its schema is not registered on the ledger");
        }
        let (_, key) = keys.keys(part.statement)?;
        if key.id() != part.key {
            return refuse("it names another verifying key than ours: ask with a newer trust file");
        }
    }
    Ok(request.digest()?)
}

async fn choose(
    institution: &Institution,
    part: &Part,
    schema: Schema,
    candidates: Vec<RecordId>,
) -> Result<Option<Found>, AnswerError> {
    let today = institution.clock().now().day();
    for id in candidates {
        let record = institution.vault().open_for_proof(id, &schema).await?;
        let opening = &record.opening;
        let usable = record.active_position().is_some() && opening.header.valid.holds_on(today);
        if usable && fact::eval(&part.clauses, part.table, &opening.fields) {
            return Ok(Some(Found { record, schema }));
        }
    }
    Ok(None)
}

fn note(
    institution: &Institution,
    request: &Request,
    digest: RequestDigest,
    found: &[Option<Found>],
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<DisclosureOpening, AnswerError> {
    let tiers = found.iter().flatten().zip(&request.parts).flat_map(|(found, part)| {
        part.clauses.iter().filter_map(|clause| found.schema.field_at(clause.field).map(|field| field.tier))
    });
    let all = found.iter().all(Option::is_some);
    let details = DisclosureDetails {
        reader: institution.identity().member.to_string(),
        verifier: request.verifier.clone(),
        records: found.iter().flatten().map(|found| found.record.id.commitment()).collect(),
        tier: tiers.max().unwrap_or(Tier::Public),
        outcome: if all { Outcome::Holds } else { Outcome::DoesNotHold },
    };
    Ok(institution.disclosures().note(details, digest, rng)?)
}

/// Proves every part as of the newest block, which is not before the one that logged the question.
fn prove(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    found: Vec<Found>,
    digest: RequestDigest,
    logged: Logged,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let issuer = institution.member();
    let (seal, memberships) = {
        let snapshot = institution.ledger().snapshot()?;
        let mut memberships = Vec::new();
        for found in &found {
            let position =
                found.record.active_position().ok_or(AnswerError::No("the record is not active any more"))?;
            memberships.push(snapshot.membership(issuer, position)?.ok_or(AnswerError::No("no member any more"))?);
        }
        (*snapshot.seal(), memberships)
    };
    let mut proved = Vec::new();
    for ((found, membership), part) in found.into_iter().zip(memberships).zip(&request.parts) {
        let (proving, verifying) = keys.keys(part.statement)?;
        let public = public_inputs(request, part, &found, membership.anchor, digest, seal.time.day())?;
        let witness = Witness::new(found.record.opening, membership.path);
        let proof = fact::prove(&proving, &public, &witness, rng)?;
        proved.push(Proved { issuer, public, proof, key_id: verifying.id(), key: verifying.to_bytes() });
    }
    Ok(assemble(institution.ledger(), request, proved, logged, seal.height)?)
}

fn public_inputs(
    request: &Request,
    part: &Part,
    found: &Found,
    anchor: Anchor,
    digest: RequestDigest,
    today: u32,
) -> Result<Public, AnswerError> {
    let header = &found.record.opening.header;
    let not_ours = |_| AnswerError::No("the record is not of this suite");
    Ok(Public {
        anchor,
        issuer: part.issuer.issuer(),
        schema: found.schema.id(),
        today: Day::new(today as i32), // block times end with the year 9999
        scope: request.scope(),
        pseudonym: pseudonym(request.suite, &header.subject_key, request.scope()).map_err(not_ours)?,
        digest,
        table: part.table,
        clauses: part.clauses.clone(),
    })
}
