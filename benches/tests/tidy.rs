//! The tidy test: who may import whom, how long a file may be, and what the state machine may not use.
//!
//! Each rule is a function over text, so that a test can show it a breach as well as the tree.

mod deploy;
mod doors;
mod manifests;
mod sources;

use std::path::{Path, PathBuf};

/// The top of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust source below a folder of the checkout, with its path from the top.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let top = root();
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(top.join(folder)).sort_by_file_name() {
        let path = entry.expect("a readable checkout").into_path();
        if path.extension().is_some_and(|e| e == "rs") && !path.components().any(|c| c.as_os_str() == "target") {
            let name = path.strip_prefix(&top).expect("below the top").to_string_lossy().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).expect("UTF-8")));
        }
    }
    files
}

/// Rust code without comments, strings and character literals, line by line.
fn code_of(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut in_block, mut in_string) = (false, false);
    for line in text.lines() {
        let mut out = String::new();
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match (c, rest.peek()) {
                ('*', Some('/')) if in_block => {
                    rest.next();
                    in_block = false;
                }
                _ if in_block => {}
                ('\\', _) if in_string => {
                    rest.next();
                }
                ('"', _) => in_string = !in_string,
                _ if in_string => {}
                ('/', Some('/')) => break,
                ('/', Some('*')) => {
                    rest.next();
                    in_block = true;
                }
                ('\'', Some('"')) => {
                    rest.next();
                }
                (c, _) => out.push(c),
            }
        }
        lines.push(out);
    }
    lines
}

/// The words of a line of code.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Code before the unit tests of a file.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn comments_and_strings_are_not_code() {
    let code = code_of("let a = 1; // f64\nlet s = \"f64 // \\\" x\"; b /* f64\n f64 */ c");
    assert_eq!(code, ["let a = 1; ", "let s = ; b ", " c"]);
}
