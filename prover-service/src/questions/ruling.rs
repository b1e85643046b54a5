//! What policy says to a question: when it comes, and again when its turn has come.
//!
//! It sees asker, request, and whether a person said yes; nothing of the subject, so that the time it takes tells nothing.

use vouchsafe_access::policy::{Asker, Policy, Question};
use vouchsafe_circuits::record::Tier;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::units::BlockTime;

use super::page::{Page, Stage};
use crate::answer::Ruling;
use crate::ask;
use crate::parties::Party;

/// What policy says when a question comes: yes, ask a person, or no.
pub(super) fn first_stage(policy: &Policy, party: &Party, request: &Request, now: BlockTime) -> Stage {
    let permits = |person| permits(policy, party, request, person, now);
    match (permits(false), permits(true)) {
        (true, _) => Stage::Permitted,
        (false, true) => Stage::Inbox,
        (false, false) => Stage::Denied,
    }
}

/// What policy says to a page, with the roles that its asker has now; a party that is not known any more has none.
pub fn judge(policy: &Policy, party: Option<&Party>, page: &Page, now: BlockTime) -> Ruling {
    let own = party.filter(|party| party.card.signing == page.signer);
    match own.is_some_and(|party| permits(policy, party, &page.request, page.person, now)) {
        true => Ruling::Permitted(policy.digest()),
        false => Ruling::Denied(policy.digest()),
    }
}

/// Policy sees asker and request, nothing of the subject.
fn permits(policy: &Policy, party: &Party, request: &Request, person: bool, now: BlockTime) -> bool {
    let asker = Asker::admitted(&party.card, party.roles.clone());
    let parsed: Vec<_> = request.parts.iter().filter_map(|part| Some((part, part.schema().ok()?))).collect();
    let schemas: Vec<String> = parsed.iter().map(|(_, schema)| schema.name().to_owned()).collect();
    let fields = parsed.iter().flat_map(|(part, schema)| part.clauses.iter().filter_map(|c| schema.field_at(c.field)));
    let tier = fields.map(|field| field.tier).max().unwrap_or(Tier::Public);
    let consent = ask::has_consent_part(request);
    let question = Question::Answer { schemas: &schemas, tier, purpose: &request.purpose, consent, person };
    policy.decide(&asker, &question, now).is_ok()
}
