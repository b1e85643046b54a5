//! Numbers with a meaning: heights, block times, log sizes and indices, privacy budgets.
//!
//! They are plain integers in JSON. Block times end with the year 9999, so that every one has a date.

use serde::{Deserialize, Serialize};

/// The last block time: the last second of the year 9999.
const BLOCK_TIME_MAX: u64 = 253_402_300_799;
const DAY_SECONDS: u64 = 86_400;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($inner);

        impl $name {
            /// Gives the number its meaning.
            pub const fn new(number: $inner) -> Self {
                Self(number)
            }

            /// The bare number.
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// The number of a block; the genesis block has height 1.
    Height(u64)
);
number!(
    /// How many leaves a log has.
    LogSize(u64)
);
number!(
    /// Which leaf of a log, from 0.
    LogIndex(u64)
);
number!(
    /// Which entry of a block, from 0.
    EntryIndex(u32)
);
number!(
    /// The version of the rules under which a block was applied.
    ProtocolVersion(u32)
);

impl Height {
    /// The height of the genesis block.
    pub const GENESIS: Height = Height(1);

    /// The height after this one; none at the end of numbers.
    pub fn next(self) -> Option<Height> {
        self.0.checked_add(1).map(Height)
    }
}

impl ProtocolVersion {
    /// The rules of this program.
    pub const CURRENT: ProtocolVersion = ProtocolVersion(1);
}

/// A time on the ledger: seconds since 1970, never after the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct BlockTime(u64);

impl BlockTime {
    /// The first second of 1970.
    pub const EPOCH: BlockTime = BlockTime(0);

    /// The last second of the year 9999.
    pub const MAX: BlockTime = BlockTime(BLOCK_TIME_MAX);

    /// A time from seconds since 1970; none after the year 9999.
    pub const fn from_unix(seconds: u64) -> Option<Self> {
        if seconds <= BLOCK_TIME_MAX { Some(Self(seconds)) } else { None }
    }

    /// Seconds since 1970.
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// The UTC day, counted from 1970-01-01.
    pub const fn day(self) -> u32 {
        // The year 9999 ends on day 2,932,896.
        (self.0 / DAY_SECONDS) as u32
    }

    /// This many seconds later; none after the year 9999.
    pub fn plus_seconds(self, seconds: u64) -> Option<Self> {
        Self::from_unix(self.0.checked_add(seconds)?)
    }
}

impl<'de> Deserialize<'de> for BlockTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        Self::from_unix(seconds).ok_or_else(|| serde::de::Error::custom("a time after the year 9999"))
    }
}

impl core::fmt::Display for BlockTime {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// An amount of privacy budget: millionths of ε.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MicroEpsilon(u64);

impl MicroEpsilon {
    /// No budget.
    pub const ZERO: MicroEpsilon = MicroEpsilon(0);

    /// This many millionths of ε.
    pub const fn new(millionths: u64) -> Self {
        Self(millionths)
    }

    /// The bare number of millionths.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The sum; none beyond what a number holds.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// What is left; none if there is less than that.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl core::fmt::Display for MicroEpsilon {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (whole, millionths) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if millionths == 0 {
            return write!(f, "ε {whole}");
        }
        let digits = format!("{millionths:06}");
        write!(f, "ε {whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_add_up_or_do_not_and_are_written_as_decimals() {
        let [one, max] = [1, u64::MAX].map(MicroEpsilon::new);
        assert_eq!(max.checked_add(one), None);
        assert_eq!(MicroEpsilon::ZERO.checked_sub(one), None);
        assert_eq!(max.checked_sub(max), Some(MicroEpsilon::ZERO));
        for (millionths, text) in [(1_500_000, "ε 1.5"), (1, "ε 0.000001"), (0, "ε 0"), (20_000_000, "ε 20")] {
            assert_eq!(MicroEpsilon::new(millionths).to_string(), text);
        }
        assert_eq!(serde_json::to_string(&one).unwrap(), "1");
    }

    #[test]
    fn days_and_the_end_of_time() {
        assert_eq!(BlockTime::from_unix(86_399).map(BlockTime::day), Some(0));
        assert_eq!(BlockTime::from_unix(86_400).map(BlockTime::day), Some(1));
        assert_eq!(BlockTime::from_unix(BLOCK_TIME_MAX).map(BlockTime::day), Some(2_932_896));
        assert_eq!(BlockTime::from_unix(BLOCK_TIME_MAX + 1), None);
        assert!(serde_json::from_str::<BlockTime>("253402300800").is_err());
        assert_eq!(Height::new(u64::MAX).next(), None);
    }
}
