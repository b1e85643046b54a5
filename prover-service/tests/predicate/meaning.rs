//! What a compiled predicate says of a record is what its text says: against an oracle on a syntax tree of its own.
//!
//! A test on a field without a value is unknown, and a formula holds if it does for every completion of the unknown
//! tests. Bounds of one conjunction are one clause, so where several tests are about one field, compiled may say
//! less than the oracle, and never more.

use proptest::prelude::*;
use vouchsafe_circuits::record::{Absence, EncodedField, FIELDS, FieldValue, Value};
use vouchsafe_circuits::statements::fact;
use vouchsafe_prover_service::predicate::{Predicate, PredicateError};

use super::{compiled, schema};

/// A test of one field of an observation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Atom {
    Pressure { diastolic: bool, sign: &'static str, bound: i64 },
    Status { code: &'static str, negated: bool },
    Absent { field: &'static str },
}

#[derive(Clone, Debug)]
enum Ast {
    Atom(Atom),
    Not(Box<Ast>),
    And(Vec<Ast>),
    Or(Vec<Ast>),
}

/// The fields of a record that the atoms look at.
#[derive(Clone, Debug)]
struct Chart {
    systolic: Result<i64, Absence>,
    diastolic: Result<i64, Absence>,
    status: Result<&'static str, Absence>,
}

impl Atom {
    fn text(&self) -> String {
        match self {
            Atom::Pressure { diastolic, sign, bound } => {
                format!("{} {sign} {bound}", if *diastolic { "diastolic" } else { "systolic" })
            }
            Atom::Status { code, negated } => format!("status {} \"{code}\"", if *negated { "!=" } else { "==" }),
            Atom::Absent { field } => format!("absent({field})"),
        }
    }

    /// What it says of a record, if that is known.
    fn value(&self, chart: &Chart) -> Option<bool> {
        match *self {
            Atom::Pressure { diastolic, sign, bound } => {
                let value = (if diastolic { chart.diastolic } else { chart.systolic }).ok()?;
                Some(match sign {
                    "<" => value < bound,
                    "<=" => value <= bound,
                    ">" => value > bound,
                    ">=" => value >= bound,
                    "==" => value == bound,
                    _ => value != bound,
                })
            }
            Atom::Status { code, negated } => chart.status.ok().map(|status| (status == code) != negated),
            Atom::Absent { field } => {
                let reason = match field {
                    "systolic" => chart.systolic.err(),
                    "diastolic" => chart.diastolic.err(),
                    _ => chart.status.err(),
                };
                match reason {
                    None => Some(false),
                    Some(Absence::NotAsked | Absence::NotTested | Absence::NotApplicable) => Some(true),
                    Some(_) => None,
                }
            }
        }
    }

    /// `!=` is the same test as `==`, the other way round: their unknowns are one.
    fn positive(self) -> (Atom, bool) {
        match self {
            Atom::Status { code, negated } => (Atom::Status { code, negated: false }, negated),
            Atom::Pressure { diastolic, sign: "!=", bound } => (Atom::Pressure { diastolic, sign: "==", bound }, true),
            atom => (atom, false),
        }
    }
}

impl Ast {
    fn text(&self) -> String {
        let join = |parts: &[Ast], sign: &str| parts.iter().map(Ast::text).collect::<Vec<_>>().join(sign);
        match self {
            Ast::Atom(atom) => atom.text(),
            Ast::Not(inner) => format!("!({})", inner.text()),
            Ast::And(parts) => format!("({})", join(parts, " && ")),
            Ast::Or(parts) => format!("({})", join(parts, " || ")),
        }
    }

    fn atoms(&self, into: &mut Vec<Atom>) {
        match self {
            Ast::Atom(atom) if !into.contains(&atom.positive().0) => into.push(atom.positive().0),
            Ast::Atom(_) => {}
            Ast::Not(inner) => inner.atoms(into),
            Ast::And(parts) | Ast::Or(parts) => parts.iter().for_each(|part| part.atoms(into)),
        }
    }

    fn eval(&self, value: &dyn Fn(Atom) -> bool) -> bool {
        match self {
            Ast::Atom(atom) => {
                let (positive, negated) = atom.positive();
                value(positive) != negated
            }
            Ast::Not(inner) => !inner.eval(value),
            Ast::And(parts) => parts.iter().all(|part| part.eval(value)),
            Ast::Or(parts) => parts.iter().any(|part| part.eval(value)),
        }
    }

    /// Whether it holds for every completion of the unknown atoms.
    fn holds(&self, chart: &Chart) -> bool {
        let mut atoms = Vec::new();
        self.atoms(&mut atoms);
        let unknown: Vec<Atom> = atoms.into_iter().filter(|atom| atom.value(chart).is_none()).collect();
        (0u32..1 << unknown.len()).all(|completion| {
            self.eval(&|atom| match atom.value(chart) {
                Some(value) => value,
                None => completion >> unknown.iter().position(|u| *u == atom).unwrap() & 1 == 1,
            })
        })
    }
}

impl Chart {
    fn encoded(&self) -> [EncodedField; FIELDS] {
        let schema = schema("observation");
        let mut fields = schema.all_absent(Absence::NotAsked);
        let number = |value: Result<i64, Absence>| match value {
            Ok(value) => FieldValue::Present(Value::Integer(value)),
            Err(reason) => FieldValue::Absent(reason),
        };
        fields[schema.place("systolic").unwrap()] = number(self.systolic);
        fields[schema.place("diastolic").unwrap()] = number(self.diastolic);
        fields[schema.place("status").unwrap()] = match self.status {
            Ok(code) => FieldValue::Present(Value::Code(code.to_owned())),
            Err(reason) => FieldValue::Absent(reason),
        };
        schema.encode(&fields).unwrap()
    }
}

const REASONS: [Absence; 6] = [
    Absence::NotAsked,
    Absence::NotTested,
    Absence::NotApplicable,
    Absence::Withheld,
    Absence::Imprecise,
    Absence::Unmapped,
];
const STATUSES: [&str; 3] = ["final", "amended", "preliminary"];
const SIGNS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];

fn arb_chart() -> impl Strategy<Value = Chart> {
    let reason = || prop::sample::select(REASONS.to_vec());
    let pressure = move || prop_oneof![(80i64..=110).prop_map(Ok), reason().prop_map(Err)];
    let status = prop_oneof![prop::sample::select(STATUSES.to_vec()).prop_map(Ok), reason().prop_map(Err)];
    (pressure(), pressure(), status).prop_map(|(systolic, diastolic, status)| Chart { systolic, diastolic, status })
}

fn arb_atom() -> impl Strategy<Value = Atom> {
    let bound = (16i64..=22).prop_map(|step| step * 5);
    let sign = prop::sample::select(SIGNS.to_vec());
    prop_oneof![
        4 => (any::<bool>(), sign, bound).prop_map(|(diastolic, sign, bound)| Atom::Pressure { diastolic, sign, bound }),
        2 => (prop::sample::select(STATUSES.to_vec()), any::<bool>()).prop_map(|(code, negated)| Atom::Status { code, negated }),
        1 => prop::sample::select(vec!["systolic", "diastolic", "status"]).prop_map(|field| Atom::Absent { field }),
    ]
}

/// Formulas over a few atoms, so that most of them need no more than four clauses.
fn arb_ast() -> impl Strategy<Value = Ast> {
    prop::collection::vec(arb_atom(), 1..=4).prop_flat_map(|atoms| {
        let leaf = prop::sample::select(atoms).prop_map(Ast::Atom);
        leaf.prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                1 => inner.clone().prop_map(|ast| Ast::Not(Box::new(ast))),
                2 => prop::collection::vec(inner.clone(), 2..=3).prop_map(Ast::And),
                2 => prop::collection::vec(inner, 2..=3).prop_map(Ast::Or),
            ]
        })
    })
}

