//! `Research.Query`: a researcher's way to the research desk.
//!
//! ```text
//! signed call ─► card, roles ─► cohort compiled, bins from schema or asker ─► desk: policy, budget, noise ─► answer
//! ```
//!
//! A cohort is compiled as of today's date, as a verifier's predicate would be. What a query costs is said before it is
//! paid; nothing tells one researcher what another asked, but the budget that is left.

use std::sync::Arc;

use rand::rngs::OsRng;
use tonic::{Code, Request, Response, Status};
use vouchsafe_access::ledger::LedgerError;
use vouchsafe_access::research::{Answer, Cohort, DISTRIBUTION, Measure, Query, QueryError, Refusal, Researcher};
use vouchsafe_circuits::record::Day;
use vouchsafe_circuits::schema::{Schema, builtin};
use vouchsafe_ledger_types::ids::{EntryId, ProjectId};
use vouchsafe_ledger_types::units::MicroEpsilon;

use super::signed::{Called, called_once};
use super::status;
use crate::node::Node;
use crate::predicate;
use crate::proto::query_request::Measure as Asked;
use crate::proto::research_server::Research;
use crate::proto::{Bin, QueryRequest, QueryResponse, SignedCall};

/// The path of `Query`, which its caller signs.
pub const QUERY: &str = "/vouchsafe.v1.Research/Query";

/// The service.
pub(super) struct Service(pub(super) Arc<Node>);

#[tonic::async_trait]
impl Research for Service {
    async fn query(&self, call: Request<SignedCall>) -> Result<Response<QueryResponse>, Status> {
        let node = &self.0;
        let _permit = node.gate().enter().await?;
        let called: Called<QueryRequest> = called_once(node, QUERY, call.into_inner())?;
        let query = parse(node, called.message)?;
        let asker = Researcher { card: called.party.card, roles: called.party.roles };
        let answer = node.research().query(node.policy(), &asker, &query, node.now(), &mut OsRng).await;
        node.metrics().queries.increment(1);
        answer.map(|answer| Response::new(response(answer))).map_err(|error| failure(node, &error))
    }
}

fn parse(node: &Node, message: QueryRequest) -> Result<Query, Status> {
    let project = <[u8; 32]>::try_from(&message.project[..]);
    let project = project.map_err(|_| status::bad_field("project", "32 bytes: the project's id"))?;
    let schema = builtin::by_name(&message.schema);
    let schema = schema.ok_or_else(|| status::bad_field("schema", "no schema of this name"))?;
    let measure = match message.measure {
        None => return Err(status::bad_field("measure", "count or histogram")),
        Some(Asked::Count(_)) => Measure::Count,
        Some(Asked::Histogram(histogram)) => Measure::Histogram { field: histogram.field, bins: histogram.bins },
    };
    Ok(Query {
        project: ProjectId::of(EntryId::from_bytes(project)),
        cohort: cohort(&message.cohort, &schema, node.now().day())?,
        schema: Arc::new(schema),
        measure,
        amount: MicroEpsilon::new(message.micro_epsilon),
    })
}

fn cohort(text: &str, schema: &Schema, today: u32) -> Result<Cohort, Status> {
    if text.is_empty() {
        return Ok(Cohort::everybody());
    }
    let today = Day::new(i32::try_from(today).unwrap_or(i32::MAX));
    let compiled = predicate::compile(text, schema, today).map_err(|e| status::bad_field("cohort", e.to_string()))?;
    Ok(Cohort::of(text, compiled.clauses, compiled.table))
}

fn response(answer: Answer) -> QueryResponse {
    let bin = |bin: vouchsafe_access::research::AnsweredBin| Bin {
        name: bin.name,
        count: bin.count,
        suppressed: bin.suppressed,
    };
    QueryResponse {
        bins: answer.bins.into_iter().map(bin).collect(),
        height: answer.height.get(),
        app_hash: answer.app_hash.as_bytes().to_vec(),
        noise: DISTRIBUTION.to_owned(),
        scale: answer.scale.to_string(),
        micro_epsilon: answer.paid.get(),
        remaining: answer.remaining.get(),
        project_remaining: answer.project_remaining.get(),
        stored: answer.stored,
    }
}

fn failure(node: &Node, error: &QueryError) -> Status {
    let text = error.to_string();
    match error {
        QueryError::Plan(_) => status::bad_field("query", text),
        QueryError::Noise(_) => status::bad_field("micro_epsilon", text),
        QueryError::Refused(Refusal::Policy(why)) => {
            tracing::info!(%why, "a query was not permitted");
            status::refused(Code::PermissionDenied, "NOT_PERMITTED", "not permitted")
        }
        QueryError::Refused(Refusal::NoProject) => status::refused(Code::NotFound, "NO_PROJECT", text),
        QueryError::Refused(_) => status::refused(Code::FailedPrecondition, "PROJECT", text),
        QueryError::BudgetExhausted { .. } => status::refused(Code::FailedPrecondition, "BUDGET_EXHAUSTED", text),
        QueryError::Ledger(LedgerError::Refused(why)) => {
            status::refused(Code::FailedPrecondition, "LEDGER_REFUSED", why.clone())
        }
        error => {
            // a stopped ledger looks like this too
            let _ = node.height();
            status::ours("a query", error)
        }
    }
}
