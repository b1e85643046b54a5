//! A ledger in memory that keeps the rules of the door and makes genuine proofs; it can be cut off, die, or lie.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use vouchsafe_access::ledger::{AccessLedger, ChainRules, Height, LedgerError};
use vouchsafe_circuits::Suite;
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::checkpoint::Checkpoint;
use vouchsafe_ledger_types::entry::{Body, Entry, Header, Nonce, SignedEntry, Validator};
use vouchsafe_ledger_types::ids::{
    AppHash, ChainId, EmergencyId, EntryId, GrantId, LogHash, MemberId, MemberName, StateRoot,
};
use vouchsafe_ledger_types::log::{LogAppender, LogNode, LogProofError, inclusion_proof};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptCode, ReceiptProof, receipts_root};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::signing::{Algorithm, SigningKey};
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_value::{EmergencyState, GrantState, ReviewsDue, StateValue};
use vouchsafe_ledger_types::units::{BlockTime, EntryIndex, LogIndex, ProtocolVersion};

/// What the ledger does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Nothing.
    Well,
    /// It is not reached, and nothing is applied.
    CutOff,
    /// It applies the entry, and then nothing is heard of it.
    DiesAfter,
    /// It refuses without a look, and says so.
    Refuses,
    /// It shows the proof of the entry before.
    ShowsAnother,
    /// It refused, and shows that as a proof.
    ShowsRefusal,
    /// Its checkpoints are signed by somebody else.
    OtherValidator,
}

pub struct Chain {
    rules: ChainRules,
    pub member: MemberId,
    key: SigningKey,
    validator: SigningKey,
    time: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    mood: Option<Mood>,
    nonce: u8,
    blocks: Vec<Block>,
    nodes: BTreeMap<LogNode, LogHash>,
    leaves: Vec<LogHash>,
    grants: BTreeMap<GrantId, GrantState>,
    emergencies: BTreeMap<EmergencyId, EmergencyState>,
    due: ReviewsDue,
}

struct Block {
    entry: Vec<u8>,
    id: EntryId,
    body: Body,
    receipt: Receipt,
    seal: Seal,
}

pub const EXPIRY_SECONDS: u64 = 3_600;

impl Chain {
    pub fn new(time: u64) -> Chain {
        let chain: ChainId = "door-test".parse().unwrap();
        let name: MemberName = "st-mary".parse().unwrap();
        let validator = SigningKey::from_seed(&[2; 32]);
        let validators = vec![Validator { name: name.clone(), key: validator.public(), power: 1 }];
        Chain {
            member: MemberId::of(&chain, &name),
            rules: ChainRules { chain, suite: Suite::Bn254, validators },
            key: SigningKey::from_seed(&[1; 32]),
            validator,
            time: AtomicU64::new(time),
            inner: Mutex::default(),
        }
    }

    pub fn now(&self) -> BlockTime {
        BlockTime::from_unix(self.time.load(Ordering::SeqCst)).unwrap()
    }

    pub fn pass(&self, seconds: u64) {
        self.time.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn mood(&self, mood: Mood) {
        self.inner.lock().unwrap().mood = Some(mood);
    }

    /// The bodies of the accepted entries.
    pub fn accepted(&self) -> Vec<Body> {
        let inner = self.inner.lock().unwrap();
        let accepted = inner.blocks.iter().filter(|block| block.receipt.code.is_accepted());
        accepted.map(|block| block.body.clone()).collect()
    }

    pub fn releases(&self) -> usize {
        self.accepted().iter().filter(|body| matches!(body, Body::KeyRelease(_))).count()
    }

    pub fn emergencies(&self) -> usize {
        self.accepted().iter().filter(|body| matches!(body, Body::EmergencyAccess(_))).count()
    }

    fn apply(&self, inner: &mut Inner, entry: &SignedEntry) -> usize {
        let (now, id) = (self.now(), entry.id());
        let body = entry.entry().body.clone();
        let code = if inner.blocks.iter().any(|block| block.id == id) {
            ReceiptCode::Replayed
        } else if entry.entry().header.expiry <= now {
            ReceiptCode::Expired
        } else {
            inner.judge(self.member, now, id, &body)
        };
        let height = Height::new(inner.blocks.len() as u64 + 2);
        let receipt = Receipt { entry: id, height, index: EntryIndex::new(0), code, first_position: 0, positions: 0 };
        inner.push(LogHash::entry_leaf(&entry.encode()));
        let log = inner.log();
        let seal = Seal {
            height,
            time: now,
            state_root: StateRoot::from_bytes([0; 32]),
            log_size: log.size(),
            log_root: log.root(),
            receipts_root: receipts_root(&[receipt]),
            protocol_version: ProtocolVersion::CURRENT,
        };
        inner.push(seal.leaf());
        inner.blocks.push(Block { entry: entry.encode(), id, body, receipt, seal });
        inner.blocks.len() - 1
    }

    fn proof(&self, inner: &Inner, nth: usize, validator: &SigningKey) -> AcceptanceProof {
        let block = &inner.blocks[nth];
        let log = inner.log();
        let read = |node| inner.nodes.get(&node).copied().ok_or(LogProofError::Range);
        let included = |index| inclusion_proof::<LogProofError>(LogIndex::new(index), log.size(), &read).unwrap();
        let checkpoint = Checkpoint { chain: self.rules.chain.clone(), size: log.size(), root: log.root() };
        AcceptanceProof {
            entry: block.entry.clone(),
            inclusion: included(block.seal.log_size.get() - 1),
            receipt: ReceiptProof::new(&[block.receipt], EntryIndex::new(0)).unwrap(),
            seal: block.seal,
            seal_inclusion: included(block.seal.leaf_index().get()),
            checkpoint: checkpoint.sign(&[(&self.rules.validators[0].name, validator)]),
        }
    }
}

impl Inner {
    fn push(&mut self, leaf: LogHash) {
        let mut log = self.log();
        self.nodes.extend(log.push(leaf));
        self.leaves.push(leaf);
    }

