//! What the gateway says about itself: counters, readiness, and the pages that show them.

use std::{
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{follower::Alarm, refusal::Refusal, snapshot::Snapshot};

/// Counted since the start. Plain sums, no label but a refusal's code.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) passed: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) entries: AtomicU64,
    pub(crate) alarms: AtomicU64,
    pub(crate) usage_kept: AtomicU64,
    pub(crate) usage_waiting: AtomicU64,
    pub(crate) usage_bytes: AtomicU64,
    pub(crate) usage_unwritable: AtomicBool,
    pub(crate) usage_dropped: AtomicU64,
    pub(crate) connections: AtomicU64,
    refusals: Mutex<std::collections::BTreeMap<&'static str, u64>>,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn refused(&self, refusal: &Refusal) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(refusal.code()).or_default() += 1;
    }
}

/// The policy in force and the state of following it.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub(crate) snapshot: ArcSwap<Snapshot>,
    pub(crate) caught_up: AtomicBool,
    pub(crate) draining: AtomicBool,
    /// An admin has asked that calls go elsewhere.
    pub(crate) drained: AtomicBool,
    /// The control plane is out of reach: the policy in force stays as it is.
    pub(crate) orphaned: AtomicBool,
    /// Told whenever any of these has changed.
    pub(crate) news: watch::Sender<()>,
}

impl Current {
    /// Waits until `reached` holds of this.
    pub(crate) async fn until(&self, reached: impl Fn(&Self) -> bool) {
        let mut news = self.news.subscribe();
        while !reached(self) {
            // INVARIANT: the sender is in `self`, so the channel is open while this runs.
            if news.changed().await.is_err() {
                return;
            }
        }
    }
}

/// How a gateway is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it answers calls.
    pub ready: bool,
    /// Whether calls are to go elsewhere; those that still come are answered.
    pub draining: bool,
    /// Whether the control plane is out of reach, so that the policy cannot change now.
    pub orphaned: bool,
    /// The organizations it serves.
    pub organizations: usize,
    /// Those of them whose policy is too old to decide by, so that their calls are refused.
    pub stale: usize,
    /// The keys it knows.
    pub keys: usize,
    /// The organizations that keep an older policy, and why.
    pub alarms: Vec<Alarm>,
    /// What became of usage.
    pub usage: UsageStatus,
}

/// What became of usage records since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageStatus {
    /// How many were written to the disk.
    pub kept: u64,
    /// How many lie there and are not acknowledged.
    pub waiting: u64,
    /// How many bytes the spool has.
    pub bytes: u64,
    /// Whether the disk takes none now, so that they wait in memory.
    pub unwritable: bool,
    /// How many are lost, because too many waited in memory or on the disk.
    pub dropped: u64,
}

impl UsageStatus {
    fn of(counters: &Counters) -> Self {
        Self {
            kept: counters.usage_kept.load(Relaxed),
            waiting: counters.usage_waiting.load(Relaxed),
            bytes: counters.usage_bytes.load(Relaxed),
            unwritable: counters.usage_unwritable.load(Relaxed),
            dropped: counters.usage_dropped.load(Relaxed),
        }
    }
}

impl Status {
    pub(crate) fn of(current: &Current, counters: &Counters) -> Self {
        let snapshot = current.snapshot.load();
        let draining = current.draining.load(Relaxed) || current.drained.load(Relaxed);
        let quarantined = snapshot.quarantined();
        let (organizations, stale) = (snapshot.organizations(), snapshot.stale());
        // Where all calls are refused, they are to go elsewhere.
        let refuses_all = stale > 0 && !snapshot.decides();
        Self {
            ready: current.caught_up.load(Relaxed) && !draining && !refuses_all,
            draining,
            orphaned: current.orphaned.load(Relaxed),
            organizations,
            stale,
            keys: snapshot.keys(),
            alarms: quarantined.map(|(organization, _, why)| Alarm { organization, problem: why.clone() }).collect(),
            usage: UsageStatus::of(counters),
        }
    }

