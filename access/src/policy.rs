//! Policy: Cedar decides who may open, ask and count. Denied unless permitted.
//!
//! ```text
//! question = party with roles · action · resource · context     the words a policy may use: policy/schema.cedarschema
//! permit   = some permit policy holds, no forbid policy holds, and none failed
//! digest   = SHA-256 of domain and text, in the opening of every disclosure that it permitted
//! ```
//!
//! A policy is validated strictly when it is loaded; a warning refuses it too. Cedar skips a policy that fails while it
//! is evaluated, and with it perhaps a forbid: here a failure denies. Does not know who the asker is: the caller does.
//! A policy cannot replace a grant: see `door`.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use vouchsafe_circuits::record::Tier;
use vouchsafe_circuits::tags::{Domain, digest};
use vouchsafe_ledger_types::card::Card;
use vouchsafe_ledger_types::ids::PolicyDigest;
use vouchsafe_ledger_types::units::BlockTime;

use crate::vault::RecordId;

const SCHEMA: &str = include_str!("policy/schema.cedarschema");
/// No policy is longer: it is read by people.
const POLICY_BYTES_MAX: usize = 256 * 1024;

/// What the institution lets a party do; a party may have several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartyRole {
    /// Opens records on a grant.
    Reader,
    /// May break the glass.
    Emergency,
    /// Asks research queries.
    Researcher,
    /// Asks for proofs.
    Verifier,
    /// Asks for openings of disclosures.
    Auditor,
}

impl PartyRole {
    /// All of them.
    pub const ALL: [PartyRole; 5] =
        [PartyRole::Reader, PartyRole::Emergency, PartyRole::Researcher, PartyRole::Verifier, PartyRole::Auditor];

    /// The role's name in policies, files and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            PartyRole::Reader => "reader",
            PartyRole::Emergency => "emergency",
            PartyRole::Researcher => "researcher",
            PartyRole::Verifier => "verifier",
            PartyRole::Auditor => "auditor",
        }
    }
}

/// The name is not one of a role. The fault is the caller's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a role is reader, emergency, researcher, verifier or auditor")]
pub struct UnknownRole;

impl std::str::FromStr for PartyRole {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<PartyRole, UnknownRole> {
        PartyRole::ALL.into_iter().find(|role| role.as_str() == name).ok_or(UnknownRole)
    }
}

/// Who asks, as the institution knows it. Its caller has made sure that it is this party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    id: String,
    name: String,
    roles: BTreeSet<PartyRole>,
    admitted: bool,
}

impl Asker {
    /// A party whose card the institution admitted, with the roles it gave it.
    pub fn admitted(card: &Card, roles: BTreeSet<PartyRole>) -> Asker {
        Asker { id: format!("card:{}", card.id()), name: card.name.to_string(), roles, admitted: true }
    }

    /// Somebody of whom there is only a name in a request: it has no role.
    pub fn named(name: &str) -> Asker {
        Asker { id: format!("name:{name}"), name: name.to_owned(), roles: BTreeSet::new(), admitted: false }
    }
}

/// What a grant allows, as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Granted<'a> {
    /// The highest tier.
    pub tier: Tier,
    /// For what.
    pub purpose: &'a str,
    /// Until when.
    pub until: BlockTime,
}

/// What is asked of the policy; purposes are HL7 codes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Question<'a> {
    /// To open a record.
    Open {
        /// Which.
        record: RecordId,
        /// The name of its schema.
        schema: &'a str,
        /// Up to which tier.
        tier: Tier,
        /// What for.
        purpose: &'a str,
        /// The grant it rests on, which was checked to cover it; none if there is none.
        grant: Option<Granted<'a>>,
    },
    /// To open a record in an emergency.
    Emergency {
        /// Which.
        record: RecordId,
        /// The name of its schema.
        schema: &'a str,
        /// Up to which tier.
        tier: Tier,
        /// What for.
        purpose: &'a str,
        /// Whether a reason was given.
        reason: bool,
    },
    /// To answer a verifier.
    Answer {
        /// The names of the schemas asked about.
        schemas: &'a [String],
        /// The highest tier of the fields asked about.
        tier: Tier,
        /// What for.
        purpose: &'a str,
        /// Whether the request has the consent part that we would write.
        consent: bool,
        /// Whether a person here said yes to this question.
        person: bool,
    },
    /// To answer a research query.
    Query {
        /// The name of the data set.
        data_set: &'a str,
        /// What for.
        purpose: &'a str,
        /// Below which count nothing is told.
        threshold: u32,
    },
}

