//! The generic cell rate algorithm, as a state machine without a clock.
//!
//! The state is the instant, in nanoseconds, at which all that was let through would have drained at the limit's pace; zero
//! for nothing yet. A minute's worth may be used at once, and comes back evenly.

use gatewarden_types::PerMinute;

/// A minute, in nanoseconds.
pub(super) const MINUTE: u64 = 60_000_000_000;

/// The longest that a debt holds, in nanoseconds: what was used beyond a reservation, or a clock that was set back.
const LONGEST: u64 = 10 * MINUTE;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// It passes.
    Pass {
        /// The state from now on.
        state: u64,
        /// How much more could pass now.
        left: u64,
    },
    /// It does not, and the state stays.
    Wait {
        /// In how many nanoseconds it would.
        nanos: u64,
        /// How much less could pass now.
        left: u64,
        /// In how many nanoseconds everything has come back.
        full: u64,
    },
}

/// Decides on `cost` at the instant `now`. What costs more than a minute's worth passes when all of that is there.
pub(super) fn step(state: u64, now: u64, cost: u64, limit: PerMinute) -> Decision {
    let level = level(state, now);
    let after = level + time(cost.min(limit.get().into()), limit);
    if after <= MINUTE {
        Decision::Pass { state: now + after, left: worth(MINUTE - after, limit) }
    } else {
        Decision::Wait { nanos: after - MINUTE, left: worth(MINUTE.saturating_sub(level), limit), full: level }
    }
}

/// The state once it is known what a call used, in the place of what was reserved for it `elapsed` nanoseconds before.
/// What has drained since is not given back a second time.
pub(super) fn refunded(state: u64, now: u64, (reserved, used): (u64, u64), elapsed: u64, limit: PerMinute) -> u64 {
    let reserved = time(reserved.min(limit.get().into()), limit);
    let used = time(used, limit).min(LONGEST);
    if used > reserved {
        now + (level(state, now) + (used - reserved)).min(LONGEST)
    } else {
        state.saturating_sub((reserved - used).min(reserved.saturating_sub(elapsed)))
    }
}

/// How full it is, as the time until it is empty.
fn level(state: u64, now: u64) -> u64 {
    state.saturating_sub(now).min(LONGEST)
}

/// How long `cost` takes to drain.
fn time(cost: u64, limit: PerMinute) -> u64 {
    let time = u128::from(cost) * u128::from(MINUTE) / u128::from(limit.get());
    u64::try_from(time).unwrap_or(u64::MAX)
}

/// How much drains in `time`, which is at most a minute.
fn worth(time: u64, limit: PerMinute) -> u64 {
    let worth = u128::from(time) * u128::from(limit.get()) / u128::from(MINUTE);
    u64::try_from(worth).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: u64 = 1_800_000_000_000_000_000;

    fn limit(number: u64) -> PerMinute {
        number.try_into().expect("a limit")
    }

    fn passes_at(state: u64, now: u64, cost: u64, number: u64) -> bool {
        matches!(step(state, now, cost, limit(number)), Decision::Pass { .. })
    }

    /// Limits that divide a minute, so that the model below is exact.
    fn exact() -> impl Strategy<Value = u64> {
        prop::sample::select(vec![1_u64, 2, 3, 60, 600, 1000, 90_000, 1_000_000])
    }

    /// A bucket that holds a minute's worth and drains evenly, in units of a token times a minute.
    #[derive(Default)]
    struct Bucket {
        full: u128,
        at: u64,
    }

    impl Bucket {
        fn pass(&mut self, now: u64, cost: u64, limit: u64) -> bool {
            let drained = u128::from(now - self.at) * u128::from(limit);
            self.full = self.full.saturating_sub(drained);
            self.at = now;
            let after = self.full + u128::from(cost.min(limit)) * u128::from(MINUTE);
            let passes = after <= u128::from(limit) * u128::from(MINUTE);
            if passes {
                self.full = after;
            }
            passes
        }
    }

    proptest! {
        #[test]
        fn it_decides_as_a_bucket_does(
            number in exact(), calls in prop::collection::vec((0..20_000_000_000_u64, 0..2000_u64), 0..200),
        ) {
            let (mut state, mut now, mut bucket) = (0, START, Bucket { full: 0, at: START });
            for (pause, cost) in calls {
                now += pause;
                let passes = bucket.pass(now, cost, number);
                match step(state, now, cost, limit(number)) {
                    Decision::Pass { state: next, left } => {
                        prop_assert!(passes);
                        prop_assert!(passes_at(next, now, left, number));
                        state = next;
                    }
                    Decision::Wait { nanos, left, .. } => {
                        prop_assert!(!passes && left < cost.min(number));
                        // It would pass when it says, and not a moment before.
                        prop_assert!(passes_at(state, now + nanos, cost, number));
                        prop_assert!(!passes_at(state, now + nanos - 1, cost, number));
                    }
                }
            }
        }

        #[test]
        fn a_minutes_worth_passes_at_once_and_no_more(number in 1..5000_u64) {
            let mut state = 0;
            for turn in 0..=number {
                match step(state, START, 1, limit(number)) {
                    Decision::Pass { state: next, left } => {
                        prop_assert_eq!(left, number - turn - 1);
                        state = next;
                    }
                    Decision::Wait { nanos, .. } => prop_assert!(turn == number && nanos <= MINUTE / number + 1),
                }
            }
        }

        #[test]
        fn settling_is_as_if_the_use_had_been_known(
            number in exact(), reserved in 0..2000_u64, used in 0..5000_u64, elapsed in 0..90_000_000_000_u64,
        ) {
            let Decision::Pass { state, .. } = step(0, START, reserved, limit(number)) else {
                return Err(TestCaseError::fail("the first call passes"));
            };
            let now = START + elapsed;
            let settled = refunded(state, now, (reserved, used), elapsed, limit(number));
            let known = START + time(used, limit(number)).min(LONGEST);
            let (settled, known) = (level(settled, now), level(known, now));
            // What a call used beyond its reservation is noted when it is known, and so never less than it was.
            prop_assert!(settled >= known);
            if used <= reserved.min(number) {
                prop_assert_eq!(settled, known);
            }
        }

        #[test]
        fn nothing_is_too_strange(state in any::<u64>(), now in 0..START * 4, cost in any::<u64>(), number in 1..1_000_000_000_u64) {
            match step(state, now, cost, limit(number)) {
                Decision::Pass { state, .. } => prop_assert!(state >= now && state - now <= MINUTE),
                Decision::Wait { nanos, full, .. } => prop_assert!(nanos <= LONGEST && full <= LONGEST),
            }
            refunded(state, now, (cost, cost / 2), 7, limit(number));
            refunded(state, now, (cost / 2, cost), 7, limit(number));
        }
    }
}
