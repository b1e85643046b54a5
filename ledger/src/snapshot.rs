//! A snapshot: everything that evidence needs, all of one height, while other threads go on submitting.
//!
//! State proofs and membership paths are of the snapshot's own height; log proofs may be of any height up to it.

use vouchsafe_circuits::tree::{self, MembershipPath, Position, TreeError};
use vouchsafe_circuits::{Anchor, Commitment};
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::checkpoint::{Checkpoint, SignedCheckpoint};
use vouchsafe_ledger_types::entry::SignedEntry;
use vouchsafe_ledger_types::ids::{EntryId, LogHash, MemberId};
use vouchsafe_ledger_types::log::{ConsistencyProof, InclusionProof, consistency_proof, inclusion_proof, root_at};
use vouchsafe_ledger_types::receipt::{Receipt, ReceiptProof};
use vouchsafe_ledger_types::seal::Seal;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::state_proof::StateProof;
use vouchsafe_ledger_types::state_value::{AnchorState, ChainState, StateValue, TipState};
use vouchsafe_ledger_types::units::{Height, LogIndex, LogSize};

use crate::engine::QueryError;
use crate::proof_reader::ProofReader;
use crate::sealing::StateMap;
use crate::state::{ReadError, StateRead};
use crate::store::{Location, View};

/// The ledger as of one block.
pub struct Snapshot<'a> {
    view: View<'a>,
    seal: Seal,
    chain: ChainState,
}

/// A path in a member's active set, with the anchor it leads to and the height they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The path.
    pub path: MembershipPath,
    /// The member's anchor.
    pub anchor: Anchor,
    /// The height.
    pub height: Height,
}

/// Where a member put a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its position.
    pub position: Position,
    /// Whether it is active there: neither withdrawn nor amended.
    pub active: bool,
}

