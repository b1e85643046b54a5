//! Founding and opening a solo ledger.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use vouchsafe_ledger_types::entry::{Body, EntryError, SignedEntry};
use vouchsafe_ledger_types::log::root_at;
use vouchsafe_ledger_types::signing::SigningKey;
use vouchsafe_ledger_types::state_value::ChainState;
use vouchsafe_ledger_types::units::Height;

use super::queue::Queue;
use super::{Options, Solo, advance};
use crate::clock::Clock;
use crate::engine::SubmitError;
use crate::state::{ReadError, StateRead};
use crate::state_machine::Block;
use crate::store::{Guard, GuardError, GuardMark, Store, StoreOpenError, View};

/// Why a ledger could not be founded or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is a ledger already.
    #[error("{0} holds a ledger already")]
    Exists(PathBuf),
    /// There is none.
    #[error("{0} holds no ledger: found one first")]
    Missing(PathBuf),
    /// The genesis entry is refused.
    #[error("the genesis entry is refused: {0}")]
    Genesis(String),
    /// The key is not that of the ledger's one validator.
    #[error("this is not the key of the ledger's only validator")]
    NotValidator,
    /// Written by another version of this program.
    #[error("{0}: use the program that wrote it, or migrate it")]
    Format(String),
    /// The store is behind what was acknowledged: a lost disk write, or an old copy put back.
    #[error(
        "the store ends at block {store}, but block {guard} was acknowledged: this is an older copy; restore a newer one"
    )]
    Behind {
        /// Where the store ends.
        store: Height,
        /// What the guard remembers.
        guard: Height,
    },
    /// What is stored is not what was written.
    #[error("damaged store: {0}; restore it from a backup or another replica")]
    Damaged(String),
    /// The disk or the database failed, or another process has the ledger open.
    #[error("the ledger in {0} could not be opened: {1}")]
    Io(PathBuf, String),
}

fn folder_error(dir: &Path) -> impl Fn(io::Error) -> OpenError + '_ {
    |error| OpenError::Io(dir.to_owned(), error.to_string())
}

fn read_error(dir: &Path) -> impl Fn(ReadError) -> OpenError + '_ {
    |error| match error {
        ReadError::Damaged(what) => OpenError::Damaged(what),
        ReadError::Database(what) => OpenError::Io(dir.to_owned(), what),
    }
}

fn guard_error(error: GuardError) -> OpenError {
    OpenError::Damaged(error.to_string())
}

fn open_store(dir: &Path, create: bool, options: &Options) -> Result<Store, OpenError> {
    Store::open(&dir.join("db"), create, options.keep_heights, options.sync).map_err(|error| match error {
        StoreOpenError::Format { .. } => OpenError::Format(error.to_string()),
        StoreOpenError::Read(error) => read_error(dir)(error),
    })
}

pub(super) fn create(
    dir: &Path,
    genesis: SignedEntry,
    key: SigningKey,
    clock: Arc<dyn Clock>,
    options: Options,
) -> Result<Solo, OpenError> {
    let refused = |error: EntryError| OpenError::Genesis(error.to_string());
    let chain = genesis.entry().header.chain.clone();
    let genesis = genesis.verify(&chain).map_err(refused)?;
    let Body::Genesis(body) = &genesis.entry().body else {
        return Err(OpenError::Genesis("it is an entry of another kind".into()));
    };
    match body.validators.as_slice() {
        [validator] if validator.key == key.public() => (),
        _ => return Err(OpenError::NotValidator),
    }
    std::fs::create_dir_all(dir).map_err(folder_error(dir))?;
    let store = open_store(dir, true, &options)?;
    // A store without a block is what a creation that was cut short leaves: it starts again.
    if store.view().map_err(read_error(dir))?.tip().is_some() {
        return Err(OpenError::Exists(dir.to_owned()));
    }
    // A guard that remembers blocks means that the store was lost: a new ledger under the same key would be a fork.
    if dir.join("guard").exists() {
        let (_, mark) = Guard::open(&dir.join("guard"), options.sync).map_err(guard_error)?;
        if mark != GuardMark::nothing() {
            return Err(OpenError::Damaged("the guard remembers a ledger that is not there any more".into()));
        }
    }
    let guard = Mutex::new(Guard::create(&dir.join("guard"), options.sync).map_err(guard_error)?);
    let block = Block { height: Height::GENESIS, time: clock.now(), entries: vec![genesis] };
    advance(&store, &guard, &block).map_err(|error| match error {
        SubmitError::Read(error) => read_error(dir)(error),
        other => OpenError::Genesis(other.to_string()),
    })?;
    drop((store, guard));
    open(dir, key, clock, options)
}

pub(super) fn open(dir: &Path, key: SigningKey, clock: Arc<dyn Clock>, options: Options) -> Result<Solo, OpenError> {
    if !Store::exists(&dir.join("db")) {
        return Err(match dir.join("guard").exists() {
            true => OpenError::Damaged("the guard is there, but the store is not".into()),
            false => OpenError::Missing(dir.to_owned()),
        });
    }
    let store = open_store(dir, false, &options)?;
    let (mut guard, mark) = Guard::open(&dir.join("guard"), options.sync).map_err(guard_error)?;
    let view = store.view().map_err(read_error(dir))?;
    let now = check(dir, &view, mark)?;
    if now != mark {
        // The process ended between the block's batch and the guard.
        guard.record(now).map_err(guard_error)?;
    }
    let chain: Option<ChainState> = view.value(()).map_err(read_error(dir))?;
    let chain = chain.ok_or_else(|| OpenError::Damaged("the chain's state is missing".into()))?;
    drop(view);
    let validator = match chain.validators.as_slice() {
        [validator] if validator.key == key.public() => validator.name.clone(),
        _ => return Err(OpenError::NotValidator),
    };
    let folder = dir.to_owned();
    Ok(Solo { folder, store, guard: Mutex::new(guard), chain, validator, key, clock, queue: Queue::default() })
}

/// Checks the last block, and that it continues the log which the guard remembers. Returns where the ledger is.
fn check(dir: &Path, view: &View<'_>, mark: GuardMark) -> Result<GuardMark, OpenError> {
    let seal = view.check_tip().map_err(read_error(dir))?;
    let Some(seal) = seal else {
        let behind = OpenError::Behind { store: Height::new(0), guard: mark.height };
        return Err(if mark == GuardMark::nothing() { OpenError::Missing(dir.to_owned()) } else { behind });
    };
    if seal.checkpoint_size() < mark.size || seal.height < mark.height {
        return Err(OpenError::Behind { store: seal.height, guard: mark.height });
    }
    let root = |size| root_at(size, &|node| view.log_node(node)).map_err(read_error(dir));
    if root(mark.size)? != mark.root {
        return Err(OpenError::Damaged("the log is not a continuation of the one that was acknowledged".into()));
    }
    let size = seal.checkpoint_size();
    Ok(GuardMark { height: seal.height, size, root: root(size)? })
}
