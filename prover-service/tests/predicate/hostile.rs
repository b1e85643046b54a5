//! Texts made to do harm: nothing panics, overflows the stack or takes long.

use proptest::prelude::*;
use vouchsafe_prover_service::predicate::PredicateError;

use super::compiled;

/// Four thousand bytes of each kind of nesting and repetition.
fn deep() -> Vec<String> {
    let nested = |open: &str, core: &str, close: &str| {
        let times = 3000.min((4090 - core.len()) / (open.len() + close.len()));
        [open.repeat(times), core.to_owned(), close.repeat(times)].concat()
    };
    let core = "gender == \"f\"";
    vec![
        nested("(", "", ""),
        nested("(", core, ")"),
        nested("!", &format!("!{core}"), ""), // an odd number: CEL takes two for none
        nested("!(", core, ")"),
        nested("-", "1", ""),
        nested("- ", "1", " == gender"),
        nested("[", "", "]"),
        nested("{1:", "1", "}"),
        nested("a.", "a", ""),
        nested("a[", "a", "]"),
        nested("f(", "a", ")"),
        nested("gender.under(", "gender", ")"),
        nested("a?b:", "c", ""),
        nested("a?", "b", ":c"),
        nested("a.b{c:", "d", "}"),
        nested("[1].all(x,", "x", ")"),
        nested("has(a.", "b", ")"),
        nested("a&&", "a", ""),
        nested("a||b&&", "a", ""),
        nested("a+", "a", ""),
        nested("a==", "a", ""),
        nested("a in ", "a", ""),
        nested("(a)&&!(", core, ")"),
        nested("\"", "", ""),
        nested("a.?", "b", ""),
        nested(")", "", ""),
        nested("1", "", ""),
        nested("\\", "", ""),
    ]
}

#[test]
fn deep_nesting_is_refused_at_once() {
    for text in deep() {
        assert!(text.len() <= 4096);
        let refused = compiled("patient", &text);
        assert!(refused.is_err(), "{:.40}…", text);
        // the error is for people to read: it does not give the whole text back
        let error = refused.unwrap_err().to_string();
        assert!(error.len() < 1024, "{:.40}… has an error of {} bytes", text, error.len());
    }
}

/// The same in the program, whose stack is the one that counts: an exit status, not a signal.
#[test]
fn the_program_survives_it() {
    let (folder, trust) = crate::scene::found("hostile");
    let folder = folder.parent().unwrap().to_owned();
    let trust = crate::program::write(&folder, "trust.json", &serde_json::json!(trust));
    for text in deep() {
        let line =
            "request --schema patient --issuer hospital --verifier v --purpose TREAT --trust {} --out {} --where";
        let mut words = crate::program::words(line, &[&trust, &folder.join("r.json")]);
        words.pop();
        words.push(format!("--where={text}").into());
        let ran = crate::program::run(crate::program::command(words)).exits(2);
        assert!(!folder.join("r.json").exists() && ran.out.is_empty());
    }
}

#[test]
fn the_depth_that_is_allowed_is_named() {
    let nested = |times: usize| format!("{}gender == \"female\"{}", "(".repeat(times), ")".repeat(times));
    compiled("patient", &nested(20)).unwrap();
    assert_eq!(compiled("patient", &nested(40)), Err(PredicateError::TooDeep));
    let error = compiled("patient", "birthDate <").unwrap_err().to_string();
    assert!(error.contains("line 1, column 12: ") && !error.contains('\n'), "{error}");
}

#[test]
fn a_text_that_is_too_long_is_refused_and_the_longest_is_not() {
    let padded = |bytes: usize| format!("{:bytes$}", "gender == \"female\"");
    compiled("patient", &padded(4096)).unwrap();
    assert_eq!(compiled("patient", &padded(4097)), Err(PredicateError::TooLong));
    assert_eq!(compiled("patient", &"(".repeat(1 << 20)), Err(PredicateError::TooLong));
}

const TOKENS: [&str; 40] = [
    "birthDate",
    "gender",
    "value",
    "code",
    "systolic",
    "icd10",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    ".",
    ",",
    "?",
    ":",
    "-",
    "+",
    "18",
    "90",
    "6.5",
    "1e308",
    "9223372036854775808",
    "\"718-7\"",
    "\"E11\"",
    "date(\"2008-06-15\")",
    "yearsAgo(18)",
    ".under(",
    "absent(",
    "exists(x, ",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_text_is_compiled_or_refused(text in "\\PC{0,120}") {
        let _ = compiled("patient", &text);
    }

    #[test]
    fn any_bytes_that_are_text_too(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = compiled("observation", &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_row_of_tokens_too(tokens in prop::collection::vec(prop::sample::select(TOKENS.to_vec()), 0..24)) {
        for schema in ["patient", "observation", "condition"] {
            // what compiles says so again, whoever compiles it
            let text = tokens.join(" ");
            prop_assert_eq!(compiled(schema, &text), compiled(schema, &text));
        }
    }
}
