//! `Verifier.Verify`: the checks of `vouch verify`, against the trust files of the node.
//!
//! The node learns request and answer, and keeps neither. Whoever trusts it with the verdict trusts its trust files too:
//! `vouch verify` with one's own needs nobody.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use vouchsafe_ledger_types::evidence::{Evidence, ReadError, read_json};
use vouchsafe_ledger_types::request;
use vouchsafe_ledger_types::units::BlockTime;
use vouchsafe_ledger_types::verify;

use super::status;
use crate::ask::compile_part;
use crate::node::Node;
use crate::proto::verifier_server::Verifier;
use crate::proto::{VerifyRequest, VerifyResponse};

/// The service.
pub(super) struct Service(pub(super) Arc<Node>);

#[tonic::async_trait]
impl Verifier for Service {
    async fn verify(&self, call: Request<VerifyRequest>) -> Result<Response<VerifyResponse>, Status> {
        let node = Arc::clone(&self.0);
        let message = call.into_inner();
        let verdict = self.0.gate().work(move || judge(&node, &message)).await?;
        Ok(Response::new(verdict))
    }
}

fn judge(node: &Node, message: &VerifyRequest) -> Result<VerifyResponse, Status> {
    let request: request::Request =
        read_json("a request file", &message.request).map_err(|e| status::bad_field("request", e.to_string()))?;
    let now = match message.as_of {
        None => node.now(),
        Some(seconds) => BlockTime::from_unix(seconds)
            .ok_or_else(|| status::bad_field("as_of", "not a time between 1970 and 9999, in seconds since 1970"))?,
    };
    let evidence = match Evidence::read(&message.evidence) {
        Ok(evidence) => evidence,
        // of the form, with a value that cannot be: as bad as a wrong proof
        Err(error @ ReadError::BadValue(_)) => return Ok(refusal("Form", error.to_string())),
        Err(error) => return Err(status::bad_field("evidence", error.to_string())),
    };
    let verifier =
        verify::Verifier { request: &request, trust: node.trust(&request.chain), now, compile: &compile_part };
    Ok(match verifier.verify(&evidence) {
        Err(refused) => refusal(&format!("{:?}", refused.check), refused.why),
        Ok(verified) => VerifyResponse {
            valid: true,
            check: String::new(),
            why: String::new(),
            pseudonym: verified.pseudonym.fe().as_bytes().to_vec(),
            height: verified.height.get(),
            time: verified.time.unix(),
        },
    })
}

fn refusal(check: &str, why: String) -> VerifyResponse {
    VerifyResponse { valid: false, check: check.to_owned(), why, ..VerifyResponse::default() }
}