/// A policy could not be loaded. The fault is its author's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It is too long.
    #[error("a policy has at most {POLICY_BYTES_MAX} bytes")]
    TooLong,
    /// It is not Cedar.
    #[error("the policy is not Cedar: {0}")]
    Form(String),
    /// It uses words that there are not, or compares what cannot be equal.
    #[error("the policy does not fit what it can speak of: {0}")]
    Words(String),
    /// The program's own schema does not load: our bug.
    #[error("the schema of policies does not load: {0}")]
    Schema(String),
}

/// The policy did not permit it. Tell the asker no more than that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// No permit holds, or a forbid does; with the ids of the forbids.
    #[error("policy does not permit it{}", forbids(.0))]
    NotPermitted(Vec<String>),
    /// A policy failed while it was evaluated, so nobody can say what it would have forbidden.
    #[error("policy could not be evaluated ({0}), so nothing is permitted: correct the policy")]
    Failed(String),
}

fn forbids(ids: &[String]) -> String {
    if ids.is_empty() { String::new() } else { format!(": forbidden by {}", ids.join(", ")) }
}

/// That a policy permitted something. Only [`Policy::decide`] makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    policy: PolicyDigest,
    _made_here: (),
}

impl Permit {
    /// The policy that permitted it; for the disclosure's opening.
    pub fn policy(&self) -> PolicyDigest {
        self.policy
    }
}

/// A loaded policy.
pub struct Policy {
    set: PolicySet,
    schema: Schema,
    digest: PolicyDigest,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({})", self.digest)
    }
}

impl Policy {
    /// The policy where an institution has none of its own.
    pub const STANDARD: &'static str = include_str!("policy/default.cedar");

    /// Loads a policy: Cedar, within the words of the schema, without a warning.
    pub fn load(text: &str) -> Result<Policy, PolicyError> {
        if text.len() > POLICY_BYTES_MAX {
            return Err(PolicyError::TooLong);
        }
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|e| PolicyError::Schema(e.to_string()))?;
        let set: PolicySet = text.parse().map_err(|e: cedar_policy::ParseErrors| PolicyError::Form(e.to_string()))?;
        let found = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let errors = found.validation_errors().map(ToString::to_string);
        let complaints: Vec<_> = errors.chain(found.validation_warnings().map(ToString::to_string)).collect();
        if !complaints.is_empty() {
            return Err(PolicyError::Words(complaints.join("; ")));
        }
        let digest = PolicyDigest::from_bytes(digest(Domain::Policy, &[text.as_bytes()]));
        Ok(Policy { set, schema, digest })
    }

    /// The digest of its text.
    pub fn digest(&self) -> PolicyDigest {
        self.digest
    }

    /// Decides.
    pub fn decide(&self, asker: &Asker, question: &Question<'_>, now: BlockTime) -> Result<Permit, Denial> {
        let failed = |e: &dyn std::fmt::Display| Denial::Failed(e.to_string());
        let (request, entities) = self.cedar_request(asker, question, now).map_err(|e| failed(&e))?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let diagnostics = response.diagnostics();
        if let Some(error) = diagnostics.errors().next() {
            return Err(failed(error));
        }
        match response.decision() {
            Decision::Allow => Ok(Permit { policy: self.digest, _made_here: () }),
            Decision::Deny => {
                let named = |id| self.set.annotation(id, "id").map_or_else(|| id.to_string(), str::to_owned);
                let mut forbids: Vec<_> = diagnostics.reason().map(named).collect();
                forbids.sort_unstable();
                Err(Denial::NotPermitted(forbids))
            }
        }
    }

    fn cedar_request(
        &self,
        asker: &Asker,
        question: &Question<'_>,
        now: BlockTime,
    ) -> Result<(Request, Entities), String> {
        let principal = uid("Party", &asker.id)?;
        let (action, resource, context) = asked(question, now)?;
        let party = HashMap::from([
            ("name".to_owned(), text(&asker.name)),
            ("admitted".to_owned(), RestrictedExpression::new_bool(asker.admitted)),
        ]);
        let roles: Result<HashSet<_>, _> = asker.roles.iter().map(|role| uid("Role", role.as_str())).collect();
        let party = Entity::new(principal.clone(), party, roles?).map_err(|e| e.to_string())?;
        let uid_of_resource = resource.uid();
        let entities = Entities::from_entities([party, resource], Some(&self.schema)).map_err(|e| e.to_string())?;
        let context = Context::from_pairs(context).map_err(|e| e.to_string())?;
        let action = uid("Action", action)?;
        let request = Request::new(principal, action, uid_of_resource, context, Some(&self.schema));
        Ok((request.map_err(|e| e.to_string())?, entities))
    }
}

