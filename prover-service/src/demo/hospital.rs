//! A small hospital that never was: FHIR R4 bundles from a seed, one per patient.
//!
//! The same seed, number and day give the same bytes; patient n does not depend on how many there are. Names,
//! numbers and addresses are invented. Values are plausible for age and illness, some are missing, refused or
//! entered in a way that a mapping has to cope with. It is no statistical model of any population.
//!
//! Patient 0 is always the same person, the demo's protagonist: born 1984-05-17, type 2 diabetes (E11.9), with
//! an HbA1c of 7.2 % and a blood pressure of 128/82.

mod chart;
mod clinic;
mod names;
mod person;

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::Value;
use time::Date;

use chart::Chart;
use person::Person;

/// The system of the medical record numbers.
pub const MRN_SYSTEM: &str = "https://hospital.vouchsafe.example/mrn";

/// The medical record number of a patient, as `system|value`.
pub fn record_number(patient: usize) -> String {
    format!("{MRN_SYSTEM}|{}", person::mrn(patient))
}

/// The bundles of this many patients, as they stand on a day.
pub fn generate(seed: u64, patients: usize, today: Date) -> Vec<Value> {
    (0..patients).map(|number| bundle(seed, number, today)).collect()
}

fn bundle(seed: u64, number: usize, today: Date) -> Value {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    rng.set_stream(u64::try_from(number).unwrap_or(u64::MAX));
    let person = if number == 0 { Person::protagonist() } else { Person::random(number, today, &mut rng) };
    let mut chart = Chart::new(rng, today, person);
    chart.register();
    if number == 0 {
        clinic::protagonist(&mut chart);
    } else {
        clinic::random(&mut chart);
    }
    let mut bundle = chart.into_bundle();
    bundle.sort_all_objects(); // another crate's features may make maps keep the order of insertion
    bundle
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};
    use time::macros::date;

    use super::*;

    fn digest(seed: u64, patients: usize) -> String {
        let bundles = serde_json::to_vec(&generate(seed, patients, date!(2026 - 06 - 15))).unwrap();
        hex::encode(Sha256::digest(bundles))
    }

    #[test]
    fn a_seed_gives_the_same_hospital() {
        assert_eq!(digest(7, 20), digest(7, 20));
        assert_ne!(digest(7, 20), digest(8, 20));
        assert_eq!(generate(7, 3, date!(2026 - 06 - 15)), generate(7, 9, date!(2026 - 06 - 15))[..3]);
    }

    #[test]
    fn the_hospital_of_seed_1_is_pinned() {
        assert_eq!(digest(1, 20), "29e42e7296102e8c2d5e3888f3b9074ce056c9f1519222fbe46542c4e1b0f0e6");
    }

    #[test]
    fn any_day_will_do() {
        for today in [Date::MIN, date!(1984 - 05 - 17), Date::MAX] {
            assert_eq!(generate(1, 8, today).len(), 8);
        }
    }
}
