//! What a holder says to a question, and that all verdicts cost and leave the same: one entry, as many proofs.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::OsRng;
use time::macros::date;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::Suite;
use vouchsafe_circuits::statements::Statement;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::disclosure::Outcome;
use vouchsafe_ledger_types::entry::Body;
use vouchsafe_ledger_types::ids::PolicyDigest;
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::trust::Trust;
use vouchsafe_ledger_types::units::Height;
use vouchsafe_prover_service::answer::{Response, Ruling, Verdict, respond};
use vouchsafe_prover_service::ask::ask;
use vouchsafe_prover_service::demo::hospital;
use vouchsafe_prover_service::fhir::Source;
use vouchsafe_prover_service::institution::Institution;
use vouchsafe_prover_service::key_files::{KeyFileError, KeyFolder, KeyPair, KeyRing, ProvingKeys};

use crate::scene::{found, now, open, question, runtime, take_in};

const POLICY: PolicyDigest = PolicyDigest::from_bytes([7; 32]);

/// Keys that count how often they are taken: to check the request, and for each proof.
struct Counted(KeyRing, AtomicUsize);

impl ProvingKeys for Counted {
    fn keys(&self, statement: Statement) -> Result<KeyPair, KeyFileError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.keys(statement)
    }
}

struct House {
    institution: Institution,
    trust: Trust,
    keys: Counted,
}

/// What a question left behind.
struct Left {
    response: Response,
    entries: usize,
    keys_taken: usize,
    outcome: Outcome,
    records: usize,
}

impl House {
    async fn set(name: &str) -> House {
        let (data, trust) = found(name);
        let institution = open(&data);
        let bundles = hospital::generate(1, 2, date!(2026 - 06 - 15));
        take_in(&institution, &Source::new("house").unwrap(), &bundles).await;
        let ring = KeyRing::new(KeyFolder::of(&institution.layout().keys()), Suite::Bn254);
        House { institution, trust, keys: Counted(ring, AtomicUsize::new(0)) }
    }

    fn ask(&self, parts: &[(&str, &str)]) -> Request {
        ask(&question(parts), &self.trust, now(), &mut OsRng).unwrap()
    }

    async fn respond(&self, parts: &[(&str, &str)], subject: &str, ruling: Ruling) -> Left {
        let ledger = self.institution.ledger();
        let before = ledger.snapshot().unwrap().height();
        self.keys.1.store(0, Ordering::Relaxed);
        let (request, subject): (_, Identifier) = (self.ask(parts), subject.parse().unwrap());
        let rng = &mut OsRng;
        let asked = respond(&self.institution, &self.keys, &request, &subject, ruling, rng);
        let response = sendable(asked).await.unwrap();
        let snapshot = ledger.snapshot().unwrap();
        assert_eq!(snapshot.height(), Height::new(before.get() + 1));
        let entries = snapshot.entries(snapshot.height()).unwrap();
        let Body::Disclosure(body) = &entries[0].entry().body else { panic!("not a disclosure") };
        let opening = self.institution.disclosures().opening(body.commitment, Suite::Bn254).unwrap();
        let details = opening.details();
        assert_eq!((details.policy, details.seen), (POLICY, before));
        Left {
            entries: entries.len(),
            keys_taken: self.keys.1.load(Ordering::Relaxed),
            outcome: details.outcome,
            records: details.records.len(),
            response,
        }
    }
}

/// A server's handler must be able to hold it.
fn sendable<F: Future + Send>(future: F) -> F {
    future
}

#[test]
fn every_verdict_leaves_the_same() {
    runtime().block_on(async {
        let house = House::set("verdicts").await;
        let known = hospital::record_number(0);
        let nobody = format!("{}|nobody", hospital::MRN_SYSTEM);
        let (yes, no) = (("condition", "icd10.under(\"E11\")"), ("patient", "birthDate > yearsAgo(18)"));
        // alive: there is no day of death, and nobody says that there never will be
        let open = ("patient", "deceasedDate <= yearsAgo(1)");
        let adult = ("patient", "birthDate <= yearsAgo(18)");
        let (permitted, denied) = (Ruling::Permitted(POLICY), Ruling::Denied(POLICY));
        for (parts, subject, ruling, verdict, outcome, records) in [
            ([yes, adult], &known, permitted, Verdict::Holds, Outcome::Holds, 2),
            ([yes, no], &known, permitted, Verdict::DoesNotHold, Outcome::DoesNotHold, 1),
            ([yes, open], &known, permitted, Verdict::Unknown, Outcome::Unknown, 1),
            ([no, open], &known, permitted, Verdict::DoesNotHold, Outcome::DoesNotHold, 0),
            ([yes, adult], &nobody, permitted, Verdict::NoSubject, Outcome::DoesNotHold, 0),
            ([yes, adult], &known, denied, Verdict::Denied, Outcome::Denied, 0),
            ([yes, adult], &nobody, denied, Verdict::Denied, Outcome::Denied, 0),
        ] {
            let left = house.respond(&parts, subject, ruling).await;
            assert_eq!(left.response.verdict, verdict, "{parts:?}");
            assert_eq!(left.response.evidence.is_some(), verdict == Verdict::Holds);
            assert!(left.response.damage.is_none());
            // two to check the request and two proofs, whatever it comes to
            assert_eq!(
                (left.outcome, left.records, left.entries, left.keys_taken),
                (outcome, records, 1, 4),
                "{parts:?}"
            );
        }
    });
}

#[test]
fn a_record_that_cannot_be_read_leaves_it_open_and_is_told_to_the_holder() {
    runtime().block_on(async {
        let house = House::set("verdicts-damage").await;
        let known = hospital::record_number(0);
        let blobs = house.institution.layout().identity().with_file_name("vault").join("blobs");
        let adult = ("patient", "birthDate <= yearsAgo(18)");
        let control = house.respond(&[adult], &known, Ruling::Permitted(POLICY)).await;
        assert_eq!(control.response.verdict, Verdict::Holds);
        damage_all(&blobs);
        let left = house.respond(&[adult], &known, Ruling::Permitted(POLICY)).await;
        assert_eq!((left.response.verdict, left.outcome), (Verdict::Unknown, Outcome::Unknown));
        assert!(left.response.damage.is_some() && left.response.evidence.is_none());
        assert_eq!((left.entries, left.keys_taken), (1, 2));
        // what is damaged is no business of who may not ask
        let left = house.respond(&[adult], &known, Ruling::Denied(POLICY)).await;
        assert_eq!(left.response.verdict, Verdict::Denied);
        assert!(left.response.damage.is_none());
    });
}

fn damage_all(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            damage_all(&path);
        } else {
            std::fs::write(path, b"damaged").unwrap();
        }
    }
}
