//! The ledger as the vault sees it: the vault's traits on the engine.
//!
//! The engine blocks until its block is durable, so its calls run where blocking is allowed. An entry sent
//! before is applied or gone when a lookup answers: the engine is in this process and applies one block at a time.

use std::sync::Arc;

use async_trait::async_trait;
use vouchsafe_access::ledger::{Amendment, Height, LedgerError, LedgerView, LedgerWriter, Located, Placed, Withdrawal};
use vouchsafe_circuits::Commitment;
use vouchsafe_circuits::tree::Position;
use vouchsafe_ledger::engine::{Engine, SubmitError};
use vouchsafe_ledger::solo::Solo;
use vouchsafe_ledger_types::entry::{Amend, Body, Commit, Withdraw};
use vouchsafe_ledger_types::receipt::Receipt;

use super::{Pen, WriteError};

/// Commits, amends and withdraws for one member.
#[derive(Clone)]
pub struct LedgerBridge {
    ledger: Arc<Solo>,
    pen: Pen,
}

impl LedgerBridge {
    pub(super) fn new(ledger: Arc<Solo>, pen: Pen) -> LedgerBridge {
        LedgerBridge { ledger, pen }
    }

    async fn submit(&self, body: Body) -> Result<Receipt, LedgerError> {
        let LedgerBridge { ledger, pen } = self.clone();
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
        WriteError::Submit(SubmitError::Stopped(_)) | WriteError::Query(_) => {
            LedgerError::Unavailable(error.to_string())
        }
        refused => LedgerError::Refused(refused.to_string()),
    }
}

fn placed(receipt: &Receipt, nth: u32) -> Result<Placed, LedgerError> {
    let none = || LedgerError::Unavailable("the receipt names no position".to_owned());
    let position: Position = receipt.position(nth).ok_or_else(none)?;
    Ok(Placed { position, height: Height::new(receipt.height.get()) })
}

#[async_trait]
impl LedgerView for LedgerBridge {
    async fn lookup(&self, commitment: Commitment) -> Result<Option<Located>, LedgerError> {
        let LedgerBridge { ledger, pen } = self.clone();
        blocking(move || {
            let unavailable = |e: vouchsafe_ledger::engine::QueryError| LedgerError::Unavailable(e.to_string());
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
