//! How much is let through in a minute, on a key and on its organization.
//!
//! Each limit is a [`gcra`] of its own. A call passes all of them or uses none: requests count one each, tokens are
//! reserved by an estimate and settled by what the provider counted. What is kept is by id, not by policy, so that a
//! change of a limit forgets nothing. The threads of one gateway share it, and gateways tell each other ([`sharing`]).

mod bucket;
mod gcra;
mod sharing;
#[cfg(test)]
mod simulation;
mod told;

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use gatewarden_types::{Id, Limits, Organization, PerMinute, Timestamp};
use uuid::Uuid;

use crate::{admission::Holder, refusal::Refusal};
use bucket::{Bucket, Held};
use gcra::{MINUTE, Wait, correction, reserved};
pub(crate) use sharing::PERIOD;
use sharing::Rounds;
pub use sharing::Telling;
pub(crate) use told::{Level, Over, Standing, What};

/// How many locks the states are spread over.
const SHARDS: usize = 64;
/// From how many states on a shard forgets those that are as good as new.
const CROWDED: usize = 4096;

/// What has been let through lately.
#[derive(Debug)]
pub(crate) struct Limiter {
    shards: Vec<Mutex<Shard>>,
    rounds: Mutex<Rounds>,
    /// Whether a limit was asked for of which nothing was heard lately, or more is to be told than was.
    hurry: AtomicBool,
}

#[derive(Debug, Default)]
struct Shard {
    counted: HashMap<Uuid, Counted, BuildHasherDefault<RandomBits>>,
    /// Those that other gateways have to be told of, and asked about.
    asked: Vec<Uuid>,
}

/// Hashes ids by their own bits, which are random, and not a caller's to choose: only proven keys are counted. The lowest are
/// the same in all of a shard.
#[derive(Debug, Default)]
struct RandomBits(u64);

