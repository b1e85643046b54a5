//! Answers of several parts: swapped, dropped, added, and of somebody else; each with the check that it fails on.

use vouchsafe_ledger_types::verify::Check;
use vouchsafe_prover_service::answer::AnswerError;
use vouchsafe_prover_service::demo::hospital;

use super::Case;
use crate::forge::Held;
use crate::scene::scene;

const ADULT: (&str, &str) = ("patient", "birthDate <= yearsAgo(18)");
const DIABETES: (&str, &str) = ("condition", "icd10.under(\"E11\")");

/// Two parts of one schema and statement: nothing but what they ask tells them apart.
const ALIKE: [(&str, &str); 2] = [ADULT, ("patient", "!(birthDate <= yearsAgo(120))")];

fn honest(parts: &[(&str, &str)]) -> Case {
    let request = scene().ask_parts(parts);
    let evidence = scene().answer(&request).unwrap();
    Case::of(request, evidence)
}

/// The identity part says who it is, the other what is so: one pseudonym ties the two.
#[test]
fn a_fact_with_an_identity_is_believed() {
    let case = honest(&[DIABETES, ADULT]);
    let verified = case.verify().unwrap();
    assert_eq!(case.evidence.answers.len(), 2);
    assert!(case.evidence.answers.iter().all(|answer| answer.public.pseudonym == verified.pseudonym));
    let four = honest(&[DIABETES, ADULT, ALIKE[1], ("observation", "code == \"4548-4\" && value >= 6.5")]);
    four.verify().unwrap();
}

#[test]
fn one_part_that_does_not_hold_is_enough_for_a_no() {
    for parts in
        [[DIABETES, ("patient", "birthDate > yearsAgo(18)")], [("patient", "birthDate > yearsAgo(18)"), DIABETES]]
    {
        assert!(matches!(scene().answer(&scene().ask_parts(&parts)), Err(AnswerError::No(_))));
    }
}

#[test]
fn swapped_parts() {
    let mut case = honest(&ALIKE);
    case.verify().unwrap();
    case.evidence.answers.swap(0, 1);
    case.stopped_by_this_alone("swapped answers", Check::PublicInputs);
    // parts of two schemas differ in more
    let mut case = honest(&[DIABETES, ADULT]);
    case.evidence.answers.swap(0, 1);
    case.refused("swapped answers of two schemas", Check::Registry);
    // swapped in the request too: another question than the verifier's
    let mut case = honest(&ALIKE);
    case.evidence.request.parts.swap(0, 1);
    case.evidence.answers.swap(0, 1);
    case.refused("swapped parts", Check::Request);
}

#[test]
fn dropped_and_added_parts() {
    let mut case = honest(&ALIKE);
    case.evidence.answers.pop();
    case.stopped_by_this_alone("a dropped answer", Check::Request);
    case.evidence.request.parts.pop();
    case.refused("a dropped part", Check::Request);
    let mut case = honest(&ALIKE);
    let more = case.evidence.answers[0].clone();
    case.evidence.answers.push(more);
    case.stopped_by_this_alone("an added answer", Check::Request);
    // one answer in both places
    let mut case = honest(&ALIKE);
    case.evidence.answers[1] = case.evidence.answers[0].clone();
    case.refused("one answer twice", Check::PublicInputs);
    // a part of an answer to the same question, asked once more
    let mut case = honest(&ALIKE);
    case.evidence.answers[1] = honest(&ALIKE).evidence.answers[1].clone();
    case.refused("a part of another answer", Check::Anchor);
}

/// A holder puts one person's diagnosis next to what is true of another; each of the proofs is true.
#[test]
fn a_part_about_somebody_else() {
    let request = scene().ask_parts(&[DIABETES, ALIKE[1]]);
    let other = hospital::record_number(1).parse().unwrap();
    let held =
        of_one_moment(|| [(0, &scene().subject), (1, &other)].map(|(n, who)| scene().held_for(&request, n, who)));
    let logged = scene().log_properly(&request);
    let evidence = scene().forged_parts(&request, &held, logged);
    Case::of(request.clone(), evidence).stopped_by_this_alone("two persons", Check::Request);
    // the other's proof under the first one's name
    let [held, mut renamed] =
        of_one_moment(|| [(0, &scene().subject), (1, &other)].map(|(n, who)| scene().held_for(&request, n, who)));
    let held = [held];
    renamed.public.pseudonym = held[0].public.pseudonym;
    let [first] = held;
    let evidence = scene().forged_parts(&request, &[first, renamed], logged);
    Case::of(request.clone(), evidence).stopped_by_this_alone("another's proof, renamed", Check::Proof);
    // control: of one person the same forge is believed
    let own = of_one_moment(|| [0, 1].map(|part| scene().held_for(&request, part, &scene().subject)));
    let evidence = scene().forged_parts(&request, &own, logged);
    Case::of(request, evidence).verify().unwrap();
}

/// Other tests change the scene's active set meanwhile: both of one anchor.
fn of_one_moment(held: impl Fn() -> [Held; 2]) -> [Held; 2] {
    loop {
        let held = held();
        if held[0].public.anchor == held[1].public.anchor {
            return held;
        }
    }
}
