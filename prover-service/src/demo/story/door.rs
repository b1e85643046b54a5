//! The one door: a doctor reads on a grant, a vault cheats, a grant is revoked, a glass is broken and reviewed.

use rand::rngs::OsRng;
use serde_json::{Value as Json, json};
use vouchsafe_access::door::{OpenedParcel, Parcel, ParcelCheck};
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::record::{FieldIndex, FieldValue, Tier, Value};
use vouchsafe_ledger_types::ids::{EmergencyId, GrantId};

use super::cast::{Cast, Person, now};
use super::{Attempt, DemoError, Told, id_in};
use crate::client::{ClientError, OpenWish};
use crate::demo::questions::Chosen;
use crate::operator::{Command, GrantOrder};

const DAY_SECONDS: u64 = 86_400;
/// The field that the cheating vault changes.
const FIELD: &str = "familyName";

/// What the doctor had in hands.
pub(super) struct Visit {
    pub(super) record: RecordId,
    /// Whether the doctor could read it on the grant.
    pub(super) readable: bool,
}

/// A doctor, without a grant, with one, and after it was revoked.
pub(super) async fn a_doctor_reads(cast: &Cast, chosen: &Chosen, told: &mut Told<'_>) -> Result<Visit, DemoError> {
    told.chapter(
        "A doctor opens a record",
        "First the grant, then the ledger's entry, then the key, sealed to this doctor, who recomputes the commitment.",
    );
    let doctor = &cast.doctor;
    let record = cast.patient_record(&chosen.subject).await?;
    let ungranted = cast.open(doctor, &wish(record, "TREAT")).await?;
    let grant = cast.grant(doctor, &chosen.subject).await?;
    told.line(&format!("granted to {}: this patient's record, for treatment, for a day", doctor.name));

    let parcel = cast.opened(doctor, record, told).await?;
    let rules = cast.hospital.rules();
    let opened = parcel.open(&doctor.secrets, record, &rules, now()).map_err(DemoError::own)?;
    told.line(&format!(
        "{} fields up to tier 4; the commitment, computed again from them, is the one on the ledger ({})",
        opened.fields.len(),
        standing(&opened)
    ));
    let readable = opened.record == record && !opened.fields.is_empty();
    told.tried(tried("a doctor without a grant", &ungranted, Some(("the lack of a grant", readable))));

    told.chapter(
        "The hospital's vault cheats the doctor",
        "It has every key. The doctor's own checks are what stands between a lie and a treatment.",
    );
    told.tried(cast.changed_field(&parcel, record, &opened)?);
    told.tried(cast.released_without_entry(&parcel, record)?);
    let other = cast.opened(doctor, record, told).await?;
    told.tried(cast.entry_of_another_release(&parcel, &other, record)?);

    cast.hospital.order(&Command::Revoke { grant }).await?;
    told.line("the grant is revoked");
    let revoked = cast.open(doctor, &wish(record, "TREAT")).await?;
    told.tried(tried("a doctor whose grant was revoked", &revoked, Some(("the revocation", readable))));
    Ok(Visit { record, readable })
}

/// Somebody is brought in unconscious.
pub(super) async fn an_emergency(cast: &Cast, visit: &Visit, told: &mut Told<'_>) -> Result<(), DemoError> {
    told.chapter(
        "An emergency",
        "No grant, no time to ask: the opening reports itself, and somebody has to look into it.",
    );
    let wish =
        OpenWish { emergency: true, reason: "brought in unconscious".to_owned(), ..wish(visit.record, "ETREAT") };
    let without_role = cast.open(&cast.doctor, &wish).await?;
    let opened = cast.open(&cast.emergency_doctor, &wish).await?.map_err(DemoError::own)?;
    told.figures.openings += 1;
    let secrets = &cast.emergency_doctor.secrets;
    let opened = opened.open(secrets, visit.record, &cast.hospital.rules(), now()).map_err(DemoError::own)?;
    told.line(&format!("{} breaks the glass: {} ({})", cast.emergency_doctor.name, wish.reason, standing(&opened)));
    let readable = opened.record == visit.record && !opened.fields.is_empty();
    told.tried(tried("breaking the glass without the role", &without_role, Some(("the lack of the role", readable))));

    let listed = cast.hospital.order(&Command::Emergencies {}).await?;
    let open = listed["emergencies"].as_array().into_iter().flatten().find(|row| row["reviewed"] == false);
    let emergency: EmergencyId = id_in(open.unwrap_or(&Json::Null), "emergency")?;
    let reviewer = "privacy office".parse().map_err(DemoError::own)?;
    let words = "seen in the emergency room that night".to_owned();
    cast.hospital.order(&Command::Review { emergency, reviewer, justified: true, words }).await?;
    told.line("the privacy office looked into it: justified");
    Ok(())
}

/// What is wanted of a record: all of it.
pub(super) fn wish(record: RecordId, purpose: &str) -> OpenWish {
    OpenWish {
        record,
        tier: Tier::Identifying as u8,
        purpose: purpose.to_owned(),
        emergency: false,
        reason: String::new(),
    }
}

/// An attempt at the door.
pub(super) fn tried(attempt: &str, outcome: &Result<Parcel, ClientError>, control: Option<(&str, bool)>) -> Attempt {
    let outcome = outcome.as_ref().map(|_| ()).map_err(ToString::to_string);
    Attempt::new(attempt, outcome, control)
}

