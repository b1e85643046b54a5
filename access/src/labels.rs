//! The one table of strings that separate this crate's derivations and bound data.
//!
//! Every HKDF info, HMAC message and additional data begins with one of them; none is the beginning of another.

/// HKDF info: epoch secret → holder key.
pub const HOLDER_KEY: &[u8] = b"vouchsafe/access/holder-key/v1";
/// HKDF info: holder key, or the tier key above → tier key.
pub const TIER_KEY: &[u8] = b"vouchsafe/access/tier-key/v1";
/// HKDF info: holder or tier key → its public id.
pub const KEY_ID: &[u8] = b"vouchsafe/access/key-id/v1";
/// HKDF info: tier key and erase key → the key that wraps one part's data key.
pub const WRAP_KEY: &[u8] = b"vouchsafe/access/wrap-key/v1";
/// HKDF info: vault root secret → the key that wraps subject rows.
pub const SUBJECT_WRAP_KEY: &[u8] = b"vouchsafe/access/subject-wrap-key/v1";
/// HKDF info: vault root secret → the value by which an index knows its keystore.
pub const INDEX_CHECK: &[u8] = b"vouchsafe/access/index-check/v1";

/// HMAC message: an identifier of a subject → handle.
pub const ALIAS_HANDLE: &[u8] = b"vouchsafe/access/alias-handle/v1";
/// HMAC message: an alias handle, a subject and a kind → the tag of an alias row.
pub const ALIAS_ROW: &[u8] = b"vouchsafe/access/alias-row/v1";
/// HMAC message: a source and a resource id → handle.
pub const SOURCE_HANDLE: &[u8] = b"vouchsafe/access/source-handle/v1";
/// HMAC message: a source, a resource id and a version → handle.
pub const VERSION_HANDLE: &[u8] = b"vouchsafe/access/version-handle/v1";
/// HMAC message: a subject's canonical identifier → subject key.
pub const SUBJECT_KEY: &[u8] = b"vouchsafe/access/subject-key/v1";

/// Additional data of a sealed part.
pub const PART_AAD: &[u8] = b"vouchsafe/access/part/v1";
/// Additional data of a wrapped data key.
pub const WRAP_AAD: &[u8] = b"vouchsafe/access/wrap/v1";
/// Additional data of a wrapped subject row.
pub const SUBJECT_ROW_AAD: &[u8] = b"vouchsafe/access/subject-row/v1";

/// HKDF info: audit seed → the key of the book of disclosures.
pub const DISCLOSURE_KEY: &[u8] = b"vouchsafe/access/disclosure-key/v1";
/// HKDF info: audit seed → the key of the book of questions.
pub const QUESTION_KEY: &[u8] = b"vouchsafe/access/question-key/v1";
/// HMAC label: audit seed → the blinding that the verifier is shown.
pub const QUESTION_BLINDING: &[u8] = b"vouchsafe/access/question-blinding/v1";
/// HMAC label: audit seed → the blinding that only the auditor is shown.
pub const AUDIT_BLINDING: &[u8] = b"vouchsafe/access/audit-blinding/v1";

/// HKDF info: audit seed → the key of the book of grants.
pub const GRANT_KEY: &[u8] = b"vouchsafe/access/grant-key/v1";
/// HKDF info: audit seed → the key of the journal of emergencies.
pub const EMERGENCY_KEY: &[u8] = b"vouchsafe/access/emergency-key/v1";
/// HPKE info of a data key that is released to a reader.
pub const RELEASE_INFO: &[u8] = b"vouchsafe/access/release/v1";
/// HKDF info: audit seed → the key of the research desk's shelf.
pub const RESEARCH_KEY: &[u8] = b"vouchsafe/access/research-key/v1";
/// HKDF info: audit seed → the key that names stored answers; HMAC message: a query and an anchor → that name.
pub const RESEARCH_NAME: &[u8] = b"vouchsafe/access/research-name/v1";
/// HKDF info: audit seed → the choice key; HMAC message: a commitment → its rank among its subject's records.
pub const RESEARCH_CHOICE: &[u8] = b"vouchsafe/access/research-choice/v1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_begins_another() {
        let all = [
            HOLDER_KEY,
            TIER_KEY,
            KEY_ID,
            WRAP_KEY,
            SUBJECT_WRAP_KEY,
            INDEX_CHECK,
            ALIAS_HANDLE,
            ALIAS_ROW,
            SOURCE_HANDLE,
            VERSION_HANDLE,
            SUBJECT_KEY,
            PART_AAD,
            WRAP_AAD,
            SUBJECT_ROW_AAD,
            DISCLOSURE_KEY,
            QUESTION_KEY,
            QUESTION_BLINDING,
            AUDIT_BLINDING,
            GRANT_KEY,
            EMERGENCY_KEY,
            RELEASE_INFO,
            RESEARCH_KEY,
            RESEARCH_NAME,
            RESEARCH_CHOICE,
        ];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert!(i == j || !b.starts_with(a));
            }
        }
    }
}
