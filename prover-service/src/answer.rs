//! Answering: a holder checks a request, logs it, proves, and puts the evidence together.
//!
//! ```text
//! check request → find a record → note the opening → log the disclosure → prove against the new seal → evidence
//! ```
//!
//! A question that cannot be answered with yes is logged like any other; the reason goes to the holder alone.
//! What the verifier sees of a refusal, in time and size, is the business of the service that answers online.

use rand::{CryptoRng, RngCore};
use vouchsafe_access::disclosures::BookError;
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{HeldRecord, IndexError, ReadError, RecordId};
use vouchsafe_circuits::record::{Day, Tier, pseudonym};
use vouchsafe_circuits::schema::Schema;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::{self, ProveError, Public, Witness};
use vouchsafe_circuits::tree::MembershipPath;
use vouchsafe_circuits::{Anchor, RequestDigest};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::{Answer, DisclosureEvidence, EVIDENCE_VERSION, Evidence};
use vouchsafe_ledger_types::ids::EntryId;
use vouchsafe_ledger_types::request::{Part, Request, RequestError};
use vouchsafe_ledger_types::state_key::StateKey;

use crate::ask::compile_part;
use crate::institution::{Institution, WriteError};
use crate::key_files::{KeyFileError, KeyPair};

/// How far the asker's day may be from ours: its clock and time zone.
const ASKED_ON_DAYS: u32 = 1;

/// Where proving keys come from.
pub trait ProvingKeys: Send + Sync {
    /// The key pair of a statement.
    fn keys(&self, statement: Statement) -> Result<Option<KeyPair>, KeyFileError>;
}

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
    /// A record could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The keys could not be read.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The vault's index failed.
    #[error(transparent)]
    Index(#[from] IndexError),
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
    let subject = institution.vault().subject(subject)?.ok_or(AnswerError::NoSubject)?;
    let mut found = Vec::new();
    for part in &request.parts {
        let schema = part.schema().map_err(RequestError::Schema)?;
        let candidates = institution.vault().find(subject, schema.id())?;
        found.push(choose(institution, part, schema, candidates).await?);
    }
    let opening = note(institution, request, digest, &found, rng)?;
    let body = Disclosure {
        commitment: opening.commitment(),
        purpose: PurposeClass::of_code(&request.purpose),
        deadline: request.expires,
    };
    let receipt = institution.pen().submit(institution.ledger(), Body::Disclosure(body))?;
    let found: Option<Vec<Found>> = found.into_iter().collect();
    let found = found.ok_or(AnswerError::No("no active record of the subject satisfies the predicate"))?;
    let logged = Logged { digest, opening, entry: receipt.entry };
    tokio::task::block_in_place(|| prove(institution, keys, request, found, logged, rng))
}

fn check(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
) -> Result<RequestDigest, AnswerError> {
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
        if keys.keys(part.statement)?.is_none_or(|(_, key)| key.id() != part.key) {
            return refuse("it names a verifying key that this institution does not have");
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

/// What ties the answer to the logged question.
struct Logged {
    digest: RequestDigest,
    opening: DisclosureOpening,
    entry: EntryId,
}

/// What the ledger says about one part, all as of one block.
struct Ground {
    anchor: Anchor,
    path: MembershipPath,
}

fn prove(
    institution: &Institution,
    keys: &dyn ProvingKeys,
    request: &Request,
    found: Vec<Found>,
    logged: Logged,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Evidence, AnswerError> {
    let member = institution.member();
    let snapshot = institution.ledger().snapshot()?;
    let height = snapshot.height();
    let seal = *snapshot.seal();
    let receipt = snapshot.receipt_proof(logged.entry)?;
    let logged_at = receipt.receipt.height;
    let entry = snapshot.entry(logged.entry)?.ok_or(QueryError::UnknownEntry(logged.entry))?;
    let mut answers = Vec::new();
    for (found, part) in found.into_iter().zip(&request.parts) {
        let (proving, verifying) =
            keys.keys(part.statement)?.ok_or_else(|| AnswerError::Request("its statement is not known".to_owned()))?;
        let position = found.record.active_position().ok_or(AnswerError::No("the record is not active any more"))?;
        let membership = snapshot.membership(member, position)?.ok_or(AnswerError::No("no member any more"))?;
        let ground = Ground { anchor: membership.anchor, path: membership.path };
        let public = public_inputs(request, part, &found, &ground, logged.digest, seal.time.day())?;
        let schema = StateKey::Schema(found.schema.id());
        let witness = Witness::new(found.record.opening, ground.path);
        answers.push(Answer {
            proof: fact::prove(&proving, &public, &witness, rng)?,
            public,
            key: verifying.to_bytes(),
            anchor: snapshot.state_proof(&StateKey::Anchor(member))?,
            schema: snapshot.state_proof(&schema)?,
            key_registration: snapshot.state_proof(&StateKey::VerifyingKey(verifying.id()))?,
        });
    }
    Ok(Evidence {
        version: EVIDENCE_VERSION,
        request: request.clone(),
        answers,
        seal,
        seal_inclusion: snapshot.seal_inclusion(height, height)?,
        chain: snapshot.state_proof(&StateKey::Chain)?,
        disclosure: DisclosureEvidence {
            inclusion: snapshot.entry_inclusion(logged.entry, height)?,
            entry: entry.bytes,
            seal: snapshot.seal_at(logged_at)?,
            seal_inclusion: snapshot.seal_inclusion(logged_at, height)?,
            receipt,
            opening: logged.opening.question(),
        },
        validator_changes: Vec::new(),
        checkpoint: institution.ledger().checkpoint(height)?,
    })
}

fn public_inputs(
    request: &Request,
    part: &Part,
    found: &Found,
    ground: &Ground,
    digest: RequestDigest,
    today: u32,
) -> Result<Public, AnswerError> {
    let header = &found.record.opening.header;
    let not_ours = |_| AnswerError::No("the record is not of this suite");
    Ok(Public {
        anchor: ground.anchor,
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
