//! How a call is metered, and where the record of it goes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gatewarden_feed::{RefusalCode, UsageRecord};
use gatewarden_types::{Id, Request, Timestamp};
use tokio::time::Instant;

use crate::{admission::Holder, limits::Reservation, refusal::Refusal, status::Counters};

/// How many records wait at most in memory until they are spooled; more are dropped and counted.
pub(crate) const WAITING: usize = 16_384;

/// Where records wait. Taking one in wakes nobody; they are collected now and then.
#[derive(Debug, Clone)]
pub(crate) struct Till(Arc<Tray>);

/// Whoever collects what is in a till.
#[derive(Debug)]
pub(crate) struct Collector(Arc<Tray>);

#[derive(Debug)]
struct Tray {
    /// Grows to what comes between two collections and no further, so that its memory stays near.
    records: Mutex<VecDeque<UsageRecord>>,
    counters: Arc<Counters>,
}

impl Tray {
    fn records(&self) -> MutexGuard<'_, VecDeque<UsageRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Till {
    pub(crate) fn new(counters: Arc<Counters>) -> (Self, Collector) {
        let tray = Arc::new(Tray { records: Mutex::default(), counters });
        (Self(Arc::clone(&tray)), Collector(tray))
    }

    /// Takes a record in, as far as there is room.
    pub(crate) fn take(&self, record: UsageRecord) {
        let mut records = self.0.records();
        if records.len() < WAITING {
            records.push_back(record);
        } else {
            Counters::add(&self.0.counters.usage_dropped);
        }
    }
}

#[cfg(test)]
impl Till {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.records().is_empty()
    }
}

impl Collector {
    /// Whether nobody can make records any more.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Moves the oldest, as many as `most`, to the end of `collected`; whether some are left.
    pub(crate) fn collect(&self, most: usize, collected: &mut Vec<UsageRecord>) -> bool {
        let mut records = self.0.records();
        let taken = most.min(records.len());
        collected.extend(records.drain(..taken));
        !records.is_empty()
    }
}

/// The record of one call in the making. It is handed in when this is dropped, however the call ended.
#[derive(Debug)]
pub(crate) struct Meter {
    record: Option<UsageRecord>,
    till: Till,
    came: Instant,
    reserved: Option<Reserved>,
}

/// What a call was let through with, and since when.
#[derive(Debug)]
struct Reserved {
    reservation: Reservation,
    since: Instant,
    /// Whether a provider may have worked on the call.
    worked_on: bool,
}

/// What a caller's leaving before the answer is recorded as, after nginx.
const LEFT: u16 = 499;

impl Meter {
    pub(crate) fn start(till: Till, request: Id<Request>, at: Timestamp, came: Instant, holder: &Holder) -> Self {
        let record = UsageRecord {
            request,
            at,
            organization: holder.held.organization,
            seq: holder.policy.seq(),
            key: holder.key,
            member: holder.owner.as_ref().map(|member| member.id),
            account: holder.owner.as_ref().map(|member| member.account),
            model: None,
            provider: None,
            status: LEFT,
            refused: None,
            streamed: false,
            complete: false,
            tokens: None,
            total_micros: 0,
            upstream_micros: None,
        };
        Self { record: Some(record), till, came, reserved: None }
    }

    /// Changes what is recorded.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut UsageRecord)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    /// The call was refused here.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        if let Some(reserved) = &mut self.reserved {
            reserved.worked_on &= !refusal.is_without_work();
        }
        self.note(|record| {
            record.status = refusal.status().as_u16();
            record.refused = Some(RefusalCode::own(refusal.code()));
            record.complete = true;
        });
    }

    /// The call was ended here while its answer was passing: its status is said, and it stays incomplete.
    pub(crate) fn cut(&mut self, refusal: &Refusal) {
        self.till.0.counters.refused(refusal);
        self.note(|record| record.refused = Some(RefusalCode::own(refusal.code())));
    }

    /// The request is on its way to the provider. It was let through with this much, which is settled when it ends.
    pub(crate) fn sent(&mut self, reservation: Reservation, now: Instant) {
        self.reserved = Some(Reserved { reservation, since: now, worked_on: true });
    }

    /// The provider's answer has begun.
    pub(crate) fn answered(&mut self, now: Instant, status: u16) {
        let took = self.reserved.as_ref().map(|reserved| micros(reserved.since, now));
        if let Some(reserved) = &mut self.reserved {
            reserved.worked_on = (200..300).contains(&status);
        }
        self.note(|record| {
            record.status = status;
            record.upstream_micros = took;
        });
    }
}

