//! Some gateways that share one limit over a network that is slow and loses things, by a clock that is moved.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use gatewarden_feed::{Fill, Spender, Spending, Spent, Tallied, Tally};
use gatewarden_types::Clock;
use proptest::prelude::*;

use super::{
    sharing::{PERIOD, Telling},
    *,
};

/// How often a gateway looks whether there is something to tell at once, in nanoseconds.
const LOOK: u64 = 20_000_000;
/// How long a message is under way at most, in nanoseconds.
const SLOWEST: u64 = 30_000_000;
/// How many tokens a call has at most.
const DEAREST: u64 = 200;
const KEY: Uuid = Uuid::from_u128(7);

/// What happens next: after a pause in microseconds, a call at one of the gateways.
#[derive(Debug, Clone)]
struct Step {
    pause: i64,
    gateway: usize,
    tokens: u64,
    /// What it uses in the end, in hundredths of what was reserved, and after how many nanoseconds.
    uses: (u64, u64),
    /// How long messages are under way now, in nanoseconds.
    slow: u64,
    lost: bool,
}

/// Nothing happens for three milliseconds.
const QUIET: Step = Step { pause: 3000, gateway: 0, tokens: 1, uses: (100, 0), slow: 1_000_000, lost: false };

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = (0..4000_i64, 0..60_usize, 1..=DEAREST);
    let step = (call, (0..300_u64, 0..2_000_000_000_u64), 0..SLOWEST, prop::bool::weighted(0.2))
        .prop_map(|((pause, gateway, tokens), uses, slow, lost)| Step { pause, gateway, tokens, uses, slow, lost });
    prop::collection::vec(step, 1..1200)
}

/// A message under way.
enum Message {
    Asks(usize, Telling),
    Answers(Telling, Tallied),
}

struct World {
    gateways: Vec<Arc<Limiter>>,
    tally: Tally,
    time: Arc<AtomicI64>,
    clock: Clock,
    limit: PerMinute,
    truth: Fill,
    under_way: Vec<(u64, Message)>,
    running: Vec<(u64, Reservation, u64)>,
    /// When the gateways tell and look next.
    next: (u64, u64),
    /// What was let through and used beyond that, and when.
    lately: Vec<(u64, u64)>,
    /// How old something was at most when it was told.
    oldest: u64,
}

impl World {
    fn new(gateways: usize, number: u64) -> Self {
        let time = Arc::new(AtomicI64::new(1_800_000_000_000_000));
        let ticking = Arc::clone(&time);
        Self {
            gateways: (0..gateways).map(|_| Arc::default()).collect(),
            tally: Tally::new(1),
            time,
            clock: Clock::new(move || Timestamp::from_micros(ticking.load(SeqCst))),
            limit: number.try_into().expect("a limit"),
            truth: Fill::default(),
            under_way: Vec::new(),
            running: Vec::new(),
            next: (0, 0),
            lately: Vec::new(),
            oldest: 0,
        }
    }

    fn now(&self) -> u64 {
        nanos(self.clock.now())
    }

    fn full(&self) -> u64 {
        self.truth.drains_in(self.now())
    }

    /// Whether the step's call passes.
    fn call(&mut self, Step { gateway, tokens, uses: (hundredths, after), .. }: &Step) -> bool {
        let (now, limiter) = (self.now(), Arc::clone(&self.gateways[gateway % self.gateways.len()]));
        let holding = Holding {
            level: Level::Key,
            id: KEY,
            name: "CI",
            limits: Limits { requests: None, tokens: Some(self.limit) },
            organization: Id::from_uuid(Uuid::nil()),
            gateways: u32::try_from(self.gateways.len()).expect("a few"),
        };
        let passes = limiter.pass(&holding, Cost { tokens: *tokens, now }, &mut Standing::default()).is_ok();
        if passes {
            let time = reserved(*tokens, self.limit);
            self.truth = self.truth.with(time.cast_signed(), now);
            self.lately.push((now, time));
            let reservation = Reservation { limiter, tokens: *tokens, at: now, of: [Some((KEY, self.limit)), None] };
            self.running.push((now + after, reservation, tokens * hundredths / 100));
        }
        passes
    }

    fn settle(&mut self, now: u64) {
        for (_, reservation, used) in self.running.extract_if(.., |(due, ..)| *due <= now) {
            let elapsed = now - reservation.at;
            let change = correction(reservation.tokens, used, elapsed, self.limit);
            self.truth = self.truth.with(change, now);
            self.lately.push((now, change.max(0).unsigned_abs()));
            reservation.settle(used, elapsed);
        }
    }

