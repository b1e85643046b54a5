//! One table: a change of what the verifier holds, the check that refuses it, and that without it all would pass.

use vouchsafe_circuits::statements::fact::Clause;
use vouchsafe_ledger_types::checkpoint::Checkpoint;
use vouchsafe_ledger_types::entry::Validator;
use vouchsafe_ledger_types::ids::{AppHash, EntryId, KeyId};
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::units::{BlockTime, Height, ProtocolVersion};
use vouchsafe_ledger_types::verify::{CLOCK_SKEW_SECONDS, Check};

use super::Case;
use crate::scene::{LIFETIME_SECONDS, MAX_AGE_SECONDS, scene};

type Change = fn(&mut Case);

/// Changes that one check alone stands against.
const STOPPED: &[(&str, Check, Change)] = &[
    ("another version of the file", Check::Request, |c| c.evidence.version = 2),
    ("another request in the file", Check::Request, |c| c.evidence.request.legal_basis = Some("none".to_owned())),
    ("a longer life in the file's request", Check::Request, |c| {
        c.evidence.request.expires = after(c.request.expires, 1);
    }),
    ("a trust file of another form", Check::InForce, |c| c.trust.version = 2),
    ("a trust file past its date", Check::InForce, |c| c.trust.refresh_by = before(c.now, 1)),
    ("a checkpoint signed by somebody else", Check::Checkpoint, |c| {
        let Checkpoint { chain, size, root } = c.evidence.checkpoint.unverified().clone();
        let validator = c.trust.base.validators[0].name.clone();
        let forged = Checkpoint { chain, size, root };
        c.evidence.checkpoint = forged.sign(&[(&validator, &SigningKey::from_seed(&[1; 32]))]);
    }),
    ("witnesses wanted", Check::Checkpoint, |c| c.trust.witnesses_required = 1),
    ("a base above the seal", Check::Seal, |c| {
        c.trust.base.height = Height::new(c.evidence.seal.height.get() + 1);
    }),
    ("another block at the base", Check::Seal, |c| {
        c.trust.base.height = c.evidence.seal.height;
        c.trust.base.app_hash = AppHash::from_bytes([1; 32]);
    }),
    ("a seal that is not in the log", Check::Seal, |c| {
        c.evidence.seal_inclusion = c.evidence.disclosure.inclusion.clone();
    }),
    ("a seal that is too old", Check::Freshness, |c| {
        c.now = after(c.evidence.seal.time, MAX_AGE_SECONDS + 1);
    }),
    ("a seal in the future", Check::Freshness, |c| {
        c.now = before(c.evidence.seal.time, CLOCK_SKEW_SECONDS + 1);
    }),
    ("a foreign genesis", Check::Chain, |c| c.trust.genesis = EntryId::from_bytes([1; 32])),
    ("a validator that the ledger does not have", Check::Chain, |c| {
        let key = SigningKey::from_seed(&[1; 32]).public();
        c.trust.base.validators.push(Validator { name: "ghost".parse().unwrap(), key, power: 0 });
    }),
    ("no proof of the chain's state", Check::Chain, |c| c.evidence.chain = c.evidence.answers[0].anchor.clone()),
    ("a seal of the question that is not in the log", Check::Disclosure, |c| {
        c.evidence.disclosure.seal_inclusion = c.evidence.disclosure.inclusion.clone();
    }),
    ("an entry that is not in the log", Check::Disclosure, |c| {
        c.evidence.disclosure.inclusion = c.evidence.disclosure.seal_inclusion.clone();
    }),
    ("an entry that does not decode", Check::Disclosure, |c| {
        c.evidence.disclosure.entry.pop();
    }),
    ("no proof of the anchor", Check::Anchor, |c| {
        c.evidence.answers[0].anchor = c.evidence.answers[0].schema.clone();
    }),
    ("no proof of the schema", Check::Registry, |c| {
        c.evidence.answers[0].schema = c.evidence.answers[0].anchor.clone();
    }),
    ("no proof of the key", Check::Registry, |c| {
        c.evidence.answers[0].key_registration = c.evidence.answers[0].anchor.clone();
    }),
    ("development keys, not accepted", Check::Registry, |c| c.trust.accept_development_keys = false),
    ("no key trusted", Check::Registry, |c| c.trust.keys.clear()),
    ("another key trusted", Check::Registry, |c| {
        c.trust.keys.iter_mut().for_each(|key| key.id = KeyId::new([1; 32]));
    }),
    ("a proof of two points swapped", Check::Proof, |c| {
        let bytes = c.evidence.answers[0].proof.as_bytes();
        let swapped = [&bytes[96..], &bytes[32..96], &bytes[..32]].concat();
        c.evidence.answers[0].proof = vouchsafe_circuits::Proof::from_bytes(&swapped).unwrap();
    }),
    ("a proof cut short", Check::Proof, |c| {
        let bytes = c.evidence.answers[0].proof.as_bytes();
        c.evidence.answers[0].proof = vouchsafe_circuits::Proof::from_bytes(&bytes[..127]).unwrap();
    }),
    ("no proof at all", Check::Proof, |c| {
        c.evidence.answers[0].proof = vouchsafe_circuits::Proof::from_bytes(&[]).unwrap();
    }),
];

