//! What both sides hold to: where things are asked for, how much at once, and how often each is heard.

use std::time::Duration;

/// Where a gateway asks the control plane.
pub mod paths {
    /// To be let in.
    pub const ENROLL: &str = "/api/gateway/v1/enroll";
    /// For its organization's policy and what becomes of it.
    pub const FEED: &str = "/api/gateway/v1/feed";
    /// Says how it is.
    pub const REPORT: &str = "/api/gateway/v1/report";
    /// Tells what it let through, and asks how full the limits are.
    pub const LIMITS: &str = "/api/gateway/v1/limits";
    /// Hands over calls.
    pub const USAGE: &str = "/api/gateway/v1/usage";
}

/// The longest body of a request that the control plane takes, in bytes.
pub const LONGEST_BODY: usize = 64 * 1024;

/// How often either side says something when there is nothing new: the control plane that a policy is current, a gateway
/// how it is.
pub const BEAT: Duration = Duration::from_secs(5);
/// After how long without a word the other side is taken for gone: a gateway asks for another feed, and the Gateways page
/// shows a gateway as away. Two beats may be lost.
pub const SILENCE: Duration = BEAT.saturating_mul(3);
/// After how long without a word a gateway says that its control plane is out of reach: by then another feed would have
/// begun, if there were one.
pub const OUT_OF_REACH: Duration = SILENCE.saturating_add(BEAT);

#[cfg(test)]
mod tests {
    use gatewarden_types::{Id, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::{Fill, Filled, RefusalCode, Spender, Spending, Spent, Tallied, Tokens, UsageRecord, usage_batch};

    fn longest_call() -> UsageRecord {
        let uuid = Uuid::from_u128(u128::MAX);
        UsageRecord {
            request: Id::from_uuid(uuid),
            at: Timestamp::from_micros(i64::MIN),
            organization: Id::from_uuid(uuid),
            seq: u64::MAX,
            key: Id::from_uuid(uuid),
            member: Some(Id::from_uuid(uuid)),
            account: Some(Id::from_uuid(uuid)),
            model: Some(Id::from_uuid(uuid)),
            provider: Some(Id::from_uuid(uuid)),
            status: u16::MAX,
            refused: Some(RefusalCode::try_from("x".repeat(64)).unwrap()),
            streamed: true,
            complete: true,
            tokens: Some(Tokens { read: u64::MAX, written: u64::MAX }),
            total_micros: u64::MAX,
            upstream_micros: Some(u64::MAX),
        }
    }

    #[test]
    fn as_much_as_is_sent_at_once_is_not_too_long_for_the_other_side() {
        let calls = vec![longest_call(); usage_batch::MOST];
        let id = Uuid::from_u128(u128::MAX);
        let spent = [Spent { change: i64::MIN, full: u64::MAX }; 2];
        let by = vec![Spender { id, heard: Some(u64::MAX), spent }; Spending::MOST];
        let spending = serde_json::to_vec(&Spending { round: u64::MAX, age: u64::MAX, by }).unwrap();
        let filled = vec![Filled { id, drains_in: [Fill::LONGEST; 2] }; Spending::MOST];
        let tallied = serde_json::to_vec(&Tallied { tally: u64::MAX, filled }).unwrap();
        for (what, length) in
            [("calls", usage_batch::encode(&calls).len()), ("spending", spending.len()), ("tallied", tallied.len())]
        {
            assert!(length <= LONGEST_BODY, "{what}: {length} bytes");
        }
    }
}
