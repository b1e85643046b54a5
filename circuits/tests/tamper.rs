//! What relation and circuit both reject, and with which clause. Each attack is that of a patched prover that makes
//! everything else consistent; the control is the same assignment before the attack.

use ark_ff::Field;
use vouchsafe_circuits::fact::dangerous::{dangerous_prove_without_relation_check, relation_of, violations};
use vouchsafe_circuits::fact::{Clause, Public, TruthTable, VerifyError, Violation, verify};
use vouchsafe_circuits::record::{Absence, Day, EncodedField};
use vouchsafe_circuits::tags::Tag;
use vouchsafe_circuits::tree::{self, Position};
use vouchsafe_circuits::{Anchor, Fe, IssuerId, Pseudonym, RequestDigest, SchemaId, Scope};

use crate::attempt::{Attempt, hash, minus, place, to_fe, to_field};
use crate::sample::{
    LONG_TEXT, NOT_ASKED, SUITE, Sample, TODAY, UNUSED, WITHHELD, field, no, number, rng, statement, yes,
};

/// Another member's record: the same fields, committed under another key in another set.
fn other() -> Sample {
    Sample::at(Position::new(5), |record| {
        record.issuer = IssuerId::new(number(99));
        record.fields[4] = EncodedField::Present(number(9_999));
        record.salts[3] = record.salts[2].clone();
    })
}

