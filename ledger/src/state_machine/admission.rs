//! Admission: whether an entry may be in a block at all. What is not admitted burns no id, so an engine keeps it out of
//! its blocks; in a block that somebody else proposed it gets a receipt, and changes nothing.

use vouchsafe_ledger_types::entry::VerifiedEntry;
use vouchsafe_ledger_types::receipt::ReceiptCode;
use vouchsafe_ledger_types::state_value::{ChainState, MemberState};
use vouchsafe_ledger_types::units::BlockTime;

use super::working::Working;
use crate::state::{ReadError, StateRead};

/// Why this entry would not be admitted to a block at this time; none if it would.
pub fn admission<S: StateRead>(
    state: &S,
    chain: &ChainState,
    time: BlockTime,
    entry: &VerifiedEntry,
) -> Result<Option<ReceiptCode>, ReadError> {
    Working::new(state, time).admit(chain, entry)
}

impl<S: StateRead> Working<'_, S> {
    pub(super) fn admit(&self, chain: &ChainState, entry: &VerifiedEntry) -> Result<Option<ReceiptCode>, ReadError> {
        let header = &entry.entry().header;
        if header.expiry <= self.time() {
            return Ok(Some(ReceiptCode::Expired));
        }
        // A horizon beyond the year 9999 bounds nothing.
        let horizon = self.time().plus_seconds(chain.parameters.expiry_horizon_seconds);
        if horizon.is_some_and(|horizon| header.expiry > horizon) {
            return Ok(Some(ReceiptCode::ExpiryTooFar));
        }
        let Some(member) = self.value::<MemberState>(header.member)? else {
            return Ok(Some(ReceiptCode::UnknownMember));
        };
        if !member.keys.contains(&header.signer) {
            return Ok(Some(ReceiptCode::UnknownKey));
        }
        Ok(self.is_burnt(entry.id())?.then_some(ReceiptCode::Replayed))
    }
}
