//! What each incoming thing means, given the index and what came before it in the same batch.
//!
//! Versions are opaque. One that was seen before is a no-op, however old; one that was not amends the resource's newest
//! record, or begins one if there is none or it was withdrawn. Nothing is written here.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::ids::{Commitment, SchemaId};
use vouchsafe_circuits::schema::Schema;
use zeroize::Zeroizing;

use super::StageError;
use crate::ladder::EraseKey;
use crate::secret::random_bytes;
use crate::subject::{self, Handle, Identifier, SubjectId, SubjectSecrets};
use crate::vault::Vault;
use crate::vault::draft::{DraftError, Encoded, Incoming, SourceKey};
use crate::vault::index::Changes;

/// A record to seal.
pub(super) struct Job {
    pub encoded: Encoded,
    pub subject: SubjectId,
    pub secrets: SubjectSecrets,
    pub source: Handle,
    pub seed: Zeroizing<[u8; 32]>,
}

/// A record that may not have its commitment yet.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Stored(Commitment),
    Job(usize),
}

/// What to do for one incoming thing.
pub(super) enum Step {
    Commit { job: usize, source: Handle, version: Handle, replaces: Option<Target> },
    Withdraw { target: Target, source: Handle, version: Handle },
    Note { source: Handle, version: Handle },
    Nothing(Option<Target>),
}

pub(super) struct Plan {
    pub steps: Vec<Result<Step, DraftError>>,
    pub jobs: Vec<Job>,
    pub changes: Changes,
}

/// What this batch adds to the index, before it is written.
struct Planner<'a, R> {
    vault: &'a Vault,
    rng: &'a mut R,
    jobs: Vec<Job>,
    changes: Changes,
    aliases: BTreeMap<Handle, SubjectId>,
    subjects: BTreeMap<SubjectId, SubjectSecrets>,
    heads: BTreeMap<Handle, Option<Target>>,
    versions: BTreeMap<(Handle, Handle), Option<Target>>,
    schemas: Vec<(Arc<Schema>, SchemaId)>,
}

impl Vault {
    pub(super) fn plan<R: RngCore + CryptoRng>(
        &self,
        incoming: Vec<Incoming>,
        rng: &mut R,
    ) -> Result<Plan, StageError> {
        let mut planner = Planner {
            vault: self,
            rng,
            jobs: Vec::new(),
            changes: Changes::default(),
            aliases: BTreeMap::new(),
            subjects: BTreeMap::new(),
            heads: BTreeMap::new(),
            versions: BTreeMap::new(),
            schemas: Vec::new(),
        };
        let mut steps = Vec::with_capacity(incoming.len());
        for one in incoming {
            steps.push(planner.step(one)?);
        }
        Ok(Plan { steps, jobs: planner.jobs, changes: planner.changes })
    }
}

