//! A patched holder for tests: logs what it is told to, proves without checking, assembles evidence as of any block.

use rand::RngCore;
use rand::rngs::OsRng;
use vouchsafe_access::subject::Identifier;
use vouchsafe_circuits::Proof;
use vouchsafe_circuits::record::{Day, RecordOpening, Tier, pseudonym};
use vouchsafe_circuits::statements::Statement;
use vouchsafe_circuits::statements::fact::dangerous::{Assignment, dangerous_prove_without_relation_check};
use vouchsafe_circuits::statements::fact::{Public, Witness};
use vouchsafe_circuits::tree::MembershipPath;
use vouchsafe_ledger::engine::Engine;
use vouchsafe_ledger_types::disclosure::{
    DisclosureBlinding, DisclosureDetails, DisclosureOpening, Outcome, QuestionOpening,
};
use vouchsafe_ledger_types::entry::{Body, Disclosure, PurposeClass};
use vouchsafe_ledger_types::evidence::{Answer, DisclosureEvidence, EVIDENCE_VERSION, Evidence};
use vouchsafe_ledger_types::ids::{EntryId, PolicyDigest};
use vouchsafe_ledger_types::request::Request;
use vouchsafe_ledger_types::state_key::StateKey;
use vouchsafe_ledger_types::units::{BlockTime, Height};
use vouchsafe_prover_service::institution::Pen;
use vouchsafe_prover_service::key_files::KeyPair;
use vouchsafe_prover_service::key_files::ProvingKeys;

use crate::scene::Scene;

/// A logged question.
#[derive(Clone, Copy)]
pub struct Logged {
    pub entry: EntryId,
    pub opening: QuestionOpening,
}

/// The protagonist's patient record, and where it is in the hospital's set.
pub struct Held {
    pub opening: RecordOpening,
    pub path: MembershipPath,
    pub public: Public,
    pub at: Height,
}

impl Scene {
    /// The newest block.
    pub fn height(&self) -> Height {
        self.institution.ledger().snapshot().unwrap().height()
    }

    /// Logs a question as a member, whatever the ledger makes of it.
    pub fn log(&self, pen: &Pen, request: &Request, deadline: BlockTime) -> Logged {
        self.log_for(&request.purpose, pen, request, deadline)
    }

    /// Logs it for a purpose that may be another than the request's.
    pub fn log_for(&self, purpose: &str, pen: &Pen, request: &Request, deadline: BlockTime) -> Logged {
        let blinding = || {
            let mut bytes = [0; 32];
            OsRng.fill_bytes(&mut bytes);
            DisclosureBlinding::new(bytes)
        };
        let details = DisclosureDetails {
            reader: "liar".to_owned(),
            verifier: request.verifier.clone(),
            records: Vec::new(),
            tier: Tier::Public,
            outcome: Outcome::Holds,
            policy: PolicyDigest::NONE,
            seen: Height::GENESIS,
        };
        let digest = request.digest().unwrap();
        let opening = DisclosureOpening::new(details, digest, blinding(), blinding()).unwrap();
        let purpose = PurposeClass::of_code(purpose);
        let body = Disclosure { commitment: opening.commitment(), purpose, deadline };
        let entry = pen.write(Body::Disclosure(body)).unwrap();
        let receipts = self.institution.ledger().submit(vec![entry]).unwrap();
        Logged { entry: receipts[0].entry, opening: opening.question() }
    }

    /// Logs it as the hospital, properly.
    pub fn log_properly(&self, request: &Request) -> Logged {
        self.log(&self.institution.pen(), request, request.expires)
    }

    /// The protagonist's patient record with the public inputs that fit the request, as of now.
    pub fn held(&self, request: &Request) -> Held {
        self.held_for(request, 0, &self.subject)
    }

