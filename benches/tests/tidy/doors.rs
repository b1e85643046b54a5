//! One door: the list of what the access crate lets others call, and who may call what gives keys or plaintext.
//!
//! `access/PUBLIC_FUNCTIONS.txt` is made from the sources: after a change, `BLESS=1 cargo test … tidy` writes it anew, and
//! the change is there to be read in review. A function that returns a secret must stand in [`GIVES_AWAY`].

use super::{code_of, root, rust_files, without_tests, words};

const LIST: &str = "access/PUBLIC_FUNCTIONS.txt";

/// Functions of the access crate that may return plaintext of records, or keys; with the reason why that is no second way.
const GIVES_AWAY: &[(&str, &str)] = &[
    ("$name::expose", "bytes of one secret, for those who have it"),
    ("HolderKey::of_epoch", "needs the epoch secret"),
    ("HolderKey::tier", "needs the holder key"),
    ("Keystore::add_epoch", "the keystore itself"),
    ("Keystore::audit_seed", "the keystore itself"),
    ("Keystore::generate", "a new one"),
    ("Keystore::holder_key", "the keystore itself"),
    ("Keystore::index_secret", "the keystore itself"),
    ("Keystore::member_seed", "the keystore itself"),
    ("Keystore::open", "needs the passphrase"),
    ("Keystore::reader_secret", "the keystore itself"),
    ("Keystore::subject_secret", "the keystore itself"),
    ("Keystore::validator_seed", "the keystore itself"),
    ("Keystore::vault_root", "the keystore itself"),
    ("Parcel::dangerous_open_without", "needs the reader's secrets; for controls in tests"),
    ("Parcel::open", "needs the reader's secrets, after every check"),
    ("PartySecrets::generate", "a new one"),
    ("PartySecrets::open", "needs the passphrase"),
    ("PartySecrets::signing_key", "signs, opens nothing"),
    ("QuestionBook::read", "a question's page; needs the audit seed"),
    ("SealedPart::open_header", "needs the data key"),
    ("SealedPart::open_tier", "needs the data key"),
    ("SealedPart::seal_header", "a new data key"),
    ("SealedPart::seal_tier", "a new data key"),
    ("TierKey::below", "needs the tier key"),
    ("TierKey::down_to", "needs the tier key"),
    ("Vault::open_for_proof", "the holder's own proof; called in few places, see below"),
    ("Wrap::open_with_holder_key", "needs holder key and erase key"),
    ("Wrap::open_with_tier_key", "needs tier key and erase key"),
    ("subject_key", "needs the subject secret"),
];

/// What a signature says that gives something away.
const SECRET_TYPES: &[&str] = &[
    "AuditSeed",
    "DataKey",
    "EpochSecret",
    "EraseKey",
    "FieldValue",
    "HeaderPayload",
    "HeldRecord",
    "HolderKey",
    "IndexSecret",
    "Keystore",
    "MemberSeed",
    "OpenedParcel",
    "PartySecrets",
    "PartySeed",
    "ReaderSecret",
    "RecordOpening",
    "RungSecret",
    "SaltSeed",
    "SigningKey",
    "SubjectKey",
    "SubjectSecret",
    "SubjectSecrets",
    "TierKey",
    "TierPayload",
    "Unsealed",
    "ValidatorSeed",
    "Value",
    "VaultRootSecret",
    "WrapKey",
    "Zeroizing",
];

/// Where a function that gives something away may be named; tests of the crates are free.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("hpke", &["access/src/door/release.rs", "access/src/door/parcel"]),
    ("cedar_policy", &["access/src/policy"]),
    (
        "open_for_proof",
        &[
            "access/src/vault",
            "prover-service/src/answer",
            "prover-service/src/demo",
            "prover-service/src/consent",
            "benches/src/figures",
        ],
    ),
    ("Cleared", &["access/src/door/release.rs", "access/src/door.rs", "access/src/vault/keys.rs"]),
    ("Journalled", &["access/src/door/emergency.rs", "access/src/door/release.rs"]),
    ("holder_key", &["access/src/"]),
    ("of_epoch", &["access/src/"]),
    ("open_tier", &["access/src/"]),
    ("open_header", &["access/src/"]),
    ("open_with_holder_key", &["access/src/"]),
    ("open_with_tier_key", &["access/src/"]),
    ("dangerous_open_without", &["access/src/door/parcel/open.rs", "prover-service/src/demo"]),
    ("dangerous_change", &["access/src/door/parcel/open", "prover-service/src/demo"]),
    ("dangerous_reseal_tier", &["access/src/envelope/sealed.rs", "access/src/door/parcel/open"]),
];

/// A public function: the type it belongs to, its name, and its signature.
struct Function {
    name: String,
    signature: String,
}

/// The public functions of a source, in order.
fn public_functions(text: &str) -> Vec<Function> {
    let (mut found, mut of) = (Vec::new(), String::new());
    let lines = code_of(without_tests(text));
    for (at, line) in lines.iter().enumerate() {
        if line.trim_start().starts_with("impl") {
            of = subject_of(line);
        } else if line.starts_with('}') {
            of.clear();
        }
        let Some(rest) = line.trim_start().strip_prefix("pub ") else { continue };
        let mut rest = rest;
        for prefix in ["const ", "async ", "unsafe "] {
            rest = rest.strip_prefix(prefix).unwrap_or(rest);
        }
        let Some(rest) = rest.strip_prefix("fn ") else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let name = if of.is_empty() { name } else { format!("{of}::{name}") };
        let signature: String = lines[at..].iter().map(|line| line.as_str()).collect::<Vec<_>>().join(" ");
        let signature = signature.split('{').next().unwrap_or_default().to_owned();
        found.push(Function { name, signature });
    }
    found
}