fn standing(opened: &OpenedParcel) -> String {
    use vouchsafe_access::door::Standing;
    match opened.standing {
        Standing::Logged { height, .. } => format!("logged in block {height}"),
        _ => "promised to the ledger".to_owned(),
    }
}

impl Cast {
    async fn patient_record(&self, subject: &str) -> Result<RecordId, DemoError> {
        let found = self.hospital.order(&Command::Find { subject: subject.to_owned() }).await?;
        let patient = |row: &&Json| row["schema"] == "patient";
        let row = found["records"].as_array().into_iter().flatten().find(patient);
        id_in(row.unwrap_or(&Json::Null), "record")
    }

    /// Grants a party all of one patient's record, for treatment.
    pub(super) async fn grant(&self, reader: &Person, subject: &str) -> Result<GrantId, DemoError> {
        let now = now();
        let order = GrantOrder {
            party: reader.name.parse().map_err(DemoError::own)?,
            tier: Tier::Identifying as u8,
            purpose: "TREAT".to_owned(),
            until: now.plus_seconds(DAY_SECONDS).unwrap_or(now),
            schemas: vec!["patient".to_owned()],
            subject: Some(subject.to_owned()),
        };
        id_in(&self.hospital.order(&Command::Grant(order)).await?, "grant")
    }

    /// Asks for a record. A refusal is an outcome; a node that fails is not.
    pub(super) async fn open(
        &self,
        reader: &Person,
        wish: &OpenWish,
    ) -> Result<Result<Parcel, ClientError>, DemoError> {
        match reader.party().open(&reader.line, wish, now(), &mut OsRng).await {
            Ok(parcels) => {
                let parcel = parcels.first().ok_or_else(|| DemoError::missing("a parcel"))?;
                Parcel::from_json(parcel).map(Ok).map_err(DemoError::own)
            }
            Err(refused @ ClientError::Refused(_)) => Ok(Err(refused)),
            Err(error) => Err(DemoError::own(error)),
        }
    }

    async fn opened(&self, reader: &Person, record: RecordId, told: &mut Told<'_>) -> Result<Parcel, DemoError> {
        let parcel = self.open(reader, &wish(record, "TREAT")).await?.map_err(DemoError::own)?;
        told.figures.openings += 1;
        Ok(parcel)
    }

    /// The vault changes a name; its tier's key is in the parcel, and the entry is genuine.
    fn changed_field(&self, parcel: &Parcel, record: RecordId, seen: &OpenedParcel) -> Result<Attempt, DemoError> {
        let place = seen.schema.field(FIELD).map(|(index, _)| index);
        let place: FieldIndex = place.ok_or_else(|| DemoError::missing("a field to change"))?;
        let lie = FieldValue::Present(Value::Text("Nobody".to_owned()));
        let secrets = &self.doctor.secrets;
        let changed = parcel.dangerous_change(secrets, &self.hospital.rules(), place, &lie, &mut OsRng);
        let changed = changed.map_err(DemoError::own)?;
        let believed =
            |opened: &OpenedParcel| opened.fields.iter().any(|(index, value)| *index == place && *value == lie);
        Ok(self.judged("a field that the vault changed", &changed, record, ParcelCheck::Content, believed))
    }

    /// The key comes with an entry that was signed, and never accepted as far as the parcel shows.
    fn released_without_entry(&self, parcel: &Parcel, record: RecordId) -> Result<Attempt, DemoError> {
        let mut document = document(parcel)?;
        let signed = document["logged"]["accepted"]["entry"].take();
        document["logged"] = json!({ "promised": signed });
        let changed = parcel_of(&document)?;
        let name = "a key released before the ledger took the entry";
        Ok(self.judged(name, &changed, record, ParcelCheck::Logged, |_| true))
    }

    /// The key comes with the accepted entry of another release. Key and entry are bound to each other as well, so there
    /// is no single check to leave out.
    fn entry_of_another_release(
        &self,
        parcel: &Parcel,
        other: &Parcel,
        record: RecordId,
    ) -> Result<Attempt, DemoError> {
        let mut document = document(parcel)?;
        document["logged"] = self::document(other)?["logged"].take();
        let changed = parcel_of(&document)?;
        let outcome = changed.open(&self.doctor.secrets, record, &self.hospital.rules(), now());
        let outcome = outcome.map(|_| ()).map_err(|error| error.to_string());
        Ok(Attempt::new("a key released on the entry of another release", outcome, None))
    }

    fn judged(
        &self,
        name: &str,
        parcel: &Parcel,
        record: RecordId,
        without: ParcelCheck,
        believed: impl Fn(&OpenedParcel) -> bool,
    ) -> Attempt {
        let (secrets, rules) = (&self.doctor.secrets, self.hospital.rules());
        let outcome = parcel.open(secrets, record, &rules, now()).map(|_| ()).map_err(|error| error.to_string());
        let weaker = parcel.dangerous_open_without(without, secrets, record, &rules, now());
        let accepted = weaker.is_ok_and(|opened| believed(&opened));
        Attempt::new(name, outcome, Some((&format!("the check {without:?}"), accepted)))
    }
}

fn document(parcel: &Parcel) -> Result<Json, DemoError> {
    serde_json::to_value(parcel).map_err(DemoError::own)
}

fn parcel_of(document: &Json) -> Result<Parcel, DemoError> {
    Parcel::from_json(&serde_json::to_vec(document).map_err(DemoError::own)?).map_err(DemoError::own)
}