    /// Somebody's first record of the schema of a part, with the public inputs that fit the part.
    pub fn held_for(&self, request: &Request, part: usize, subject: &Identifier) -> Held {
        let (vault, part) = (self.institution.vault(), &request.parts[part]);
        let schema = part.schema().unwrap();
        let subject = vault.subject(subject).unwrap().unwrap();
        let id = vault.find(subject, schema.id()).unwrap()[0];
        let record = self.block_on(vault.open_for_proof(id, &schema)).unwrap();
        let snapshot = self.institution.ledger().snapshot().unwrap();
        let found = snapshot.membership(self.institution.member(), record.active_position().unwrap()).unwrap().unwrap();
        let opening = record.opening;
        let public = Public {
            anchor: found.anchor,
            issuer: part.issuer.issuer(),
            schema: schema.id(),
            today: Day::new(snapshot.seal().time.day().try_into().unwrap()),
            scope: request.scope(),
            pseudonym: pseudonym(request.suite, &opening.header.subject_key, request.scope()).unwrap(),
            digest: request.digest().unwrap(),
            table: part.table,
            clauses: part.clauses.clone(),
        };
        Held { opening, path: found.path, public, at: found.height }
    }

    /// The scene's keys.
    pub fn pair(&self, statement: Statement) -> KeyPair {
        self.keys.keys(statement).unwrap()
    }

    /// A proof of whatever the public inputs of `held` say, true or not.
    pub fn prove(&self, keys: &KeyPair, request: &Request, held: &Held) -> Proof {
        let witness = Witness::new(held.opening.clone(), held.path.clone());
        let private = Assignment::new(request.suite, &held.public.clauses, &witness).unwrap();
        dangerous_prove_without_relation_check(&keys.0, &held.public, &private, &mut OsRng).unwrap()
    }

    /// Evidence around a proof as of block `at`, true in everything else.
    pub fn evidence(
        &self,
        request: &Request,
        keys: &KeyPair,
        public: Public,
        proof: Proof,
        logged: Logged,
        at: Height,
    ) -> Evidence {
        let ledger = self.institution.ledger();
        let snapshot = ledger.snapshot().unwrap();
        let newest = snapshot.height();
        let state = |key: StateKey| snapshot.state_proof_at(&key, at).unwrap();
        let receipt = snapshot.receipt_proof(logged.entry).unwrap();
        let logged_at = receipt.receipt.height;
        Evidence {
            version: EVIDENCE_VERSION,
            request: request.clone(),
            answers: vec![self.answer_at(request, keys, public, proof, at)],
            seal: snapshot.seal_at(at).unwrap(),
            seal_inclusion: snapshot.seal_inclusion(at, newest).unwrap(),
            chain: state(StateKey::Chain),
            disclosure: DisclosureEvidence {
                inclusion: snapshot.entry_inclusion(logged.entry, newest).unwrap(),
                entry: snapshot.entry(logged.entry).unwrap().unwrap().bytes,
                seal: snapshot.seal_at(logged_at).unwrap(),
                seal_inclusion: snapshot.seal_inclusion(logged_at, newest).unwrap(),
                receipt,
                opening: logged.opening,
            },
            validator_changes: Vec::new(),
            checkpoint: ledger.checkpoint(newest).unwrap(),
        }
    }

    /// A proof with the state proofs around it as of block `at`.
    fn answer_at(&self, request: &Request, keys: &KeyPair, public: Public, proof: Proof, at: Height) -> Answer {
        let snapshot = self.institution.ledger().snapshot().unwrap();
        let state = |key: StateKey| snapshot.state_proof_at(&key, at).unwrap();
        Answer {
            anchor: state(StateKey::Anchor(request.parts[0].issuer)),
            schema: state(StateKey::Schema(public.schema)),
            key_registration: state(StateKey::VerifyingKey(keys.1.id())),
            public,
            proof,
            key: keys.1.to_bytes(),
        }
    }

    /// Evidence for what each of `held` says, part by part, proved and put together under the newest block.
    pub fn forged_parts(&self, request: &Request, held: &[Held], logged: Logged) -> Evidence {
        let mut evidence = self.forged(request, &held[0], logged);
        for (held, part) in held.iter().zip(&request.parts).skip(1) {
            let keys = self.pair(part.statement);
            let proof = self.prove(&keys, request, held);
            let at = evidence.seal.height;
            evidence.answers.push(self.answer_at(request, &keys, held.public.clone(), proof, at));
        }
        evidence
    }

    /// Evidence for what `held` says, proved and put together under the newest block.
    pub fn forged(&self, request: &Request, held: &Held, logged: Logged) -> Evidence {
        let keys = self.pair(request.parts[0].statement);
        let proof = self.prove(&keys, request, held);
        self.evidence(request, &keys, held.public.clone(), proof, logged, self.height())
    }
}