type Pairs = Vec<(String, RestrictedExpression)>;

/// Action, resource and context of a question.
fn asked(question: &Question<'_>, now: BlockTime) -> Result<(&'static str, Entity, Pairs), String> {
    let pair = |name: &str, value| (name.to_owned(), value);
    let bool_of = RestrictedExpression::new_bool;
    let mut context = vec![pair("now", time(now))];
    let (action, resource) = match question {
        Question::Open { record, schema, tier, purpose, grant } => {
            context.extend([pair("purpose", text(purpose)), pair("tier", long(*tier))]);
            if let Some(grant) = grant {
                let fields = [
                    pair("tier", long(grant.tier)),
                    pair("purpose", text(grant.purpose)),
                    pair("until", time(grant.until)),
                ];
                let granted = RestrictedExpression::new_record(fields).map_err(|e| e.to_string())?;
                context.push(pair("grant", granted));
            }
            ("open", record_entity(*record, schema)?)
        }
        Question::Emergency { record, schema, tier, purpose, reason } => {
            context.extend([pair("purpose", text(purpose)), pair("tier", long(*tier))]);
            context.push(pair("reason", bool_of(*reason)));
            ("emergency", record_entity(*record, schema)?)
        }
        Question::Answer { schemas, tier, purpose, consent, person } => {
            let schemas = RestrictedExpression::new_set(schemas.iter().map(|name| text(name)));
            context.extend([pair("purpose", text(purpose)), pair("tier", long(*tier)), pair("schemas", schemas)]);
            context.extend([pair("consent", bool_of(*consent)), pair("person", bool_of(*person))]);
            ("answer", Entity::with_uid(uid("Question", "question")?))
        }
        Question::Query { data_set, purpose, threshold } => {
            let threshold = RestrictedExpression::new_long(i64::from(*threshold));
            context.extend([pair("purpose", text(purpose)), pair("threshold", threshold)]);
            ("query", Entity::with_uid(uid("DataSet", data_set)?))
        }
    };
    Ok((action, resource, context))
}

fn record_entity(record: RecordId, schema: &str) -> Result<Entity, String> {
    let attributes = HashMap::from([("schema".to_owned(), text(schema))]);
    Entity::new(uid("Record", &record.to_string())?, attributes, HashSet::new()).map_err(|e| e.to_string())
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind: EntityTypeName = kind.parse().map_err(|e: cedar_policy::ParseErrors| e.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn long(tier: Tier) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::from(tier as u8))
}

fn time(time: BlockTime) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(time.unix()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
