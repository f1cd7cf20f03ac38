//! How gateways tell each other, by way of the control plane, what they have let through.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError},
    time::Duration,
};

use gatewarden_feed::{Filled, Spender, Spending};
use gatewarden_types::{Clock, Id, Organization};

use super::{Counted, Limiter, nanos};

/// How often the others are told.
pub(crate) const TELLING: Duration = Duration::from_millis(250);
/// The same, in nanoseconds.
const PERIOD: u64 = 250_000_000;
/// After how many nanoseconds without an answer a gateway counts alone.
const SILENCE: u64 = 2_000_000_000;

/// What each organization's control plane is being told.
pub(super) type Rounds = HashMap<Id<Organization>, Round>;

#[derive(Debug, Default)]
pub(super) struct Round {
    /// Empty once it was answered.
    spending: Spending,
    since: u64,
    under_way: bool,
}

impl Round {
    fn is_open(&self) -> bool {
        !self.spending.by.is_empty()
    }

    fn is_late(&self, now: u64) -> bool {
        self.is_open() && now.saturating_sub(self.since) > SILENCE
    }
}

/// What the control plane is to be told about an organization's limits. Dropped without an answer, it is told again.
#[derive(Debug)]
pub struct Telling {
    /// Whose.
    pub organization: Id<Organization>,
    /// What.
    pub spending: Spending,
    limiter: Arc<Limiter>,
    clock: Clock,
}

impl Telling {
    /// Takes in how full the limits are.
    pub fn answered(self, filled: &[Filled]) {
        let now = nanos(self.clock.now());
        for Filled { id, left } in filled {
            if let Some(counted) = self.limiter.shard(*id).counted.get_mut(id)
                && counted.organization == self.organization
            {
                counted.heard = now;
                for (bucket, left) in counted.buckets.iter_mut().zip(left) {
                    bucket.told(*left, now, counted.gateways);
                }
            }
        }
        if let Some(round) = self.limiter.rounds().get_mut(&self.organization) {
            round.spending.by.clear();
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if let Some(round) = self.limiter.rounds().get_mut(&self.organization) {
            round.under_way = false;
        }
    }
}

impl Counted {
    /// Whether others may have let through much that is not known here.
    pub(super) fn is_unheard(&self, now: u64) -> bool {
        now.saturating_sub(self.heard) > PERIOD
    }
}

impl Limiter {
    /// Waits until there is something to tell that should not wait.
    pub(crate) async fn unheard(&self) {
        self.unheard.notified().await;
    }

    /// What is to be told now: one round for each organization, the next when it was answered.
    pub(crate) fn tell(self: &Arc<Self>, clock: &Clock) -> Vec<Telling> {
        let now = nanos(clock.now());
        self.collect(now);
        let mut rounds = self.rounds();
        let due = rounds.iter_mut().filter(|(_, round)| round.is_open() && !round.under_way);
        let told = due.map(|(organization, round)| {
            round.under_way = true;
            let (organization, spending) = (*organization, round.spending.clone());
            Telling { organization, spending, limiter: Arc::clone(self), clock: clock.clone() }
        });
        told.collect()
    }

    /// Opens rounds with what was asked of limits since, where none is open.
    fn collect(&self, now: u64) {
        let mut rounds = self.rounds();
        let mut fresh: HashMap<_, Vec<Spender>> = HashMap::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for id in std::mem::take(&mut shard.asked) {
                let Some(counted) = shard.counted.get_mut(&id) else { continue };
                let round = rounds.get(&counted.organization);
                let by = fresh.entry(counted.organization).or_default();
                if round.is_some_and(Round::is_open) || by.len() == Spending::MOST {
                    if round.is_some_and(|round| round.is_late(now)) {
                        let gateways = counted.gateways;
                        counted.buckets.iter_mut().for_each(|bucket| bucket.drain_alone(now, gateways));
                    }
                    shard.asked.push(id);
                } else {
                    counted.asked = false;
                    by.push(Spender { id, spent: counted.buckets.each_mut().map(|bucket| bucket.tell(now)) });
                }
            }
        }
        for (organization, by) in fresh.into_iter().filter(|(_, by)| !by.is_empty()) {
            let round = rounds.entry(organization).or_default();
            // Numbers of an earlier start are below this, as that one has told less often than each nanosecond.
            let number = now.max(round.spending.round + 1);
            *round = Round { spending: Spending { round: number, by }, since: now, under_way: false };
        }
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
