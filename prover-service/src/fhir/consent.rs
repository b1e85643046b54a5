//! Consent: what a subject permits and denies, as up to eight words under the keys `Consent/ID#0` to `#7`.
//!
//! ```text
//! permit   needs type permit, recipients and purposes that have a name here, and no other condition; narrowed
//! deny     type deny, or none at all; whatever of it has no name here is left out, so that it covers more
//! ```
//!
//! A deny anywhere in the tree counts before every permit in it. Each version speaks for all eight keys, so that it
//! withdraws what an older one said and it does not; a version that is not read, or not active, withdraws all.
//! Does not know policies that are referred to, nor whether a signature is good. Spec: docs/spec/consent.md.

use std::collections::BTreeSet;

use vouchsafe_circuits::record::Validity;

use super::draft::Notes;
use super::error::Why;
use super::observation::refuse_modifiers;
use super::path::{Node, Read};
use super::subject::Index;
use crate::consent::{Decision, Word, is_purpose, is_recipient};

mod period;
mod terms;

use terms::{Among, Terms};

/// How many words one resource has.
pub(super) const WORDS: usize = 8;
/// How many of them may be denies before they are made one wide one.
const DENIES_MAX: usize = 4;
/// How many permits are looked at, before denies are taken off and the first eight kept.
const PERMITS_MAX: usize = 1_024;
/// The system of the identifier under which a recipient asks.
const PARTY: &str = "urn:vouchsafe:party";
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const NOT_IN_FORCE: [&str; 5] = ["draft", "proposed", "rejected", "inactive", "entered-in-error"];

/// A word and the days for which it is said.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dated {
    pub word: Word,
    pub from: u32,
    pub until: u32,
}

impl Dated {
    pub fn valid(&self) -> Validity {
        Validity { from: self.from, until: self.until }
    }
}

/// What the resource says: at most [`WORDS`], denies first.
pub(super) fn read(resource: &Node<'_>, index: &Index<'_>, notes: &mut Notes) -> Read<Vec<Dated>> {
    refuse_modifiers(resource)?;
    let Some((status, node)) = resource.text_at("status")? else {
        return Err(Why::Missing("status").at(resource.path_of("status")));
    };
    if NOT_IN_FORCE.contains(&status) {
        return Ok(Vec::new());
    }
    if status != "active" {
        return Err(node.error(Why::BadForm("a code that FHIR R4 does not define here")));
    }
    let frame = frame(resource, notes)?;
    let Some((base, mut may_permit)) = frame else { return Ok(Vec::new()) };
    if may_permit && !verified(resource)? {
        note(notes, "consent.verification: not verified, nothing is permitted");
        may_permit = false;
    }
    let opts_out = base == Base::OptOut;
    let (denies, permits) = (BTreeSet::new(), Vec::new());
    let mut tree = Tree { index, notes, opts_out, widened: false, denies, permits };
    if let Some(provision) = resource.object("provision")? {
        tree.provision(&provision, &Terms::all(may_permit), true)?;
    }
    let Tree { denies, permits, .. } = tree;
    Ok(settle(denies, permits, base, notes))
}

fn note(notes: &mut Notes, what: &str) {
    *notes.unmapped.entry(what.to_owned()).or_default() += 1;
}

/// What holds where no provision says anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    OptIn,
    OptOut,
}

