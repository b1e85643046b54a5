//! Grants: the institution's word that a card may open a tier for a purpose until a time; and the book of them.
//!
//! ```text
//! terms       version u8 = 1 · card id 32 · name · tier u8 · purpose code · until u64 · subject: 0, or 1 ‖ id 16
//!             · schemas: 0, or 1 ‖ count u16 ‖ ids in rising order
//! commitment  digest(Grant, terms ‖ blinding 32)                     on the ledger, with purpose class and end in clear
//! page        signed entry · terms · blinding 32                     DIR/‹grant id›, sealed; durable before the entry is sent
//! ```
//!
//! Whether a grant was accepted or revoked, only the ledger says. A page without an entry on the ledger grants nothing.

use std::collections::BTreeSet;
use std::path::Path;

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::fe::Fe;
use vouchsafe_circuits::ids::SchemaId;
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::suite::Suite;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::card::PartyName;
use vouchsafe_ledger_types::entry::{Body, Grant, PurposeClass, RevokeGrant, SignedEntry};
use vouchsafe_ledger_types::ids::{CardId, GrantCommitment, GrantId};
use vouchsafe_ledger_types::state_value::GrantState;
use vouchsafe_ledger_types::units::BlockTime;

use super::{Door, DoorError};
use crate::disclosures::BookError;
use crate::labels;
use crate::ledger::{AccessLedger, LedgerError, state};
use crate::pages::{PageError, Pages};
use crate::secret::{AuditSeed, random_bytes};
use crate::subject::SubjectId;
use crate::vault::RecordSummary;
use crate::wire::{Reader, WireError, Writer};

const VERSION: u8 = 1;
/// How many schemas one grant may name.
const SCHEMAS_MAX: usize = 64;

/// What a grant says. Debug shows the type only.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantTerms {
    /// To which card: its id fixes the key that data keys are sealed to.
    pub card: CardId,
    /// The reader's name, for people.
    pub reader: PartyName,
    /// Up to which tier.
    pub tier: Tier,
    /// Records of which schemas; none: all.
    pub schemas: Option<BTreeSet<SchemaId>>,
    /// Records of which subject; none: all.
    pub subject: Option<SubjectId>,
    /// For which purpose, and no other.
    pub purpose: PurposeClass,
    /// Until when.
    pub until: BlockTime,
}

impl std::fmt::Debug for GrantTerms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantTerms")
    }
}

/// Why a grant does not cover what is asked. For the institution's eyes: a reader is told that it is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoGrant {
    /// There is none that could.
    #[error("no grant covers it")]
    None,
    /// It is another reader's.
    #[error("the grant is another reader's")]
    OtherReader,
    /// It ends below the tier.
    #[error("the grant does not go up to that tier")]
    Tier,
    /// It is for another purpose.
    #[error("the grant is for another purpose")]
    Purpose,
    /// It does not name the record's schema.
    #[error("the grant is for records of other schemas")]
    Schema,
    /// It is about another subject.
    #[error("the grant is for records of another subject")]
    Subject,
    /// It is over.
    #[error("the grant has expired")]
    Expired,
    /// It was taken back.
    #[error("the grant was revoked")]
    Revoked,
    /// The ledger does not know it, or otherwise than the book.
    #[error("the grant is not on the ledger as it is in the book")]
    NotOnLedger,
}

/// What a reader asks for, as a grant is held against it.
pub(super) struct Wish<'a> {
    pub(super) card: CardId,
    pub(super) record: &'a RecordSummary,
    pub(super) tier: Tier,
    pub(super) purpose: PurposeClass,
}