type Case = (&'static str, fn() -> Attempt, fn(&mut Attempt), Violation);

fn check((name, start, tamper, expected): Case) {
    let mut attempt = start();
    let kind = statement(&attempt.public);
    assert_eq!(relation_of(SUITE, &attempt.public, &attempt.private), Ok(()), "control of: {name}");
    assert_eq!(violations(SUITE, kind, &attempt.public, &attempt.private), [], "control of: {name}");
    tamper(&mut attempt);
    let native = relation_of(SUITE, &attempt.public, &attempt.private);
    assert_eq!(native, Err(expected.clone()), "relation: {name}");
    let broken = violations(SUITE, kind, &attempt.public, &attempt.private);
    assert_eq!(broken, [expected], "circuit: {name}");
}

#[test]
fn header() {
    check((
        "a record without a subject key",
        Attempt::honest,
        |a| {
            a.private.subject_key = Fe::ZERO;
            a.recommit_root();
        },
        Violation::Header,
    ));
}

#[test]
fn fields() {
    let cases: [Case; 9] = [
        ("another salt", Attempt::honest, |a| a.private.clauses[0].salt = number(1), Violation::Fields),
        (
            "another value",
            || Attempt::new(TruthTable::new(3), &[Clause::between(field(4), number(104), number(104))]),
            |a| a.private.clauses[0].content = number(105),
            Violation::Fields,
        ),
        (
            "an absent field as present",
            || Attempt::new(TruthTable::new(3), &[Clause::equals(field(NOT_ASKED), number(1))]),
            |a| a.private.clauses[0].present = number(1),
            Violation::Fields,
        ),
        (
            "a present field as absent",
            || {
                let sample = Sample::at(place(), |record| record.fields[0] = EncodedField::Present(number(1)));
                let public = sample.public(no(), &[Clause::absent(field(0))]);
                Attempt { private: sample.assignment(&public), public }
            },
            |a| {
                a.private.clauses[0].present = Fe::ZERO;
                a.public.table = yes();
            },
            Violation::Fields,
        ),
        (
            "presence that is neither 0 nor 1, with the leaf that it leads to",
            || Attempt::new(TruthTable::new(3), &[Clause::unused()]),
            |a| {
                a.private.clauses[0].present = number(2);
                a.recommit();
            },
            Violation::Fields,
        ),
        (
            "another field's path",
            || Attempt::new(yes(), &[Clause::equals(field(4), number(104))]),
            |a| {
                let sample = Sample::new();
                let of_five = sample.public(yes(), &[Clause::equals(field(5), number(105))]);
                a.private.clauses = sample.assignment(&of_five).clauses.clone();
                a.public.clauses[0].low = number(105);
            },
            Violation::Fields,
        ),
        (
            "leaves that are not under the record's root",
            Attempt::honest,
            |a| a.private.clauses[0].children[0][3] = number(1),
            Violation::Fields,
        ),
        (
            "inner nodes that are not under the record's root",
            Attempt::honest,
            |a| a.private.clauses[0].children[1][0] = number(1),
            Violation::Fields,
        ),
        (
            "one clause from another record",
            || Attempt::new(TruthTable::from_fn(4, |c| c[0]), &four(field(3))),
            |a| {
                let others = other().assignment(&a.public);
                a.private.clauses[1] = others.clauses[1].clone();
            },
            Violation::Fields,
        ),
    ];
    cases.into_iter().for_each(check);
}

fn four(other: vouchsafe_circuits::record::FieldIndex) -> [Clause; 4] {
    [Clause::equals(other, number(103)), Clause::equals(field(4), number(104)), Clause::unused(), Clause::unused()]
}

#[test]
fn membership() {
    let cases: [Case; 7] = [
        ("another anchor", Attempt::honest, |a| a.public.anchor = tree::empty_root(SUITE), Violation::Membership),
        (
            "a sibling near the leaf",
            Attempt::honest,
            |a| a.private.path[0].children[0] = number(1),
            Violation::Membership,
        ),
        (
            "a sibling near the root",
            Attempt::honest,
            |a| a.private.path[15].children[3] = number(1),
            Violation::Membership,
        ),
        (
            "another place further up",
            Attempt::honest,
            |a| a.private.path[7].digit = [number(1), number(1)],
            Violation::Membership,
        ),
        (
            "a record of one's own under the inner nodes of the set",
            Attempt::honest,
            |a| {
                a.private.blinding = number(1);
                let (set, anchor) = (a.private.path, a.public.anchor);
                a.recommit_root();
                a.private.path[5..].copy_from_slice(&set[5..]);
                a.public.anchor = anchor;
            },
            Violation::Membership,
        ),
        (
            "a digit that is no bit, so that the choice between two siblings gives a record of one's own",
            Attempt::honest,
            |a| {
                a.private.blinding = number(1);
                let forged = to_field(a.commitment());
                let [c0, c1, ..] = a.private.path[0].children.map(to_field);
                let step = (forged - c0) * (c1 - c0).inverse().expect("they differ");
                a.private.path[0].digit = [to_fe(step), Fe::ZERO];
            },
            Violation::Membership,
        ),
        (
            "the same with the digit's other bit",
            Attempt::honest,
            |a| {
                a.private.blinding = number(1);
                let forged = to_field(a.commitment());
                let [c0, _, c2, _] = a.private.path[0].children.map(to_field);
                let step = (forged - c0) * (c2 - c0).inverse().expect("they differ");
                a.private.path[0].digit = [Fe::ZERO, to_fe(step)];
            },
            Violation::Membership,
        ),
    ];
    cases.into_iter().for_each(check);
}

#[test]
fn commitment() {
    let cases: [Case; 8] = [
        ("another issuer", Attempt::honest, |a| a.public.issuer = IssuerId::new(number(1)), Violation::Commitment),
        ("another schema", Attempt::honest, |a| a.public.schema = SchemaId::new(number(1)), Violation::Commitment),
        ("another blinding", Attempt::honest, |a| a.private.blinding = number(1), Violation::Commitment),
        (
            "a longer validity",
            Attempt::honest,
            |a| a.private.until = number(u64::from(u32::MAX)),
            Violation::Commitment,
        ),
        (
            "another subject",
            Attempt::honest,
            |a| {
                a.private.subject_key = number(5);
                let pseudonym = hash(&[Tag::Pseudonym.fe(), number(5), a.public.scope.fe()]);
                a.public.pseudonym = Pseudonym::new(pseudonym);
            },
            Violation::Commitment,
        ),
        (
            "the fields of another record",
            || Attempt::new(TruthTable::new(3), &[Clause::equals(field(4), number(104))]),
            |a| {
                let others = other().assignment(&a.public);
                (a.private.root, a.private.clauses) = (others.root, others.clauses.clone());
            },
            Violation::Commitment,
        ),
        (
            "a place that was emptied",
            Attempt::honest,
            |a| {
                let mut node = Fe::ZERO;
                for (level, step) in a.private.path.iter_mut().enumerate() {
                    step.children[place().digit(level)] = node;
                    node = hash(&step.children);
                }
                a.public.anchor = Anchor::new(node);
            },
            Violation::Commitment,
        ),
        (
            "a copy of another member's commitment in a set of one's own",
            Attempt::honest,
            |a| a.public.issuer = IssuerId::new(number(77)),
            Violation::Commitment,
        ),
    ];
    cases.into_iter().for_each(check);
}

#[test]
fn validity() {
    let cases: [Case; 7] = [
        ("not yet", Attempt::honest, |a| a.public.today = Day::new(TODAY - 101), Violation::Validity),
        ("no more", Attempt::honest, |a| a.public.today = Day::new(TODAY + 101), Violation::Validity),
        ("much later", Attempt::honest, |a| a.public.today = Day::new(i32::MAX), Violation::Validity),
        (
            "from, below zero",
            Attempt::honest,
            |a| {
                a.private.from = minus(5);
                a.recommit_root();
            },
            Violation::Validity,
        ),
        (
            "until, above 32 bits",
            Attempt::honest,
            |a| {
                a.private.until = number(1 << 32);
                a.recommit_root();
            },
            Violation::Validity,
        ),
        (
            "from, after today",
            Attempt::honest,
            |a| {
                a.private.from = number(TODAY as u64 + 1);
                a.recommit_root();
            },
            Violation::Validity,
        ),
        (
            "until, before today",
            Attempt::honest,
            |a| {
                a.private.until = number(TODAY as u64 - 1);
                a.recommit_root();
            },
            Violation::Validity,
        ),
    ];
    cases.into_iter().for_each(check);
}

fn always() -> TruthTable {
    TruthTable::new(0b11)
}

/// The clause on a field whose content is changed and committed to anew; the table says yes to anything.
fn committed(clause: Clause, content: Fe) -> Attempt {
    let mut attempt = Attempt::new(always(), &[clause]);
    attempt.private.clauses[0].content = content;
    attempt.recommit();
    attempt
}

#[test]
fn predicate() {
    let cases: [Case; 16] = [
        ("a false one", Attempt::honest, |a| a.public.table = no(), Violation::Predicate),
        ("an empty table", Attempt::honest, |a| a.public.table = TruthTable::new(0), Violation::Predicate),
        ("one too low", Attempt::honest, |a| a.public.clauses[0].low = number(105), Violation::Predicate),
        ("one too high", Attempt::honest, |a| a.public.clauses[0].high = number(103), Violation::Predicate),
        (
            "not equal",
            || Attempt::new(yes(), &[Clause::equals(field(4), number(104))]),
            |a| a.public.clauses[0].low = number(105),
            Violation::Predicate,
        ),
        (
            "equal after all",
            || Attempt::new(no(), &[Clause::equals(field(4), number(105))]),
            |a| a.public.clauses[0].low = number(104),
            Violation::Predicate,
        ),
        (
            "absent, where there is a value",
            || Attempt::new(no(), &[Clause::absent(field(4))]),
            |a| a.public.table = yes(),
            Violation::Predicate,
        ),
        (
            "not absent, where nothing was recorded",
            || Attempt::new(yes(), &[Clause::absent(field(NOT_ASKED))]),
            |a| a.public.table = no(),
            Violation::Predicate,
        ),
        (
            "absent, where it was withheld",
            || Attempt::new(always(), &[Clause::absent(field(WITHHELD))]),
            |a| a.public.table = yes(),
            Violation::Predicate,
        ),
        (
            "not absent, where it was withheld",
            || Attempt::new(always(), &[Clause::absent(field(WITHHELD))]),
            |a| a.public.table = no(),
            Violation::Predicate,
        ),
        (
            "not between, where there is no value",
            || Attempt::new(always(), &[Clause::between(field(NOT_ASKED), number(5), number(6))]),
            |a| a.public.table = no(),
            Violation::Predicate,
        ),
        (
            "equal to the number of the reason",
            || Attempt::new(always(), &[Clause::equals(field(NOT_ASKED), number(1))]),
            |a| a.public.table = yes(),
            Violation::Predicate,
        ),
        (
            "a comparison of what is 2^120, that would say no",
            || committed(Clause::between(field(4), number(10), number(20)), Fe::from_u128((1 << 120) - 1)),
            |a| {
                a.private.clauses[0].content = Fe::from_u128((1 << 120) + 5);
                a.recommit();
            },
            Violation::Predicate,
        ),
        (
            "a comparison of what is below zero",
            || committed(Clause::between(field(4), number(0), number(9)), number(0)),
            |a| {
                a.private.clauses[0].content = minus(1);
                a.recommit();
            },
            Violation::Predicate,
        ),
        (
            "a comparison of a long text",
            || Attempt::new(always(), &[Clause::equals(field(LONG_TEXT), number(0))]),
            |a| a.public.clauses[0] = Clause::between(field(LONG_TEXT), number(0), number(1)),
            Violation::Predicate,
        ),
        (
            "unknown is not yes",
            || Attempt::new(TruthTable::new(u16::MAX), &unknown_pair()),
            |a| a.public.table = TruthTable::from_fn(4, |c| c[0] || !c[1]),
            Violation::Predicate,
        ),
    ];
    cases.into_iter().for_each(check);
}

fn unknown_pair() -> [Clause; 4] {
    let withheld = Clause::equals(field(WITHHELD), number(1));
    [withheld, Clause::between(field(NOT_ASKED), number(1), number(1)), Clause::unused(), Clause::unused()]
}

#[test]
fn reasons() {
    let modes = [
        Clause::absent(field(NOT_ASKED)),
        Clause::equals(field(NOT_ASKED), number(1)),
        Clause::between(field(NOT_ASKED), number(1), number(1)),
    ];
    for clause in modes {
        for reason in Absence::ALL.into_iter().filter(|reason| *reason != Absence::Unused) {
            let attempt = committed(clause, number(reason as u64));
            assert_eq!(violations(SUITE, statement(&attempt.public), &attempt.public, &attempt.private), []);
        }
        let wrong = [0, 7, 8, 9, 15, 16, 1 << 32].map(number).into_iter().chain([minus(1), minus(7)]);
        for reason in wrong {
            let attempt = committed(clause, reason);
            let kind = statement(&attempt.public);
            let native = relation_of(SUITE, &attempt.public, &attempt.private);
            assert_eq!(native, Err(Violation::Predicate), "relation: reason {reason}");
            let broken = violations(SUITE, kind, &attempt.public, &attempt.private);
            assert_eq!(broken, [Violation::Predicate], "circuit: reason {reason}");
        }
    }
    // a clause that is not used does not look at its field
    for content in [0, 7, 8].map(number) {
        let attempt = committed(Clause::unused(), content);
        assert_eq!(relation_of(SUITE, &attempt.public, &attempt.private), Ok(()));
        assert_eq!(violations(SUITE, statement(&attempt.public), &attempt.public, &attempt.private), []);
    }
    assert_eq!(field(UNUSED).get(), 15);
}

#[test]
fn pseudonym() {
    let cases: [Case; 3] = [
        ("another name", Attempt::honest, |a| a.public.pseudonym = Pseudonym::new(number(1)), Violation::Pseudonym),
        ("another scope", Attempt::honest, |a| a.public.scope = Scope::new(number(1)), Violation::Pseudonym),
        (
            "another subject's name",
            Attempt::honest,
            |a| {
                let name = hash(&[Tag::Pseudonym.fe(), number(5), a.public.scope.fe()]);
                a.public.pseudonym = Pseudonym::new(name);
            },
            Violation::Pseudonym,
        ),
    ];
    cases.into_iter().for_each(check);
}

/// Natively there is nothing to violate: that the digest is bound shows in a proof alone.
#[test]
fn binding() {
    let Attempt { public, private } = Attempt::honest();
    let key = crate::proof::key(statement(&public));
    let proof = dangerous_prove_without_relation_check(key, &public, &private, &mut rng(9)).expect("a proof");
    assert_eq!(verify(key.prepared(), &public, &proof), Ok(()), "control");
    let other = Public { digest: RequestDigest::new(number(1)), ..public };
    assert_eq!(relation_of(SUITE, &other, &private), Ok(()));
    assert_eq!(verify(key.prepared(), &other, &proof), Err(VerifyError::Refused));
}
