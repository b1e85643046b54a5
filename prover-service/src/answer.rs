//! Answering: a holder checks a request, logs it, proves, and puts the evidence together.
//!
//! ```text
//! check request → search records → note the opening → log the disclosure → prove every part → evidence
//! ```
//!
//! Once the request is in order each step is taken whatever comes of it: an unknown subject, a no, an unknown, a denial
//! cost a search, an entry and as many proofs as a yes (made of nothing and thrown away), and the opening says which it
//! was. The verdict is for the holder; what a verifier sees of a refusal in time and size is the online service's
//! business. A crash between search and entry leaves no trace of the search; nothing has left the process by then.

mod assemble;
mod decoy;
mod proving;
mod search;

use rand::{CryptoRng, RngCore};
use tokio::time::Instant;
use vouchsafe_access::disclosures::{BookError, opening_deadline};
use vouchsafe_access::subject::{Identifier, SubjectId};
use vouchsafe_access::vault::{IndexError, ReadError};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::schema::builtin;
use vouchsafe_circuits::statements::fact::{ProveError, Truth, Violation};
use vouchsafe_circuits::{FeError, RequestDigest, SchemaId};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::ids::PolicyDigest;
use vouchsafe_ledger_types::request::{Request, RequestError};
use vouchsafe_ledger_types::units::Height;

pub(crate) use assemble::{Logged, Proved, assemble};

use crate::ask::compile_part;
use crate::consent;
use crate::institution::{Institution, WriteError};
use crate::key_files::{KeyFileError, ProvingKeys};
use proving::Proving;
use search::{Search, search};

/// How far the asker's day may be from ours: its clock and time zone.
const ASKED_ON_DAYS: u32 = 1;

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

impl From<FeError> for AnswerError {
    fn from(error: FeError) -> AnswerError {
        ProveError::from(Violation::from(error)).into()
    }
}

/// What policy, or a person at the holder, says to a question; with the policy that was asked, if one was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It may be answered.
    Permitted(PolicyDigest),
    /// It may not.
    Denied(PolicyDigest),
}

impl Ruling {
    fn policy(self) -> PolicyDigest {
        let (Ruling::Permitted(policy) | Ruling::Denied(policy)) = self;
        policy
    }
}

/// What came of a question. For the holder: to the verifier all but the first look alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It holds, and here is the evidence.
    Holds,
    /// No record shows it.
    DoesNotHold,
    /// No record shows it, and at least one leaves it open: a field is absent, or the record cannot be read.
    Unknown,
    /// The subject is not known here.
    NoSubject,
    /// It was not permitted.
    Denied,
}

/// A question that was logged, with its answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// What came of it.
    pub verdict: Verdict,
    /// The answer, if it holds.
    pub evidence: Option<Evidence>,
    /// A record that could not be read, and might have changed the verdict: the holder has something to mend.
    pub damage: Option<ReadError>,
}

