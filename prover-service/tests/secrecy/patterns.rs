//! Many byte strings looked for at once, each in the forms in which it could stand somewhere.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Shorter ones turn up by chance.
pub const LENGTH_MIN: usize = 8;

type Start = [u8; LENGTH_MIN];

/// What is looked for, by its first bytes; each with the name under which it is reported.
#[derive(Default)]
pub struct Patterns(HashMap<Start, BTreeSet<(Vec<u8>, String)>>);

impl Patterns {
    /// A text: as it is, in capitals, in hex and in base64.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes(), text);
        self.add(text.to_uppercase().into_bytes(), &format!("{text}, in capitals"));
        self.add(text.to_lowercase().into_bytes(), &format!("{text}, in small letters"));
    }

    /// Bytes: as they are, in hex and in base64.
    pub fn bytes(&mut self, bytes: &[u8], name: &str) {
        self.add(bytes.to_vec(), name);
        self.add(hex::encode(bytes).into_bytes(), &format!("{name}, in hex"));
        self.add(hex::encode_upper(bytes).into_bytes(), &format!("{name}, in hex"));
        // base64 of something around it: as it stands at each of the three places in a group
        for before in 0..3 {
            let all = STANDARD.encode([&vec![0; before], bytes].concat());
            let (from, to) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
            let inner = &all.as_bytes()[from..to];
            self.add(inner.to_vec(), &format!("{name}, in base64"));
            let url: Vec<u8> = inner
                .iter()
                .map(|b| match b {
                    b'+' => b'-',
                    b'/' => b'_',
                    b => *b,
                })
                .collect();
            self.add(url, &format!("{name}, in base64"));
        }
    }

    fn add(&mut self, pattern: Vec<u8>, name: &str) {
        if let Some(start) = pattern.first_chunk::<LENGTH_MIN>() {
            self.0.entry(*start).or_default().insert((pattern.clone(), name.to_owned()));
        }
    }

    pub fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Leaves out what stands here, being public, in each of its forms.
    pub fn forget(&mut self, public: &[u8]) {
        let known = self.found(public);
        let of_known = |name: &str| {
            known
                .iter()
                .any(|known| name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(", in ")))
        };
        for patterns in self.0.values_mut() {
            patterns.retain(|(_, name)| !of_known(name));
        }
    }

    /// The names of what stands in these bytes.
    pub fn found(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for at in 0..bytes.len().saturating_sub(LENGTH_MIN - 1) {
            let Some(start) = bytes[at..].first_chunk::<LENGTH_MIN>() else { break };
            for (pattern, name) in self.0.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(pattern) {
                    found.insert(name.clone());
                }
            }
        }
        found
    }
}

#[test]
fn each_form_is_found_where_it_stands() {
    let mut patterns = Patterns::default();
    patterns.text("Bergström-Achebe");
    let text = "Bergström-Achebe";
    let sha = |before: usize| STANDARD.encode([&vec![b'x'; before], text.as_bytes(), b"yz"].concat());
    for planted in [text.to_owned(), hex::encode(text), hex::encode_upper(text), sha(0), sha(1), sha(2), sha(3)] {
        assert_eq!(patterns.found(format!("{{\"a\":\"{planted}\"}}").as_bytes()).len(), 1, "{planted}");
    }
    assert!(patterns.found("Bergstrom-Achebe".as_bytes()).is_empty());
    patterns.forget(text.as_bytes());
    assert!(patterns.found(text.as_bytes()).is_empty() && patterns.found(sha(0).as_bytes()).is_empty());
}
