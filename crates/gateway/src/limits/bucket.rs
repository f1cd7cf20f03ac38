//! One limit, as a gateway sees it that may share it with others.

use gatewarden_feed::{Fill, Spent};
use gatewarden_types::PerMinute;

use super::gcra::{self, MINUTE, Passed, Wait};

/// How full a limit is with what is known, and with what others may have let through since.
///
/// What this gateway has not told the others yet counts as often as there are gateways: each of them may have let through
/// as much. So together they stay within the limit without asking before each call, and each has its part of it while
/// nobody can be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    known: Fill,
    guarded: Fill,
    /// What was let through and not told, in nanoseconds; below zero when more was given back.
    untold: i64,
}

/// Why a call does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// Whether the limit is not used up, but what is left of it may have been used elsewhere: then the call may pass sooner,
    /// when the others were heard.
    pub(super) early: bool,
    pub(super) wait: Wait,
}

impl Bucket {
    /// Lets `cost` through, and says how much more could pass; or says why not, and stays.
    pub(super) fn admit(&mut self, now: u64, cost: u64, limit: PerMinute, gateways: u32) -> Result<u64, Held> {
        let passed = gcra::step(self.known, now, cost, limit);
        let Passed { fill, left } = passed.map_err(|wait| Held { early: false, wait })?;
        let time = gcra::reserved(cost, limit);
        let guarded = self.guarded.drains_in(now);
        let after = guarded + time * u64::from(gateways);
        // The first call since the others were told passes by what is known, as small limits could not be used otherwise.
        if gateways > 1 && after > MINUTE && guarded > 0 && self.untold > 0 {
            let wait = Wait { nanos: guarded.min(after - MINUTE), left: 0, full: self.full(now) };
            return Err(Held { early: true, wait });
        }
        *self = Self { known: fill, guarded: Fill::of(after, now), untold: self.untold };
        self.note(time.cast_signed(), gateways);
        Ok(left)
    }

    /// Takes in what a call has used more, or less, than was counted for it.
    pub(super) fn correct(&mut self, change: i64, now: u64, gateways: u32) {
        // What is told already is told to all; only what is not counts manifold.
        let manifold = change.max(-self.untold.max(0));
        let others = manifold.saturating_mul(i64::from(gateways) - 1);
        self.known = self.known.with(change, now);
        self.guarded = self.guarded.with(change.saturating_add(others), now);
        self.note(change, gateways);
    }

    fn note(&mut self, change: i64, gateways: u32) {
        self.untold = if gateways > 1 { self.untold.saturating_add(change) } else { 0 };
    }

    /// What is to be told, which counts as told from now on.
    pub(super) fn tell(&mut self, now: u64) -> Spent {
        Spent { change: std::mem::take(&mut self.untold), full: self.known.drains_in(now) }
    }

    /// Takes in when the limit has drained of what all have told.
    pub(super) fn told(&mut self, drains_in: u64, now: u64, gateways: u32) {
        self.known = Fill::of(drains_in, now).with(self.untold, now);
        let others = self.untold.max(0).saturating_mul(i64::from(gateways) - 1);
        self.guarded = self.known.with(others, now);
    }

    /// Forgets what nobody could be told of and has drained since at this gateway's part of the pace.
    pub(super) fn drain_alone(&mut self, now: u64, gateways: u32) {
        let undrained = self.guarded.drains_in(now) / u64::from(gateways.max(1));
        self.untold = self.untold.min(undrained.cast_signed());
    }

    pub(super) fn is_empty(&self, now: u64) -> bool {
        self.untold == 0 && self.guarded.drains_in(now) == 0
    }

