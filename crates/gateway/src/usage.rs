//! How a call is metered, and where the record of it goes.

use std::sync::{
    Arc,
    mpsc::{Receiver, SyncSender, sync_channel},
};

use gatewarden_feed::{RefusalCode, UsageRecord};
use gatewarden_types::{Id, Request, Timestamp};
use tokio::time::Instant;

use crate::{admission::Holder, limits::Reservation, refusal::Refusal, status::Counters};

/// How many records wait at most in memory until they are spooled; more are dropped and counted.
const WAITING: usize = 16_384;

/// Where records wait. Taking one in wakes nobody; they are collected now and then.
#[derive(Debug, Clone)]
pub(crate) struct Till {
    records: SyncSender<UsageRecord>,
    counters: Arc<Counters>,
}

impl Till {
    pub(crate) fn new(counters: Arc<Counters>) -> (Self, Receiver<UsageRecord>) {
        let (records, collected) = sync_channel(WAITING);
        (Self { records, counters }, collected)
    }

    fn take(&self, record: UsageRecord) {
        if self.records.try_send(record).is_err() {
            Counters::add(&self.counters.usage_dropped);
        }
    }
}

/// The record of one call in the making. It is handed in when this is dropped, however the call ended.
#[derive(Debug)]
pub(crate) struct Meter {
    record: Option<UsageRecord>,
    till: Till,
    came: Instant,
    sent: Option<Instant>,
    reservation: Option<Reservation>,
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
        Self { record: Some(record), till, came, sent: None, reservation: None }
    }

    /// Changes what is recorded.
    pub(crate) fn note(&mut self, change: impl FnOnce(&mut UsageRecord)) {
        if let Some(record) = &mut self.record {
            change(record);
        }
    }

    /// The call was refused here.
    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.note(|record| {
            record.status = refusal.status().as_u16();
            record.refused = Some(RefusalCode::own(refusal.code()));
            record.complete = true;
        });
    }

    /// The call was ended here while its answer was passing: its status is said, and it stays incomplete.
    pub(crate) fn cut(&mut self, refusal: &Refusal) {
        self.till.counters.refused(refusal);
        self.note(|record| record.refused = Some(RefusalCode::own(refusal.code())));
    }

    /// The call was let through with this much, which is settled when it ends.
    pub(crate) fn reserved(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// The request is on its way to the provider.
    pub(crate) fn sent(&mut self, now: Instant) {
        self.sent = Some(now);
    }

    /// The provider's answer has begun.
    pub(crate) fn answered(&mut self, now: Instant, status: u16) {
        let took = self.sent.map(|sent| micros(sent, now));
        self.note(|record| {
            record.status = status;
            record.upstream_micros = took;
        });
    }
}

/// The tokens that a call counts for. Where nobody has counted, what was reserved stands for a call that may have been
/// worked on, and nothing for one that failed.
fn used(record: &UsageRecord, reserved: u64) -> u64 {
    match (record.tokens, record.status) {
        (Some(tokens), _) => tokens.read.saturating_add(tokens.written),
        (None, 200..=299 | LEFT) => reserved,
        (None, _) => 0,
    }
}

fn micros(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            record.total_micros = micros(self.came, Instant::now());
            if let Some(reservation) = self.reservation.take() {
                let used = used(&record, reservation.tokens());
                reservation.settle(used, record.total_micros.saturating_mul(1000));
            }
            self.till.take(record);
        }
    }
}
