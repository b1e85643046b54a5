//! What each incoming thing means, given the index and what came before it in the same batch.
//!
//! Versions are opaque. One that was seen before is a no-op, and told apart if it is not the newest; one that was not
//! amends the resource's newest record, which must be of the same subject, or begins one if there is none or it was
//! withdrawn. Only a subject's own resource gives it names to look it up by. Nothing is written here.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::ids::{Commitment, SchemaId};
use vouchsafe_circuits::schema::Schema;
use zeroize::Zeroizing;

use super::StageError;
use crate::ladder::EraseKey;
use crate::secret::random_bytes;
use crate::subject::{self, AliasKind, AliasRow, Handle, Identifier, SubjectId, SubjectSecrets};
use crate::vault::Vault;
use crate::vault::draft::{Draft, DraftError, Encoded, Incoming, SourceKey};
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
#[derive(Clone, Copy, PartialEq, Eq)]
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
    Older,
}

pub(super) struct Plan {
    pub steps: Vec<Result<Step, DraftError>>,
    pub jobs: Vec<Job>,
    pub changes: Changes,
    pub foreign_lookups: usize,
}

/// What this batch adds to the index, before it is written.
struct Planner<'a, R> {
    vault: &'a Vault,
    rng: &'a mut R,
    jobs: Vec<Job>,
    changes: Changes,
    aliases: BTreeMap<Handle, AliasRow>,
    foreign_lookups: usize,
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
            foreign_lookups: 0,
            subjects: BTreeMap::new(),
            heads: BTreeMap::new(),
            versions: BTreeMap::new(),
            schemas: Vec::new(),
        };
        let mut steps = Vec::with_capacity(incoming.len());
        for one in incoming {
            steps.push(planner.step(one)?);
        }
        let Planner { jobs, changes, foreign_lookups, .. } = planner;
        Ok(Plan { steps, jobs, changes, foreign_lookups })
    }
}

impl<R: RngCore + CryptoRng> Planner<'_, R> {
    fn step(&mut self, incoming: Incoming) -> Result<Result<Step, DraftError>, StageError> {
        let key = match &incoming {
            Incoming::Record(draft) => &draft.source,
            Incoming::EnteredInError(key) => key,
        };
        let (source, version) = self.handles(key);
        let head = self.head(source)?;
        if let Some(seen) = self.seen(source, version)? {
            return Ok(Ok(if seen == head { Step::Nothing(seen) } else { Step::Older }));
        }
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
                if let Some(refused) = self.of_another(head, &encoded.draft)? {
                    return Ok(Err(refused));
                }
                let (subject, secrets) = match self.subject(&encoded.draft)? {
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

    /// Refuses a version whose subject is not that of the resource's record.
    fn of_another(&self, head: Option<Target>, draft: &Draft) -> Result<Option<DraftError>, StageError> {
        let has = match head {
            None => return Ok(None),
            Some(Target::Job(job)) => self.jobs[job].subject,
            Some(Target::Stored(commitment)) => match self.vault.index.record(commitment)? {
                Some(row) => row.subject,
                None => return Ok(None),
            },
        };
        Ok(match self.known(draft)? {
            Ok(Some(given)) if given == has => None,
            Ok(Some(given)) => Some(DraftError::OtherSubject { has, given: given.to_string() }),
            Ok(None) => Some(DraftError::OtherSubject { has, given: "a subject not seen before".to_owned() }),
            Err(refused) => Some(refused),
        })
    }

    /// The subject that a draft's identifiers lead to, if there is one.
    fn known(&self, draft: &Draft) -> Result<Result<Option<SubjectId>, DraftError>, StageError> {
        let (mut is, mut found) = (None, None);
        for identifier in &draft.subject {
            match (self.alias(self.handle(identifier))?, is) {
                (Some(AliasRow { subject, kind: AliasKind::Identity }), Some(other)) if subject != other => {
                    return Ok(Err(DraftError::TwoSubjects(other, subject)));
                }
                (Some(AliasRow { subject, kind: AliasKind::Identity }), _) => is = Some(subject),
                (Some(AliasRow { subject, .. }), _) if !draft.introduces => found = found.or(Some(subject)),
                _ => {}
            }
        }
        Ok(Ok(is.or(found)))
    }

    /// Finds the subject of a draft, or makes one; what names it from now on is noted.
    fn subject(&mut self, draft: &Draft) -> Result<Result<(SubjectId, SubjectSecrets), DraftError>, StageError> {
        let known = match self.known(draft)? {
            Ok(known) => known,
            Err(refused) => return Ok(Err(refused)),
        };
        let (id, secrets) = match (known, draft.subject.first()) {
            (Some(id), _) => match self.secrets(id)? {
                Some(secrets) => (id, secrets),
                None => return Ok(Err(DraftError::Erased(id))),
            },
            (None, Some(canonical)) => self.new_subject(canonical),
            (None, None) => return Ok(Err(DraftError::NoSubject)),
        };
        for identifier in &draft.subject {
            let handle = self.handle(identifier);
            let row = self.alias(handle)?;
            let found_only = row.is_some_and(|row| row.kind == AliasKind::Lookup);
            if row.is_none() || (draft.introduces && found_only) {
                self.name(handle, AliasRow { subject: id, kind: AliasKind::Identity });
            }
        }
        for identifier in draft.lookups.iter().filter(|_| draft.introduces) {
            let handle = self.handle(identifier);
            match self.alias(handle)? {
                None => self.name(handle, AliasRow { subject: id, kind: AliasKind::Lookup }),
                Some(row) if row.subject != id => self.foreign_lookups += 1,
                Some(_) => {}
            }
        }
        Ok(Ok((id, secrets)))
    }

    fn handle(&self, identifier: &Identifier) -> Handle {
        subject::alias_handle(&self.vault.keys.handles, identifier)
    }

    fn alias(&self, handle: Handle) -> Result<Option<AliasRow>, StageError> {
        match self.aliases.get(&handle) {
            Some(row) => Ok(Some(*row)),
            None => Ok(self.vault.index.alias(&self.vault.keys.handles, handle)?),
        }
    }

    fn name(&mut self, handle: Handle, row: AliasRow) {
        self.changes.put_alias(&self.vault.keys.handles, handle, row);
        self.aliases.insert(handle, row);
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
