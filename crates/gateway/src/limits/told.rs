//! What a caller is told of limits: in headers, as OpenAI's API has them, and in the refusal.

use std::fmt;

use gatewarden_types::{Limits, PerMinute};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::seconds;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Requests,
    Tokens,
}

impl What {
    pub(super) const ALL: [Self; 2] = [Self::Requests, Self::Tokens];

    pub(super) fn of(self, limits: Limits) -> Option<PerMinute> {
        match self {
            Self::Requests => limits.requests,
            Self::Tokens => limits.tokens,
        }
    }

    /// The word for it in errors.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }
}

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Key,
    Organization,
}

/// A limit that a call does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Over {
    pub(super) level: Level,
    pub(super) name: String,
    pub(crate) what: What,
    pub(super) limit: PerMinute,
    /// How much could pass now.
    pub(super) left: u64,
    /// How much the call was counted for.
    pub(super) cost: u64,
    /// Whether it is not used up as far as is known, but may be when the other gateways are heard.
    pub(super) early: bool,
    /// In how many nanoseconds the call would pass.
    pub(crate) wait: u64,
    pub(crate) standing: Standing,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whose, who) = match self.level {
            Level::Key => ("Key", "An admin can make a key with another limit."),
            Level::Organization => ("Organization", "An admin can change it under Settings."),
        };
        let (name, limit, what, wait) = (&self.name, self.limit, self.what.word(), seconds(self.wait));
        let unit = if wait == 1 { "second" } else { "seconds" };
        if self.early {
            return write!(
                f,
                "{whose} '{name}' has a limit of {limit} {what} a minute, and this gateway has let its part of what is left \
                 through. Try again in {wait} {unit}. {who}"
            );
        }
        if self.left > 0 {
            let Self { left, cost, .. } = self;
            return write!(
                f,
                "{whose} '{name}' has {left} left of its limit of {limit} {what} a minute, and this call was counted for {cost}: \
                 for its text and what it lets be written. Try again in {wait} {unit}, or with a smaller 'max_tokens'. {who}"
            );
        }
        write!(f, "{whose} '{name}' has used its limit of {limit} {what} a minute. Try again in {wait} {unit}. {who}")
    }
}

/// The headers for requests: the limit, what is left, and when all of it is back.
static OF_REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
/// The same for tokens.
static OF_TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Where the tightest limits stand: the limit, what is left of it, and in how many nanoseconds all of it has come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    requests: Option<(PerMinute, u64, u64)>,
    tokens: Option<(PerMinute, u64, u64)>,
}

impl Standing {
    pub(super) fn note(&mut self, what: What, limit: PerMinute, left: u64, full: u64) {
        let tightest = match what {
            What::Requests => &mut self.requests,
            What::Tokens => &mut self.tokens,
        };
        if tightest.is_none_or(|(_, least, _)| left < least) {
            *tightest = Some((limit, left, full));
        }
    }

    /// Sets the headers, in the place of those that the provider has sent about its own limits.
    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (names, tightest) in [(&OF_REQUESTS, self.requests), (&OF_TOKENS, self.tokens)] {
            let Some((limit, left, full)) = tightest else { continue };
            let values = [HeaderValue::from(limit.get()), HeaderValue::from(left)];
            let values = values.into_iter().chain(HeaderValue::try_from(span(full)));
            for (name, value) in names.iter().zip(values) {
                headers.insert(name, value);
            }
        }
    }
}

/// A span as those headers have it: `0s`, `120ms`, `1s`, `6m0s`.
fn span(nanos: u64) -> String {
    let millis = nanos.div_ceil(1_000_000);
    match millis {
        0 => "0s".to_owned(),
        1..1000 => format!("{millis}ms"),
        _ => match seconds(nanos) {
            short @ 0..60 => format!("{short}s"),
            long => format!("{}m{}s", long / 60, long % 60),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_openai_writes_them() {
        for (millis, text) in
            [(0, "0s"), (120, "120ms"), (1000, "1s"), (1001, "2s"), (59_999, "1m0s"), (360_000, "6m0s")]
        {
            assert_eq!(span(millis * 1_000_000), text);
        }
    }
}
