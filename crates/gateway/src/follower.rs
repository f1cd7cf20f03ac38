//! What comes from the control plane, and what becomes of it. A state machine without I/O.

use std::collections::BTreeMap;

use gatewarden_feed::{FeedEvent, OUT_OF_REACH};
use gatewarden_trail::Entry;
use gatewarden_types::{Backoff, Id, Organization, Timestamp};
use tokio::time::Instant;

use crate::snapshot::{Age, SealingKeys, Snapshot, Unreadable, Vault};

/// Something that someone has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Whose policy stays behind.
    pub organization: Id<Organization>,
    /// Why.
    pub problem: Unreadable,
}

/// Follows the trails of all organizations and folds them into a snapshot.
#[derive(Debug)]
pub struct Follower {
    snapshot: Snapshot,
    vault: Vault,
    caught_up: bool,
    /// Whether it follows over a network, where what is current is said to be.
    elsewhere: bool,
    /// The organizations that only a new base heals.
    ill: BTreeMap<Id<Organization>, Asking>,
    /// When an organization's policy was last known to be current. Those that are followed in the same process are not in
    /// it: they are as current as the process.
    heard: BTreeMap<Id<Organization>, Timestamp>,
}

/// When to ask for a base; at once, until it was asked for.
#[derive(Debug, Default)]
struct Asking {
    due: Option<Instant>,
    backoff: Backoff,
}

impl Follower {
    /// Knows nothing yet; opens provider secrets with `keys`.
    pub fn new(keys: SealingKeys) -> Self {
        Self {
            snapshot: Snapshot::default(),
            vault: Vault::new(keys),
            caught_up: false,
            elsewhere: false,
            ill: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// The same on another host, where a policy decides from when it was first said to be current.
    #[must_use]
    pub fn elsewhere(self) -> Self {
        Self { elsewhere: true, ..self }
    }

    /// The policy as of the last event.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether everything has come that was there when following began.
    pub fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// The organizations whose base is to be asked for now, because something of theirs could not be read. Each is asked
    /// for again, ever more rarely, until a base comes that can be read.
    pub fn wishes(&mut self, now: Instant) -> Vec<Id<Organization>> {
        let due = self.ill.iter_mut().filter(|(_, asking)| asking.due.is_none_or(|due| due <= now));
        let asked = due.map(|(organization, asking)| {
            asking.due = Some(now + asking.backoff.failed());
            *organization
        });
        asked.collect()
    }

    /// What the time does to the policy: one whose organization was not heard of for too long decides nothing any more.
    /// Whether anything changed by it.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        let stale = |organization, heard: &Timestamp| {
            self.snapshot.stale_after(organization).is_some_and(|seconds| now >= heard.plus_seconds(seconds))
        };
        let turned = self.heard.iter().map(|(organization, heard)| (*organization, stale(*organization, heard)));
        let turned: Vec<_> =
            turned.filter(|(organization, stale)| self.snapshot.is_stale(*organization) != *stale).collect();
        for (organization, stale) in &turned {
            self.snapshot = self.snapshot.with_stale(*organization, *stale);
        }
        !turned.is_empty()
    }

    /// Whether an organization that is followed over a network was not heard of lately.
    pub fn is_cut_off(&self, now: Timestamp) -> bool {
        self.heard.values().any(|heard| now >= heard.plus_seconds(OUT_OF_REACH.as_secs().cast_signed()))
    }

    /// Takes in one event. What cannot be read changes nothing but the organization's quarantine, and is returned.
    pub fn step(&mut self, event: FeedEvent) -> Option<Alarm> {
        let told_to_wait = matches!(event, FeedEvent::Behind { .. });
        let (organization, result) = self.next(event)?;
        // What was opened lives in the snapshot; the sealed bodies are of no further use.
        self.vault.hold(Vec::new());
        match result {
            Ok(next) => {
                self.snapshot = next;
                self.ill.remove(&organization);
                None
            }
            Err(problem) => {
                if told_to_wait {
                    // A base comes without being asked for.
                    self.ill.remove(&organization);
                } else {
                    self.ill.entry(organization).or_default();
                }
                self.snapshot = self.snapshot.quarantine(organization, problem.clone());
                Some(Alarm { organization, problem })
            }
        }
    }

    /// What an event makes of an organization's policy; none where it says nothing of that.
    fn next(&mut self, event: FeedEvent) -> Option<(Id<Organization>, Result<Snapshot, Unreadable>)> {
        Some(match event {
            FeedEvent::CaughtUp => {
                self.caught_up = true;
                return None;
            }
            FeedEvent::Current { organization, at } => {
                // What is kept from before something unreadable is as old as that. At a start from disk it is as old as the
                // disk says, which stops to note that it is current when something cannot be read. Where nothing could be
                // read so far, nothing is current.
                let first = !self.heard.contains_key(&organization) && self.snapshot.epoch(organization).is_some();
                if self.snapshot.problem(organization).is_none() || first {
                    self.heard.insert(organization, at);
                    self.snapshot = self.snapshot.with_stale(organization, false);
                }
                return None;
            }
            FeedEvent::Behind { organization, problem } => (organization, Err(Unreadable::Unavailable(problem))),
            FeedEvent::Removed(organization) => {
                self.heard.remove(&organization);
                (organization, Ok(self.snapshot.without(organization)))
            }
            FeedEvent::Base { organization, seq, records, bodies, .. } => {
                self.vault.hold(bodies);
                let based = self.snapshot.rebase(organization, seq, records, &self.vault);
                // The entries that were kept with it may take something away: it decides nothing until they are in it.
                let early = self.elsewhere && !self.heard.contains_key(&organization);
                (organization, based.map(|based| if early { based.with_age(organization, Age::Coming) } else { based }))
            }
            FeedEvent::Entry { organization, bytes, bodies } => {
                self.vault.hold(bodies);
                (organization, self.entry(organization, &bytes))
            }
        })
    }

    fn entry(&self, organization: Id<Organization>, bytes: &[u8]) -> Result<Snapshot, Unreadable> {
        let entry = Entry::from_bytes(bytes).map_err(|error| Unreadable::Entry(error.to_string()))?;
        if entry.organization != Some(organization) {
            return Err(Unreadable::OtherTrail);
        }
        self.snapshot.apply(&entry, &self.vault)
    }
}
