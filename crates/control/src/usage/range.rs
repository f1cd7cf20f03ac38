use std::collections::BTreeMap;

use gatewarden_store::{UsageFilter, UsageSlice};
use gatewarden_types::Timestamp;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The span that figures cover, up to and including the hour or day that is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Range {
    /// 24 hours, hour by hour.
    Day,
    /// 7 days, day by day.
    Week,
    /// 30 days, day by day.
    #[default]
    Month,
}

impl Range {
    /// The length of one step, in seconds.
    pub const fn step_seconds(self) -> i64 {
        match self {
            Self::Day => HOUR,
            Self::Week | Self::Month => DAY,
        }
    }

    /// How many steps it has.
    pub const fn steps(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// The calls it covers at `now`: whole hours or whole days in UTC.
    pub(crate) fn filter(self, now: Timestamp) -> UsageFilter {
        let step = self.step_seconds();
        let until = Timestamp::default().plus_seconds((now.seconds().div_euclid(step) + 1) * step);
        UsageFilter { since: until.plus_seconds(-step * self.steps()), until }
    }

    /// The calls of the span before.
    pub(super) fn before(self, filter: UsageFilter) -> UsageFilter {
        let length = self.step_seconds() * self.steps();
        UsageFilter { since: filter.since.plus_seconds(-length), until: filter.since }
    }

    /// Every step of the span with its sums; steps without calls have zeros.
    pub(super) fn fill(
        self,
        filter: UsageFilter,
        slices: &BTreeMap<Timestamp, UsageSlice>,
    ) -> Vec<(Timestamp, UsageSlice)> {
        let begin = |step: i64| filter.since.plus_seconds(step * self.step_seconds());
        let slice = |at: Timestamp| (at, slices.get(&at).copied().unwrap_or_default());
        (0..self.steps()).map(|step| slice(begin(step))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_ends_with_the_step_that_is_now_and_has_no_gaps() {
        let now = Timestamp::default().plus_seconds(100 * DAY + 5 * HOUR + 7);
        for range in [Range::Day, Range::Week, Range::Month] {
            let filter = range.filter(now);
            assert!(filter.since <= now && now < filter.until);
            let calls = UsageSlice { calls: 3, ..UsageSlice::default() };
            let last = filter.until.plus_seconds(-range.step_seconds());
            let filled = range.fill(filter, &[(last, calls)].into());
            assert_eq!(filled.len(), usize::try_from(range.steps()).unwrap());
            assert_eq!((filled[0].0, filled[0].1.calls), (filter.since, 0));
            assert_eq!(filled.last(), Some(&(last, calls)));
            assert_eq!(range.before(filter).until, filter.since);
        }
    }
}
