//! Consent: a subject's word on who may learn of its records, kept as records of the schema `consent`.
//!
//! ```text
//! permit   one recipient, one purpose, from day to day: what a consent part proves
//! deny     a recipient or everybody, a purpose or every purpose: makes the honest holder find no consent
//! ```
//!
//! Giving commits a record, taking back withdraws it; from the next block on nothing can be proved from it. A deny
//! binds the holder alone, whatever was asked: a proof says that a permit exists, never that no deny does. Whether the person at the desk
//! speaks for the subject is for whoever types it in. Spec: docs/spec/consent.md.

use std::sync::Arc;

use rand::{CryptoRng, RngCore};
use vouchsafe_access::subject::{Identifier, SubjectId};
use vouchsafe_access::vault::{
    Draft, DraftError, Incoming, IndexError, Outcome, ReadError, RecordId, SettleError, SourceKey, StageError,
};
use vouchsafe_circuits::record::{Absence, FieldValue, Validity, Value};
use vouchsafe_circuits::schema::{CodeForm, Schema, builtin, encode_code};
use vouchsafe_ledger::engine::Engine;

use crate::answer::AnswerError;
use crate::institution::Institution;

/// The longest name of a recipient, in bytes: that of a request's verifier.
const RECIPIENT_BYTES_MAX: usize = 64;
/// Where consents given here come from; no source of files can have such a name.
const DESK: &str = "consent desk";

/// Purposes of use that no other one includes. Every other code may lie below any of them, as ETREAT below TREAT.
const TOP_PURPOSES: [&str; 7] = ["HMARKT", "HOPERAT", "HPAYMT", "HRESCH", "PATRQT", "PUBHLTH", "TREAT"];

/// What a subject consents to.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    recipient: String,
    purpose: String,
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Consent") // whom somebody trusts is not for logs
    }
}

impl Consent {
    /// Consent to one verifier or project, by the name it asks under, for one purpose of use.
    pub fn new(recipient: &str, purpose: &str) -> Result<Consent, ConsentError> {
        if !is_recipient(recipient) {
            return Err(ConsentError::Recipient);
        }
        if !is_purpose(purpose) {
            return Err(ConsentError::Purpose);
        }
        Ok(Consent { recipient: recipient.to_owned(), purpose: purpose.to_owned() })
    }
}

/// Why a consent was not given or taken back. First what the caller can mend, then the machine's faults.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// The recipient's name is none.
    #[error("a recipient is 1 to {RECIPIENT_BYTES_MAX} bytes without control characters: the name it asks under")]
    Recipient,
    /// The purpose is no code.
    #[error("a purpose is a code of HL7 PurposeOfUse, 1 to 15 of A-Z, 0-9, '-' and '_'")]
    Purpose,
    /// The subject is not known here.
    #[error("no subject of this vault has that identifier: take its records in first")]
    NoSubject,
    /// There is nothing to take back.
    #[error("no such consent was given here; one that came in a file is taken back by the system that sent it")]
    NotGiven,
    /// The record was not taken.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// It could not be staged.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// It could not be brought to the ledger; it stays pending, and the next write finishes it.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The vault could not be read.
    #[error(transparent)]
    Read(Box<ReadError>),
}

impl From<IndexError> for ConsentError {
    fn from(error: IndexError) -> ConsentError {
        ConsentError::Read(Box::new(error.into()))
    }
}

/// A consent that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBack {
    /// The record that was withdrawn.
    pub record: RecordId,
    /// Permits from elsewhere that still say the same: their own sources must take them back.
    pub others: usize,
}

