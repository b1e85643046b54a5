//! The one table of hash tags: Poseidon's first inputs, and the domain strings of SHA-256.
//!
//! Poseidon: arity 4 is for tree nodes alone; every other hash begins with a [`Tag`], and one that would have
//! four inputs is padded with a zero to five. SHA-256: every input is length-prefixed after its [`Domain`].

use sha2::{Digest, Sha256};

use crate::fe::Fe;

/// The first input of every Poseidon hash that is not a tree node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Tag {
    /// `H(PRESENT, value, salt)`: the leaf of a field that is there.
    Present = 1,
    /// `H(ABSENT, reason, salt)`: the leaf of a field that is not.
    Absent = 2,
    /// `H(COMMITMENT, issuer, schema, record root, header)`.
    Commitment = 3,
    /// `H(HEADER, subject key, valid from, valid until, blinding)`.
    Header = 4,
    /// `H(PSEUDONYM, subject key, scope)`.
    Pseudonym = 5,
}

impl Tag {
    /// The tag as a field element.
    pub const fn fe(self) -> Fe {
        Fe::from_u64(self as u64)
    }
}

macro_rules! domains {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What a SHA-256 digest, an HMAC or a derived key is of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Domain { $($(#[$doc])* $name),+ }

        impl Domain {
            /// All of them.
            pub const ALL: &'static [Domain] = &[$(Domain::$name),+];

            /// The domain string.
            pub const fn as_str(self) -> &'static str {
                match self { $(Domain::$name => $text),+ }
            }
        }
    };
}

domains! {
    /// A member's id: chain id, name.
    Member = "vouchsafe/member/v1",
    /// A schema's id: its document's bytes.
    Schema = "vouchsafe/schema/v1",
    /// A scope: verifier, purpose.
    Scope = "vouchsafe/scope/v1",
    /// A request's digest.
    Request = "vouchsafe/request/v1",
    /// A salt, from its seed.
    Salt = "vouchsafe/salt/v1",
    /// A verifying key's id: suite, statement, bytes.
    VerifyingKey = "vouchsafe/verifying-key/v1",
    /// An entry's id: its bytes.
    EntryId = "vouchsafe/entry-id/v1",
    /// What is signed of an entry: chain id, bytes.
    EntrySignature = "vouchsafe/entry-signature/v1",
    /// The app hash: a seal's bytes.
    AppHash = "vouchsafe/app-hash/v1",
    /// A disclosure's commitment: question, audit.
    Disclosure = "vouchsafe/disclosure/v1",
    /// The part of a disclosure that its verifier opens: request digest, blinding.
    DisclosureQuestion = "vouchsafe/disclosure-question/v1",
    /// The part of a disclosure that an auditor opens: details, blinding.
    DisclosureAudit = "vouchsafe/disclosure-audit/v1",
    /// A party's card: name, signing key, reader key.
    Card = "vouchsafe/card/v1",
    /// What is signed of a call, and the call's id.
    Call = "vouchsafe/call/v1",
    /// A policy: its text.
    Policy = "vouchsafe/policy/v1",
    /// A grant's commitment: its terms, blinded.
    Grant = "vouchsafe/grant/v1",
    /// What a release is: chain, member, record, tier, purpose, reader, what it rests on, until when.
    Release = "vouchsafe/release/v1",
    /// The reason given in an emergency, blinded.
    Reason = "vouchsafe/reason/v1",
    /// The commitment of an emergency's review, blinded.
    Review = "vouchsafe/review/v1",
    /// A data set's id: member, name.
    DataSet = "vouchsafe/data-set/v1",
    /// A project's commitment, blinded.
    Project = "vouchsafe/project/v1",
    /// The rules under which a project's queries are answered.
    RuleSet = "vouchsafe/rule-set/v1",
    /// A query's commitment, blinded.
    Query = "vouchsafe/query/v1",
}

/// SHA-256 over the domain and the parts, each preceded by its length as 8 big-endian bytes.
pub fn digest(domain: Domain, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(domain.as_str().as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// [`digest`] as a field element: its first 31 bytes as a big-endian integer.
pub fn digest_fe(domain: Domain, parts: &[&[u8]]) -> Fe {
    let mut first = [0; 31];
    first.copy_from_slice(&digest(domain, parts)[..31]);
    Fe::from_be_31(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_differ_and_lengths_bind() {
        let texts: std::collections::BTreeSet<_> = Domain::ALL.iter().map(|d| d.as_str()).collect();
        assert_eq!(texts.len(), Domain::ALL.len());
        assert_ne!(digest(Domain::Scope, &[b"ab", b"c"]), digest(Domain::Scope, &[b"a", b"bc"]));
    }
}
