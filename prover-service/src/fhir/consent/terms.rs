//! The conditions of a provision, in two readings: what a permit may say at most, what a deny must say at least.
//!
//! ```text
//! permit   own conditions and those around it together; one that has no name here, and nothing is permitted
//! deny     own conditions, else those around it; one that has no name here counts as none
//! ```

use std::collections::BTreeSet;

use super::Dated;
use crate::consent::{Decision, Word};

/// How many names of one kind are looked at: more words than these make would be left out anyway.
const NAMES_MAX: usize = 32;

/// Whom, or what for, a provision says it is about.
#[derive(Clone)]
pub(super) enum Among {
    /// It does not say.
    Unsaid,
    /// One of these, and perhaps others that have no name here.
    Named { names: BTreeSet<String>, all_named: bool },
    /// It says so in a way that has no name here.
    Unknown,
}

/// A day as both readings take it.
#[derive(Clone, Copy)]
pub(super) enum Bound {
    /// None is given.
    Open,
    /// Given: the day for permits (none if no day is surely inside), the day for denies.
    Day { permit: Option<u32>, deny: u32 },
    /// Given, less precise than a day.
    Vague,
}

/// One reading: a limit, or none.
type Limit = Option<BTreeSet<String>>;

/// The conditions on a provision.
#[derive(Clone)]
pub(super) struct Terms {
    /// Whether the permit's reading says all that the provisions do.
    exact: bool,
    permit: (Limit, Limit, u32, u32),
    deny: (Limit, Limit, u32, u32),
}

impl Terms {
    /// Before any condition.
    pub fn all(may_permit: bool) -> Terms {
        let all = (None, None, 0, u32::MAX);
        Terms { exact: may_permit, permit: all.clone(), deny: all }
    }

    /// The conditions of a provision inside.
    pub fn inside(&self, recipients: Among, purposes: Among, period: [Bound; 2], exact: bool) -> Terms {
        let mut terms = self.clone();
        terms.exact &= exact;
        for (among, permit, deny) in
            [(recipients, &mut terms.permit.0, &mut terms.deny.0), (purposes, &mut terms.permit.1, &mut terms.deny.1)]
        {
            match among {
                Among::Unsaid => {}
                Among::Unknown => (terms.exact, *deny) = (false, None),
                Among::Named { names, all_named } => {
                    *deny = (all_named && names.len() <= NAMES_MAX).then(|| names.clone());
                    let here = |name: &String| permit.as_ref().is_none_or(|around| around.contains(name));
                    *permit = Some(names.into_iter().filter(here).take(NAMES_MAX).collect());
                }
            }
        }
        let [from, until] = period;
        if !matches!((from, until), (Bound::Open, Bound::Open)) {
            // a period of its own counts for a deny in place of the one around it
            let day = |bound, open| if let Bound::Day { deny, .. } = bound { deny } else { open };
            (terms.deny.2, terms.deny.3) = (day(from, 0), day(until, u32::MAX));
        }
        for (bound, at, later) in [(from, &mut terms.permit.2, true), (until, &mut terms.permit.3, false)] {
            match bound {
                Bound::Open => {}
                Bound::Day { permit: Some(day), .. } if later => *at = day.max(*at),
                Bound::Day { permit: Some(day), .. } => *at = day.min(*at),
                Bound::Day { permit: None, .. } | Bound::Vague => terms.exact = false,
            }
        }
        terms
    }

    /// A permit for each recipient and purpose.
    pub fn permitted(&self) -> Vec<Dated> {
        let (recipients, purposes, from, until) = &self.permit;
        let (Some(recipients), Some(purposes), true) = (recipients, purposes, self.exact && from <= until) else {
            return Vec::new(); // everybody, or every purpose, has no name
        };
        let all = recipients.iter().flat_map(|recipient| purposes.iter().map(move |purpose| (recipient, purpose)));
        let word = |(recipient, purpose): (&String, &String)| Word {
            decision: Decision::Permit,
            recipient: Some(recipient.clone()),
            purpose: Some(purpose.clone()),
        };
        all.map(|pair| Dated { word: word(pair), from: *from, until: *until }).collect()
    }

    /// A deny for each recipient and purpose.
    pub fn denied(&self) -> Vec<Dated> {
        let (recipients, purposes, from, until) = &self.deny;
        let each = |limit: &Limit| match limit {
            None => vec![None],
            Some(names) => names.iter().cloned().map(Some).collect::<Vec<_>>(),
        };
        let purposes = each(purposes);
        let all = each(recipients).into_iter().flat_map(|r| purposes.iter().map(move |p| (r.clone(), p.clone())));
        let word = |(recipient, purpose)| Word { decision: Decision::Deny, recipient, purpose };
        all.map(|pair| Dated { word: word(pair), from: *from, until: *until }).collect()
    }
}

/// What is left of a permit beside a deny: nothing, all, or the days before and after.
pub(super) fn without(permit: Dated, deny: &Dated) -> Vec<Dated> {
    let Word { recipient: Some(recipient), purpose: Some(purpose), .. } = &permit.word else { return Vec::new() };
    let apart = deny.until < permit.from || permit.until < deny.from;
    if apart || deny.until < deny.from || !deny.word.denies(recipient, purpose) {
        return vec![permit];
    }
    let mut left = Vec::new();
    if permit.from < deny.from {
        left.push(Dated { until: deny.from - 1, ..permit.clone() });
    }
    if deny.until < permit.until {
        left.push(Dated { from: deny.until + 1, ..permit });
    }
    left
}