/// Records a subject's consent; on the ledger when this returns. Given again, it replaces what was given before.
pub async fn give(
    institution: &Institution,
    subject: &Identifier,
    consent: &Consent,
    valid: Validity,
    rng: &mut (impl RngCore + CryptoRng + Send),
) -> Result<RecordId, ConsentError> {
    let known = institution.vault().subject(subject)?.ok_or(ConsentError::NoSubject)?;
    let schema = Arc::new(builtin::consent());
    let word = Word {
        decision: Decision::Permit,
        recipient: Some(consent.recipient.clone()),
        purpose: Some(consent.purpose.clone()),
    };
    let draft = Draft {
        fields: word.fields(&schema),
        schema,
        issuer: institution.member().issuer(),
        suite: institution.identity().suite,
        subject: vec![subject.clone()],
        lookups: Vec::new(),
        introduces: false,
        valid,
        source: consent.source(known, rng),
    };
    match bring(institution, Incoming::Record(Box::new(draft)), rng).await? {
        Outcome::New(record) | Outcome::Amends { record, .. } => Ok(record),
        _ => Err(ConsentError::NotGiven), // each word has a version of its own: it cannot have been seen
    }
}

/// Takes a consent back that was given with [`give`]; its record is withdrawn on the ledger when this returns.
pub async fn withdraw(
    institution: &Institution,
    subject: &Identifier,
    consent: &Consent,
    rng: &mut (impl RngCore + CryptoRng + Send),
) -> Result<TakenBack, ConsentError> {
    let known = institution.vault().subject(subject)?.ok_or(ConsentError::NoSubject)?;
    let incoming = Incoming::EnteredInError(consent.source(known, rng));
    let Outcome::Withdraws(record) = bring(institution, incoming, rng).await? else {
        return Err(ConsentError::NotGiven);
    };
    let schema = builtin::consent();
    let mut others = 0;
    for id in institution.vault().find(known, schema.id())? {
        let held = institution.vault().open_for_proof(id, &schema).await;
        let held = held.map_err(|error| ConsentError::Read(Box::new(error)))?;
        others += usize::from(Word::of(&schema, &held.values).is_some_and(|word| word.permits(consent)));
    }
    Ok(TakenBack { record, others })
}

/// Whether a deny of the subject, active here and on the ledger and valid today, covers this recipient and purpose. A record
/// that cannot be read may be one, and counts as one.
pub(crate) async fn denied(
    institution: &Institution,
    subject: SubjectId,
    recipient: &str,
    purpose: &str,
) -> Result<bool, AnswerError> {
    let schema = builtin::consent();
    let today = institution.clock().now().day();
    let mut denied = false;
    for id in institution.vault().find(subject, schema.id())? {
        let held = match institution.vault().open_for_proof(id, &schema).await {
            Ok(held) => held,
            Err(ReadError::Erased(_)) => continue,
            Err(_) => {
                denied = true;
                continue;
            }
        };
        let place = institution.ledger().snapshot()?.lookup(institution.member(), id.commitment())?;
        let stands = place.is_some_and(|place| place.active) && held.opening.header.valid.holds_on(today);
        let word = Word::of(&schema, &held.values);
        denied |= stands && held.subject == subject && word.is_none_or(|word| word.denies(recipient, purpose));
    }
    Ok(denied)
}

async fn bring(
    institution: &Institution,
    incoming: Incoming,
    rng: &mut (impl RngCore + CryptoRng + Send),
) -> Result<Outcome, ConsentError> {
    let staged = institution.vault().stage(vec![incoming], rng).await?;
    institution.vault().settle(&institution.bridge(), rng).await?;
    staged.outcomes.into_iter().next().ok_or(ConsentError::NotGiven)?.map_err(ConsentError::Draft)
}

