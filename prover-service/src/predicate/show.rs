//! Expressions as text again, to name the part that cannot be proved.

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};

pub(super) fn show(expr: &IdedExpr) -> String {
    match &expr.expr {
        Expr::Ident(name) => name.clone(),
        Expr::Literal(literal) => show_literal(literal),
        Expr::List(list) => format!("[{}]", join(&list.elements)),
        Expr::Select(select) if select.test => format!("has({}.{})", show(&select.operand), select.field),
        Expr::Select(select) => format!("{}.{}", show(&select.operand), select.field),
        Expr::Call(call) => match (&call.target, call.args.as_slice()) {
            (None, [only]) if call.func_name == operators::LOGICAL_NOT => format!("!{}", show(only)),
            (None, [only]) if call.func_name == operators::NEGATE => format!("-{}", show(only)),
            (None, [left, right]) => match infix(&call.func_name) {
                Some(sign) => format!("{} {sign} {}", show(left), show(right)),
                None => format!("{}({})", call.func_name, join(&call.args)),
            },
            (Some(target), args) => format!("{}.{}({})", show(target), call.func_name, join(args)),
            (None, args) => format!("{}({})", call.func_name, join(args)),
        },
        Expr::Comprehension(_) => "a comprehension".to_owned(),
        Expr::Map(_) | Expr::Struct(_) => "{…}".to_owned(),
        Expr::Unspecified => "an empty expression".to_owned(),
    }
}

fn infix(function: &str) -> Option<&str> {
    match function {
        operators::IN => Some("in"),
        _ => function.strip_prefix('_').and_then(|f| f.strip_suffix('_')).filter(|f| !f.is_empty()),
    }
}

fn join(parts: &[IdedExpr]) -> String {
    parts.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn show_literal(literal: &LiteralValue) -> String {
    match literal {
        LiteralValue::Boolean(b) => b.inner().to_string(),
        LiteralValue::Double(d) => d.inner().to_string(),
        LiteralValue::Int(i) => i.inner().to_string(),
        LiteralValue::UInt(u) => u.inner().to_string(),
        LiteralValue::String(s) => format!("{:?}", s.inner()),
        LiteralValue::Bytes(_) => "bytes".to_owned(),
        LiteralValue::Null => "null".to_owned(),
    }
}