    /// For `/readyz`: anyone may read it, so it counts organizations and names none.
    pub(crate) fn json(&self) -> String {
        let degraded = self.orphaned || !self.alarms.is_empty() || self.usage.unwritable;
        let state = match (self.ready, self.draining, degraded) {
            (false, true, _) => "draining",
            (false, false, _) if self.stale > 0 => "stale",
            (false, false, _) => "starting",
            (true, _, true) => "degraded",
            (true, _, false) => "ready",
        };
        let (organizations, behind, orphaned) = (self.organizations, self.alarms.len(), self.orphaned);
        let body = serde_json::json!({
            "status": state, "organizations": organizations, "organizations_behind": behind,
            "organizations_stale": self.stale, "feed_lost": orphaned, "usage_unwritable": self.usage.unwritable,
        });
        body.to_string()
    }
}

/// The counters in Prometheus' text form.
pub(crate) fn metrics(status: &Status, counters: &Counters) -> String {
    let mut text = String::new();
    for (name, help, value) in sums(status, counters) {
        row(&mut text, format_args!("# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n"));
    }
    for (name, help, value) in gauges(status) {
        row(&mut text, format_args!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"));
    }
    row(
        &mut text,
        format_args!("# HELP gatewarden_refusals_total Calls refused.\n# TYPE gatewarden_refusals_total counter\n"),
    );
    let refusals = counters.refusals.lock().unwrap_or_else(PoisonError::into_inner);
    for (code, count) in refusals.iter() {
        row(&mut text, format_args!("gatewarden_refusals_total{{code=\"{code}\"}} {count}\n"));
    }
    text
}

/// A name, what it is for, and its value.
type Figure = (&'static str, &'static str, u64);

fn sums(status: &Status, counters: &Counters) -> [Figure; 8] {
    [
        ("gatewarden_requests_total", "Requests received.", counters.requests.load(Relaxed)),
        ("gatewarden_passed_total", "Calls passed on to a provider.", counters.passed.load(Relaxed)),
        ("gatewarden_retries_total", "Connections to providers tried again.", counters.retries.load(Relaxed)),
        ("gatewarden_feed_events_total", "Events taken in from the feed.", counters.entries.load(Relaxed)),
        ("gatewarden_feed_alarms_total", "Events that could not be read.", counters.alarms.load(Relaxed)),
        ("gatewarden_usage_kept_total", "Usage records written to the disk.", status.usage.kept),
        ("gatewarden_usage_dropped_total", "Usage records lost.", status.usage.dropped),
        ("gatewarden_connections_total", "Connections accepted.", counters.connections.load(Relaxed)),
    ]
}

fn gauges(status: &Status) -> [Figure; 9] {
    [
        ("gatewarden_usage_waiting", "Usage records on the disk, not acknowledged.", status.usage.waiting),
        ("gatewarden_usage_spool_bytes", "Bytes of usage on the disk.", status.usage.bytes),
        ("gatewarden_usage_unwritable", "1 while the disk takes no usage.", u64::from(status.usage.unwritable)),
        ("gatewarden_ready", "1 while calls are answered.", u64::from(status.ready)),
        ("gatewarden_feed_lost", "1 while the control plane is out of reach.", u64::from(status.orphaned)),
        ("gatewarden_organizations", "Organizations served.", status.organizations as u64),
        ("gatewarden_organizations_behind", "Organizations on an older policy.", status.alarms.len() as u64),
        (
            "gatewarden_organizations_stale",
            "Organizations whose calls are refused as policy_stale.",
            status.stale as u64,
        ),
        ("gatewarden_keys", "API keys known.", status.keys as u64),
    ]
}

fn row(text: &mut String, line: std::fmt::Arguments<'_>) {
    // INVARIANT: writing to a string does not fail.
    if text.write_fmt(line).is_err() {
        text.clear();
    }
}