impl Consent {
    /// One key for each subject, purpose and recipient; a version of its own for each word said.
    fn source(&self, subject: SubjectId, rng: &mut (impl RngCore + CryptoRng)) -> SourceKey {
        let mut version = [0; 16];
        rng.fill_bytes(&mut version);
        SourceKey {
            source: DESK.to_owned(),
            resource: format!("{subject}/{}/{}", self.purpose, self.recipient),
            version: hex::encode(version),
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decision {
    Deny,
    Permit,
}

/// What a consent record says. In a permit nothing is missing; in a deny what is missing means all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    pub(crate) decision: Decision,
    pub(crate) recipient: Option<String>,
    pub(crate) purpose: Option<String>,
}

impl Word {
    /// Reads a record's values. None if it is no word: whoever asks must take it for a deny.
    pub(crate) fn of(schema: &Schema, values: &[FieldValue]) -> Option<Word> {
        let field = |name| schema.place(name).and_then(|place| values.get(place));
        let decision = match field("decision")? {
            FieldValue::Present(Value::Code(code)) if code == "permit" => Decision::Permit,
            FieldValue::Present(Value::Code(code)) if code == "deny" => Decision::Deny,
            _ => return None,
        };
        let text = |value: &FieldValue| match value {
            FieldValue::Present(Value::Text(text) | Value::Code(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Word { decision, recipient: text(field("recipient")?), purpose: text(field("purpose")?) })
    }

    /// The values of a record that says this.
    pub(crate) fn fields(&self, schema: &Schema) -> Vec<FieldValue> {
        let code = |code: &str| FieldValue::Present(Value::Code(code.to_owned()));
        let all = FieldValue::Absent(Absence::NotApplicable);
        let values = [
            ("decision", code(if self.decision == Decision::Permit { "permit" } else { "deny" })),
            ("recipient", self.recipient.clone().map_or(all.clone(), |name| FieldValue::Present(Value::Text(name)))),
            ("purpose", self.purpose.as_deref().map_or(all, code)),
            ("status", code("active")),
        ];
        let mut fields = schema.all_absent(Absence::Unmapped);
        for (name, value) in values {
            if let Some(field) = schema.place(name).and_then(|place| fields.get_mut(place)) {
                *field = value;
            }
        }
        fields
    }

    fn permits(&self, consent: &Consent) -> bool {
        self.decision == Decision::Permit
            && self.recipient.as_ref() == Some(&consent.recipient)
            && self.purpose.as_ref() == Some(&consent.purpose)
    }

    /// Whether it is a deny that covers this recipient and purpose.
    pub(crate) fn denies(&self, recipient: &str, purpose: &str) -> bool {
        self.decision == Decision::Deny
            && self.recipient.as_ref().is_none_or(|denied| denied == recipient)
            && self.purpose.as_ref().is_none_or(|denied| covers(denied, purpose))
    }
}

/// Whether a deny of one purpose covers another. Codes below others are not known here, so every code that stands at
/// the top of none may lie below the denied one.
fn covers(denied: &str, asked: &str) -> bool {
    denied == asked || !TOP_PURPOSES.contains(&asked)
}

/// Whether this can be the name of a request's verifier.
pub(crate) fn is_recipient(name: &str) -> bool {
    (1..=RECIPIENT_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// Whether this can be both a request's purpose and a code.
pub(crate) fn is_purpose(code: &str) -> bool {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    encode_code(CodeForm::Ascii, code).is_ok() && code.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deny(recipient: Option<&str>, purpose: Option<&str>) -> Word {
        Word { decision: Decision::Deny, recipient: recipient.map(str::to_owned), purpose: purpose.map(str::to_owned) }
    }

    #[test]
    fn a_deny_covers_what_it_names_and_what_may_lie_below() {
        assert!(deny(None, None).denies("anybody", "TREAT"));
        assert!(deny(Some("a"), None).denies("a", "TREAT") && !deny(Some("a"), None).denies("b", "TREAT"));
        let treatment = deny(None, Some("TREAT"));
        assert!(treatment.denies("a", "TREAT") && treatment.denies("a", "ETREAT") && !treatment.denies("a", "HPAYMT"));
        assert!(!deny(None, Some("ETREAT")).denies("a", "TREAT"));
        let permit = Word { decision: Decision::Permit, ..deny(None, None) };
        assert!(!permit.denies("a", "TREAT"));
    }

    #[test]
    fn words_go_through_their_records() {
        let schema = builtin::consent();
        let permit = Word { decision: Decision::Permit, ..deny(Some("insurer \"x\""), Some("HPAYMT")) };
        for word in [permit, deny(None, None), deny(Some("a"), None), deny(None, Some("TREAT"))] {
            let fields = word.fields(&schema);
            assert!(schema.encode(&fields).is_ok());
            assert!(Word::of(&schema, &fields) == Some(word));
        }
        assert!(Word::of(&schema, &schema.all_absent(Absence::Withheld)).is_none());
    }
}
