//! What is in the charts: visits, laboratory values, diagnoses, prescriptions and vaccinations.

use rand::Rng;
use time::Date;

use super::chart::{Chart, Coded, Decimal, LOINC, Reading, SNOMED};
use super::person::{Sex, years};

const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
const ICD10_CM: &str = "http://hl7.org/fhir/sid/icd-10-cm";
const RXNORM: &str = "http://www.nlm.nih.gov/research/umls/rxnorm";
const CVX: &str = "http://hl7.org/fhir/sid/cvx";

const HBA1C: Coded = Coded(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood");
const GLUCOSE: Coded = Coded(LOINC, "15074-8", "Glucose [Moles/volume] in Blood");
const GLUCOSE_MASS: Coded = Coded(LOINC, "2339-0", "Glucose [Mass/volume] in Blood");
const HEMOGLOBIN: Coded = Coded(LOINC, "718-7", "Hemoglobin [Mass/volume] in Blood");
const WEIGHT: Coded = Coded(LOINC, "29463-7", "Body weight");
const HEIGHT: Coded = Coded(LOINC, "8302-2", "Body height");
const BMI: Coded = Coded(LOINC, "39156-5", "Body mass index (BMI) [Ratio]");
const HEART_RATE: Coded = Coded(LOINC, "8867-4", "Heart rate");
const SMOKING: Coded = Coded(LOINC, "72166-2", "Tobacco smoking status");

const NEVER_SMOKED: Coded = Coded(SNOMED, "266919005", "Never smoked tobacco");
const SMOKERS: [Coded; 3] = [NEVER_SMOKED, Coded(SNOMED, "8517006", "Ex-smoker"), Coded(SNOMED, "77176002", "Smoker")];

const DIABETES: [Coded; 4] = [
    Coded(ICD10_CM, "E11.9", "Type 2 diabetes mellitus without complications"),
    Coded(ICD10_CM, "E11.65", "Type 2 diabetes mellitus with hyperglycemia"),
    Coded(ICD10, "E11.2", "Type 2 diabetes mellitus with renal complications"),
    Coded(SNOMED, "44054006", "Diabetes mellitus type 2"),
];
const HYPERTENSION: [Coded; 2] =
    [Coded(ICD10, "I10", "Essential (primary) hypertension"), Coded(SNOMED, "38341003", "Hypertensive disorder")];
const OTHERS: [Coded; 10] = [
    Coded(ICD10_CM, "J45.909", "Unspecified asthma, uncomplicated"),
    Coded(ICD10_CM, "F32.9", "Major depressive disorder, single episode, unspecified"),
    Coded(ICD10, "M54.5", "Low back pain"),
    Coded(ICD10_CM, "E10.9", "Type 1 diabetes mellitus without complications"),
    Coded(ICD10, "N18.3", "Chronic kidney disease, stage 3"),
    Coded(ICD10_CM, "K21.9", "Gastro-esophageal reflux disease without esophagitis"),
    Coded(SNOMED, "195662009", "Acute viral pharyngitis"),
    Coded(SNOMED, "65363002", "Otitis media"),
    Coded(SNOMED, "65966004", "Fracture of forearm"),
    Coded(SNOMED, "84757009", "Epilepsy"),
];
/// From here on in [`OTHERS`], what heals.
const HEALS: usize = 6;

const METFORMIN: Coded = Coded(RXNORM, "861007", "metformin hydrochloride 500 MG Oral Tablet");
const LISINOPRIL: Coded = Coded(RXNORM, "314076", "lisinopril 10 MG Oral Tablet");
const DRUGS: [Coded; 4] = [
    Coded(RXNORM, "243670", "aspirin 81 MG Oral Tablet"),
    Coded(RXNORM, "313782", "acetaminophen 325 MG Oral Tablet"),
    Coded(RXNORM, "310965", "ibuprofen 200 MG Oral Tablet"),
    Coded(RXNORM, "1014676", "cetirizine hydrochloride 5 MG Oral Tablet"),
];

const INFLUENZA: Coded = Coded(CVX, "140", "Influenza, seasonal, injectable, preservative free");
const TETANUS: Coded = Coded(CVX, "113", "Td (adult) preservative free");
const HEPATITIS_B: Coded = Coded(CVX, "43", "Hep B, adult");
const CHILDHOOD: [Coded; 5] = [
    Coded(CVX, "08", "Hep B, adolescent or pediatric"),
    Coded(CVX, "03", "MMR"),
    Coded(CVX, "10", "IPV"),
    Coded(CVX, "20", "DTaP"),
    Coded(CVX, "21", "varicella"),
];

/// The protagonist's chart, the same for every seed but for ids and times of day.
pub(super) fn protagonist(chart: &mut Chart) {
    let value = |units, scale| Reading::Value(Decimal(units, scale));
    for (days_ago, hba1c, glucose, systolic, diastolic) in
        [(410, 81, 98, 142, 91), (205, 76, 86, 134, 86), (21, 72, 78, 128, 82)]
    {
        let day = chart.day(days_ago);
        chart.measure(HBA1C, "%", value(hba1c, 1), day);
        chart.measure(GLUCOSE, "mmol/L", value(glucose, 1), day);
        chart.pressure(value(systolic, 0), value(diastolic, 0), day);
        chart.measure(WEIGHT, "kg", value(742, 1), day);
    }
    let day = chart.day(21);
    chart.measure(HEIGHT, "cm", value(1684, 1), day);
    chart.measure(BMI, "kg/m2", value(262, 1), day);
    chart.measure(HEMOGLOBIN, "g/dL", value(137, 1), day);
    chart.measure(HEART_RATE, "/min", value(71, 0), day);
    chart.finding(SMOKING, NEVER_SMOKED, day);
    chart.condition(DIABETES[0], "active", "confirmed", chart.day(1_490));
    chart.condition(HYPERTENSION[1], "active", "confirmed", chart.day(410));
    chart.prescription(METFORMIN, "active", "order", chart.day(1_480));
    chart.prescription(LISINOPRIL, "active", "order", chart.day(405));
    chart.vaccination(INFLUENZA, "completed", chart.day(140));
    chart.vaccination(HEPATITIS_B, "completed", chart.day(2_600));
}

/// What drives a random patient's values.
#[derive(Clone, Copy)]
struct State {
    age: i64,
    diabetic: bool,
    hypertensive: bool,
    /// In tenths of a centimetre.
    height: i64,
    /// In tenths of a kilogram.
    weight: i64,
}

pub(super) fn random(chart: &mut Chart) {
    let age = years(chart.person.birth, chart.day(0));
    let diabetic = age > 35 && chart.percent(20);
    let hypertensive = age > 30 && chart.percent(u32::try_from(age / 2).unwrap_or(50));
    let height = match (age >= 18, chart.person.sex) {
        (true, Sex::Female) => chart.around(1_640, 150),
        (true, Sex::Male) => chart.around(1_770, 160),
        _ => chart.around(520 + age * 68, 60),
    };
    let weight = match age >= 18 {
        true => chart.around(if diabetic { 880 } else { 740 }, 220),
        false => chart.around(40 + age * 33, 20 + age * 8),
    };
    let state = State { age, diabetic, hypertensive, height, weight };
    for visit in 0..chart.rng.gen_range(1..=4) {
        let days_ago = visit * 210 + chart.rng.gen_range(2..190);
        let day = chart.day(days_ago);
        vitals(chart, state, day);
        laboratory(chart, state, day);
    }
    diagnoses(chart, state);
    vaccinations(chart, state);
}

/// A reading that is now and then missing, with a reason.
fn reading(chart: &mut Chart, mean: i64, spread: i64, scale: u32) -> Reading {
    let units = chart.around(mean, spread).max(1);
    match chart.rng.gen_range(0..60) {
        0 => Reading::Missing("not-performed"),
        1 => Reading::Missing("unknown"),
        2 => Reading::Missing("asked-declined"),
        3 => Reading::Missing("error"),
        _ => Reading::Value(Decimal(units, scale)),
    }
}

fn vitals(chart: &mut Chart, state: State, day: Date) {
    let adult = state.age >= 18;
    let (height, weight) = (state.height, chart.around(state.weight, state.weight / 25 + 3));
    chart.measure(HEIGHT, "cm", Reading::Value(Decimal(height, 1)), day);
    chart.measure(WEIGHT, "kg", Reading::Value(Decimal(weight, 1)), day);
    chart.measure(BMI, "kg/m2", Reading::Value(Decimal(weight * 1_000_000 / (height * height), 1)), day);
    let systolic = if state.hypertensive { 150 } else { 95 + state.age.min(80) / 2 };
    let (systolic, diastolic) = (reading(chart, systolic, 18, 0), reading(chart, systolic * 5 / 8, 12, 0));
    chart.pressure(systolic, diastolic, day);
    let rate = reading(chart, if adult { 74 } else { 105 }, 18, 0);
    chart.measure(HEART_RATE, "/min", rate, day);
    if adult {
        let smoking = SMOKERS[chart.rng.gen_range(0..SMOKERS.len())];
        chart.finding(SMOKING, smoking, day);
    }
}

fn laboratory(chart: &mut Chart, state: State, day: Date) {
    if chart.percent(60) {
        let value = reading(chart, if chart.person.sex == Sex::Male { 151 } else { 136 }, 20, 1);
        chart.measure(HEMOGLOBIN, "g/dL", value, day);
    }
    if state.diabetic || chart.percent(35) {
        let value = reading(chart, if state.diabetic { 92 } else { 53 }, if state.diabetic { 36 } else { 9 }, 1);
        chart.measure(GLUCOSE, "mmol/L", value, day);
    } else if chart.percent(20) {
        // an older device of the same ward reports mass, and more digits than anybody needs
        let value = reading(chart, 95_437, 14_000, 3);
        chart.measure(GLUCOSE_MASS, "mg/dL", value, day);
    }
    if state.diabetic || chart.percent(10) {
        let value = reading(chart, if state.diabetic { 76 } else { 54 }, if state.diabetic { 18 } else { 5 }, 1);
        chart.measure(HBA1C, "%", value, day);
    }
}

fn diagnoses(chart: &mut Chart, state: State) {
    if state.diabetic {
        let code = DIABETES[chart.rng.gen_range(0..DIABETES.len())];
        let days_ago = chart.rng.gen_range(200..4_000);
        chart.condition(code, "active", "confirmed", chart.day(days_ago));
        chart.prescription(METFORMIN, "active", "order", chart.day(days_ago - 7));
    }
    if state.hypertensive {
        let code = HYPERTENSION[chart.rng.gen_range(0..HYPERTENSION.len())];
        let days_ago = chart.rng.gen_range(100..5_000);
        chart.condition(code, "active", "confirmed", chart.day(days_ago));
        chart.prescription(LISINOPRIL, "active", "order", chart.day(days_ago - 2));
    }
    for _ in 0..chart.rng.gen_range(0..=2) {
        let at = chart.rng.gen_range(0..OTHERS.len());
        let days_ago = chart.rng.gen_range(20..3_000);
        let day = chart.day(days_ago);
        let clinical = if at >= HEALS && chart.percent(80) { "resolved" } else { "active" };
        let verification = match chart.rng.gen_range(0..20) {
            0 => "refuted",
            1 => "provisional",
            _ => "confirmed",
        };
        chart.condition(OTHERS[at], clinical, verification, day);
        if chart.percent(50) {
            let drug = DRUGS[chart.rng.gen_range(0..DRUGS.len())];
            let status = if clinical == "resolved" { "stopped" } else { "active" };
            let intent = if chart.percent(8) { "proposal" } else { "order" };
            chart.prescription(drug, status, intent, day);
        }
    }
}

fn vaccinations(chart: &mut Chart, state: State) {
    if state.age < 18 {
        for vaccine in CHILDHOOD {
            let status = if chart.percent(6) { "not-done" } else { "completed" };
            let days_ago = chart.rng.gen_range(0..(state.age * 365).max(30));
            chart.vaccination(vaccine, status, chart.day(days_ago));
        }
    } else {
        if chart.percent(45) {
            let days_ago = chart.rng.gen_range(10..350);
            let status = if chart.percent(8) { "not-done" } else { "completed" };
            chart.vaccination(INFLUENZA, status, chart.day(days_ago));
        }
        if chart.percent(30) {
            let days_ago = chart.rng.gen_range(100..3_600);
            chart.vaccination(TETANUS, "completed", chart.day(days_ago));
        }
    }
}
