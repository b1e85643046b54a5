//! Who a patient is, and the Patient resource that says so.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha20Rng;
use serde_json::{Value, json};
use time::macros::date;
use time::{Date, Duration};

use super::names::{CULTURES, Culture};
use super::{MRN_SYSTEM, chart::days_before};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sex {
    Female,
    Male,
}

pub(super) struct Person {
    pub number: usize,
    pub sex: Sex,
    pub birth: Date,
    pub death: Option<Date>,
    /// FHIR Patient, but for its id.
    pub resource: Value,
}

pub(super) fn mrn(number: usize) -> String {
    format!("MR-{:06}", 100_001 + number)
}

impl Person {
    pub fn protagonist() -> Person {
        let birth = date!(1984 - 05 - 17);
        let resource = json!({
            "resourceType": "Patient",
            "identifier": [record_number(0), national_number("84051700017")],
            "active": true,
            "name": [
                {"use": "official", "family": "Bergström-Achebe", "given": ["Mirela", "Adaeze"]},
                {"use": "maiden", "family": "Achebe"},
            ],
            "telecom": [{"system": "phone", "value": "555-0100", "use": "mobile"}],
            "gender": "female",
            "birthDate": birth.to_string(),
            "deceasedBoolean": false,
            "address": [{"use": "home", "line": ["14 Larch Avenue"], "city": "Ashmere", "postalCode": "AQ4 7ZL", "country": "GB"}],
            "maritalStatus": marital("M", "Married"),
        });
        Person { number: 0, sex: Sex::Female, birth, death: None, resource }
    }

    pub fn random(number: usize, today: Date, rng: &mut ChaCha20Rng) -> Person {
        let culture = CULTURES.choose(rng).unwrap_or(&CULTURES[0]);
        let sex = if rng.gen_ratio(51, 100) { Sex::Female } else { Sex::Male };
        // the larger of two dice of 0 to 95 years: hospitals see more of the old
        let age_days = rng.gen_range(3..95 * 365).max(rng.gen_range(3..80 * 365));
        let birth = days_before(today, age_days);
        let dies = age_days > 60 * 365 && rng.gen_ratio(1, 9);
        let death = dies.then(|| days_before(today, rng.gen_range(1..400)));
        let resource = resource(number, culture, sex, birth, death, age_days, rng);
        Person { number, sex, birth, death, resource }
    }
}

fn resource(
    number: usize,
    culture: &Culture,
    sex: Sex,
    birth: Date,
    death: Option<Date>,
    age_days: i64,
    rng: &mut ChaCha20Rng,
) -> Value {
    let given = if sex == Sex::Female { culture.female } else { culture.male };
    let mut patient = json!({
        "resourceType": "Patient",
        "identifier": [record_number(number)],
        "active": true,
        "name": [{"use": "official", "family": pick(culture.family, rng), "given": [pick(given, rng)]}],
        "gender": if sex == Sex::Female { "female" } else { "male" },
        "birthDate": birth.to_string(),
        "address": [{
            "use": "home",
            "line": [format!("{} {}", rng.gen_range(1..240), pick(culture.streets, rng))],
            "city": pick(culture.cities, rng),
            "postalCode": postal_code(culture.postal_code, rng),
            "country": culture.country,
        }],
    });
    let digits = format!("{:02}{:09}", birth.year().rem_euclid(100), rng.gen_range(0..1_000_000_000));
    match rng.gen_range(0..20) {
        0 => {} // no national number is known
        _ => push(&mut patient["identifier"], national_number(&digits)),
    }
    match rng.gen_range(0..40) {
        0 => patient["birthDate"] = json!(birth.year().clamp(1583, 9999).to_string()), // only the year is known
        1 => patient["gender"] = json!("other"),
        2 => patient["gender"] = json!("unknown"),
        3 => patient["address"][0]["country"] = json!("formerly abroad"),
        _ => {}
    }
    match rng.gen_range(0..12) {
        0 => {} // nobody asked
        1 => patient["maritalStatus"] = json!({"text": "prefers not to say"}),
        n if age_days > 20 * 365 => patient["maritalStatus"] = adult_marital(n, age_days),
        _ => patient["maritalStatus"] = marital("S", "Never Married"),
    }
    match death {
        Some(day) if rng.gen_ratio(9, 10) => patient["deceasedDateTime"] = json!(day.to_string()),
        Some(_) => patient["deceasedBoolean"] = json!(true),
        None => patient["deceasedBoolean"] = json!(false),
    }
    patient
}

fn adult_marital(n: u32, age_days: i64) -> Value {
    match n {
        2 | 3 => marital("S", "Never Married"),
        4 => marital("D", "Divorced"),
        5 | 6 if age_days > 65 * 365 => marital("W", "Widowed"),
        _ => marital("M", "Married"),
    }
}

fn marital(code: &str, display: &str) -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
    json!({"coding": [{"system": system, "code": code, "display": display}], "text": display})
}

fn record_number(number: usize) -> Value {
    let kind = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]});
    json!({"use": "usual", "type": kind, "system": MRN_SYSTEM, "value": mrn(number)})
}

fn national_number(value: &str) -> Value {
    json!({"use": "official", "system": "https://hospital.vouchsafe.example/national-number", "value": value})
}

fn postal_code(pattern: &str, rng: &mut ChaCha20Rng) -> String {
    let mut fill = |c| match c {
        '#' => char::from(b'0' + rng.gen_range(0..10)),
        '@' => char::from(b'A' + rng.gen_range(0..26)),
        other => other,
    };
    pattern.chars().map(&mut fill).collect()
}

pub(super) fn pick(words: &'static [&'static str], rng: &mut ChaCha20Rng) -> &'static str {
    words.choose(rng).copied().unwrap_or_default()
}

fn push(array: &mut Value, item: Value) {
    if let Some(items) = array.as_array_mut() {
        items.push(item);
    }
}

/// Years between two days.
pub(super) fn years(from: Date, to: Date) -> i64 {
    (to - from).max(Duration::ZERO).whole_days() * 100 / 36_525
}
