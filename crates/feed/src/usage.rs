//! What is kept of each call: who, which model, how it went and what it took. Never what was said.

mod code;
pub mod wire;

use gatewarden_types::{Account, Id, Key, Member, Model, Organization, Provider, Request, Seq, Timestamp};
use serde::{Deserialize, Serialize};

pub use code::{BadCode, RefusalCode};

/// One call by a key that was proven, allowed or refused. There is exactly one for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsageRecord {
    /// The request, as the answer's `x-request-id` names it.
    pub request: Id<Request>,
    /// When it came, in microseconds since 1970.
    pub at: Timestamp,
    /// Whose policy it was decided by.
    pub organization: Id<Organization>,
    /// The position of that policy.
    pub seq: Seq,
    /// The key it came with.
    pub key: Id<Key>,
    /// The member the key belongs to; none for a key of the organization.
    pub member: Option<Id<Member>>,
    /// That member's account.
    pub account: Option<Id<Account>>,
    /// The model it was for; none when refused before that was clear.
    pub model: Option<Id<Model>>,
    /// The provider that was called.
    pub provider: Option<Id<Provider>>,
    /// The HTTP status of the answer; 499 when the caller left before there was one.
    pub status: u16,
    /// Why it was refused or cut off, as the code in the answer's body; none when it was passed on.
    pub refused: Option<RefusalCode>,
    /// Whether the answer was a stream.
    pub streamed: bool,
    /// Whether the answer was passed on to its end.
    pub complete: bool,
    /// The tokens that the provider counted.
    pub tokens: Option<Tokens>,
    /// From the request's arrival to the last byte of its answer, in microseconds.
    pub total_micros: u64,
    /// From sending it to the provider to the first byte of the answer, in microseconds.
    pub upstream_micros: Option<u64>,
}

/// The tokens that a provider counted for one call, each at most [`MOST_TOKENS`](gatewarden_types::MOST_TOKENS).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// What the model read.
    pub read: u64,
    /// What it wrote.
    pub written: u64,
}
