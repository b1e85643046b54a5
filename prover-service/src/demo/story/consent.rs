//! A subject's consent: asked for, given, proved, taken back.

use rand::rngs::OsRng;
use tonic::transport::Channel;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::record::Validity;

use super::cast::{Cast, HOSPITAL};
use super::questions::{Purpose, Telling, refused};
use super::{DemoError, Told};
use crate::consent::{Consent, give, withdraw};
use crate::demo::questions::Chosen;

const RESEARCH: Purpose = Purpose { code: "HRESCH", legal_basis: "GDPR Art. 9(2)(a), consent", with_consent: true };

/// A registry asks without consent, with it, and after it was taken back.
pub(super) async fn given_and_taken_back(
    cast: &Cast,
    chosen: &Chosen,
    clinic: &Channel,
    told: &mut Told<'_>,
) -> Result<(), DemoError> {
    told.chapter(
        "A patient consents to research, and takes it back",
        "The hospital's policy denies research without the consent part; the proof shows the consent, and it ends with it.",
    );
    let registry = &cast.registry;
    let subject: Identifier = chosen.subject.parse().map_err(DemoError::own)?;
    let consent = Consent::new(registry.name, RESEARCH.code).map_err(DemoError::own)?;
    let parts = [(chosen.schema.clone(), chosen.predicate.clone())];
    let hospital = cast.hospital.institution();

    let bare = cast.ask(&parts, HOSPITAL, registry.name, Purpose { with_consent: false, ..RESEARCH })?;
    let unasked = cast.reply(registry, &bare, &chosen.subject).await?;
    let early = cast.ask(&parts, HOSPITAL, registry.name, RESEARCH)?;
    let early = cast.reply(registry, &early, &chosen.subject).await?;

    give(hospital, &subject, &consent, Validity::ALWAYS, &mut OsRng).await.map_err(DemoError::own)?;
    told.line("the patient consents: to this registry, for research; a record, and a commitment on the ledger");
    let request = cast.ask(&parts, HOSPITAL, registry.name, RESEARCH)?;
    let asked = Telling {
        title: "a fact and the consent to ask for it",
        predicate: format!("{} AND consent: permit, this registry, {}", chosen.predicate, RESEARCH.code),
    };
    cast.fact(registry, request, &chosen.subject, asked, clinic, told).await?;
    let answered = told.figures.facts.last().is_some_and(|fact| fact.valid);

    withdraw(hospital, &subject, &consent, &mut OsRng).await.map_err(DemoError::own)?;
    told.line("the patient takes it back: the record is withdrawn on the ledger");
    let late = cast.ask(&parts, HOSPITAL, registry.name, RESEARCH)?;
    let late = cast.reply(registry, &late, &chosen.subject).await?;

    let control = |without| Some((without, answered));
    told.tried(refused("research, asked without the consent part", &unasked, control("the lack of that part")));
    told.tried(refused("research, before the patient consented", &early, control("the lack of consent")));
    told.tried(refused("research, after the consent was taken back", &late, control("the withdrawal")));
    Ok(())
}
