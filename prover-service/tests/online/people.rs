//! A hospital with records and a node, and parties with cards.

use rand::rngs::OsRng;
use serde_json::Value as Json;
use time::macros::date;
use vouchsafe_access::ledger::ChainRules;
use vouchsafe_access::party::PartySecrets;
use vouchsafe_access::policy::PartyRole;
use vouchsafe_access::vault::RecordId;
use vouchsafe_circuits::schema::Schema;
use vouchsafe_ledger::clock::{Clock, SystemClock};
use vouchsafe_ledger_types::units::BlockTime;
use vouchsafe_prover_service::client::Party;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::operator::{self, Command, Done};

use crate::scene::take_in;
use crate::server::world::{World, fresh};

/// A node over a hospital of its own with so many patients.
pub fn hospital_node(name: &str, patients: usize) -> World {
    let world = fresh(name, |_| {});
    let source = Source::new("ward").unwrap();
    let bundles = hospital::generate(1, patients, date!(2026 - 06 - 15));
    world.block_on(take_in(world.node.institution(), &source, &bundles));
    world
}

/// A party that the hospital admitted in these roles.
pub fn party(world: &World, name: &str, roles: &[PartyRole]) -> PartySecrets {
    let secrets = PartySecrets::generate(name.parse().unwrap(), &mut OsRng);
    world.node.parties().admit(secrets.card().unwrap(), roles.iter().copied().collect()).unwrap();
    secrets
}

/// Whose calls these are.
pub fn caller<'a>(world: &World, secrets: &'a PartySecrets) -> Party<'a> {
    Party { secrets, chain: world.node.institution().identity().chain.clone() }
}

pub fn rules(world: &World) -> ChainRules {
    world.node.institution().rules().clone()
}

pub fn now() -> BlockTime {
    SystemClock.now()
}

pub fn in_an_hour() -> BlockTime {
    now().plus_seconds(3_600).unwrap()
}

/// A record of the first patient.
pub fn record(world: &World, schema: &Schema) -> RecordId {
    let vault = world.node.institution().vault();
    let subject = vault.subject(&hospital::record_number(0).parse().unwrap()).unwrap().unwrap();
    vault.find(subject, schema.id()).unwrap()[0]
}

/// Runs a verb of the hospital's own people.
pub fn operate(world: &World, command: Command) -> Done {
    world.block_on(operator::run(&world.node, command))
}

/// The same, which must be done.
pub fn done(world: &World, command: Command) -> Json {
    let done = operate(world, command);
    assert_eq!(done.status, 0, "{done:?}");
    done.outcome
}
