//! From CEL's syntax tree to formulas: which calls are connectives, which are tests, and what is refused.

use std::collections::BTreeMap;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};
use vouchsafe_circuits::Fe;
use vouchsafe_circuits::record::{Day, FieldIndex};
use vouchsafe_circuits::schema::{Field, Kind, Schema, subtree};

use super::operand::{Number, number_type, operand_number, text_of};
use super::test::{Ask, Formula, Test};
use super::{PredicateError, operand};

const OTHER_RECORDS: &str = "its answer would need to know that no other record exists, or how many do; \
                             a fact speaks of one record that does exist";

/// Codes that a conjunction around the current expression has fixed.
type Known = BTreeMap<FieldIndex, String>;

pub(super) struct Lowering<'a> {
    pub(super) schema: &'a Schema,
    pub(super) asked_on: Day,
}

impl Lowering<'_> {
    pub(super) fn formula(&self, expr: &IdedExpr) -> Result<Formula, PredicateError> {
        self.lower(expr, &Known::new())
    }

    fn lower(&self, expr: &IdedExpr, known: &Known) -> Result<Formula, PredicateError> {
        let Expr::Call(call) = &expr.expr else { return Err(self.not_a_test(expr)) };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, _) => self.conjunction(expr, known),
            (op::LOGICAL_OR, args) => {
                let parts = args.iter().map(|arg| self.lower(arg, known)).collect::<Result<_, _>>()?;
                Ok(Formula::Or(parts))
            }
            (op::LOGICAL_NOT, [inner]) => Ok(Formula::Not(Box::new(self.lower(inner, known)?))),
            (op::EQUALS, [a, b]) => self.equality(expr, a, b, known),
            (op::NOT_EQUALS, [a, b]) => Ok(Formula::Not(Box::new(self.equality(expr, a, b, known)?))),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b]) => {
                self.comparison(expr, &call.func_name, a, b, known)
            }
            (op::IN, [field, list]) => self.membership(expr, field, list, known),
            ("under", [prefix]) => self.under(expr, call, prefix),
            ("absent", [field]) if call.target.is_none() => {
                let (index, _) = self.field(field)?;
                Ok(test(index, Ask::Absent, expr))
            }
            _ if counts_records(expr) => Err(PredicateError::part(expr, OTHER_RECORDS)),
            _ => Err(self.not_a_test(expr)),
        }
    }

    fn not_a_test(&self, expr: &IdedExpr) -> PredicateError {
        let why = match &expr.expr {
            Expr::Comprehension(_) => OTHER_RECORDS,
            Expr::Ident(_) => "a field alone is not a test: compare it, as in `active == \"true\"`",
            Expr::Literal(LiteralValue::Boolean(_)) => "a constant asks nothing",
            _ => {
                "a test is `field < constant` (or <=, >, >=, ==, !=), `field in [constants]`, \
                 `field.under(\"prefix\")` or `absent(field)`, joined with &&, || and !"
            }
        };
        PredicateError::part(expr, why)
    }

    fn conjunction(&self, expr: &IdedExpr, known: &Known) -> Result<Formula, PredicateError> {
        let mut parts = Vec::new();
        flatten_and(expr, &mut parts);
        let mut known = known.clone();
        for part in &parts {
            let Some((index, code)) = self.fixed_code(part) else { continue };
            if known.insert(index, code.clone()).is_some_and(|earlier| earlier != code) {
                return Err(PredicateError::part(part, "the field cannot have two codes at once"));
            }
        }
        let lowered = parts.into_iter().map(|part| self.lower(part, &known)).collect::<Result<Vec<_>, _>>()?;
        Formula::and(lowered).map_err(|test| PredicateError::named(&test.source, "no value lies between these bounds"))
    }

    /// `code == "718-7"`: fixes what an integer next to that code means.
    fn fixed_code(&self, expr: &IdedExpr) -> Option<(FieldIndex, String)> {
        let Expr::Call(CallExpr { func_name, args, .. }) = &expr.expr else { return None };
        let [a, b] = args.as_slice() else { return None };
        if func_name != op::EQUALS {
            return None;
        }
        let (name, literal) = if matches!(a.expr, Expr::Ident(_)) { (a, b) } else { (b, a) };
        let Expr::Ident(name) = &name.expr else { return None };
        let (index, field) = self.schema.field(name)?;
        let code = text_of(literal)?;
        matches!(field.kind, Kind::Code { .. }).then(|| (index, code.to_owned()))
    }

    fn equality(&self, expr: &IdedExpr, a: &IdedExpr, b: &IdedExpr, known: &Known) -> Result<Formula, PredicateError> {
        let (index, field, constant, _) = self.sides(expr, a, b)?;
        let value = self.constant(expr, field, constant, known)?;
        Ok(test(index, Ask::Equals(value), expr))
    }

    fn comparison(
        &self,
        expr: &IdedExpr,
        operator: &str,
        a: &IdedExpr,
        b: &IdedExpr,
        known: &Known,
    ) -> Result<Formula, PredicateError> {
        let (index, field, constant, swapped) = self.sides(expr, a, b)?;
        let number = self.number(expr, field, constant, known)?.encoded();
        let none_left = || PredicateError::part(expr, "no value of the field lies there");
        const MAX: u128 = u64::MAX as u128;
        let (low, high) = match (operator, swapped) {
            (op::LESS, false) | (op::GREATER, true) => (0, number.checked_sub(1).ok_or_else(none_left)?),
            (op::LESS_EQUALS, false) | (op::GREATER_EQUALS, true) => (0, number),
            (op::GREATER, false) | (op::LESS, true) if number == MAX => return Err(none_left()),
            (op::GREATER, false) | (op::LESS, true) => (number + 1, MAX),
            _ => (number, MAX),
        };
        Ok(test(index, Ask::Between(low, high), expr))
    }

    fn membership(
        &self,
        expr: &IdedExpr,
        field: &IdedExpr,
        list: &IdedExpr,
        known: &Known,
    ) -> Result<Formula, PredicateError> {
        let (index, definition) = self.field(field)?;
        let Expr::List(list) = &list.expr else {
            return Err(PredicateError::part(expr, "`in` takes a list of constants, as in `in [\"S\", \"D\"]`"));
        };
        let mut any = Vec::new();
        for constant in &list.elements {
            let value = self.constant(expr, definition, constant, known)?;
            any.push(test(index, Ask::Equals(value), expr));
        }
        match any.len() {
            0 => Err(PredicateError::part(expr, "nothing is in an empty list")),
            _ => Ok(Formula::Or(any)),
        }
    }

    fn under(&self, expr: &IdedExpr, call: &CallExpr, prefix: &IdedExpr) -> Result<Formula, PredicateError> {
        let Some(target) = &call.target else {
            return Err(PredicateError::part(expr, "write `field.under(\"prefix\")`"));
        };
        let (index, field) = self.field(target)?;
        if !matches!(field.kind, Kind::Code { prefix: true, .. }) {
            let why = "a prefix names a subtree only in systems such as ICD-10; use a published set for others";
            return Err(PredicateError::part(expr, why));
        }
        let text = text_of(prefix).ok_or_else(|| PredicateError::part(prefix, "the prefix is a text in quotes"))?;
        let (low, high) = subtree(text).map_err(|e| PredicateError::part(prefix, e.to_string()))?;
        let bounds = |fe: Fe| fe.to_u128().ok_or_else(|| PredicateError::part(prefix, "the code is too long"));
        Ok(test(index, Ask::Between(bounds(low)?, bounds(high)?), expr))
    }

    /// The field, the constant, and whether the constant stands on the left.
    fn sides<'e>(
        &self,
        expr: &IdedExpr,
        a: &'e IdedExpr,
        b: &'e IdedExpr,
    ) -> Result<(FieldIndex, &Field, &'e IdedExpr, bool), PredicateError> {
        let is_field = |e: &IdedExpr| matches!(e.expr, Expr::Ident(_) | Expr::Select(_));
        match (is_field(a), is_field(b)) {
            (true, true) => {
                Err(PredicateError::part(expr, "a clause compares a field with a constant, not two fields"))
            }
            (false, false) if [a, b].into_iter().any(counts_records) => Err(PredicateError::part(expr, OTHER_RECORDS)),
            (false, false) => Err(PredicateError::part(expr, "neither side is a field of the schema")),
            (true, false) => self.field(a).map(|(index, field)| (index, field, b, false)),
            (false, true) => self.field(b).map(|(index, field)| (index, field, a, true)),
        }
    }

    fn field(&self, expr: &IdedExpr) -> Result<(FieldIndex, &Field), PredicateError> {
        let Expr::Ident(name) = &expr.expr else {
            return Err(PredicateError::part(expr, "name a field of the schema"));
        };
        self.schema.field(name).ok_or_else(|| {
            let names: Vec<_> = self.schema.fields().map(|(_, f)| f.name.as_str()).collect();
            let why = format!("schema {} has no such field; it has {}", self.schema.name(), names.join(", "));
            PredicateError::part(expr, why)
        })
    }

    fn constant(
        &self,
        expr: &IdedExpr,
        field: &Field,
        constant: &IdedExpr,
        known: &Known,
    ) -> Result<Fe, PredicateError> {
        match &field.kind {
            Kind::Code { .. } | Kind::Text | Kind::Bytes => operand::exact(field, constant),
            _ => Ok(Fe::from_u128(self.number(expr, field, constant, known)?.encoded())),
        }
    }

    fn number(
        &self,
        expr: &IdedExpr,
        field: &Field,
        constant: &IdedExpr,
        known: &Known,
    ) -> Result<Number, PredicateError> {
        let code = match &field.kind {
            Kind::IntegerByCode { code_field } => {
                self.schema.field(code_field.as_str()).and_then(|(i, _)| known.get(&i))
            }
            _ => None,
        };
        let number_type =
            number_type(self.schema, field, code.map(String::as_str)).map_err(|why| PredicateError::part(expr, why))?;
        operand_number(&number_type, constant, self.asked_on)
    }
}

/// Whether it asks about several records.
fn counts_records(expr: &IdedExpr) -> bool {
    const WORDS: [&str; 8] = ["exists", "exists_one", "all", "none", "count", "size", "filter", "map"];
    match &expr.expr {
        Expr::Comprehension(_) => true,
        Expr::Call(call) => WORDS.contains(&call.func_name.as_str()),
        _ => false,
    }
}

fn test(field: FieldIndex, ask: Ask, expr: &IdedExpr) -> Formula {
    Formula::Test(Test { field, ask, source: super::show::show(expr) })
}

fn flatten_and<'e>(expr: &'e IdedExpr, parts: &mut Vec<&'e IdedExpr>) {
    match &expr.expr {
        Expr::Call(call) if call.func_name == op::LOGICAL_AND => {
            call.args.iter().for_each(|arg| flatten_and(arg, parts));
        }
        _ => parts.push(expr),
    }
}
