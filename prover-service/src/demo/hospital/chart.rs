//! A patient's chart: resources are added with dates and references, and become a bundle.

use std::fmt::Write;

use rand::{Rng, RngCore};
use rand_chacha::ChaCha20Rng;
use serde_json::{Number, Value, json};
use time::{Date, Duration};

use super::person::Person;

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const LOINC: &str = "http://loinc.org";

/// A coded meaning: system, code, display.
#[derive(Clone, Copy)]
pub(super) struct Coded(pub &'static str, pub &'static str, pub &'static str);

impl Coded {
    fn concept(self) -> Value {
        json!({"coding": [{"system": self.0, "code": self.1, "display": self.2}], "text": self.2})
    }
}

/// A decimal number as an integer and the digits after the point, so that no float is ever near it.
#[derive(Clone, Copy)]
pub(super) struct Decimal(pub i64, pub u32);

impl Decimal {
    fn number(self) -> Value {
        let unit = 10i64.pow(self.1);
        let (sign, units) = (if self.0 < 0 { "-" } else { "" }, self.0.abs());
        let text = match self.1 {
            0 => format!("{sign}{units}"),
            digits => format!("{sign}{}.{:0width$}", units / unit, units % unit, width = digits as usize),
        };
        text.parse::<Number>().map_or(Value::Null, Value::Number)
    }
}

/// How an observation's value is known.
pub(super) enum Reading {
    Value(Decimal),
    Missing(&'static str),
}

pub(super) struct Chart {
    pub rng: ChaCha20Rng,
    pub today: Date,
    pub person: Person,
    patient_url: String,
    entries: Vec<Value>,
    /// The last instant: a day and seconds after its midnight.
    clock: Option<(Date, u32)>,
}

impl Chart {
    pub fn new(rng: ChaCha20Rng, today: Date, person: Person) -> Chart {
        Chart { rng, today, person, patient_url: String::new(), entries: Vec::new(), clock: None }
    }

    /// The Patient resource: comes first.
    pub fn register(&mut self) {
        let patient = std::mem::take(&mut self.person.resource);
        self.patient_url = self.add("Patient", patient);
    }

    pub fn into_bundle(self) -> Value {
        json!({"resourceType": "Bundle", "type": "transaction", "entry": self.entries})
    }

    fn add(&mut self, resource_type: &str, mut resource: Value) -> String {
        let id = self.uuid();
        let url = format!("urn:uuid:{id}");
        resource["resourceType"] = json!(resource_type);
        resource["id"] = json!(id);
        resource["meta"] = json!({"versionId": "1"});
        let request = json!({"method": "PUT", "url": format!("{resource_type}/{id}")});
        self.entries.push(json!({"fullUrl": url, "resource": resource, "request": request}));
        url
    }

    fn uuid(&mut self) -> String {
        let mut bytes = [0u8; 16];
        self.rng.fill_bytes(&mut bytes);
        bytes[6] = 0x40 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        bytes.iter().enumerate().fold(String::new(), |mut text, (i, byte)| {
            let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
            let _ = write!(text, "{dash}{byte:02x}"); // writing to a String cannot fail
            text
        })
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u32) -> bool {
        self.rng.gen_range(0..100) < chance
    }

    /// A number near the mean: three dice, at most `spread` away.
    pub fn around(&mut self, mean: i64, spread: i64) -> i64 {
        let third = (spread / 3).max(1);
        mean + (0..3).map(|_| self.rng.gen_range(-third..=third)).sum::<i64>()
    }

    /// A day in the patient's life, so many days ago or the nearest to it.
    pub fn day(&self, days_ago: i64) -> Date {
        let last = self.person.death.unwrap_or(self.today).max(self.person.birth);
        days_before(last, days_ago).clamp(self.person.birth, last)
    }

    /// A second of working hours; on one day, each is some minutes after the one before.
    fn instant(&mut self, day: Date) -> Value {
        let seconds = match self.clock {
            Some((same, seconds)) if same == day => (seconds + self.rng.gen_range(60..600)).min(86_399),
            _ => self.rng.gen_range(7 * 3600..16 * 3600),
        };
        self.clock = Some((day, seconds));
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        json!(format!("{day}T{hour:02}:{minute:02}:{second:02}+01:00"))
    }

    fn sometimes_instant(&mut self, day: Date) -> Value {
        let at = self.instant(day);
        if self.percent(4) { json!(day.to_string()) } else { at }
    }

    /// An observation of one quantity.
    pub fn measure(&mut self, code: Coded, unit: &str, reading: Reading, day: Date) {
        let mut resource = self.observation(code, day);
        put(&mut resource, unit, &reading);
        self.add("Observation", resource);
    }

    /// A finding with a SNOMED code for its value.
    pub fn finding(&mut self, code: Coded, value: Coded, day: Date) {
        let mut resource = self.observation(code, day);
        resource["valueCodeableConcept"] = value.concept();
        self.add("Observation", resource);
    }

    /// A blood pressure.
    pub fn pressure(&mut self, systolic: Reading, diastolic: Reading, day: Date) {
        let mut resource = self.observation(Coded(LOINC, "85354-9", "Blood pressure panel"), day);
        let codes = [("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure")];
        let part = |((code, display), reading): ((&'static str, &'static str), &Reading)| {
            let mut component = json!({"code": Coded(LOINC, code, display).concept()});
            put(&mut component, "mm[Hg]", reading);
            component
        };
        resource["component"] = codes.into_iter().zip([&systolic, &diastolic]).map(part).collect();
        self.add("Observation", resource);
    }

    fn observation(&mut self, code: Coded, day: Date) -> Value {
        // the protagonist's measurements all count, with time and all
        let plain = self.person.number == 0;
        let at = if plain { self.instant(day) } else { self.sometimes_instant(day) };
        let status = match self.rng.gen_range(0..100) {
            _ if plain => "final",
            0 => "cancelled",
            1 => "preliminary",
            2 => "amended",
            _ => "final",
        };
        let subject = json!({"reference": self.patient_url});
        json!({"status": status, "code": code.concept(), "subject": subject, "effectiveDateTime": at})
    }

    /// A diagnosis, first seen on a day.
    pub fn condition(&mut self, code: Coded, clinical: &str, verification: &str, onset: Date) {
        let status = |system: &str, code: &str| json!({"coding": [{"system": format!("http://terminology.hl7.org/CodeSystem/{system}"), "code": code}]});
        let mut resource = json!({
            "clinicalStatus": status("condition-clinical", clinical),
            "verificationStatus": status("condition-ver-status", verification),
            "code": code.concept(),
            "subject": {"reference": self.patient_url},
            "onsetDateTime": onset.to_string(),
            "recordedDate": onset.to_string(),
        });
        if clinical == "resolved" {
            let last = self.person.death.unwrap_or(self.today);
            resource["abatementDateTime"] = json!(onset.saturating_add(Duration::days(14)).min(last).to_string());
        }
        if self.percent(3) && self.person.number != 0 {
            resource["onsetDateTime"] = json!(onset.year().clamp(1583, 9999).to_string());
        }
        self.add("Condition", resource);
    }

    /// A prescription.
    pub fn prescription(&mut self, code: Coded, status: &str, intent: &str, day: Date) {
        let authored = self.instant(day);
        let resource = json!({
            "status": status,
            "intent": intent,
            "medicationCodeableConcept": code.concept(),
            "subject": {"reference": self.patient_url},
            "authoredOn": authored,
        });
        self.add("MedicationRequest", resource);
    }

    /// A vaccination, or one that was not given.
    pub fn vaccination(&mut self, code: Coded, status: &str, day: Date) {
        let occurrence = self.instant(day);
        let resource = json!({
            "status": status,
            "vaccineCode": code.concept(),
            "patient": {"reference": self.patient_url},
            "occurrenceDateTime": occurrence,
            "primarySource": true,
        });
        self.add("Immunization", resource);
    }
}

fn put(holder: &mut Value, unit: &str, reading: &Reading) {
    match reading {
        Reading::Value(decimal) => {
            holder["valueQuantity"] =
                json!({"value": decimal.number(), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit});
        }
        Reading::Missing(reason) => {
            let system = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
            holder["dataAbsentReason"] = json!({"coding": [{"system": system, "code": reason}]});
        }
    }
}

/// So many days before a day, or year 1600 if that would be earlier.
pub(super) fn days_before(day: Date, days: i64) -> Date {
    const FIRST: Date = time::macros::date!(1600 - 01 - 01);
    const LAST: Date = time::macros::date!(9990 - 12 - 31);
    day.min(LAST).saturating_sub(Duration::days(days)).max(FIRST)
}
