//! The relation, natively: which clause of the statement fails, in the order of the spec.
//!
//! One function for each clause, with the name it has in `circuit.rs` and in docs/spec/fact.md. Meant for the
//! holder, who may know why a fact cannot be shown; a verifier never learns it.

use crate::fe::{Fe, FeError};
use crate::primitives::poseidon::hash_fe as hash;
use crate::statements::Statement;
use crate::statements::fact::assignment::{Assignment, field_digit, leaf_tag};
use crate::statements::fact::predicate::{Answer, Content};
use crate::statements::fact::{Public, PublicError, Witness};
use crate::suite::Suite;
use crate::tags::Tag;

/// The clause of the statement that fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The public values are not those of the statement.
    #[error("the public values are not those of the statement")]
    Public(#[from] PublicError),
    /// A private value is not below the suite's modulus.
    #[error("a value of the record is not of the suite's field")]
    Element(#[from] FeError),
    /// The subject key is zero.
    #[error("the record has no subject key")]
    Header,
    /// A clause's field does not lead to the record root.
    #[error("a field does not belong to the record")]
    Fields,
    /// The path does not lead to the anchor.
    #[error("the record is not in the issuer's active set at this anchor: withdrawn, replaced, or not committed yet")]
    Membership,
    /// The commitment in the active set is not that of this record, issuer and schema.
    #[error("the commitment is not of this record, issuer and schema")]
    Commitment,
    /// The record is not valid today.
    #[error("the record is not valid on that day")]
    Validity,
    /// The predicate does not hold, or cannot be said to hold.
    #[error("the record does not show the predicate: it is false, or a field that it needs has no value")]
    Predicate,
    /// The pseudonym is not this subject's in this scope.
    #[error("the pseudonym is not that of the record's subject in this scope")]
    Pseudonym,
    /// The request digest is not bound. Natively there is nothing that can fail.
    #[error("the request is not bound")]
    Binding,
}

/// Checks the whole statement and names the first clause that fails.
pub fn relation(suite: Suite, statement: Statement, public: &Public, witness: &Witness) -> Result<(), Violation> {
    public.check(suite, statement)?;
    holds(suite, public, &Assignment::new(suite, &public.clauses, witness)?)
}

/// The relation over an assignment of any origin.
pub(crate) fn holds(suite: Suite, public: &Public, private: &Assignment) -> Result<(), Violation> {
    let header = check_header(suite, private)?;
    check_fields(suite, public, private)?;
    let leaf = check_membership(suite, public, private)?;
    check_commitment(suite, public, private, header, leaf)?;
    check_validity(public, private)?;
    check_predicate(public, private)?;
    check_pseudonym(suite, public, private)
}

fn check_header(suite: Suite, private: &Assignment) -> Result<Fe, Violation> {
    if private.subject_key.is_zero() {
        return Err(Violation::Header);
    }
    let parts = [Tag::Header.fe(), private.subject_key, private.from, private.until, private.blinding];
    Ok(hash(suite, &parts)?)
}

fn check_fields(suite: Suite, public: &Public, private: &Assignment) -> Result<(), Violation> {
    if private.clauses.len() != public.clauses.len() {
        return Err(Violation::Fields);
    }
    for (clause, opened) in public.clauses.iter().zip(&private.clauses) {
        let tag = leaf_tag(bit(opened.present).ok_or(Violation::Fields)?);
        let mut node = hash(suite, &[tag.fe(), opened.content, opened.salt])?;
        for (level, children) in opened.children.iter().enumerate() {
            if children[field_digit(clause.field, level)] != node {
                return Err(Violation::Fields);
            }
            node = hash(suite, children)?;
        }
        if node != private.root {
            return Err(Violation::Fields);
        }
    }
    Ok(())
}

fn check_membership(suite: Suite, public: &Public, private: &Assignment) -> Result<Fe, Violation> {
    let mut opened: Option<(Fe, Fe)> = None;
    for step in &private.path {
        let [Some(low), Some(high)] = step.digit.map(bit) else { return Err(Violation::Membership) };
        let child = step.children[usize::from(low) + 2 * usize::from(high)];
        let leaf = match opened {
            None => child,
            Some((leaf, node)) if node == child => leaf,
            Some(_) => return Err(Violation::Membership),
        };
        opened = Some((leaf, hash(suite, &step.children)?));
    }
    match opened {
        Some((leaf, root)) if root == public.anchor.fe() => Ok(leaf),
        _ => Err(Violation::Membership),
    }
}

fn check_commitment(
    suite: Suite,
    public: &Public,
    private: &Assignment,
    header: Fe,
    leaf: Fe,
) -> Result<(), Violation> {
    let parts = [Tag::Commitment.fe(), public.issuer.fe(), public.schema.fe(), private.root, header];
    if hash(suite, &parts)? == leaf { Ok(()) } else { Err(Violation::Commitment) }
}

fn check_validity(public: &Public, private: &Assignment) -> Result<(), Violation> {
    let day = |value: Fe| value.to_u64().and_then(|v| u32::try_from(v).ok()).ok_or(Violation::Validity);
    let (from, until, today) = (day(private.from)?, day(private.until)?, public.today_number());
    if from <= today && today <= until { Ok(()) } else { Err(Violation::Validity) }
}

fn check_predicate(public: &Public, private: &Assignment) -> Result<(), Violation> {
    let answers: Result<Vec<Answer>, _> = (public.clauses.iter().zip(&private.clauses))
        .map(|(clause, opened)| {
            let is_present = !opened.present.is_zero();
            clause.answer(if is_present { Content::Present(opened.content) } else { Content::Absent(opened.content) })
        })
        .collect();
    match answers {
        Ok(answers) if public.table.holds(&answers) => Ok(()),
        _ => Err(Violation::Predicate),
    }
}

fn check_pseudonym(suite: Suite, public: &Public, private: &Assignment) -> Result<(), Violation> {
    let parts = [Tag::Pseudonym.fe(), private.subject_key, public.scope.fe()];
    if hash(suite, &parts)? == public.pseudonym.fe() { Ok(()) } else { Err(Violation::Pseudonym) }
}

fn bit(value: Fe) -> Option<bool> {
    match value.to_u64() {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    }
}
