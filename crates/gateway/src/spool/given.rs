//! What the spool's tests begin with.

use gatewarden_types::{Id, Organization, Timestamp};
use uuid::Uuid;

use gatewarden_feed::UsageRecord;

pub fn organization(number: u128) -> Id<Organization> {
    Id::from_uuid(Uuid::from_u128(number))
}

/// A call in an organization, told apart by its number.
pub fn record(of: u128, number: u128) -> UsageRecord {
    UsageRecord {
        request: Id::from_uuid(Uuid::from_u128(number)),
        at: Timestamp::from_micros(1),
        organization: organization(of),
        seq: 1,
        key: Id::from_uuid(Uuid::from_u128(1)),
        member: None,
        account: None,
        model: None,
        provider: None,
        status: 200,
        refused: None,
        streamed: false,
        complete: true,
        tokens: None,
        total_micros: 1,
        upstream_micros: None,
    }
}