impl Hasher for RandomBits {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            let bits = u64::from_be_bytes(*last) / SHARDS as u64;
            // The table looks at the highest bits as well as at the lowest; this spreads them.
            self.0 = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Where the limits of one key or organization stand, in the order of [`What`].
#[derive(Debug)]
struct Counted {
    organization: Id<Organization>,
    gateways: u32,
    buckets: [Bucket; 2],
    /// Since when it stands in [`Shard::asked`].
    asked: Option<u64>,
    heard: Option<Heard>,
}

/// That it was heard what the others have let through.
#[derive(Debug, Clone, Copy)]
struct Heard {
    tally: u64,
    at: u64,
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
    organization: Id<Organization>,
    gateways: u32,
}

/// A call as limits count it.
#[derive(Clone, Copy)]
struct Cost {
    tokens: u64,
    now: u64,
}

impl Cost {
    fn of(self, what: What) -> u64 {
        if what == What::Requests { 1 } else { self.tokens }
    }
}

impl Default for Limiter {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            rounds: Mutex::default(),
            hurry: AtomicBool::new(false),
        }
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
        let cost = Cost { tokens, now: nanos(at) };
        let mut standing = Standing::default();
        let mut reservation = Reservation { limiter: Arc::clone(self), tokens, at: cost.now, of: [None; 2] };
        let (mut passed, mut over) = ([const { None }; 2], None);
        for ((holding, passed), counts) in holdings(holder).zip(&mut passed).zip(&mut reservation.of) {
            if let Err(why) = self.pass(&holding, cost, &mut standing) {
                over = Some(why);
                break;
            }
            *counts = holding.limits.tokens.map(|limit| (holding.id, limit));
            *passed = Some(holding);
        }
        if let Some(over) = over {
            for holding in passed.iter().flatten() {
                self.give_back(holding, cost);
            }
            return Err(Refusal::Limited(Box::new(over)));
        }
        Ok((reservation, standing))
    }

    /// Lets the call through both limits of one holding, or neither.
    fn pass(&self, holding: &Holding, cost: Cost, standing: &mut Standing) -> Result<(), Over> {
        let mut shard = self.shard(holding.id);
        let (counted, newly) = shard.counted(holding, cost.now);
        if newly && counted.silence(cost.now) > PERIOD {
            self.hurry.store(true, Relaxed);
        }
        let mut next = counted.buckets;
        for (what, bucket) in What::ALL.into_iter().zip(&mut next) {
            let Some(limit) = what.of(holding.limits) else { continue };
            match bucket.admit(cost.now, cost.of(what), limit, holding.gateways) {
                Ok(left) => standing.note(what, limit, left, bucket.full(cost.now)),
                Err(Held { early, wait: Wait { nanos, left, full } }) => {
                    // The others are heard long before what was let through here has drained.
                    let wait = if early && counted.hears(cost.now) { nanos.min(PERIOD) } else { nanos };
                    standing.note(what, limit, left, full);
                    let (level, name, cost) = (holding.level, holding.name.to_owned(), cost.of(what));
                    return Err(Over { level, name, what, limit, left, cost, early, wait, standing: *standing });
                }
            }
        }
        counted.buckets = next;
        Ok(())
    }

    /// Takes back what a call was counted for that did not pass in the end.
    fn give_back(&self, holding: &Holding, cost: Cost) {
        if let Some(counted) = self.shard(holding.id).ask(holding.id, cost.now) {
            for (what, bucket) in What::ALL.into_iter().zip(&mut counted.buckets) {
                let Some(limit) = what.of(holding.limits) else { continue };
                bucket.correct(-reserved(cost.of(what), limit).cast_signed(), cost.now, holding.gateways);
            }
        }
    }

    fn shard(&self, id: Uuid) -> MutexGuard<'_, Shard> {
        // The low bits of an id are random.
        let at = usize::try_from(id.as_u64_pair().1 % SHARDS as u64).unwrap_or_default();
        // INVARIANT: there are as many shards as that.
        #[expect(clippy::indexing_slicing, reason = "the remainder is below the number of shards")]
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// Where the limits of a holding stand, of which the others are to be told; and whether that is new.
    fn counted(&mut self, holding: &Holding, now: u64) -> (&mut Counted, bool) {
        // Only where it would have to grow, so that a crowd that is all there is not looked through at each call.
        if self.counted.len() >= CROWDED && self.counted.len() == self.counted.capacity() {
            self.counted.retain(|_, counted| {
                counted.asked.is_some() || !counted.buckets.iter().all(|bucket| bucket.is_empty(now))
            });
        }
        let (organization, gateways) = (holding.organization, holding.gateways);
        let counted = self.counted.entry(holding.id).or_insert_with(|| Counted {
            organization,
            gateways,
            buckets: Default::default(),
            asked: None,
            heard: None,
        });
        counted.gateways = gateways;
        let newly = mark(counted, &mut self.asked, holding.id, now);
        (counted, newly)
    }

    /// The same for what is known already.
    fn ask(&mut self, id: Uuid, now: u64) -> Option<&mut Counted> {
        let counted = self.counted.get_mut(&id)?;
        mark(counted, &mut self.asked, id, now);
        Some(counted)
    }
}

/// Has the other gateways told of it; false where they are to be told already, or there is no other.
fn mark(counted: &mut Counted, asked: &mut Vec<Uuid>, id: Uuid, now: u64) -> bool {
    let newly = counted.gateways > 1 && counted.asked.is_none();
    if newly {
        counted.asked = Some(now);
        asked.push(id);
    }
    newly
}

impl Reservation {
    /// Puts what was used in the place of what was reserved, `elapsed` nanoseconds later.
    pub(crate) fn settle(self, used: u64, elapsed: u64) {
        let now = self.at.saturating_add(elapsed);
        for (id, limit) in self.of.iter().flatten() {
            if let Some(Counted { gateways, buckets: [_, bucket], .. }) = self.limiter.shard(*id).ask(*id, now) {
                bucket.correct(correction(self.tokens, used, elapsed, *limit), now, *gateways);
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
    let held = &*holder.held;
    let (organization, gateways) = (held.organization, holder.policy.sharing());
    let of = move |level, id, name, limits| Holding { level, id, name, limits, organization, gateways };
    let key = of(Level::Key, holder.key.uuid(), &held.name, held.limits);
    let record = holder.policy.organization();
    let whole = record.map(|record| of(Level::Organization, record.id.uuid(), record.name.as_str(), record.limits));
    let limited = |holding: &Holding<'_>| holding.limits != Limits::default();
    std::iter::once(key).chain(whole).filter(limited)
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.micros()).unwrap_or_default().saturating_mul(1000)
}

/// Nanoseconds as the seconds in which they are over.
pub(crate) fn seconds(nanos: u64) -> u64 {
    nanos.div_ceil(MINUTE / 60)
}