impl GrantTerms {
    /// Whether it covers this, now.
    pub(super) fn covers(&self, wish: &Wish<'_>, now: BlockTime) -> Result<(), NoGrant> {
        let refused = [
            (self.card != wish.card, NoGrant::OtherReader),
            (wish.tier > self.tier, NoGrant::Tier),
            (self.purpose != wish.purpose, NoGrant::Purpose),
            (self.schemas.as_ref().is_some_and(|schemas| !schemas.contains(&wish.record.schema)), NoGrant::Schema),
            (self.subject.is_some_and(|subject| subject != wish.record.subject), NoGrant::Subject),
            (now >= self.until, NoGrant::Expired),
        ];
        refused.into_iter().find(|(fails, _)| *fails).map_or(Ok(()), |(_, why)| Err(why))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256)
            .u8(VERSION)
            .raw(self.card.as_bytes())
            .bytes(self.reader.as_str().as_bytes())
            .u8(self.tier as u8)
            .bytes(self.purpose.as_str().as_bytes())
            .u64(self.until.unix());
        writer = match &self.subject {
            None => writer.u8(0),
            Some(subject) => writer.u8(1).raw(subject.as_bytes()),
        };
        match &self.schemas {
            None => writer.u8(0).public(),
            Some(schemas) => {
                let counted = writer.u8(1).u16(schemas.len() as u16); // checked when the grant was made
                schemas.iter().fold(counted, |writer, id| writer.raw(id.fe().as_bytes())).public()
            }
        }
    }

    fn read(reader: &mut Reader<'_>, suite: Suite) -> Result<GrantTerms, WireError> {
        if reader.u8()? != VERSION {
            return Err(WireError::Bad("version"));
        }
        let card = CardId::from_bytes(reader.array()?);
        let name = std::str::from_utf8(reader.bytes()?).map_err(|_| WireError::Bad("name"))?;
        let name = name.parse().map_err(|_| WireError::Bad("name"))?;
        let tier = Tier::try_from(reader.u8()?).map_err(|_| WireError::Bad("tier"))?;
        let code = std::str::from_utf8(reader.bytes()?).map_err(|_| WireError::Bad("purpose"))?;
        let purpose = PurposeClass::of_code(code);
        if purpose.as_str() != code {
            return Err(WireError::Bad("purpose"));
        }
        let until = BlockTime::from_unix(reader.u64()?).ok_or(WireError::Bad("end"))?;
        let subject = match reader.u8()? {
            0 => None,
            1 => Some(SubjectId::from_bytes(reader.array()?)),
            _ => return Err(WireError::Bad("subject")),
        };
        let schemas = match reader.u8()? {
            0 => None,
            1 => Some(read_schemas(reader, suite)?),
            _ => return Err(WireError::Bad("schemas")),
        };
        Ok(GrantTerms { card, reader: name, tier, schemas, subject, purpose, until })
    }

    fn commitment(&self, blinding: &[u8; 32]) -> GrantCommitment {
        GrantCommitment::from_bytes(digest(Domain::Grant, &[&self.to_bytes(), blinding]))
    }
}

fn read_schemas(reader: &mut Reader<'_>, suite: Suite) -> Result<BTreeSet<SchemaId>, WireError> {
    let mut schemas = BTreeSet::new();
    for _ in 0..reader.u16()? {
        let id = Fe::from_bytes(suite, reader.array()?).map_err(|_| WireError::Bad("schema"))?;
        if schemas.last().is_some_and(|last| *last >= SchemaId::new(id)) {
            return Err(WireError::Bad("order of schemas"));
        }
        schemas.insert(SchemaId::new(id));
    }
    Ok(schemas)
}

/// The book of grants: what each one says.
pub struct GrantBook(Pages);

impl std::fmt::Debug for GrantBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantBook")
    }
}

impl GrantBook {
    /// Opens the book in a folder, which is made if it is not there.
    pub fn open(dir: &Path, seed: &AuditSeed) -> Result<GrantBook, BookError> {
        Ok(GrantBook(Pages::open(dir, seed, &[labels::GRANT_KEY])?))
    }

    /// What a grant says; none if it is not in the book.
    pub fn terms(&self, grant: GrantId, suite: Suite) -> Result<Option<GrantTerms>, BookError> {
        let name = grant.to_string();
        let Some(page) = self.0.read(&name)? else { return Ok(None) };
        let damaged = || BookError::from(PageError::Damaged(self.0.file(&name)));
        let (entry, terms, blinding) = read_page(&page, suite).map_err(|_| damaged())?;
        let Body::Grant(body) = &entry.entry().body else { return Err(damaged()) };
        let own = entry.id() == grant.entry() && body.commitment == terms.commitment(&blinding);
        if own { Ok(Some(terms)) } else { Err(damaged()) }
    }

    /// All grants in the book, whatever the ledger says of them.
    pub fn grants(&self) -> Result<Vec<GrantId>, BookError> {
        Ok(self.0.names("")?.iter().filter_map(|name| name.parse().ok()).collect())
    }
}