/// Whether the compiler could have joined bounds: two orderings of one field stand somewhere in the formula.
fn may_join(ast: &Ast) -> bool {
    let mut atoms = Vec::new();
    ast.atoms(&mut atoms);
    let orders = |wanted: bool| {
        let order = |atom: &&Atom| matches!(atom, Atom::Pressure { diastolic, sign, .. } if *diastolic == wanted && *sign != "==");
        atoms.iter().filter(order).count()
    };
    orders(true) > 1 || orders(false) > 1
}

fn shown(predicate: &Predicate, chart: &Chart) -> bool {
    fact::eval(&predicate.clauses, predicate.table, &chart.encoded())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_global_rejects: 20_000, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn compiled_means_what_the_text_says(ast in arb_ast(), charts in prop::collection::vec(arb_chart(), 8)) {
        let predicate = match compiled("observation", &ast.text()) {
            Ok(predicate) => predicate,
            Err(PredicateError::Syntax(why)) => return Err(TestCaseError::fail(format!("{}: {why}", ast.text()))),
            Err(PredicateError::Constant(always)) => {
                // then the text is, too: whatever is recorded
                let known = charts.iter().filter(|c| c.systolic.is_ok() && c.diastolic.is_ok() && c.status.is_ok());
                for chart in known {
                    prop_assert_eq!(ast.holds(chart), always, "{} of {:?}", ast.text(), chart);
                }
                return Err(TestCaseError::reject("constant"));
            }
            Err(_) => return Err(TestCaseError::reject("cannot be a predicate")),
        };
        for chart in &charts {
            let (says, holds) = (shown(&predicate, chart), ast.holds(chart));
            let all_known = chart.systolic.is_ok() && chart.diastolic.is_ok() && chart.status.is_ok();
            if all_known || !may_join(&ast) {
                prop_assert_eq!(says, holds, "{} of {:?}", ast.text(), chart);
            } else {
                prop_assert!(!says || holds, "{} is shown of {:?} and does not hold", ast.text(), chart);
            }
        }
    }
}

/// "Not high" is no finding of a record without a value; "not measured or high" can be one.
#[test]
fn an_absent_value_shows_nothing_but_its_absence() {
    let chart = |reason| Chart { systolic: Err(reason), diastolic: Ok(80), status: Ok("final") };
    let says = |text: &str, reason| shown(&compiled("observation", text).unwrap(), &chart(reason));
    for reason in REASONS {
        assert!(!says("systolic > 90", reason));
        assert!(!says("!(systolic > 90)", reason));
        assert!(!says("systolic > 90 || systolic <= 90", reason));
        assert!(says("systolic > 90 || diastolic <= 90", reason));
        let recorded = matches!(reason, Absence::NotAsked | Absence::NotTested | Absence::NotApplicable);
        assert_eq!(says("absent(systolic)", reason), recorded);
        assert_eq!(says("absent(systolic) || systolic > 90", reason), recorded);
        assert!(!says("!absent(systolic)", reason));
    }
}