impl Reserved {
    /// Has the call count for what it used.
    fn settle(self, record: &UsageRecord, now: Instant) {
        let used = if self.worked_on { used(record, self.reservation.tokens()) } else { 0 };
        // From when it was reserved, not from when the call came: its body may have come slowly.
        self.reservation.settle(used, micros(self.since, now).saturating_mul(1000));
    }
}

/// The tokens that a call counts for which a provider may have worked on: what was counted, or else what was reserved. Of an
/// answer that broke off the counts may have come only in part.
fn used(record: &UsageRecord, reserved: u64) -> u64 {
    let counted = record.tokens.map(|tokens| tokens.read.saturating_add(tokens.written));
    if record.complete { counted.unwrap_or(reserved) } else { counted.unwrap_or_default().max(reserved) }
}

fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            let now = Instant::now();
            record.total_micros = micros(self.came, now);
            if let Some(reserved) = self.reserved.take() {
                reserved.settle(&record, now);
            }
            self.till.take(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatewarden_credentials::{ApiKey, RootKey};
    use gatewarden_types::{
        AnyRecord, Entropy, Key, KeyOwner, KeyState, Limits, ModelSet, Organization, OrganizationState, Reach,
        StaleAfter, Visibility,
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        limits::Limiter,
        snapshot::{SealingKeys, Snapshot, Vault},
    };

    const AT: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    /// Who may use so many tokens a minute.
    fn holder(tokens: u64) -> Holder {
        let secret = ApiKey::generate(Id::from_uuid(Uuid::from_u128(1)), &Entropy::new(|bytes| bytes.fill(1)));
        let key = Key {
            id: secret.id(),
            name: "CI".parse().expect("a name"),
            owner: KeyOwner::Organization,
            levels: Key::usual_levels(),
            models: ModelSet::All,
            limits: Limits { requests: None, tokens: Some(tokens.try_into().expect("a limit")) },
            expires: None,
            verifier: secret.verifier(),
            state: KeyState::Active,
        };
        let organization = Organization {
            id: Id::from_uuid(Uuid::from_u128(2)),
            slug: "acme".parse().expect("a slug"),
            name: "Acme".parse().expect("a name"),
            state: OrganizationState::Active,
            visibility: Visibility { usage: Reach::Own },
            limits: Limits::default(),
            epoch: 1,
            stale_after: StaleAfter::default(),
        };
        let root = RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)));
        let (id, records) = (organization.id, vec![AnyRecord::Organization(organization), AnyRecord::Key(key)]);
        let vault = Vault::new(SealingKeys::One(root.sealing()));
        let snapshot = Snapshot::default().rebase(id, 1, records, &vault).expect("a policy");
        Holder::find(&snapshot, &secret).expect("its key")
    }

    #[test]
    fn a_call_whose_body_came_slowly_fills_no_limit_once_it_is_over() {
        let (holder, limiter) = (holder(1000), Arc::<Limiter>::default());
        let (reservation, _) = limiter.admit(&holder, 900, AT).expect("passes");
        let (till, _records) = Till::new(Arc::default());
        let now = Instant::now();
        let came = now.checked_sub(Duration::from_secs(50)).expect("the machine runs for longer");
        let mut meter = Meter::start(till, Id::from_uuid(Uuid::from_u128(3)), AT, came, &holder);
        meter.sent(reservation, now);
        meter.answered(now, 500);
        drop(meter);
        assert!(limiter.admit(&holder, 900, AT).is_ok(), "all of it is there again");
    }
}
