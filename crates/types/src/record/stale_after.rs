use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::BadWord;

/// How long a gateway may go without hearing from the control plane before it refuses calls: whole seconds, from one
/// minute to 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct StaleAfter(u32);

const BAD: BadWord = BadWord("Give a whole number of seconds from 60 (a minute) to 2592000 (30 days).");

impl StaleAfter {
    /// The shortest, in seconds: one minute.
    pub const LEAST: u32 = 60;
    /// The longest, in seconds: 30 days.
    pub const MOST: u32 = 30 * 24 * 60 * 60;

    /// The number of seconds.
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// The span.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl Default for StaleAfter {
    /// One day.
    fn default() -> Self {
        Self(24 * 60 * 60)
    }
}

impl TryFrom<u64> for StaleAfter {
    type Error = BadWord;

    fn try_from(seconds: u64) -> Result<Self, BadWord> {
        let seconds = u32::try_from(seconds).map_err(|_| BAD)?;
        if (Self::LEAST..=Self::MOST).contains(&seconds) { Ok(Self(seconds)) } else { Err(BAD) }
    }
}

impl From<StaleAfter> for u64 {
    fn from(span: StaleAfter) -> Self {
        span.0.into()
    }
}

impl FromStr for StaleAfter {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        text.trim().parse::<u64>().map_err(|_| BAD)?.try_into()
    }
}

impl fmt::Display for StaleAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_minute_at_least_and_a_month_at_most() {
        for good in ["60", " 86400 ", "2592000"] {
            assert_eq!(good.parse::<StaleAfter>().unwrap().to_string(), good.trim());
        }
        for bad in ["", "0", "59", "-60", "1.5", "2592001", "4294967356", "a day"] {
            assert!(bad.parse::<StaleAfter>().is_err(), "{bad}");
        }
        assert_eq!(StaleAfter::default().duration(), Duration::from_hours(24));
        assert_eq!(serde_json::to_string(&StaleAfter::default()).unwrap(), "86400");
        assert!(serde_json::from_str::<StaleAfter>("59").is_err());
    }
}