    fn log(&self) -> LogAppender {
        let mut log = LogAppender::empty();
        for leaf in &self.leaves {
            log.push(*leaf);
        }
        log
    }

    fn judge(&mut self, member: MemberId, now: BlockTime, id: EntryId, body: &Body) -> ReceiptCode {
        match body {
            Body::Grant(grant) => {
                let state = GrantState { member, purpose: grant.purpose, until: grant.until, revoked: false };
                self.grants.insert(GrantId::of(id), state);
            }
            Body::RevokeGrant(revoke) => match self.grants.get_mut(&revoke.grant) {
                Some(grant) if !grant.revoked => grant.revoked = true,
                _ => return ReceiptCode::MissingRole,
            },
            Body::KeyRelease(release) => {
                let grant = self.grants.get(&release.grant);
                let good = grant.is_some_and(|g| !g.revoked && g.purpose == release.purpose && g.until > now);
                if !good || self.due.overdue(now) {
                    return ReceiptCode::MissingRole;
                }
            }
            Body::EmergencyAccess(emergency) => {
                let id = EmergencyId::of(id);
                let state = EmergencyState { member, review_by: emergency.review_by, reviewed: false };
                self.emergencies.insert(id, state);
                self.due = std::mem::take(&mut self.due).with(emergency.review_by, id).unwrap();
            }
            Body::Review(review) => match self.emergencies.get_mut(&review.emergency) {
                Some(state) if !state.reviewed => {
                    state.reviewed = true;
                    self.due = std::mem::take(&mut self.due).without(review.emergency);
                }
                _ => return ReceiptCode::MissingRole,
            },
            _ => return ReceiptCode::MissingRole,
        }
        ReceiptCode::Accepted
    }
}

fn cut_off<T>() -> Result<T, LedgerError> {
    Err(LedgerError::Unavailable("no route".to_owned()))
}

#[async_trait]
impl AccessLedger for Chain {
    async fn value(&self, key: StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        let inner = self.inner.lock().unwrap();
        if inner.mood == Some(Mood::CutOff) {
            return cut_off();
        }
        Ok(match key {
            StateKey::Grant(id) => inner.grants.get(&id).map(StateValue::encode),
            StateKey::Emergency(id) => inner.emergencies.get(&id).map(StateValue::encode),
            StateKey::Reviews(_) => Some(inner.due.encode()),
            _ => None,
        })
    }

    async fn tip(&self) -> Result<(Height, BlockTime, AppHash), LedgerError> {
        let inner = self.inner.lock().unwrap();
        match (inner.mood, inner.blocks.last()) {
            (Some(Mood::CutOff), _) => cut_off(),
            (_, Some(block)) => Ok((block.seal.height, block.seal.time, block.seal.app_hash())),
            (_, None) => Ok((Height::GENESIS, BlockTime::EPOCH, AppHash::from_bytes([0; 32]))),
        }
    }

    async fn sign(&self, body: Body) -> Result<SignedEntry, LedgerError> {
        let mut inner = self.inner.lock().unwrap();
        inner.nonce += 1;
        let header = Header {
            chain: self.rules.chain.clone(),
            member: self.member,
            signer: self.key.public(),
            algorithm: Algorithm::Ed25519,
            expiry: self.now().plus_seconds(EXPIRY_SECONDS).unwrap(),
            nonce: Nonce::new([inner.nonce; 16]),
        };
        Ok(SignedEntry::sign(Entry { header, body }, &[&self.key]).unwrap())
    }

    async fn send(&self, entry: SignedEntry) -> Result<AcceptanceProof, LedgerError> {
        let mut inner = self.inner.lock().unwrap();
        let mood = inner.mood.unwrap_or(Mood::Well);
        match mood {
            Mood::CutOff => return cut_off(),
            Mood::Refuses => return Err(LedgerError::Refused("no".to_owned())),
            _ => {}
        }
        let known = inner.blocks.iter().position(|b| b.id == entry.id() && b.receipt.code.is_accepted());
        let nth = match known {
            Some(nth) => nth,
            None if mood == Mood::ShowsRefusal => {
                // as if it were expired
                let time = self.time.swap(entry.entry().header.expiry.unix(), Ordering::SeqCst);
                let nth = self.apply(&mut inner, &entry);
                self.time.store(time, Ordering::SeqCst);
                return Ok(self.proof(&inner, nth, &self.validator));
            }
            None => self.apply(&mut inner, &entry),
        };
        let code = inner.blocks[nth].receipt.code;
        match mood {
            Mood::DiesAfter => cut_off(),
            Mood::ShowsAnother => Ok(self.proof(&inner, nth - 1, &self.validator)),
            Mood::OtherValidator => Ok(self.proof(&inner, nth, &SigningKey::from_seed(&[66; 32]))),
            _ if code.is_accepted() => Ok(self.proof(&inner, nth, &self.validator)),
            _ => Err(LedgerError::Refused(code.to_string())),
        }
    }

    fn chain(&self) -> &ChainRules {
        &self.rules
    }
}
