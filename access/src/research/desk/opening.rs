//! Opening data sets and projects. The ledger checks budgets and names; what a project is about stays on the shelf.

use std::collections::BTreeSet;

use rand::{CryptoRng, RngCore};
use vouchsafe_circuits::ids::SchemaId;
use vouchsafe_circuits::tags::Domain;
use vouchsafe_ledger_types::accepted::AcceptanceError;
use vouchsafe_ledger_types::entry::{Body, OpenDataSet, OpenProject, PurposeClass};
use vouchsafe_ledger_types::ids::{DataSetId, DataSetName, ProjectCommitment, ProjectId};
use vouchsafe_ledger_types::state_value::DataSetState;
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::ResearchDesk;
use crate::ledger::{LedgerError, state};
use crate::pages::PageError;
use crate::research::ProjectTerms;
use crate::research::project::{TERMS_BYTES_MAX, rule_set};
use crate::research::shelf::{Drawer, Page};

/// A data set or a project was not opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A title or purpose is empty or too long.
    #[error("a project's title and purpose have 1 to {TERMS_BYTES_MAX} bytes each")]
    Terms,
    /// There is no such data set of this institution.
    #[error("there is no data set {0} of this institution: open it first")]
    NoDataSet(DataSetId),
    /// The ledger refused or did not answer.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's proof does not show that the entry was accepted.
    #[error("the ledger does not show that the entry was accepted: {0}")]
    Unproven(#[from] AcceptanceError),
    /// The shelf cannot be written.
    #[error(transparent)]
    Shelf(#[from] PageError),
}

impl ResearchDesk {
    /// Puts all records of some schemas under one budget, for good: a schema is in one data set, and no budget grows.
    pub async fn open_data_set(
        &self,
        name: DataSetName,
        schemas: BTreeSet<SchemaId>,
        budget: MicroEpsilon,
    ) -> Result<DataSetId, OpenError> {
        let id = DataSetId::of(self.member, &name);
        let body = OpenDataSet { name, schemas: schemas.into_iter().collect(), budget };
        let proof = self.ledger.log(Body::OpenDataSet(body)).await?;
        self.ledger.chain().accepted(&proof)?;
        Ok(id)
    }

    /// Opens a project. Its terms are durable here before the entry that commits to them is sent.
    pub async fn open_project(
        &self,
        terms: ProjectTerms,
        rng: &mut (impl RngCore + CryptoRng),
    ) -> Result<ProjectId, OpenError> {
        let bounded = |text: &str| (1..=TERMS_BYTES_MAX).contains(&text.len());
        if !bounded(&terms.title) || !bounded(&terms.purpose) {
            return Err(OpenError::Terms);
        }
        let data_set: Option<DataSetState> = state(&*self.ledger, terms.data_set).await?;
        let data_set = data_set.filter(|data_set| data_set.member == self.member);
        let data_set = data_set.ok_or(OpenError::NoDataSet(terms.data_set))?;
        let mut body = OpenProject {
            commitment: ProjectCommitment::from_bytes([0; 32]),
            data_set: terms.data_set,
            purpose: PurposeClass::of_code(&terms.purpose),
            rule_set: rule_set(&data_set.schemas),
            threshold: terms.threshold,
            budget: terms.budget,
            until: terms.until,
        };
        let page = Page::blinded(terms, rng);
        body.commitment = ProjectCommitment::from_bytes(page.commitment(Domain::Project));
        let entry = self.ledger.sign(Body::OpenProject(body)).await?;
        let id = entry.id();
        self.shelf.put(Drawer::Projects, id.into(), &page, rng)?;
        let sent = self.ledger.send(entry).await;
        if let Err(LedgerError::Refused(_)) = &sent {
            self.shelf.remove(Drawer::Projects, id.into())?;
        }
        let accepted = self.ledger.chain().accepted(&sent?)?;
        Ok(ProjectId::of(accepted.id()))
    }
}