/// Changes that more than one check stands against; the first of them is named.
const REFUSED: &[(&str, Check, Change)] = &[
    ("another ledger", Check::Request, |c| c.trust.chain = "other".parse().unwrap()),
    ("no answer", Check::Request, |c| c.evidence.answers.clear()),
    ("two answers to one part", Check::Request, |c| c.evidence.answers.push(c.evidence.answers[0].clone())),
    ("a field beyond the schema", Check::Request, |c| {
        let beyond = 15u8.try_into().unwrap();
        c.request.parts[0].clauses[0] = Clause::absent(beyond);
        c.evidence.request = c.request.clone();
    }),
    ("a clause too many", Check::Request, |c| {
        c.request.parts[0].clauses.push(Clause::unused());
        c.evidence.request = c.request.clone();
    }),
    ("no parts", Check::Request, |c| {
        c.request.parts.clear();
        c.evidence.request = c.request.clone();
    }),
    ("another language", Check::Predicate, |c| {
        c.request.parts[0].language = "vouchsafe-cel/2".to_owned();
        c.evidence.request = c.request.clone();
    }),
    ("a text that is no predicate", Check::Predicate, |c| {
        c.request.parts[0].predicate = "birthDate <".to_owned();
        c.evidence.request = c.request.clone();
    }),
    ("another day of asking", Check::Predicate, |c| {
        c.request.asked_on += 1;
        c.evidence.request = c.request.clone();
    }),
    ("no validator trusted", Check::Checkpoint, |c| c.trust.base.validators.clear()),
    ("rules of another program", Check::Seal, |c| c.evidence.seal.protocol_version = ProtocolVersion::new(2)),
    ("another time of the seal", Check::Seal, |c| c.evidence.seal.time = after(c.evidence.seal.time, 1)),
    ("another height of the seal", Check::Seal, |c| {
        c.evidence.seal.height = Height::new(c.evidence.seal.height.get() + 1);
    }),
    ("the state of another seal", Check::Chain, |c| {
        (c.evidence.seal, c.evidence.seal_inclusion) = older_seal(c);
    }),
    ("a receipt of another place", Check::Disclosure, |c| c.evidence.disclosure.receipt.receipt.first_position += 1),
    ("a key of another statement", Check::Registry, |c| {
        c.evidence.answers[0].key = crate::program::keys()[1].1.to_bytes();
    }),
    ("a key that is none", Check::Registry, |c| {
        c.evidence.answers[0].key.pop();
    }),
];

fn after(time: BlockTime, seconds: u64) -> BlockTime {
    time.plus_seconds(seconds).unwrap()
}

fn before(time: BlockTime, seconds: u64) -> BlockTime {
    BlockTime::from_unix(time.unix() - seconds).unwrap()
}

/// The seal before, truly in the log of the evidence's checkpoint.
fn older_seal(c: &Case) -> (vouchsafe_ledger_types::seal::Seal, vouchsafe_ledger_types::log::InclusionProof) {
    use vouchsafe_ledger::engine::Engine;
    let snapshot = scene().institution.ledger().snapshot().unwrap();
    let size = c.evidence.checkpoint.unverified().size;
    let mut newest = (1..=snapshot.height().get()).map(Height::new);
    let newest = newest.rfind(|h| snapshot.seal_at(*h).unwrap().checkpoint_size() == size).unwrap();
    let older = Height::new(c.evidence.seal.height.get() - 1);
    (snapshot.seal_at(older).unwrap(), snapshot.seal_inclusion(older, newest).unwrap())
}

#[test]
fn each_change_is_refused_by_its_check_and_by_that_alone() {
    let honest = Case::honest();
    honest.verify().unwrap();
    for (name, check, change) in STOPPED {
        let mut case = honest.clone();
        change(&mut case);
        case.stopped_by_this_alone(name, *check);
    }
}

#[test]
fn each_change_that_several_checks_stop_is_refused() {
    let honest = Case::honest();
    for (name, check, change) in REFUSED {
        let mut case = honest.clone();
        change(&mut case);
        case.refused(name, *check);
    }
}

#[test]
fn the_bounds_of_freshness_are_the_last_moments_that_pass() {
    let mut case = Case::honest();
    for now in [after(case.evidence.seal.time, MAX_AGE_SECONDS), before(case.evidence.seal.time, CLOCK_SKEW_SECONDS)] {
        case.now = now;
        case.verify().unwrap();
    }
    case.now = case.evidence.seal.time;
    case.trust.refresh_by = case.now;
    case.verify().unwrap();
}

#[test]
fn an_expired_request_is_refused() {
    let mut request = scene().ask("birthDate <= yearsAgo(18)");
    request.max_age_seconds = 10 * LIFETIME_SECONDS;
    let evidence = scene().answer(&request).unwrap();
    let mut case = Case::of(request, evidence);
    case.now = case.request.expires;
    case.verify().unwrap();
    case.now = after(case.now, 1);
    case.stopped_by_this_alone("an expired request", Check::InForce);
}