/// The type of an `impl` line: what comes after `for`, if there is one, without generics.
fn subject_of(line: &str) -> String {
    let line = line.split('{').next().unwrap_or(line);
    let named = match line.split_once(" for ") {
        Some((_, named)) => named,
        None => line.trim_start().trim_start_matches("impl").trim_start_matches(|c: char| c == '<' || c == '\'').trim(),
    };
    named.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '$').collect()
}

/// The sources of which something can be reached from outside: not of modules that `lib.rs` keeps to itself.
fn sources() -> Vec<(String, String)> {
    let files = rust_files("access/src");
    let (_, lib) = files.iter().find(|(name, _)| name == "access/src/lib.rs").expect("the crate's root");
    let own: Vec<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(|module| format!("access/src/{module}.rs"))
        .collect();
    assert!(own.iter().any(|name| name.ends_with("/wire.rs")), "lib.rs is not read any more");
    files.into_iter().filter(|(name, _)| !name.ends_with("/tests.rs") && !own.contains(name)).collect()
}

/// Whether a signature returns something secret.
fn gives_away(function: &Function) -> bool {
    let Some((before, returned)) = function.signature.split_once("->") else { return false };
    // a closure among the arguments has an arrow of its own: take the last one
    let returned = returned.rsplit("->").next().unwrap_or(returned);
    let of = function.name.split("::").next().unwrap_or_default();
    let own = words(returned).any(|word| word == "Self") && SECRET_TYPES.contains(&of);
    let bytes = function.name.ends_with("::expose");
    !before.is_empty() && (own || bytes || words(returned).any(|word| SECRET_TYPES.contains(&word)))
}

#[test]
fn the_list_of_public_functions_is_true() {
    let mut list = String::new();
    for (name, text) in sources() {
        for function in public_functions(&text) {
            list.push_str(&format!("{name}: {}\n", function.name));
        }
    }
    assert!(list.lines().count() > 100, "the reader of sources has gone blind");
    let path = root().join(LIST);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &list).expect("a writable checkout");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    for line in list.lines().filter(|line| !written.lines().any(|known| known == *line)) {
        panic!("new public function of access: {line}. Is it a second way in? If not, run this test with BLESS=1");
    }
    assert_eq!(written, list, "{LIST} is out of date: run this test with BLESS=1");
}

#[test]
fn what_gives_keys_or_plaintext_is_named_with_a_reason() {
    let all: Vec<Function> = sources().iter().flat_map(|(_, text)| public_functions(text)).collect();
    for function in all.iter().filter(|function| gives_away(function)) {
        let known = GIVES_AWAY.iter().any(|(name, _)| *name == function.name);
        assert!(known, "{} may return keys or plaintext: is it a second way in? {}", function.name, function.signature);
    }
    for (name, _) in GIVES_AWAY {
        assert!(all.iter().any(|function| function.name == *name), "{name} is gone: take it from the list");
    }
    let bad = "impl Vault {\n    pub async fn peek(\n        &self,\n    ) -> Result<HeldRecord, ReadError> {\n";
    let found = public_functions(bad);
    assert_eq!(found[0].name, "Vault::peek");
    assert!(gives_away(&found[0]));
    assert!(!gives_away(&public_functions("pub fn count(&self, key: &DataKey) -> usize {")[0]));
}

fn strangers(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in code_of(without_tests(text)) {
        for (what, homes) in NAMED_ONLY_IN {
            if words(&line).any(|word| word == *what) && !homes.iter().any(|home| name.starts_with(home)) {
                found.push(format!("{name} names {what}; its home is {}", homes.join(", ")));
            }
        }
    }
    found
}

#[test]
fn keys_and_plaintext_are_asked_for_at_home_alone() {
    for folder in ["circuits", "ledger", "access/src", "prover-service/src", "benches/src"] {
        for (name, text) in rust_files(folder).iter().filter(|(name, _)| !name.contains("/tests")) {
            assert_eq!(strangers(name, text), Vec::<String>::new());
        }
    }
    assert_eq!(strangers("prover-service/src/server/records.rs", "vault.open_for_proof(id, &schema)").len(), 1);
    assert_eq!(strangers("access/src/vault.rs", "use hpke::Kem;").len(), 1);
    assert_eq!(strangers("access/src/door/release.rs", "use hpke::Kem;").len(), 0);
}

/// The vault hands out data keys to one function, and the door alone can call it.
#[test]
fn keys_leave_the_vault_by_one_function() {
    let uses: Vec<String> = sources()
        .iter()
        .filter(|(_, text)| code_of(without_tests(text)).iter().any(|line| line.contains("vault.unseal(")))
        .map(|(name, _)| name.clone())
        .collect();
    assert_eq!(uses, ["access/src/door/release.rs"]);
    let release = sources().into_iter().find(|(name, _)| name == "access/src/door/release.rs").expect("the door");
    let made = code_of(without_tests(&release.1)).iter().filter(|line| line.contains("Ok(Cleared {")).count();
    assert_eq!(made, 1, "Cleared is made in one place, after the warrant was looked at");
}
