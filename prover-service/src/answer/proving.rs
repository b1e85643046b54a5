//! Proving a question that was logged: every part as of one block, or nothing as often.
//!
//! A record that was withdrawn or ran out since it was found shows nothing any more. What is made for nothing goes the
//! same way to the end, evidence included, and is dropped.

use rand::{CryptoRng, RngCore};
use vouchsafe_access::vault::HeldRecord;
use vouchsafe_circuits::record::{Day, pseudonym};
use vouchsafe_circuits::statements::fact::{self, Public, Witness};
use vouchsafe_circuits::tree::MembershipPath;
use vouchsafe_circuits::{Anchor, RequestDigest, SchemaId};
use vouchsafe_ledger::engine::{Engine, QueryError};
use vouchsafe_ledger::snapshot::Snapshot;
use vouchsafe_ledger_types::evidence::Evidence;
use vouchsafe_ledger_types::request::{Part, Request};
use vouchsafe_ledger_types::seal::Seal;

use super::AnswerError;
use super::assemble::{Logged, Proved, assemble};
use super::decoy::decoy;
use super::search::Search;
use crate::institution::Institution;
use crate::key_files::ProvingKeys;

/// Proving a question that was logged.
pub(super) struct Proving<'a> {
    pub(super) institution: &'a Institution,
    pub(super) keys: &'a dyn ProvingKeys,
    pub(super) request: &'a Request,
    pub(super) digest: RequestDigest,
    pub(super) logged: Logged,
    /// Whether something is proved where nothing is to prove.
    pub(super) decoys: bool,
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
    pub(super) fn run(
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
        if !answered && !self.decoys {
            return Ok(None);
        }
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