fn read_page(page: &[u8], suite: Suite) -> Result<(SignedEntry, GrantTerms, [u8; 32]), WireError> {
    let mut reader = Reader::new(page);
    let entry = SignedEntry::decode(reader.bytes()?, suite).map_err(|_| WireError::Bad("entry"))?;
    let terms = GrantTerms::read(&mut reader, suite)?;
    let blinding = reader.array()?;
    reader.finish()?;
    Ok((entry, terms, blinding))
}

/// A grant as book and ledger know it.
#[derive(Debug, Clone)]
pub struct GrantSummary {
    /// Which.
    pub id: GrantId,
    /// What it says.
    pub terms: GrantTerms,
    /// What the ledger says of it; none if it never got there.
    pub state: Option<GrantState>,
}

impl Door {
    /// Gives a grant. Its page is durable before the entry is sent: what died in between grants nothing.
    pub async fn grant(&self, terms: GrantTerms, rng: &mut (impl RngCore + CryptoRng)) -> Result<GrantId, DoorError> {
        if terms.schemas.as_ref().is_some_and(|s| s.is_empty() || s.len() > SCHEMAS_MAX) {
            return Err(DoorError::Order(format!("a grant names 1 to {SCHEMAS_MAX} schemas, or none for all")));
        }
        if terms.until <= self.now_with_tip().await?.0 {
            return Err(DoorError::Order("a grant ends after it begins: give a later end".to_owned()));
        }
        let blinding: [u8; 32] = random_bytes(rng);
        let body =
            Body::Grant(Grant { commitment: terms.commitment(&blinding), purpose: terms.purpose, until: terms.until });
        let entry = self.ledger.sign(body.clone()).await?;
        let id = GrantId::of(entry.id());
        let page = Writer::with_capacity(512).bytes(&entry.encode()).raw(&terms.to_bytes()).raw(&blinding).done();
        self.grants.0.write(&id.to_string(), &page, rng).map_err(BookError::from)?;
        let proof = self.ledger.send(entry).await?;
        self.accepted(&proof, &body)?;
        Ok(id)
    }

    /// Takes a grant back: nothing is released under it any more. What was released before stays with the reader.
    pub async fn revoke(&self, grant: GrantId) -> Result<(), DoorError> {
        let body = Body::RevokeGrant(RevokeGrant { grant });
        let proof = self.ledger.log(body.clone()).await?;
        self.accepted(&proof, &body).map(|_| ())
    }

    /// All grants, with what the ledger says of each.
    pub async fn grants(&self) -> Result<Vec<GrantSummary>, DoorError> {
        let mut all = Vec::new();
        for id in self.grants.grants()? {
            let Some(terms) = self.grants.terms(id, self.suite())? else { continue };
            all.push(GrantSummary { id, terms, state: state(&*self.ledger, id).await? });
        }
        Ok(all)
    }

    /// The grant that a wish rests on: the one named, or any that covers it.
    pub(super) async fn grant_for(
        &self,
        named: Option<GrantId>,
        wish: &Wish<'_>,
        now: BlockTime,
    ) -> Result<(GrantId, GrantTerms), DoorError> {
        let candidates = match named {
            Some(grant) => vec![grant],
            None => self.grants.grants()?,
        };
        let mut refusal = NoGrant::None;
        for id in candidates {
            let Some(terms) = self.grants.terms(id, self.suite())? else { continue };
            let fits = match terms.covers(wish, now) {
                Ok(()) => self.stands(&*self.ledger, id, &terms).await?,
                Err(why) => Err(why),
            };
            match fits {
                Ok(()) => return Ok((id, terms)),
                Err(NoGrant::OtherReader) if named.is_none() => {}
                Err(why) => refusal = why,
            }
        }
        Err(DoorError::NoGrant(refusal))
    }

    /// Whether the ledger knows a grant as the book does.
    async fn stands(
        &self,
        ledger: &dyn AccessLedger,
        id: GrantId,
        terms: &GrantTerms,
    ) -> Result<Result<(), NoGrant>, LedgerError> {
        let known: Option<GrantState> = state(ledger, id).await?;
        Ok(match known {
            Some(known) if known.revoked => Err(NoGrant::Revoked),
            Some(known)
                if known.member == self.member && known.purpose == terms.purpose && known.until == terms.until =>
            {
                Ok(())
            }
            _ => Err(NoGrant::NotOnLedger),
        })
    }
}
