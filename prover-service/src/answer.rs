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
mod search;

use rand::{CryptoRng, RngCore};
use vouchsafe_access::disclosures::BookError;
use vouchsafe_access::subject::{Identifier, SubjectId};
use vouchsafe_access::vault::{HeldRecord, IndexError, ReadError};
use vouchsafe_circuits::record::{Day, Tier, pseudonym};
use vouchsafe_circuits::statements::fact::{self, ProveError, Public, Truth, Violation, Witness};
use vouchsafe_circuits::tree::MembershipPath;
use vouchsafe_circuits::{Anchor, FeError, RequestDigest, SchemaId};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger::snapshot::Snapshot;
use vouchsafe_ledger_types::disclosure::{DisclosureDetails, DisclosureOpening, Outcome};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::{Part, Request, RequestError};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::units::BlockTime;

pub(crate) use assemble::{Logged, Proved, assemble};

use crate::ask::compile_part;
use crate::institution::{Institution, WriteError};
use crate::key_files::{KeyFileError, ProvingKeys};
use decoy::decoy;
use search::{Search, search};

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

impl From<FeError> for AnswerError {
    fn from(error: FeError) -> AnswerError {
        ProveError::from(Violation::from(error)).into()
    }
}

/// What policy, or a person at the holder, says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// It may be answered.
    Permitted,
    /// It may not.
    Denied,
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
    let digest = check(institution, keys, request)?;
    let known = institution.vault().subject(subject)?;
    let looked_at = match known {
        Some(subject) => Some(subject),
        None => anybody(institution)?,
    };
    let mut searches = Vec::new();
    for part in &request.parts {
        let search = search(institution, request, part, looked_at).await?;
        let may_know = known.is_some() && ruling == Ruling::Permitted;
        searches.push(if may_know { search } else { search.forget() });
    }
    let verdict = match (ruling, known) {
        (Ruling::Denied, _) => Verdict::Denied,
        (Ruling::Permitted, None) => Verdict::NoSubject,
        (Ruling::Permitted, Some(_)) => together(&searches),
    };
    let opening = note(institution, request, digest, &searches, verdict, rng)?;
    let body = Disclosure {
        commitment: opening.commitment(),
        purpose: PurposeClass::of_code(&request.purpose),
        deadline: deadline(institution.clock().now()),
    };
    tokio::task::block_in_place(|| {
        let receipt = institution.pen().submit(institution.ledger(), Body::Disclosure(body))?;
        let logged = Logged { opening: opening.question(), entry: receipt.entry };
        let damage = searches.iter_mut().find_map(|search| search.failed.take());
        let proving = Proving { institution, keys, request, digest, logged };
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
    let response = respond(institution, keys, request, subject, Ruling::Permitted, rng).await?;
    match (response.evidence, response.damage, response.verdict) {
        (Some(evidence), _, _) => Ok(evidence),
        (None, Some(damage), _) => Err(damage.into()),
        (None, None, Verdict::NoSubject) => Err(AnswerError::NoSubject),
        (None, None, Verdict::Unknown) => Err(AnswerError::No(
            "no active record of the subject satisfies the predicate, and an absent field leaves it open",
        )),
        (None, None, _) => Err(AnswerError::No("no active record of the subject satisfies the predicate")),
    }
}

/// Somebody whose records are looked through in place of an unknown subject's.
fn anybody(institution: &Institution) -> Result<Option<SubjectId>, IndexError> {
    Ok(institution.vault().records()?.next().transpose()?.map(|record| record.subject))
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

fn note(
    institution: &Institution,
    request: &Request,
    digest: RequestDigest,
    searches: &[Search],
    verdict: Verdict,
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
        outcome: match verdict {
            Verdict::Holds => Outcome::Holds,
            Verdict::Unknown => Outcome::Unknown,
            Verdict::Denied => Outcome::Denied,
            Verdict::DoesNotHold | Verdict::NoSubject => Outcome::DoesNotHold,
        },
    };
    Ok(institution.disclosures().note(details, digest, rng)?)
}

/// Proving a question that was logged.
struct Proving<'a> {
    institution: &'a Institution,
    keys: &'a dyn ProvingKeys,
    request: &'a Request,
    digest: RequestDigest,
    logged: Logged,
}

/// A record that satisfies a part, and where it stands in the active set.
struct Found {
    record: HeldRecord,
    path: MembershipPath,
    anchor: Anchor,
}

impl Proving<'_> {
    /// Proves every part as of the newest block, which is not before the one that logged the question; or nothing as
    /// often, if there is nothing to prove.
    fn run(
        &self,
        searches: Vec<Search>,
        holds: bool,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Option<Evidence>, AnswerError> {
        let snapshot = self.institution.ledger().snapshot()?;
        let seal = *snapshot.seal();
        let mut schemas = Vec::new();
        let mut all = Some(Vec::new());
        for Search { schema, found, .. } in searches {
            let found = match found.filter(|_| holds) {
                Some(record) => self.standing(&snapshot, record, seal.time.day())?,
                None => None,
            };
            schemas.push(schema);
            all = all.zip(found).map(|(mut all, found)| {
                all.push(found);
                all
            });
        }
        drop(snapshot);
        let answered = all.is_some();
        let mut found = all.into_iter().flatten();
        let mut proved = Vec::new();
        for (part, schema) in self.request.parts.iter().zip(&schemas) {
            let (public, witness) = match found.next() {
                Some(found) => {
                    let public = self.public(part, schema.id(), &found, &seal)?;
                    (public, Witness::new(found.record.opening, found.path))
                }
                None => decoy(self.request, part, schema, self.digest, seal.time.day())?,
            };
            proved.push(self.prove(part, public, &witness, rng)?);
        }
        let evidence = assemble(self.institution.ledger(), self.request, proved, self.logged, seal.height)?;
        Ok(answered.then_some(evidence))
    }

    /// Where a record stands now: it may have been withdrawn, or have run out, since it was found.
    fn standing(&self, snapshot: &Snapshot<'_>, record: HeldRecord, today: u32) -> Result<Option<Found>, QueryError> {
        let member = self.institution.member();
        let active = snapshot.lookup(member, record.id.commitment())?.filter(|place| place.active);
        let Some(place) = active.filter(|_| record.opening.header.valid.holds_on(today)) else { return Ok(None) };
        let membership = snapshot.membership(member, place.position)?;
        Ok(membership.map(|membership| Found { record, path: membership.path, anchor: membership.anchor }))
    }

    fn prove(
        &self,
        part: &Part,
        public: Public,
        witness: &Witness,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<Proved, AnswerError> {
        let (proving, verifying) = self.keys.keys(part.statement)?;
        let proof = fact::prove(&proving, &public, witness, rng)?;
        let issuer = self.institution.member();
        Ok(Proved { issuer, public, proof, key_id: verifying.id(), key: verifying.to_bytes() })
    }

    fn public(&self, part: &Part, schema: SchemaId, found: &Found, seal: &Seal) -> Result<Public, AnswerError> {
        let (request, header) = (self.request, &found.record.opening.header);
        Ok(Public {
            anchor: found.anchor,
            issuer: part.issuer.issuer(),
            schema,
            today: Day::new(seal.time.day() as i32), // block times end with the year 9999
            scope: request.scope(),
            pseudonym: pseudonym(request.suite, &header.subject_key, request.scope())?,
            digest: self.digest,
            table: part.table,
            clauses: part.clauses.clone(),
        })
    }
}