/// Base policy, and whether provisions may permit at all. None if the consent is not about disclosure.
fn frame(resource: &Node<'_>, notes: &mut Notes) -> Read<Option<(Base, bool)>> {
    let Some(scope) = resource.object("scope")? else {
        return Err(Why::Missing("scope").at(resource.path_of("scope")));
    };
    let scopes = codes(&scope, SCOPE)?;
    let about = |code: &str| scopes.contains(&code);
    if !scopes.is_empty() && scopes.iter().all(|code| matches!(*code, "treatment" | "adr")) {
        note(notes, "consent.scope: not about disclosure");
        return Ok(None);
    }
    let mut may_permit = about("patient-privacy") || about("research");
    let mut base = Base::OptIn;
    if let Some(rule) = resource.object("policyRule")? {
        let rules = codes(&rule, ACT_CODE)?;
        if rules.iter().any(|code| matches!(*code, "OPTOUT" | "OPTOUTE")) {
            base = Base::OptOut;
        }
        // any other rule may limit what the provisions permit
        may_permit &= !rules.is_empty() && rules.iter().all(|code| matches!(*code, "OPTIN" | "OPTOUT" | "OPTOUTE"));
    }
    for category in resource.objects("category")? {
        may_permit &= !codes(&category, ACT_CODE)?.contains(&"EMRGONLY");
    }
    if !may_permit {
        note(notes, "consent: scope, category or rule that nothing can be permitted under");
    }
    Ok(Some((base, may_permit)))
}

/// Whether nobody says that the consent is not verified.
fn verified(resource: &Node<'_>) -> Read<bool> {
    let mut all = true;
    for verification in resource.objects("verification")? {
        all &= verification.boolean("verified")? == Some(true) && !verification.has("modifierExtension");
    }
    Ok(all)
}

/// The codes of a concept in one system.
fn codes<'a>(concept: &Node<'a>, system: &str) -> Read<Vec<&'a str>> {
    let mut found = Vec::new();
    for coding in concept.objects("coding")? {
        if coding.text("system")? == Some(system) {
            found.extend(coding.text("code")?);
        }
    }
    Ok(found)
}

struct Tree<'t, 'a> {
    index: &'t Index<'a>,
    notes: &'t mut Notes,
    opts_out: bool,
    /// Whether the denies were too many, and are one.
    widened: bool,
    denies: BTreeSet<Dated>,
    permits: Vec<Dated>,
}

impl<'a> Tree<'_, 'a> {
    fn provision(&mut self, provision: &Node<'a>, around: &Terms, root: bool) -> Read<()> {
        refuse_modifiers(provision)?;
        let terms = self.terms(provision, around)?;
        let inner = provision.objects("provision")?;
        match provision.text_at("type")? {
            Some(("permit", _)) => self.permit(&terms),
            Some(("deny", _)) => self.deny(&terms),
            Some((_, node)) => return Err(node.error(Why::BadForm("neither permit nor deny"))),
            // at the top it frames what is inside; alone it is what is excepted from an opt-in, and nothing more than
            // is denied anyway in an opt-out
            None if root && (self.opts_out || !inner.is_empty()) => {}
            None => {
                note(self.notes, "consent.provision without a type: read as a deny");
                self.deny(&terms);
            }
        }
        for provision in inner {
            self.provision(&provision, &terms, false)?;
        }
        Ok(())
    }

    fn permit(&mut self, terms: &Terms) {
        let words = terms.permitted();
        if words.is_empty() {
            note(self.notes, "consent.provision: a permit with conditions that have no name here, left out");
        }
        let room = PERMITS_MAX.saturating_sub(self.permits.len());
        self.permits.extend(words.into_iter().take(room));
    }

    /// Denies that are too many become one that covers them all.
    fn deny(&mut self, terms: &Terms) {
        self.denies.extend(terms.denied());
        if self.widened || self.denies.len() > DENIES_MAX {
            self.widened = true;
            note(self.notes, "consent.provision: many denies, made one of everything");
            let from = self.denies.iter().map(|deny| deny.from).min().unwrap_or(0);
            let until = self.denies.iter().map(|deny| deny.until).max().unwrap_or(u32::MAX);
            self.denies = [deny_all(from, until)].into();
        }
    }

    fn terms(&self, provision: &Node<'a>, around: &Terms) -> Read<Terms> {
        let mut exact = true;
        for key in ["securityLabel", "class", "code", "dataPeriod", "data"] {
            exact &= !provision.has(key); // a word is about all records
        }
        let actions = provision.objects("action")?;
        let mut answers = actions.is_empty();
        for action in &actions {
            answers |= codes(action, ACTION)?.iter().any(|code| matches!(*code, "access" | "disclose"));
        }
        exact &= answers;
        let (from, until) = (period::start(provision)?, period::end(provision)?);
        Ok(around.inside(self.recipients(provision)?, purposes(provision)?, [from, until], exact))
    }

    /// The names of the actors, if all of them are recipients.
    fn recipients(&self, provision: &Node<'a>) -> Read<Among> {
        let actors = provision.objects("actor")?;
        if actors.is_empty() {
            return Ok(Among::Unsaid);
        }
        let (mut names, mut all_named) = (BTreeSet::new(), true);
        for actor in actors {
            let roles = actor.object("role")?.map(|role| codes(&role, PARTICIPATION)).transpose()?.unwrap_or_default();
            let changed = actor.has("modifierExtension"); // whoever does not know it must not read the actor
            if changed || roles.is_empty() || !roles.iter().all(|role| matches!(*role, "PRCP" | "IRCP")) {
                return Ok(Among::Unknown); // it limits whose data is meant, or something else
            }
            match self.party(&actor)? {
                Some(name) => drop(names.insert(name)),
                None => all_named = false,
            }
        }
        Ok(Among::Named { names, all_named })
    }

    /// The name under which an actor asks: an identifier of the reference, or of the resource that it leads to.
    fn party(&self, actor: &Node<'a>) -> Read<Option<String>> {
        let Some(reference) = actor.object("reference")? else { return Ok(None) };
        if let Some(identifier) = reference.object("identifier")? {
            return party_name(&identifier);
        }
        let Some(target) = reference.text("reference")?.and_then(|target| self.index.find(target)) else {
            return Ok(None);
        };
        let mut found = None;
        for identifier in target.resource.objects("identifier")? {
            if let Some(name) = party_name(&identifier)?
                && found.replace(name).is_some()
            {
                return Ok(None); // two names: which of them asks?
            }
        }
        Ok(found)
    }
}

