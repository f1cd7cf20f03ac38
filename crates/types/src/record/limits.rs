use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::BadWord;

/// How much may be called in a minute; none is as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Calls a minute.
    pub requests: Option<PerMinute>,
    /// Tokens a minute, read and written.
    pub tokens: Option<PerMinute>,
}

/// A number a minute, from 1 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PerMinute(NonZeroU32);

const BAD: BadWord = BadWord("Give a whole number from 1 to 1000000000, or nothing for no limit.");

impl PerMinute {
    /// The greatest.
    pub const MOST: u32 = 1_000_000_000;

    /// The number.
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u64> for PerMinute {
    type Error = BadWord;

    fn try_from(number: u64) -> Result<Self, BadWord> {
        let number = u32::try_from(number).and_then(NonZeroU32::try_from).map_err(|_| BAD)?;
        if number.get() <= Self::MOST { Ok(Self(number)) } else { Err(BAD) }
    }
}

impl From<PerMinute> for u64 {
    fn from(limit: PerMinute) -> Self {
        limit.get().into()
    }
}

impl FromStr for PerMinute {
    type Err = BadWord;

    fn from_str(text: &str) -> Result<Self, BadWord> {
        text.trim().parse::<u64>().map_err(|_| BAD)?.try_into()
    }
}

impl fmt::Display for PerMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_in_range_are_limits() {
        for good in ["1", " 60 ", "1000000000"] {
            assert_eq!(good.parse::<PerMinute>().unwrap().to_string(), good.trim());
        }
        for bad in ["", "0", "-1", "1.5", "1000000001", "many", "4294967297"] {
            assert!(bad.parse::<PerMinute>().is_err(), "{bad}");
        }
        let limits = Limits { requests: "60".parse().ok(), tokens: None };
        let text = serde_json::to_string(&limits).unwrap();
        assert_eq!(text, r#"{"requests":60,"tokens":null}"#);
        assert_eq!(serde_json::from_str::<Limits>(&text).unwrap(), limits);
        assert!(serde_json::from_str::<Limits>(r#"{"requests":0,"tokens":null}"#).is_err());
    }
}