    fn deliver(&mut self, now: u64, step: &Step) {
        let due: Vec<_> = self.under_way.extract_if(.., |(due, _)| *due <= now).collect();
        for (_, message) in due {
            match message {
                // On the way there or on the way back.
                lost if step.lost => drop(lost),
                Message::Asks(gateway, telling) => {
                    self.oldest = self.oldest.max(telling.spending.age);
                    let id = Some(Id::from_uuid(Uuid::from_u128(gateway as u128)));
                    let tallied = self.tally.add(telling.organization, id, &telling.spending, now);
                    self.under_way.push((now + step.slow, Message::Answers(telling, tallied)));
                }
                Message::Answers(telling, tallied) => telling.answered(&tallied),
            }
        }
        let (tells, looks) = (now >= self.next.0, now >= self.next.1);
        for (at, limiter) in self.gateways.iter().enumerate() {
            if tells || (looks && limiter.hurries()) {
                let told = limiter.tell(&self.clock, tells).into_iter();
                self.under_way.extend(told.map(|telling| (now + step.slow, Message::Asks(at, telling))));
            }
        }
        self.next = (if tells { now + PERIOD } else { self.next.0 }, if looks { now + LOOK } else { self.next.1 });
    }

    fn pass_time(&mut self, step: &Step) {
        self.time.fetch_add(step.pause, SeqCst);
        let now = self.now();
        self.settle(now);
        self.deliver(now, step);
    }

    /// What was let through within the time in which everybody hears of everything, where nothing is lost.
    fn unheard(&self) -> u64 {
        let since = self.now() - 2 * (PERIOD + LOOK + 2 * SLOWEST);
        self.lately.iter().filter(|(at, _)| *at >= since).map(|(_, time)| time).sum()
    }

    /// By how much the others' knowledge may be off. Into a limit that was empty, what several gateways tell late counts as
    /// drained at the same time, and not one after the other.
    fn tolerance(&self) -> u64 {
        PERIOD + self.oldest * self.gateways.len() as u64
    }

    /// Lets everything that runs end and everything that is to be told be heard.
    fn come_to_rest(&mut self) {
        (0..1000).for_each(|_| self.pass_time(&QUIET));
    }

    /// How full the limit is as far as the tally was told.
    fn tallied(&mut self) -> u64 {
        let spender = Spender { id: KEY, heard: Some(1), spent: <[Spent; 2]>::default() };
        let spending = Spending { round: 0, age: 0, by: vec![spender] };
        self.tally.add(Id::from_uuid(Uuid::nil()), None, &spending, self.now()).filled[0].drains_in[1]
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The bound of docs/GATEWAY.md: a call for each gateway, and what was let through before it could be heard of.
    #[test]
    fn together_they_stay_within_the_limit(size in 2..6_usize, number in 2000..40_000_u64, steps in steps()) {
        let mut world = World::new(size, number);
        for step in steps {
            let step = Step { lost: false, ..step };
            world.pass_time(&step);
            let unheard = world.unheard();
            if world.call(&step) {
                prop_assert!(world.full() <= MINUTE + reserved(DEAREST, world.limit) * size as u64 + unheard);
            }
        }
    }

    #[test]
    fn whatever_was_lost_they_know_the_same_in_the_end(size in 2..6_usize, number in 500..40_000_u64, steps in steps()) {
        let mut world = World::new(size, number);
        for step in &steps {
            world.pass_time(step);
            world.call(step);
        }
        world.come_to_rest();
        prop_assert!(world.tallied().abs_diff(world.full()) <= world.tolerance(), "{} of {}", world.tallied(), world.full());
        for gateway in 0..size {
            world.call(&Step { gateway, ..QUIET });
        }
        world.come_to_rest();
        let (now, truth) = (world.now(), world.full());
        for limiter in &world.gateways {
            let known = limiter.shard(KEY).counted.get(&KEY).map_or(0, |counted| counted.buckets[1].full(now));
            prop_assert!(known.abs_diff(truth) <= world.tolerance(), "{known} of {truth}");
        }
    }
}

/// A minute's worth passes at one gateway before the others are called, who have heard nothing.
#[test]
fn one_that_was_not_asked_lately_hears_before_it_has_let_its_part_through() {
    let mut world = World::new(3, 6000);
    let call = |gateway| Step { gateway, tokens: 100, ..QUIET };
    while world.full() < MINUTE - 2_000_000_000 {
        world.pass_time(&QUIET);
        world.call(&call(0));
    }
    (0..400).for_each(|_| world.pass_time(&QUIET));
    let passed = (0..60).filter(|_| {
        world.pass_time(&QUIET);
        world.call(&call(1))
    });
    let passed = passed.count();
    assert!((1..=12).contains(&passed), "{passed} passed in the time it takes to hear");
}
