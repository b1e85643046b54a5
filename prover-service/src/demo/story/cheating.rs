//! Cheating with evidence: what a patched prover tries, and a file that goes to another verifier.

use std::sync::Arc;

use rand::rngs::OsRng;
use tonic::transport::Channel;
use vouchsafe_access::subject::Identifier;
use vouchsafe_access::vault::{Draft, HeldRecord, Incoming, Outcome, RecordId, SourceKey};
use vouchsafe_circuits::record::{Absence, FieldValue, Validity, Value};
use vouchsafe_circuits::schema::{Schema, builtin};

use super::cast::{CLINIC, Cast, HOSPITAL, now};
use super::questions::{PAYMENT, Shown, opposite};
use super::{Attempt, DemoError, Told};
use crate::client;
use crate::demo::attacks::Targets;
use crate::demo::forge::Forge;
use crate::demo::questions::Chosen;

/// Everything that a liar with the hospital's keys, or a thief with its records, can do.
pub(super) async fn with_a_patched_prover(
    cast: &Cast,
    chosen: &Chosen,
    honest: Shown,
    clinic: &Channel,
    told: &mut Told<'_>,
) -> Result<(), DemoError> {
    told.chapter(
        "Now somebody cheats",
        "A patched prover skips every check of its own; the verifier is the one that you would run.",
    );
    told.tried(cast.replayed(chosen, &honest, clinic).await?);
    let targets = cast.targets(chosen, honest).await?;
    for attempt in tokio::task::block_in_place(|| targets.all())? {
        told.tried(attempt);
    }
    Ok(())
}

impl Cast {
    /// The insurer's file is sent to the clinic's node as an answer to the clinic's own question.
    async fn replayed(&self, chosen: &Chosen, honest: &Shown, clinic: &Channel) -> Result<Attempt, DemoError> {
        let parts = [(chosen.schema.clone(), chosen.predicate.clone())];
        let own = self.ask(&parts, HOSPITAL, CLINIC, PAYMENT)?;
        let verdict = client::verify(clinic, &own, &honest.evidence).await.map_err(DemoError::own)?;
        let control = client::verify(clinic, &honest.request, &honest.evidence).await.map_err(DemoError::own)?;
        let outcome = if verdict.valid { Ok(()) } else { Err(format!("refused ({}): {}", verdict.check, verdict.why)) };
        let name = "evidence replayed to another verifier, over gRPC";
        Ok(Attempt::new(name, outcome, Some(("the verifier's own request", control.valid))))
    }

    async fn targets(&self, chosen: &Chosen, honest: Shown) -> Result<Targets<'_>, DemoError> {
        let hospital = self.hospital.institution();
        let forge = Forge { ledger: hospital.ledger(), keys: self.hospital.node.keys(), trust: &self.hospital.trust };
        let subject: Identifier = chosen.subject.parse().map_err(DemoError::own)?;
        let record = self.held(&subject, &chosen.schema).await?;
        let commitment = record.id.commitment();
        let pen = hospital.pen();
        // somebody's cover that ended yesterday, and one that is withdrawn
        let cover = builtin::condition();
        let day = now().day();
        let ended = Validity { from: day.saturating_sub(400), until: day.saturating_sub(1) };
        let expired = self.commit(&subject, &cover, "expired", ended).await?;
        let withdrawn = self.commit(&subject, &cover, "withdrawn", Validity::ALWAYS).await?;
        let before = forge.loot(pen.member(), withdrawn.id.commitment(), withdrawn.opening)?;
        self.withdraw("withdrawn").await?;
        let covered = [(cover, "icd10.under(\"Z02\")".to_owned())];
        let asked = [(chosen.schema.clone(), chosen.predicate.clone())];
        let negated = [(chosen.schema.clone(), opposite(&chosen.predicate))];
        let insurer = self.insurer.name;
        let ask = |parts: &[(Schema, String)], issuer| self.ask(parts, issuer, insurer, PAYMENT);
        Ok(Targets {
            asked_again: ask(&asked, HOSPITAL)?,
            asked_of_clinic: ask(&asked, CLINIC)?,
            false_question: ask(&negated, HOSPITAL)?,
            expired: (expired.id.commitment(), expired.opening, ask(&covered, HOSPITAL)?),
            withdrawn: (before, ask(&covered, HOSPITAL)?, ask(&covered, HOSPITAL)?),
            record: (commitment, record.opening),
            clinic: self.clinic_pen.clone(),
            hospital: pen,
            honest: (honest.request, honest.evidence),
            forge,
        })
    }

    /// A record of the subject, opened.
    async fn held(&self, subject: &Identifier, schema: &Schema) -> Result<HeldRecord, DemoError> {
        let vault = self.hospital.institution().vault();
        let subject = vault.subject(subject).map_err(DemoError::own)?;
        let subject = subject.ok_or_else(|| DemoError::missing("the demo's patient"))?;
        let records = vault.find(subject, schema.id()).map_err(DemoError::own)?;
        let id = records.first().ok_or_else(|| DemoError::missing("the patient's record"))?;
        vault.open_for_proof(*id, schema).await.map_err(DemoError::own)
    }

    /// Commits a record made for the attacks.
    async fn commit(
        &self,
        subject: &Identifier,
        schema: &Schema,
        name: &str,
        valid: Validity,
    ) -> Result<HeldRecord, DemoError> {
        let mut fields = schema.all_absent(Absence::NotAsked);
        if let Some(place) = schema.place("icd10") {
            fields[place] = FieldValue::Present(Value::Code("Z02.6".to_owned()));
        }
        let hospital = self.hospital.institution();
        let draft = Draft {
            schema: Arc::new(schema.clone()),
            issuer: hospital.member().issuer(),
            suite: hospital.identity().suite,
            subject: vec![subject.clone()],
            lookups: Vec::new(),
            introduces: false,
            fields,
            valid,
            source: source_of(name, "1"),
        };
        let id = match self.stage(Incoming::Record(Box::new(draft))).await? {
            Outcome::New(id) => id,
            _ => return Err(DemoError::missing("a new record")),
        };
        hospital.vault().open_for_proof(id, schema).await.map_err(DemoError::own)
    }

    async fn withdraw(&self, name: &str) -> Result<RecordId, DemoError> {
        match self.stage(Incoming::EnteredInError(source_of(name, "2"))).await? {
            Outcome::Withdraws(id) => Ok(id),
            _ => Err(DemoError::missing("the record to withdraw")),
        }
    }

    async fn stage(&self, incoming: Incoming) -> Result<Outcome, DemoError> {
        let hospital = self.hospital.institution();
        let staged = hospital.vault().stage(vec![incoming], &mut OsRng).await.map_err(DemoError::own)?;
        hospital.vault().settle(&hospital.bridge(), &mut OsRng).await.map_err(DemoError::own)?;
        let outcome = staged.outcomes.into_iter().next().ok_or_else(|| DemoError::missing("an outcome"))?;
        outcome.map_err(DemoError::own)
    }
}

fn source_of(name: &str, version: &str) -> SourceKey {
    SourceKey { source: "demo".to_owned(), resource: format!("Cover/{name}"), version: version.to_owned() }
}
