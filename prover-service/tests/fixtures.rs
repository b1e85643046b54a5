//! Where the shared test data is.

use std::path::{Path, PathBuf};

/// The shared fixtures folder: `VOUCH_FIXTURES`, else `shared/fixtures` beside the checkout. Without it the
/// test says so and ends, but fails when `CI=true`.
pub fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures");
    let folder = std::env::var_os("VOUCH_FIXTURES").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the fixtures at {}", folder.display());
    println!("skipped: needs fixtures");
    None
}

/// The files of a folder with their text, by name.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}
