//! How gateways tell each other, by way of the control plane, what they have let through.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
};

use gatewarden_feed::{Spender, Spending, Tallied};
use gatewarden_types::{Clock, Id, Organization};
use uuid::Uuid;

use super::{Counted, Heard, Limiter, SHARDS, nanos};

/// How often the others are told, in nanoseconds.
pub(crate) const PERIOD: u64 = 250_000_000;
/// After how many nanoseconds without an answer a gateway counts alone.
const SILENCE: u64 = 2_000_000_000;

/// What each organization's control plane is being told.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    of: HashMap<Id<Organization>, Round>,
    /// The shard to begin with, so that none always comes last.
    first: usize,
}

/// Something that is told until it was answered.
#[derive(Debug, Default)]
struct Round {
    /// Nobody is told of while it is empty.
    spending: Spending,
    since: u64,
    under_way: bool,
    /// Whether it was told before.
    again: bool,
}

impl Round {
    fn is_open(&self) -> bool {
        !self.spending.by.is_empty()
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
    /// Takes in how full the limits are. An answer to what was answered already changes nothing.
    pub fn answered(self, tallied: &Tallied) {
        let now = nanos(self.clock.now());
        let mut rounds = self.limiter.rounds();
        let Some(round) = rounds.of.get_mut(&self.organization).filter(|round| self.is(round)) else { return };
        for filled in &tallied.filled {
            if let Some(counted) = self.limiter.shard(filled.id).counted.get_mut(&filled.id)
                && counted.organization == self.organization
            {
                counted.heard = Some(Heard { tally: tallied.tally, at: now });
                for (bucket, drains_in) in counted.buckets.iter_mut().zip(filled.drains_in) {
                    bucket.told(drains_in, now, counted.gateways);
                }
            }
        }
        round.spending.by.clear();
    }

    fn is(&self, round: &Round) -> bool {
        round.is_open() && round.spending.round == self.spending.round
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let mut rounds = self.limiter.rounds();
        if let Some(round) = rounds.of.get_mut(&self.organization).filter(|round| self.is(round)) {
            (round.under_way, round.again) = (false, true);
        }
    }
}

impl Counted {
    /// For how long nothing was heard of what others have let through.
    pub(super) fn silence(&self, now: u64) -> u64 {
        self.heard.map_or(u64::MAX, |heard| now.saturating_sub(heard.at))
    }

    /// Whether the others were heard lately, or are just being asked.
    pub(super) fn hears(&self, now: u64) -> bool {
        let asked = self.asked.map_or(u64::MAX, |since| now.saturating_sub(since));
        self.silence(now).min(asked) <= SILENCE
    }

    fn tell(&mut self, id: Uuid, now: u64) -> Spender {
        let spent = self.buckets.each_mut().map(|bucket| bucket.tell(now));
        Spender { id, heard: self.heard.map(|heard| heard.tally), spent }
    }

    /// While nobody answers, what was let through drains at this gateway's part of the pace.
    fn drain_alone(&mut self, now: u64) {
        if self.silence(now) > SILENCE {
            let gateways = self.gateways;
            self.buckets.iter_mut().for_each(|bucket| bucket.drain_alone(now, gateways));
        }
    }
}

impl Limiter {
    /// Whether there is something to tell that should not wait for its time.
    pub(crate) fn hurries(&self) -> bool {
        self.hurry.swap(false, Relaxed)
    }

    /// What is to be told now: one round for each organization, the next when it was answered. What nobody has answered is
    /// told `again` only when it is time.
    pub(crate) fn tell(self: &Arc<Self>, clock: &Clock, again: bool) -> Vec<Telling> {
        let now = nanos(clock.now());
        let mut rounds = self.rounds();
        self.collect(&mut rounds, now);
        let due = rounds.of.iter_mut();
        let due = due.filter(|(_, round)| round.is_open() && !round.under_way && (again || !round.again));
        let told = due.map(|(organization, round)| {
            round.under_way = true;
            let spending = Spending { age: now.saturating_sub(round.since), ..round.spending.clone() };
            Telling { organization: *organization, spending, limiter: Arc::clone(self), clock: clock.clone() }
        });
        told.collect()
    }

    /// Opens rounds with what was asked of limits since, where none is open.
    fn collect(&self, rounds: &mut Rounds, now: u64) {
        let mut fresh: HashMap<_, Vec<Spender>> = HashMap::new();
        let first = rounds.first;
        for (at, shard) in self.shards.iter().enumerate().cycle().skip(first).take(SHARDS) {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for id in std::mem::take(&mut shard.asked) {
                let Some(counted) = shard.counted.get_mut(&id) else { continue };
                counted.drain_alone(now);
                let by = fresh.entry(counted.organization).or_default();
                if rounds.of.get(&counted.organization).is_some_and(Round::is_open) {
                    shard.asked.push(id);
                } else if by.len() == Spending::MOST {
                    rounds.first = at;
                    self.hurry.store(true, Relaxed);
                    shard.asked.push(id);
                } else {
                    counted.asked = None;
                    by.push(counted.tell(id, now));
                }
            }
        }
        for (organization, by) in fresh.into_iter().filter(|(_, by)| !by.is_empty()) {
            let round = rounds.of.entry(organization).or_default();
            // Numbers of an earlier start are below this, as that one has told less often than each nanosecond.
            let number = now.max(round.spending.round + 1);
            *round = Round { spending: Spending { round: number, age: 0, by }, since: now, ..Round::default() };
        }
    }

    fn rounds(&self) -> MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
