//! How much is let through in a minute, on a key and on its organization.
//!
//! Each limit is a [`gcra`] of its own. A call passes all of them or uses none: requests count one each, tokens are
//! reserved by an estimate and settled by what the provider counted. What is kept is by id, not by policy, so that a
//! change of a limit forgets nothing. The threads of one gateway share it; gateways do not.

mod gcra;
mod told;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use gatewarden_types::{Limits, PerMinute, Timestamp};
use uuid::Uuid;

use crate::{admission::Holder, refusal::Refusal};
use gcra::{Decision, MINUTE, refunded, step};
pub(crate) use told::{Level, Over, Standing, What};

/// How many locks the states are spread over.
const SHARDS: usize = 64;
/// From how many states on a shard forgets those that are as good as new.
const CROWDED: usize = 4096;

/// One key's or organization's states of [`gcra`], in the order of [`What`].
type States = [u64; 2];

/// What has been let through lately.
#[derive(Debug)]
pub(crate) struct Limiter {
    shards: Vec<Mutex<HashMap<Uuid, States>>>,
}

/// What a call was let through with, until it is known what it used.
#[derive(Debug)]
pub(crate) struct Reservation {
    limiter: Arc<Limiter>,
    tokens: u64,
    at: u64,
    /// The token limits that it counts against, of each level.
    of: [Option<(Uuid, PerMinute)>; 2],
}

/// A key or an organization, with the limits that it has.
struct Holding<'a> {
    level: Level,
    id: Uuid,
    name: &'a str,
    limits: Limits,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Limiter {
    /// Lets a call of about `tokens` through, or says which limit is used up. None of the limits is used then.
    pub(crate) fn admit(
        self: &Arc<Self>,
        holder: &Holder,
        tokens: u64,
        at: Timestamp,
    ) -> Result<(Reservation, Standing), Refusal> {
        let now = nanos(at);
        let mut standing = Standing::default();
        let mut reservation = Reservation { limiter: Arc::clone(self), tokens, at: now, of: [None; 2] };
        let (mut passed, mut over): ([Option<(Uuid, States)>; 2], _) = ([None; 2], None);
        for ((holding, passed), counts) in holdings(holder).zip(&mut passed).zip(&mut reservation.of) {
            match self.pass(&holding, tokens, now, &mut standing) {
                Ok(grown) => *passed = Some((holding.id, grown)),
                Err(why) => {
                    over = Some(why);
                    break;
                }
            }
            *counts = holding.limits.tokens.map(|limit| (holding.id, limit));
        }
        if let Some(over) = over {
            for (id, used) in passed.into_iter().flatten() {
                self.give_back(id, used);
            }
            return Err(Refusal::Limited(Box::new(over)));
        }
        Ok((reservation, standing))
    }

    /// Steps both limits of one holding, or neither; gives what each has grown by.
    fn pass(&self, holding: &Holding, tokens: u64, now: u64, standing: &mut Standing) -> Result<States, Over> {
        let mut shard = self.shard(holding.id);
        // Only where it would have to grow, so that a crowd that is all there is not looked through at each call.
        if shard.len() >= CROWDED && shard.len() == shard.capacity() {
            shard.retain(|_, states| states.iter().any(|state| *state > now));
        }
        let held = shard.entry(holding.id).or_default();
        let states = *held;
        let (mut next, mut grown) = (states, States::default());
        for (((what, state), after), more) in What::ALL.into_iter().zip(states).zip(&mut next).zip(&mut grown) {
            let Some(limit) = what.of(&holding.limits) else { continue };
            let cost = if what == What::Requests { 1 } else { tokens };
            match step(state, now, cost, limit) {
                Decision::Pass { state: stepped, left } => {
                    *more = stepped.saturating_sub(state.max(now));
                    *after = stepped;
                    standing.note(what, limit, left, stepped - now);
                }
                Decision::Wait { nanos, left, full } => {
                    standing.note(what, limit, left, full);
                    let (level, name) = (holding.level, holding.name.to_owned());
                    return Err(Over { level, name, what, limit, wait: nanos, standing: *standing });
                }
            }
        }
        *held = next;
        Ok(grown)
    }

    fn give_back(&self, id: Uuid, used: States) {
        if let Some(states) = self.shard(id).get_mut(&id) {
            for (state, used) in states.iter_mut().zip(used) {
                *state = state.saturating_sub(used);
            }
        }
    }

    fn shard(&self, id: Uuid) -> std::sync::MutexGuard<'_, HashMap<Uuid, States>> {
        // The low bits of an id are random.
        let at = usize::try_from(id.as_u64_pair().1 % SHARDS as u64).unwrap_or_default();
        // INVARIANT: there are as many shards as that.
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Puts what was used in the place of what was reserved, `elapsed` nanoseconds later.
    pub(crate) fn settle(self, used: u64, elapsed: u64) {
        let now = self.at.saturating_add(elapsed);
        for (id, limit) in self.of.iter().flatten() {
            if let Some([_, state]) = self.limiter.shard(*id).get_mut(id) {
                *state = refunded(*state, now, (self.tokens, used), elapsed, *limit);
            }
        }
    }

    /// What was reserved.
    pub(crate) fn tokens(&self) -> u64 {
        self.tokens
    }
}

/// At most one of each level.
fn holdings(holder: &Holder) -> impl Iterator<Item = Holding<'_>> {
    let (id, held) = (holder.key.uuid(), &*holder.held);
    let key = Holding { level: Level::Key, id, name: &held.name, limits: held.limits };
    let organization = holder.policy.organization().map(|organization| Holding {
        level: Level::Organization,
        id: organization.id.uuid(),
        name: organization.name.as_str(),
        limits: organization.limits,
    });
    let limited = |holding: &Holding<'_>| holding.limits != Limits::default();
    std::iter::once(key).chain(organization).filter(limited)
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.micros()).unwrap_or_default().saturating_mul(1000)
}

/// Nanoseconds as the seconds in which they are over.
pub(crate) fn seconds(nanos: u64) -> u64 {
    nanos.div_ceil(MINUTE / 60)
}