/// A logged entry: where it is, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEntry {
    /// The block.
    pub height: Height,
    /// Its leaf in the log.
    pub leaf: LogIndex,
    /// The bytes of the signed entry.
    pub bytes: Vec<u8>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(view: View<'a>) -> Result<Self, ReadError> {
        let missing = |what: &str| ReadError::damaged(format!("{what} is missing"));
        let height = view.tip().ok_or_else(|| missing("the first block"))?;
        let seal = view.seal(height)?.ok_or_else(|| missing("the last seal"))?;
        let chain = view.value::<ChainState>(())?.ok_or_else(|| missing("the chain"))?;
        Ok(Self { view, seal, chain })
    }

    /// The height it is of.
    pub fn height(&self) -> Height {
        self.seal.height
    }

    /// The seal of that height.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// The chain and the rules in force.
    pub fn chain(&self) -> &ChainState {
        &self.chain
    }

    /// The height and the time of the block.
    pub fn tip(&self) -> TipState {
        TipState { height: self.seal.height, time: self.seal.time }
    }

    /// The seal of an older height.
    pub fn seal_at(&self, height: Height) -> Result<Seal, QueryError> {
        self.view.seal(height)?.ok_or(QueryError::UnknownHeight(height))
    }

    /// A state value; none if the key is absent.
    pub fn value<V: StateValue>(&self, id: V::Id) -> Result<Option<V>, QueryError> {
        Ok(self.view.value(id)?)
    }

    /// The bytes of a state value; none if the key is absent.
    pub fn bytes(&self, key: &StateKey) -> Result<Option<Vec<u8>>, QueryError> {
        Ok(self.view.bytes(key)?)
    }

    /// Proves a state value, or that there is none, under this snapshot's seal.
    pub fn state_proof(&self, key: &StateKey) -> Result<StateProof, QueryError> {
        self.state_proof_at(key, self.height())
    }

    /// The same under an older seal, as long as that state is kept.
    pub fn state_proof_at(&self, key: &StateKey, height: Height) -> Result<StateProof, QueryError> {
        let root = self.seal_at(height)?.state_root;
        let damaged = |error: String| ReadError::damaged(format!("authenticated map: {error}"));
        let reader = ProofReader::new(&self.view);
        let proven = StateMap::new(&reader).get_with_proof(key.path(), height.get());
        reader.finish()?;
        let (value, proof) = proven.map_err(|error| match error.downcast_ref::<jmt::MissingRootError>() {
            Some(_) if height < self.height() => QueryError::Pruned(height),
            _ => damaged(format!("{error:#}")).into(),
        })?;
        let proof = StateProof::new(value, &proof).map_err(|error| damaged(error.to_string()))?;
        // What a damaged store gives is noticed here, not at the verifier.
        proof.verify(root, key).map_err(|error| damaged(error.to_string()))?;
        Ok(proof)
    }

    /// A member's status and active set; none if there is no such member.
    pub fn anchor(&self, member: MemberId) -> Result<Option<AnchorState>, QueryError> {
        self.value(member)
    }

    /// The path of a position in a member's active set, with its anchor; none if there is no such member.
    pub fn membership(&self, member: MemberId, position: Position) -> Result<Option<Membership>, QueryError> {
        let Some(state) = self.anchor(member)? else { return Ok(None) };
        let read = |node| self.view.set_node(member, node);
        let path = tree::path(self.chain.suite, &read, position).map_err(|error| match error {
            TreeError::Read(error) => error,
            other => ReadError::damaged(other.to_string()),
        })?;
        Ok(Some(Membership { path, anchor: state.anchor, height: self.height() }))
    }

    /// Where a member put a commitment; none if it never did.
    pub fn lookup(&self, member: MemberId, commitment: Commitment) -> Result<Option<Placed>, QueryError> {
        let Some(position) = self.view.position_of(member, commitment)? else { return Ok(None) };
        let active = self.view.leaf(member, position)? == commitment.fe();
        Ok(Some(Placed { position, active }))
    }

    /// An entry's receipt; none if it was never logged.
    pub fn receipt(&self, id: EntryId) -> Result<Option<Receipt>, QueryError> {
        let Some(at) = self.view.locate(id)? else { return Ok(None) };
        Ok(Some(self.view.receipt(at)?))
    }

    /// An entry's receipt and that it is under the seal of its own block.
    pub fn receipt_proof(&self, id: EntryId) -> Result<ReceiptProof, QueryError> {
        let (height, index) = self.locate(id)?;
        let proof = ReceiptProof::new(&self.view.receipts(height)?, index);
        Ok(proof.ok_or_else(|| ReadError::damaged(format!("receipt {height}/{index} is missing")))?)
    }

    /// An entry and where it is; none if it was never logged.
    pub fn entry(&self, id: EntryId) -> Result<Option<LoggedEntry>, QueryError> {
        let Some(at) = self.view.locate(id)? else { return Ok(None) };
        Ok(Some(LoggedEntry { height: at.0, leaf: self.leaf_index(at)?, bytes: self.view.entry(at)? }))
    }

    /// The entries of a block, in order.
    pub fn entries(&self, height: Height) -> Result<Vec<SignedEntry>, QueryError> {
        self.seal_at(height)?;
        let parse = |bytes: &Vec<u8>| {
            SignedEntry::decode(bytes, self.chain.suite)
                .map_err(|error| ReadError::damaged(format!("an entry of block {height}: {error}")).into())
        };
        self.view.entries(height)?.iter().map(parse).collect()
    }

    /// The checkpoint of a height, unsigned.
    pub fn checkpoint(&self, height: Height) -> Result<Checkpoint, QueryError> {
        let size = self.seal_at(height)?.checkpoint_size();
        let root = root_at(size, &|node| self.view.log_node(node))?;
        Ok(Checkpoint { chain: self.chain.chain.clone(), size, root })
    }

    /// Shows an entry in the checkpoint of a height.
    pub fn entry_inclusion(&self, id: EntryId, checkpoint: Height) -> Result<InclusionProof, QueryError> {
        let leaf = self.leaf_index(self.locate(id)?)?;
        self.inclusion(leaf, checkpoint)
    }

    /// Shows the seal of a height in the checkpoint of the same or a later one.
    pub fn seal_inclusion(&self, height: Height, checkpoint: Height) -> Result<InclusionProof, QueryError> {
        self.inclusion(self.seal_at(height)?.leaf_index(), checkpoint)
    }

    /// Shows that the checkpoint of one height is a prefix of that of another.
    pub fn consistency(&self, old: Height, new: Height) -> Result<ConsistencyProof, QueryError> {
        self.consistency_of_sizes(self.seal_at(old)?.checkpoint_size(), self.seal_at(new)?.checkpoint_size())
    }

    /// The same for sizes of the log, which need not be those of checkpoints.
    pub fn consistency_of_sizes(&self, old: LogSize, new: LogSize) -> Result<ConsistencyProof, QueryError> {
        if new > self.seal.checkpoint_size() {
            return Err(QueryError::NotCovered);
        }
        consistency_proof(old, new, &|node| self.node(node))
    }

    /// What became of an entry, under a checkpoint signed by the caller: that of this snapshot's height.
    pub fn acceptance(&self, id: EntryId, checkpoint: SignedCheckpoint) -> Result<AcceptanceProof, QueryError> {
        if checkpoint.unverified().size != self.seal.checkpoint_size() {
            return Err(QueryError::NotCovered);
        }
        let entry = self.entry(id)?.ok_or(QueryError::UnknownEntry(id))?;
        Ok(AcceptanceProof {
            inclusion: self.inclusion(entry.leaf, self.height())?,
            entry: entry.bytes,
            receipt: self.receipt_proof(id)?,
            seal: self.seal_at(entry.height)?,
            seal_inclusion: self.seal_inclusion(entry.height, self.height())?,
            checkpoint,
        })
    }

    fn inclusion(&self, leaf: LogIndex, checkpoint: Height) -> Result<InclusionProof, QueryError> {
        let size = self.seal_at(checkpoint)?.checkpoint_size();
        inclusion_proof(leaf, size, &|node| self.node(node))
    }

    fn node(&self, node: vouchsafe_ledger_types::log::LogNode) -> Result<LogHash, QueryError> {
        Ok(self.view.log_node(node)?)
    }

    fn locate(&self, id: EntryId) -> Result<Location, QueryError> {
        self.view.locate(id)?.ok_or(QueryError::UnknownEntry(id))
    }

    /// A block's entries are the leaves right before its seal; the block before ends with its own seal.
    fn leaf_index(&self, (height, index): Location) -> Result<LogIndex, QueryError> {
        let before = match height.get().checked_sub(1) {
            None | Some(0) => 0,
            Some(before) => self.seal_at(Height::new(before))?.checkpoint_size().get(),
        };
        Ok(LogIndex::new(before + u64::from(index.get())))
    }

    pub(crate) fn view(&self) -> &View<'a> {
        &self.view
    }
}
