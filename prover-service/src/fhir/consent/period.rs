//! The days of a period. A permit gets the days that lie in it whole, in UTC; a deny every day that it touches.
//!
//! A day without a time is taken as that day of UTC, as the day of a seal is. Less than a day is vague.

use super::terms::Bound;
use crate::fhir::date::{self, Moment};
use crate::fhir::error::Why;
use crate::fhir::path::{Node, Read};

const DAY_SECONDS: i64 = 86_400;

/// The first day of `period`.
pub(super) fn start(provision: &Node<'_>) -> Read<Bound> {
    bound(provision, "start", |seconds| seconds + DAY_SECONDS - 1)
}

/// The last day of `period`; the last second belongs to it.
pub(super) fn end(provision: &Node<'_>) -> Read<Bound> {
    bound(provision, "end", |seconds| seconds + 1 - DAY_SECONDS)
}

fn bound(provision: &Node<'_>, key: &str, whole: fn(i64) -> i64) -> Read<Bound> {
    let Some(period) = provision.object("period")? else { return Ok(Bound::Open) };
    let Some((text, node)) = period.text_at(key)? else {
        // the reason why it is missing may be anything, and a period without bounds says that there are some
        let bounded = period.has("start") || period.has("end");
        let open = bounded && !period.has("extension") && !period.has(&format!("_{key}"));
        return Ok(if open { Bound::Open } else { Bound::Vague });
    };
    let moment = date::parse(text).map_err(|_| node.error(Why::BadForm("not a FHIR date")))?;
    let day = |seconds: i64| u32::try_from(seconds.div_euclid(DAY_SECONDS)).ok();
    Ok(match moment {
        Moment::Partial => Bound::Vague,
        Moment::Day(date) => {
            let number = u32::try_from(date.get()).unwrap_or(0); // before 1970 nothing was asked
            Bound::Day { permit: Some(number), deny: number }
        }
        Moment::Instant { seconds, .. } => {
            Bound::Day { permit: day(whole(seconds.max(0))), deny: day(seconds.max(0)).unwrap_or(0) }
        }
    })
}