/// Answers a request about one subject, as whoever may decide ruled. An error means that the request is not in order,
/// or that the machine failed; everything else is logged and has a verdict.
pub async fn respond(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    ruling: Ruling,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Response, AnswerError> {
    check_time(institution, request)?;
    look_into(institution, keys, request, subject, Work { ruling, decoys: true, log_at: None }, rng).await
}

/// The same for a question that was checked when it was taken, however long ago, with the entry sent at a given time or as
/// soon after it as the search is done.
pub async fn respond_at(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    ruling: Ruling,
    log_at: Instant,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Response, AnswerError> {
    look_into(institution, keys, request, subject, Work { ruling, decoys: true, log_at: Some(log_at) }, rng).await
}

/// The same, but nothing is proved where nothing is to prove: the time that it takes tells the verdict. For the control of
/// a test.
pub async fn dangerous_respond_without_decoys(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    ruling: Ruling,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Response, AnswerError> {
    look_into(institution, keys, request, subject, Work { ruling, decoys: false, log_at: None }, rng).await
}

/// What is to be done.
struct Work {
    ruling: Ruling,
    decoys: bool,
    log_at: Option<Instant>,
}

async fn look_into(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    Work { ruling, decoys, log_at }: Work,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Response, AnswerError> {
    let digest = check_form(institution, keys, request)?;
    let seen = institution.ledger().snapshot()?.height();
    let known = institution.vault().subject(subject)?;
    let denied = match known.map_or_else(|| anybody(institution, builtin::consent().id()), |known| Ok(Some(known)))? {
        // somebody's, in place of an unknown subject's: the work is the same, and the outcome without meaning
        Some(subject) => consent::denied(institution, subject, &request.verifier, &request.purpose).await?,
        None => false,
    };
    let mut searches = Vec::new();
    for part in &request.parts {
        let schema = part.schema().map_err(RequestError::Schema)?.id();
        let looked_at = known.map_or_else(|| anybody(institution, schema), |known| Ok(Some(known)))?;
        let search = search(institution, request, part, looked_at).await?;
        let may_know = known.is_some() && !denied && matches!(ruling, Ruling::Permitted(_));
        searches.push(if may_know { search } else { search.forget() });
    }
    let verdict = match (ruling, known) {
        (Ruling::Denied(_), _) => Verdict::Denied,
        (Ruling::Permitted(_), None) => Verdict::NoSubject,
        // the subject's own no counts before any permit, whether or not consent is asked for
        (Ruling::Permitted(_), Some(_)) if denied => Verdict::Denied,
        (Ruling::Permitted(_), Some(_)) => together(&searches),
    };
    if let Some(log_at) = log_at {
        tokio::time::sleep_until(log_at).await;
    }
    let decided = Decided { verdict, policy: ruling.policy(), seen };
    let opening = note(institution, request, digest, &searches, decided, rng)?;
    let body = Disclosure {
        commitment: opening.commitment(),
        purpose: PurposeClass::of_code(&request.purpose),
        deadline: opening_deadline(institution.clock().now()),
    };
    tokio::task::block_in_place(|| {
        let receipt = institution.pen().submit(institution.ledger(), Body::Disclosure(body))?;
        let logged = Logged { opening: opening.question(), entry: receipt.entry };
        let damage = searches.iter_mut().find_map(|search| search.failed.take());
        let proving = Proving { institution, keys, request, digest, logged, decoys };
        let evidence = proving.run(searches, verdict == Verdict::Holds, rng)?;
        // a record that was withdrawn meanwhile shows nothing any more
        let verdict = if evidence.is_none() && verdict == Verdict::Holds { Verdict::DoesNotHold } else { verdict };
        Ok(Response { verdict, evidence, damage })
    })
}

/// Answers a request that is permitted, at the holder's own command line: a refusal says why.
pub async fn answer(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    subject: &Identifier,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let response = respond(institution, keys, request, subject, Ruling::Permitted(PolicyDigest::NONE), rng).await?;
    match (response.evidence, response.damage, response.verdict) {
        (Some(evidence), _, _) => Ok(evidence),
        (None, Some(damage), _) => Err(damage.into()),
        (None, None, Verdict::NoSubject) => Err(AnswerError::NoSubject),
        (None, None, Verdict::Denied) => {
            Err(AnswerError::No("the subject denied it to this verifier for this purpose"))
        }
        (None, None, Verdict::Unknown) => Err(AnswerError::No(
            "no active record of the subject satisfies the predicate, and an absent field leaves it open",
        )),
        (None, None, _) => Err(AnswerError::No("no active record of the subject satisfies the predicate")),
    }
}

/// Somebody with records of the schema, which are looked through in place of an unknown subject's.
fn anybody(institution: &Institution, schema: SchemaId) -> Result<Option<SubjectId>, IndexError> {
    for record in institution.vault().records()? {
        let record = record?;
        if record.schema == schema {
            return Ok(Some(record.subject));
        }
    }
    Ok(None)
}

/// What the parts are worth together: all must hold; one that does not settles it.
fn together(searches: &[Search]) -> Verdict {
    let any = |truth| searches.iter().any(|search| search.truth == truth);
    match (any(Truth::DoesNotHold), any(Truth::Unknown)) {
        (true, _) => Verdict::DoesNotHold,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Holds,
    }
}

/// Checks a request as it comes in.
pub(crate) fn check(institution: &Institution, keys: &dyn ProvingKeys, request: &Request) -> Result<(), AnswerError> {
    check_time(institution, request)?;
    check_form(institution, keys, request).map(|_| ())
}

/// Checks that it is asked today, for some time to come.
fn check_time(institution: &Institution, request: &Request) -> Result<(), AnswerError> {
    let refuse = |why: &str| Err(AnswerError::Request(why.to_owned()));
    let now = institution.clock().now();
    if now > request.expires {
        return refuse("it has expired");
    }
    if request.asked_on.abs_diff(now.day()) > ASKED_ON_DAYS {
        // whole years before today are the grid of dates: another day would shift the grid at will
        return refuse("its day of asking is not today: compare the clocks");
    }
    Ok(())
}

/// Checks what does not change while a question waits.
fn check_form(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
) -> Result<RequestDigest, AnswerError> {
    let refuse = |why: &str| Err(AnswerError::Request(why.to_owned()));
    request.check()?;
    let identity = institution.identity();
    if request.chain != identity.chain || request.suite != identity.suite {
        return refuse("it is about another ledger");
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

/// What was decided, under which policy, and which block was seen then.
struct Decided {
    verdict: Verdict,
    policy: PolicyDigest,
    seen: Height,
}

fn note(
    institution: &Institution,
    request: &Request,
    digest: RequestDigest,
    searches: &[Search],
    decided: Decided,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<DisclosureOpening, AnswerError> {
    let parts = request.parts.iter().zip(searches);
    let fields = parts.flat_map(|(part, search)| part.clauses.iter().filter_map(|c| search.schema.field_at(c.field)));
    let details = DisclosureDetails {
        reader: institution.identity().member.to_string(),
        verifier: request.verifier.clone(),
        records: searches.iter().filter_map(|s| s.found.as_ref()).map(|record| record.id.commitment()).collect(),
        // what was looked at to judge, whatever came of it
        tier: fields.map(|field| field.tier).max().unwrap_or(Tier::Public),
        outcome: match decided.verdict {
            Verdict::Holds => Outcome::Holds,
            Verdict::Unknown => Outcome::Unknown,
            Verdict::Denied => Outcome::Denied,
            Verdict::DoesNotHold | Verdict::NoSubject => Outcome::DoesNotHold,
        },
        policy: decided.policy,
        seen: decided.seen,
    };
    Ok(institution.disclosures().note(details, digest, rng)?)
}
