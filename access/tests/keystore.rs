//! The keystore: opens with its passphrase, and says what is wrong when it does not.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vouchsafe_access::keystore::{CreateError, KdfParams, Keystore, OpenError, ReplaceError};
use vouchsafe_access::secret::Passphrase;

use crate::support::rng;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

fn written() -> (TempDir, PathBuf, Keystore) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore");
    let keystore = Keystore::generate(&mut rng(1));
    keystore.create(&path, &passphrase("open sesame"), KdfParams::DANGEROUS_FAST, &mut rng(2)).unwrap();
    (dir, path, keystore)
}

fn with_bytes(path: &PathBuf, change: impl FnOnce(&mut Vec<u8>)) -> OpenError {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::write(path, bytes).unwrap();
    Keystore::open(path, &passphrase("open sesame")).unwrap_err()
}

fn fix_checksum(bytes: &mut [u8]) {
    let covered = bytes.len() - 32;
    let checksum = Sha256::digest(&bytes[..covered]);
    bytes[covered..].copy_from_slice(&checksum);
}

#[test]
fn opens_with_its_passphrase_alone() {
    let (_dir, path, keystore) = written();
    let again = Keystore::open(&path, &passphrase("open sesame")).unwrap();
    assert!(again.vault_root() == keystore.vault_root() && again.member_seed() == keystore.member_seed());
    assert_eq!(again.current_epoch(), keystore.current_epoch());
    let wrong = Keystore::open(&path, &passphrase("open says me")).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongPassphrase(_)));
}

#[test]
fn opens_with_the_standard_cost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keystore");
    let keystore = Keystore::generate(&mut rng(1));
    keystore.create(&path, &passphrase("p"), KdfParams::STANDARD, &mut rng(2)).unwrap();
    assert!(Keystore::open(&path, &passphrase("p")).unwrap().vault_root() == keystore.vault_root());
}

#[test]
fn is_private_and_never_overwritten() {
    let (dir, path, keystore) = written();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(&path).unwrap();
    let again = keystore.create(&path, &passphrase("other"), KdfParams::DANGEROUS_FAST, &mut rng(3));
    assert!(matches!(again, Err(CreateError::Exists(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn is_replaced_by_one_who_knows_its_passphrase() {
    let (dir, path, mut keystore) = written();
    let epoch = keystore.add_epoch(&mut rng(4));
    let (old, new) = (passphrase("open sesame"), passphrase("close sesame"));
    let fast = KdfParams::DANGEROUS_FAST;
    assert!(matches!(keystore.replace(&path, &new, &new, fast, &mut rng(5)), Err(ReplaceError::Open(_))));
    assert_eq!(Keystore::open(&path, &old).unwrap().current_epoch().get(), 0, "untouched");
    keystore.replace(&path, &old, &new, fast, &mut rng(5)).unwrap();
    assert_eq!(Keystore::open(&path, &new).unwrap().current_epoch(), epoch);
    assert!(Keystore::open(&path, &old).is_err());
    let missing = keystore.replace(&dir.path().join("other"), &old, &new, fast, &mut rng(5));
    assert!(matches!(missing, Err(ReplaceError::Open(OpenError::Missing(_)))));
}

#[test]
fn holds_no_secret_in_clear() {
    let (_dir, path, keystore) = written();
    let bytes = std::fs::read(&path).unwrap();
    let holds = |secret: &[u8; 32]| bytes.windows(8).any(|w| w == &secret[..8]);
    assert!(!holds(keystore.vault_root().expose()) && !holds(keystore.member_seed().expose()));
}

#[test]
fn missing_damaged_and_foreign_files_are_told_apart() {
    let (dir, path, _) = written();
    let missing = Keystore::open(&dir.path().join("nothing"), &passphrase("x")).unwrap_err();
    assert!(matches!(missing, OpenError::Missing(_)));
    let len = std::fs::read(&path).unwrap().len();
    for at in [9, 20, 41, len - 1] {
        let (_dir, path, _) = written();
        let e = with_bytes(&path, |bytes| bytes[at] ^= 1);
        assert!(matches!(e, OpenError::Damaged(_) | OpenError::Newer { .. }), "byte {at}: {e}");
    }
    for keep in [8, 9, 39, 60, len - 1] {
        let (_dir, path, _) = written();
        let e = with_bytes(&path, |bytes| bytes.truncate(keep));
        assert!(matches!(e, OpenError::Damaged(_)), "cut at {keep}: {e}");
    }
    let foreign = with_bytes(&path, |bytes| *bytes = b"-----BEGIN PRIVATE KEY-----".to_vec());
    assert!(matches!(foreign, OpenError::NotAKeystore(_)));
}

#[test]
fn a_hostile_file_cannot_demand_a_terabyte() {
    // memory (bytes 12..16), passes (16..20), lanes (20..24): each beyond reason, the checksum right
    for (at, value) in [(12, u32::MAX), (12, 1 << 21), (16, 1 << 20), (20, 1 << 16), (12, 0), (16, 0), (20, 0)] {
        let (_dir, path, _) = written();
        let e = with_bytes(&path, |bytes| {
            bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
            fix_checksum(bytes);
        });
        assert!(matches!(e, OpenError::Unreasonable(_)), "{at} = {value}: {e}");
    }
}

#[test]
fn an_altered_header_does_not_open_although_its_checksum_is_right() {
    // The salt and the suite are bound: the control, an unaltered file with the checksum made again, opens.
    let (_dir, path, _) = written();
    let mut bytes = std::fs::read(&path).unwrap();
    fix_checksum(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    assert!(Keystore::open(&path, &passphrase("open sesame")).is_ok());
    let e = with_bytes(&path, |bytes| {
        bytes[24] ^= 1;
        fix_checksum(bytes);
    });
    assert!(matches!(e, OpenError::WrongPassphrase(_)));
}
