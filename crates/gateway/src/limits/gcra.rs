//! The generic cell rate algorithm, as a state machine without a clock.
//!
//! The state is a [`Fill`]: until when all that was let through drains at the limit's pace. A minute's worth may be used at
//! once, and comes back evenly.

use gatewarden_feed::Fill;
use gatewarden_types::PerMinute;

/// A minute, in nanoseconds.
pub(super) const MINUTE: u64 = 60_000_000_000;

/// A call passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passed {
    /// The state from now on.
    pub(super) fill: Fill,
    /// How much more could pass now.
    pub(super) left: u64,
}

/// A call does not pass, and the state stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// In how many nanoseconds it would.
    pub(super) nanos: u64,
    /// How much less could pass now.
    pub(super) left: u64,
    /// In how many nanoseconds everything has come back.
    pub(super) full: u64,
}

/// Decides on `cost` at the instant `now`. What costs more than a minute's worth passes when all of that is there.
pub(super) fn step(fill: Fill, now: u64, cost: u64, limit: PerMinute) -> Result<Passed, Wait> {
    let full = fill.drains_in(now);
    let after = full + reserved(cost, limit);
    if after <= MINUTE {
        Ok(Passed { fill: Fill::of(after, now), left: worth(MINUTE - after, limit) })
    } else {
        Err(Wait { nanos: after - MINUTE, left: worth(MINUTE.saturating_sub(full), limit), full })
    }
}

/// What a call of `cost` adds, in nanoseconds: a minute at most.
pub(super) fn reserved(cost: u64, limit: PerMinute) -> u64 {
    time(cost.min(limit.get().into()), limit)
}

/// What is to be added, or taken away, once it is known what a call used in the place of what was reserved for it `elapsed`
/// nanoseconds before. What has drained since is not given back a second time.
pub(super) fn correction(cost: u64, used: u64, elapsed: u64, limit: PerMinute) -> i64 {
    let (reserved, used) = (reserved(cost, limit), time(used, limit).min(Fill::LONGEST));
    if used > reserved {
        (used - reserved).cast_signed()
    } else {
        -(reserved - used).min(reserved.saturating_sub(elapsed)).cast_signed()
    }
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

    fn passes_at(fill: Fill, now: u64, cost: u64, number: u64) -> bool {
        step(fill, now, cost, limit(number)).is_ok()
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
            let (mut fill, mut now, mut bucket) = (Fill::default(), START, Bucket { full: 0, at: START });
            for (pause, cost) in calls {
                now += pause;
                let passes = bucket.pass(now, cost, number);
                match step(fill, now, cost, limit(number)) {
                    Ok(Passed { fill: next, left }) => {
                        prop_assert!(passes);
                        prop_assert!(passes_at(next, now, left, number));
                        fill = next;
                    }
                    Err(Wait { nanos, left, .. }) => {
                        prop_assert!(!passes && left < cost.min(number));
                        // It would pass when it says, and not a moment before.
                        prop_assert!(passes_at(fill, now + nanos, cost, number));
                        prop_assert!(!passes_at(fill, now + nanos - 1, cost, number));
                    }
                }
            }
        }

        #[test]
        fn a_minutes_worth_passes_at_once_and_no_more(number in 1..5000_u64) {
            let mut fill = Fill::default();
            for turn in 0..=number {
                match step(fill, START, 1, limit(number)) {
                    Ok(Passed { fill: next, left }) => {
                        prop_assert_eq!(left, number - turn - 1);
                        fill = next;
                    }
                    Err(Wait { nanos, .. }) => prop_assert!(turn == number && nanos <= MINUTE / number + 1),
                }
            }
        }

        #[test]
        fn settling_is_as_if_the_use_had_been_known(
            number in exact(), reserved in 0..2000_u64, used in 0..5000_u64, elapsed in 0..90_000_000_000_u64,
        ) {
            let Ok(Passed { fill, .. }) = step(Fill::default(), START, reserved, limit(number)) else {
                return Err(TestCaseError::fail("the first call passes"));
            };
            let now = START + elapsed;
            let settled = fill.with(correction(reserved, used, elapsed, limit(number)), now).drains_in(now);
            let known = Fill::of(time(used, limit(number)), START).drains_in(now);
            // What a call used beyond its reservation is noted when it is known, and so never less than it was.
            prop_assert!(settled >= known);
            if used <= reserved.min(number) {
                prop_assert_eq!(settled, known);
            }
        }

        #[test]
        fn nothing_is_too_strange(left in any::<u64>(), now in 0..START * 4, cost in any::<u64>(), number in 1..1_000_000_000_u64) {
            match step(Fill::of(left, START), now, cost, limit(number)) {
                Ok(Passed { fill, .. }) => prop_assert!(fill.drains_in(now) <= MINUTE),
                Err(Wait { nanos, full, .. }) => prop_assert!(nanos <= Fill::LONGEST && full <= Fill::LONGEST),
            }
            for (cost, used) in [(cost, cost / 2), (cost / 2, cost)] {
                let change = correction(cost, used, 7, limit(number));
                prop_assert!(change.unsigned_abs() <= Fill::LONGEST);
            }
        }
    }
}
