//! The ledger as `access` sees it: its traits on the engine.
//!
//! The engine blocks until its block is durable, so its calls run where blocking is allowed. An entry sent
//! before is applied or gone when a lookup answers: the engine is in this process and applies one block at a time.

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_access::ledger::{
    AccessLedger, Amendment, ChainRules, Height, LedgerError, LedgerView, LedgerWriter, Located, Placed, Withdrawal,
};
use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger::engine::{Engine, QueryError, SubmitError};
use vouchsafe_ledger::solo::Solo;
use vouchsafe_ledger_types::accepted::AcceptanceProof;
use vouchsafe_ledger_types::entry::{Amend, Body, Commit, SignedEntry, Withdraw};
use vouchsafe_ledger_types::ids::AppHash;
use vouchsafe_ledger_types::receipt::Receipt;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::units::BlockTime;

use super::{Pen, WriteError};

/// Writes for one member, and shows what became of it.
#[derive(Clone)]
pub struct LedgerBridge {
    ledger: Arc<Solo>,
    pen: Pen,
    rules: ChainRules,
}

impl LedgerBridge {
    pub(super) fn new(ledger: Arc<Solo>, pen: Pen, rules: ChainRules) -> LedgerBridge {
        LedgerBridge { ledger, pen, rules }
    }

    async fn submit(&self, body: Body) -> Result<Receipt, LedgerError> {
        let LedgerBridge { ledger, pen, .. } = self.clone();
        blocking(move || pen.submit(&ledger, body).map_err(ledger_error)).await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|e| Err(LedgerError::Unavailable(format!("the ledger's thread ended: {e}"))))
}

fn ledger_error(error: WriteError) -> LedgerError {
    match error {
        // none of these is the ledger's no
        WriteError::Submit(SubmitError::Stopped(_) | SubmitError::Read(_)) | WriteError::Query(_) => {
            LedgerError::Unavailable(error.to_string())
        }
        refused => LedgerError::Refused(refused.to_string()),
    }
}

fn unavailable(error: QueryError) -> LedgerError {
    LedgerError::Unavailable(error.to_string())
}

fn placed(receipt: &Receipt, nth: u32) -> Result<Placed, LedgerError> {
    let none = || LedgerError::Unavailable("the receipt names no position".to_owned());
    let position: Position = receipt.position(nth).ok_or_else(none)?;
    Ok(Placed { position, height: Height::new(receipt.height.get()) })
}

#[async_trait]
impl LedgerView for LedgerBridge {
    async fn lookup(&self, commitment: Commitment) -> Result<Option<Located>, LedgerError> {
        let LedgerBridge { ledger, pen, .. } = self.clone();
        blocking(move || {
            let found = ledger.snapshot().and_then(|s| s.lookup(pen.member(), commitment)).map_err(unavailable)?;
            Ok(found.map(|place| Located { position: place.position, active: place.active }))
        })
        .await
    }
}

#[async_trait]
impl LedgerWriter for LedgerBridge {
    async fn commit(&self, commitments: Vec<Commitment>) -> Result<Vec<Placed>, LedgerError> {
        let count = commitments.len() as u32; // at most `commit_max`
        let receipt = self.submit(Body::Commit(Commit { commitments })).await?;
        (0..count).map(|nth| placed(&receipt, nth)).collect()
    }

    async fn amend(&self, amendment: Amendment) -> Result<Placed, LedgerError> {
        let Amendment { position, old, new } = amendment;
        let receipt = self.submit(Body::Amend(Amend { position, old, new })).await?;
        placed(&receipt, 0)
    }

    fn commit_max(&self) -> usize {
        // what the chain allows, which the default of the trait need not be
        let allowed = self.ledger.snapshot().map(|s| s.chain().parameters.entry_commitments_max as usize);
        allowed.unwrap_or(1).clamp(1, 1024)
    }

    async fn withdraw(&self, withdrawal: Withdrawal) -> Result<Height, LedgerError> {
        let Withdrawal { position, commitment } = withdrawal;
        let receipt = self.submit(Body::Withdraw(Withdraw { position, commitment })).await?;
        Ok(Height::new(receipt.height.get()))
    }
}

#[async_trait]
impl AccessLedger for LedgerBridge {
    async fn value(&self, key: StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        let ledger = Arc::clone(&self.ledger);
        blocking(move || ledger.snapshot().and_then(|snapshot| snapshot.bytes(&key)).map_err(unavailable)).await
    }

    async fn tip(&self) -> Result<(Height, BlockTime, AppHash), LedgerError> {
        let ledger = Arc::clone(&self.ledger);
        blocking(move || {
            let snapshot = ledger.snapshot().map_err(unavailable)?;
            let seal = snapshot.seal();
            Ok((seal.height, seal.time, seal.app_hash()))
        })
        .await
    }

    async fn sign(&self, body: Body) -> Result<SignedEntry, LedgerError> {
        self.pen.write(body).map_err(|e| LedgerError::Refused(e.to_string()))
    }

    async fn send(&self, entry: SignedEntry) -> Result<AcceptanceProof, LedgerError> {
        let ledger = Arc::clone(&self.ledger);
        blocking(move || {
            // one that was accepted before shows so, also past its expiry, when it would not be admitted any more
            if ledger.snapshot().and_then(|snapshot| snapshot.receipt(entry.id())).map_err(unavailable)?.is_some() {
                return ledger.acceptance(entry.id()).map_err(unavailable);
            }
            let submitted = ledger.submit(vec![entry]).map_err(|e| ledger_error(WriteError::Submit(e)))?;
            match submitted.first() {
                Some(receipt) if receipt.code.is_accepted() => ledger.acceptance(receipt.entry).map_err(unavailable),
                Some(receipt) => Err(ledger_error(WriteError::Refused(receipt.code))),
                None => Err(LedgerError::Unavailable("no receipt came back".to_owned())),
            }
        })
        .await
    }

    fn chain(&self) -> &ChainRules {
        &self.rules
    }
}