fn party_name(identifier: &Node<'_>) -> Read<Option<String>> {
    let name = identifier.text("value")?.filter(|name| is_recipient(name));
    Ok(name.filter(|_| identifier.text("system").is_ok_and(|system| system == Some(PARTY))).map(str::to_owned))
}

fn purposes(provision: &Node<'_>) -> Read<Among> {
    let purposes = provision.objects("purpose")?;
    if purposes.is_empty() {
        return Ok(Among::Unsaid);
    }
    let (mut names, mut all_named) = (BTreeSet::new(), true);
    for purpose in purposes {
        let known = purpose.text("system")? == Some(ACT_REASON);
        match purpose.text("code")?.filter(|code| known && is_purpose(code)) {
            Some(code) => drop(names.insert(code.to_owned())),
            None => all_named = false,
        }
    }
    Ok(Among::Named { names, all_named })
}

/// Denies before permits, at most eight words: permits that are too many fall away.
fn settle(denies: BTreeSet<Dated>, permits: Vec<Dated>, base: Base, notes: &mut Notes) -> Vec<Dated> {
    let mut left = BTreeSet::new();
    for permit in permits {
        let mut pieces = vec![permit];
        for deny in &denies {
            pieces = pieces.into_iter().flat_map(|piece| terms::without(piece, deny)).collect();
        }
        left.extend(pieces);
    }
    if left.is_empty() && base == Base::OptOut {
        return vec![deny_all(0, u32::MAX)];
    }
    let room = WORDS - denies.len();
    for _ in room..left.len() {
        note(notes, "consent.provision: a permit beyond the eighth word, left out");
    }
    denies.into_iter().chain(left.into_iter().take(room)).collect()
}

fn deny_all(from: u32, until: u32) -> Dated {
    Dated { word: Word { decision: Decision::Deny, recipient: None, purpose: None }, from, until }
}