impl<R: RngCore + CryptoRng> Planner<'_, R> {
    fn step(&mut self, incoming: Incoming) -> Result<Result<Step, DraftError>, StageError> {
        let key = match &incoming {
            Incoming::Record(draft) => &draft.source,
            Incoming::EnteredInError(key) => key,
        };
        let (source, version) = self.handles(key);
        if let Some(seen) = self.seen(source, version)? {
            return Ok(Ok(Step::Nothing(seen)));
        }
        let head = self.head(source)?;
        let (step, became) = match incoming {
            Incoming::EnteredInError(_) => match head {
                Some(target) => (Step::Withdraw { target, source, version }, None),
                None => (Step::Note { source, version }, None),
            },
            Incoming::Record(draft) => {
                let schema = self.schema_id(&draft.schema);
                let encoded = match draft.encode(schema) {
                    Ok(encoded) => encoded,
                    Err(refused) => return Ok(Err(refused)),
                };
                let (subject, secrets) = match self.subject(&encoded.draft.subject)? {
                    Ok(found) => found,
                    Err(refused) => return Ok(Err(refused)),
                };
                let seed = Zeroizing::new(random_bytes(self.rng));
                let job = self.jobs.len();
                self.jobs.push(Job { encoded, subject, secrets, source, seed });
                (Step::Commit { job, source, version, replaces: head }, Some(Target::Job(job)))
            }
        };
        self.heads.insert(source, became);
        self.versions.insert((source, version), became);
        Ok(Ok(step))
    }

    fn handles(&self, key: &SourceKey) -> (Handle, Handle) {
        key.handles(&self.vault.keys.handles)
    }

    fn seen(&self, source: Handle, version: Handle) -> Result<Option<Option<Target>>, StageError> {
        if let Some(seen) = self.versions.get(&(source, version)) {
            return Ok(Some(*seen));
        }
        Ok(self.vault.index.version(source, version)?.map(|head| head.map(Target::Stored)))
    }

    fn head(&self, source: Handle) -> Result<Option<Target>, StageError> {
        if let Some(head) = self.heads.get(&source) {
            return Ok(*head);
        }
        Ok(self.vault.index.head(source)?.flatten().map(Target::Stored))
    }

    /// Finds the subject of these identifiers, or makes one; new identifiers of it are noted.
    fn subject(
        &mut self,
        identifiers: &[Identifier],
    ) -> Result<Result<(SubjectId, SubjectSecrets), DraftError>, StageError> {
        let mut known = None;
        let mut unknown = Vec::new();
        for identifier in identifiers {
            let handle = subject::alias_handle(&self.vault.keys.handles, identifier);
            let found = match self.aliases.get(&handle) {
                Some(id) => Some(*id),
                None => self.vault.index.alias(handle)?,
            };
            match (found, known) {
                (Some(found), Some(other)) if found != other => {
                    return Ok(Err(DraftError::TwoSubjects(other, found)));
                }
                (Some(found), _) => known = Some(found),
                (None, _) => unknown.push(handle),
            }
        }
        let (id, secrets) = match (known, identifiers.first()) {
            (Some(id), _) => match self.secrets(id)? {
                Some(secrets) => (id, secrets),
                None => return Ok(Err(DraftError::Erased(id))),
            },
            (None, Some(canonical)) => self.new_subject(canonical),
            (None, None) => return Ok(Err(DraftError::NoSubject)),
        };
        for handle in unknown {
            self.changes.put_alias(handle, id);
            self.aliases.insert(handle, id);
        }
        Ok(Ok((id, secrets)))
    }

    fn secrets(&mut self, id: SubjectId) -> Result<Option<SubjectSecrets>, StageError> {
        if let Some(secrets) = self.subjects.get(&id) {
            return Ok(Some(secrets.clone()));
        }
        let Some(row) = self.vault.index.subject(id)? else { return Ok(None) };
        let secrets = self.vault.keys.subject_rows.open(id, &row).map_err(|_| StageError::Subject(id))?;
        self.subjects.insert(id, secrets.clone());
        Ok(Some(secrets))
    }

    fn new_subject(&mut self, canonical: &Identifier) -> (SubjectId, SubjectSecrets) {
        let id = SubjectId::random(self.rng);
        let secrets = SubjectSecrets {
            erase_key: EraseKey::random(self.rng),
            subject_key: subject::subject_key(&self.vault.keys.subject, canonical),
        };
        self.changes.put_subject(id, self.vault.keys.subject_rows.seal(id, &secrets, self.rng));
        self.subjects.insert(id, secrets.clone());
        (id, secrets)
    }

    /// A schema's id hashes its document: once per batch is enough.
    fn schema_id(&mut self, schema: &Arc<Schema>) -> SchemaId {
        if let Some((_, id)) = self.schemas.iter().find(|(known, _)| Arc::ptr_eq(known, schema)) {
            return *id;
        }
        let id = schema.id();
        self.schemas.push((schema.clone(), id));
        id
    }
}