    /// In how many nanoseconds all of it has come back.
    pub(super) fn full(&self, now: u64) -> u64 {
        self.known.drains_in(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewarden_feed::{Spender, Spending, Tally};
    use gatewarden_types::Id;
    use proptest::prelude::*;
    use uuid::Uuid;

    const START: u64 = 1_800_000_000_000_000_000;
    const SECOND: u64 = 1_000_000_000;
    const PERIOD: u64 = SECOND / 4;
    const KEY: Uuid = Uuid::from_u128(7);

    fn limit(number: u64) -> PerMinute {
        number.try_into().expect("a limit")
    }

    /// Some gateways that share one limit, their control plane, and what they have let through in truth.
    struct Fleet {
        gateways: Vec<Bucket>,
        heard: Vec<Option<u64>>,
        tally: Tally,
        truth: Fill,
        limit: PerMinute,
        passed: u64,
        now: u64,
        round: u64,
    }

    impl Fleet {
        fn new(gateways: usize, number: u64) -> Self {
            let (heard, gateways) = (vec![None; gateways], vec![Bucket::default(); gateways]);
            Self {
                gateways,
                heard,
                tally: Tally::new(1),
                truth: Fill::default(),
                limit: limit(number),
                passed: 0,
                now: START,
                round: 0,
            }
        }

        fn size(&self) -> u32 {
            u32::try_from(self.gateways.len()).expect("a few")
        }

        fn call(&mut self, gateway: usize, cost: u64) -> bool {
            let size = self.size();
            let passes = self.gateways[gateway].admit(self.now, cost, self.limit, size).is_ok();
            if passes {
                self.truth = self.truth.with(gcra::reserved(cost, self.limit).cast_signed(), self.now);
                self.passed += cost;
            }
            passes
        }

        fn settle(&mut self, gateway: usize, cost: u64, used: u64) {
            let (size, change) = (self.size(), gcra::correction(cost, used, 0, self.limit));
            self.gateways[gateway].correct(change, self.now, size);
            self.truth = self.truth.with(change, self.now);
        }

        /// One gateway tells the control plane, and is answered.
        fn share(&mut self, gateway: usize) {
            let (size, of) = (self.size(), Some(Id::from_uuid(Uuid::from_u128(gateway as u128))));
            self.round += 1;
            let spent = [self.gateways[gateway].tell(self.now), Spent::default()];
            let by = vec![Spender { id: KEY, heard: self.heard[gateway], spent }];
            let spending = Spending { round: self.round, age: 0, by };
            let tallied = self.tally.add(Id::from_uuid(Uuid::nil()), of, &spending, self.now);
            self.heard[gateway] = Some(tallied.tally);
            self.gateways[gateway].told(tallied.filled[0].drains_in[0], self.now, size);
        }

        fn all_share(&mut self) {
            (0..self.gateways.len()).for_each(|gateway| self.share(gateway));
        }

        fn full(&self) -> u64 {
            self.truth.drains_in(self.now)
        }

        /// How full a limit is that is used up, with a call more for each gateway.
        fn bound(&self, dearest: u64) -> u64 {
            MINUTE + gcra::reserved(dearest, self.limit) * u64::from(self.size())
        }
    }

    proptest! {
        /// The bound that docs/GATEWAY.md states: a call for each gateway, and what they let through in one period.
        #[test]
        fn together_they_stay_within_the_limit(
            size in 2..6_usize, number in 50..5000_u64,
            calls in prop::collection::vec((0..40_000_000_u64, any::<prop::sample::Index>(), 1..50_u64, 0..60_u64), 1..800),
        ) {
            let mut fleet = Fleet::new(size, number);
            let (mut told, mut lately, mut before) = (0, 0, 0);
            for (pause, which, cost, used) in calls {
                fleet.now += pause;
                if fleet.now - told > PERIOD {
                    fleet.all_share();
                    (told, before, lately) = (fleet.now, lately, 0);
                }
                let gateway = which.index(size);
                if fleet.call(gateway, cost) {
                    lately += gcra::reserved(cost, fleet.limit);
                    prop_assert!(fleet.full() <= fleet.bound(50) + before);
                    fleet.settle(gateway, cost, used.min(cost));
                }
            }
        }

        #[test]
        fn those_that_cannot_be_told_have_a_part_each(
            size in 2..6_usize, number in 60..5000_u64,
            calls in prop::collection::vec((0..400_000_000_u64, any::<prop::sample::Index>()), 1..800),
        ) {
            let mut fleet = Fleet::new(size, number);
            for (pause, which) in calls {
                fleet.now += pause;
                fleet.call(which.index(size), 1);
                prop_assert!(fleet.full() <= fleet.bound(1));
            }
        }

        #[test]
        fn alone_it_is_the_plain_algorithm(
            number in 1..5000_u64, calls in prop::collection::vec((0..400_000_000_u64, 1..90_u64, 0..120_u64), 1..300),
        ) {
            let (mut bucket, mut plain, mut now) = (Bucket::default(), Fill::default(), START);
            for (pause, cost, used) in calls {
                now += pause;
                let (admitted, stepped) = (bucket.admit(now, cost, limit(number), 1), gcra::step(plain, now, cost, limit(number)));
                prop_assert_eq!(admitted, stepped.map(|passed| passed.left).map_err(|wait| Held { early: false, wait }));
                if let Ok(Passed { fill, .. }) = stepped {
                    let change = gcra::correction(cost, used, 0, limit(number));
                    bucket.correct(change, now, 1);
                    plain = fill.with(change, now);
                }
                prop_assert_eq!(bucket.full(now), plain.drains_in(now));
            }
        }
    }

    #[test]
    fn one_that_is_called_alone_has_the_whole_limit() {
        let mut fleet = Fleet::new(4, 600);
        let minutes = 10;
        for _ in 0..minutes * 60 * 4 {
            fleet.now += PERIOD;
            let _passed = (0..10).filter(|_| fleet.call(0, 1)).count();
            fleet.all_share();
        }
        // A minute's worth at once, and the pace from then on.
        let whole = 600 * (minutes + 1);
        assert!(fleet.passed <= whole + 4 && fleet.passed * 100 >= whole * 95, "{} of {whole}", fleet.passed);
    }

    #[test]
    fn the_smallest_limits_can_be_used() {
        for number in 1..5 {
            let mut fleet = Fleet::new(3, number);
            for _ in 0..number {
                assert!(fleet.call(0, 1), "{number}");
                fleet.all_share();
            }
            assert!(!fleet.call(0, 1) && !fleet.call(1, 1) && !fleet.call(2, 1), "{number}");
        }
    }

    #[test]
    fn what_could_not_be_told_for_an_hour_holds_nobody_up_afterwards() {
        let mut fleet = Fleet::new(3, 60);
        for _ in 0..3600 {
            fleet.now += SECOND;
            for gateway in 0..3 {
                fleet.call(gateway, 1);
                fleet.gateways[gateway].drain_alone(fleet.now, 3);
            }
        }
        assert!((3600 - 60..=3600 + 60 + 3).contains(&fleet.passed), "{} calls in an hour", fleet.passed);
        fleet.now += 60 * SECOND;
        fleet.all_share();
        fleet.all_share();
        assert!((0..3).all(|gateway| fleet.call(gateway, 1)), "a minute without calls, and all of it is back");
    }

    #[test]
    fn it_remembers_through_a_restart_of_the_control_plane() {
        let mut fleet = Fleet::new(2, 60);
        while fleet.call(0, 1) {
            fleet.all_share();
        }
        fleet.tally = Tally::new(2);
        fleet.share(0);
        fleet.share(1);
        assert!(!fleet.call(0, 1) && !fleet.call(1, 1));
    }
}
