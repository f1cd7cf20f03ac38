//! Limits that several gateways share.
//!
//! Each gateway tells the control plane now and then what it has let through, and is told how full its limits are with what
//! the others have let through ([`Tally`]). All of it is time: how long a limit's pace takes to drain what was let through.
//! So nobody but the gateways needs to know what the limits are, and no two clocks need to agree.

use std::collections::{HashMap, hash_map::Entry};

use gatewarden_types::{Gateway, Id, Organization};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// From how many limits on an organization's tally drops those that are empty.
const CROWDED: usize = 4096;
/// How many limits an organization's tally holds. Of more, gateways are told nothing, and have a part each.
const MOST: usize = 262_144;

/// How full a limit is: the instant, in nanoseconds, at which all that was let through will have drained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fill(u64);

impl Fill {
    /// The longest that a limit stays full, in nanoseconds: ten minutes, for what was used beyond a reservation and for
    /// clocks that are set back.
    pub const LONGEST: u64 = 600_000_000_000;

    /// What takes `left` nanoseconds to drain from `now` on.
    pub fn of(left: u64, now: u64) -> Self {
        Self(now.saturating_add(left.min(Self::LONGEST)))
    }

    /// In how many nanoseconds it has drained.
    pub fn drains_in(self, now: u64) -> u64 {
        self.0.saturating_sub(now).min(Self::LONGEST)
    }

    /// This with so many nanoseconds more, or less.
    #[must_use]
    pub fn with(self, change: i64, now: u64) -> Self {
        Self::of(self.drains_in(now).saturating_add_signed(change), now)
    }
}

/// What a gateway says of one limit, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// What it has let through since it last told, less what was given back.
    pub change: i64,
    /// How full it holds the limit to be, with that.
    pub full: u64,
}

impl Spent {
    /// The same when `nanos` have passed since.
    fn aged(self, nanos: u64) -> Self {
        let drained = nanos.try_into().unwrap_or(i64::MAX);
        let change = if self.change > 0 { (self.change - drained).max(0) } else { self.change };
        Self { change, full: self.full.saturating_sub(nanos) }
    }
}

/// What a gateway says of a key or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spender {
    /// The key's id, or the organization's.
    pub id: Uuid,
    /// The tally that the gateway has heard of its limits from; none while it has heard nothing.
    pub heard: Option<u64>,
    /// Of its limits: requests, and tokens.
    pub spent: [Spent; 2],
}

/// What a gateway has let through in one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// Another for each time something new is told; the same when an answer was lost and it is told again.
    pub round: u64,
    /// At most [`Spending::MOST`].
    pub by: Vec<Spender>,
}

impl Spending {
    /// How many are told of at once: shorter than the longest body that is taken, 64 KiB.
    pub const MOST: usize = 256;

    /// The same when it is told `nanos` later: what has drained by then is not told any more.
    #[must_use]
    pub fn aged(&self, nanos: u64) -> Self {
        let aged = |spender: &Spender| Spender { spent: spender.spent.map(|spent| spent.aged(nanos)), ..*spender };
        Self { round: self.round, by: self.by.iter().map(aged).collect() }
    }
}

/// How full limits are with what all gateways have told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    /// Which tally says so.
    pub tally: u64,
    /// Of each that was asked about and is held.
    pub filled: Vec<Filled>,
}

/// How full a key's or an organization's limits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Whose limits.
    pub id: Uuid,
    /// In how many nanoseconds requests, and tokens, have drained.
    pub drains_in: [u64; 2],
}

/// What all gateways have told. It is in memory alone: after a restart it learns from each gateway what that one knew.
#[derive(Debug)]
pub struct Tally {
    number: u64,
    told: HashMap<Id<Organization>, Told>,
}

#[derive(Debug, Default)]
struct Told {
    fills: HashMap<Uuid, [Fill; 2]>,
    /// The last round of each gateway; none is the one in the control plane's own process.
    rounds: HashMap<Option<Id<Gateway>>, u64>,
    /// How many fills there were when the empty ones were last dropped.
    kept: usize,
}

impl Tally {
    /// Knows nothing. No tally before had this number.
    pub fn new(number: u64) -> Self {
        Self { number, told: HashMap::new() }
    }

    /// Adds what a gateway has let through, once for each round, and says how full its limits are now.
    pub fn add(
        &mut self,
        organization: Id<Organization>,
        gateway: Option<Id<Gateway>>,
        spending: &Spending,
        now: u64,
    ) -> Tallied {
        let told = self.told.entry(organization).or_default();
        let fresh = told.rounds.insert(gateway, spending.round) != Some(spending.round);
        told.make_room(now);
        let by = spending.by.iter().take(Spending::MOST);
        let filled = by.filter_map(|spender| {
            let fills = told.take(spender, fresh, spender.heard == Some(self.number), now)?;
            Some(Filled { id: spender.id, drains_in: fills.map(|fill| fill.drains_in(now)) })
        });
        Tallied { tally: self.number, filled: filled.collect() }
    }
}

impl Told {
    /// Drops what is empty, when there is twice as much as after the last time, or as much as may be.
    fn make_room(&mut self, now: u64) {
        if self.fills.len() + Spending::MOST > (2 * self.kept).clamp(CROWDED, MOST) {
            self.fills.retain(|_, fills| fills.iter().any(|fill| fill.drains_in(now) > 0));
            self.kept = self.fills.len();
        }
    }

    /// How full its limits are now; none where there is no room for them.
    fn take(&mut self, spender: &Spender, fresh: bool, learnt_here: bool, now: u64) -> Option<[Fill; 2]> {
        let full = self.fills.len() >= MOST;
        let fills = match self.fills.entry(spender.id) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(_) if full => return None,
            Entry::Vacant(place) => place.insert(<[Fill; 2]>::default()),
        };
        for (fill, Spent { change, full }) in fills.iter_mut().zip(spender.spent) {
            if fresh {
                *fill = fill.with(change, now);
            }
            // What it did not learn here it may have learnt of a tally before this one.
            if !learnt_here && full > fill.drains_in(now) {
                *fill = Fill::of(full, now);
            }
        }
        Some(*fills)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_800_000_000 * SECOND;
    const TALLY: u64 = 3;

    fn organization(number: u128) -> Id<Organization> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn gateway(number: u128) -> Option<Id<Gateway>> {
        Some(Id::from_uuid(Uuid::from_u128(number)))
    }

    /// What a gateway tells that has heard of this tally.
    fn spending(round: u64, change: i64) -> Spending {
        let spent = [Spent { change, full: 0 }, Spent::default()];
        Spending { round, by: vec![Spender { id: Uuid::from_u128(7), heard: Some(TALLY), spent }] }
    }

    /// The same of one that has heard of another or of none.
    fn believing(round: u64, change: i64, full: u64, heard: Option<u64>) -> Spending {
        let spent = [Spent { change, full }, Spent::default()];
        Spending { round, by: vec![Spender { id: Uuid::from_u128(7), heard, spent }] }
    }

    fn told(tally: &mut Tally, of: Option<Id<Gateway>>, spending: &Spending, now: u64) -> u64 {
        tally.add(organization(1), of, spending, now).filled[0].drains_in[0]
    }

    #[test]
    fn what_gateways_let_through_adds_up_and_drains() {
        let mut tally = Tally::new(TALLY);
        assert_eq!(told(&mut tally, gateway(1), &spending(1, 5), NOW), 5);
        assert_eq!(told(&mut tally, gateway(2), &spending(1, 7), NOW), 12);
        assert_eq!(told(&mut tally, None, &spending(1, -2), NOW), 10);
        assert_eq!(told(&mut tally, gateway(1), &spending(2, 0), NOW + 4), 6);
        assert_eq!(told(&mut tally, gateway(1), &spending(3, 1), NOW + 40), 1);
    }

    #[test]
    fn a_round_that_is_told_again_counts_once() {
        let mut tally = Tally::new(TALLY);
        for _ in 0..3 {
            assert_eq!(told(&mut tally, gateway(1), &spending(9, 5), NOW), 5);
        }
        assert_eq!(told(&mut tally, gateway(2), &spending(9, 5), NOW), 10, "another's rounds are others");
    }

    #[test]
    fn what_a_gateway_knew_before_counts_whoever_speaks_first() {
        let mut tally = Tally::new(TALLY);
        assert_eq!(told(&mut tally, gateway(2), &believing(1, 5, 5, None), NOW), 5, "it was called first");
        let full = 50 * SECOND;
        assert_eq!(told(&mut tally, gateway(1), &believing(9, 0, full, Some(TALLY - 1)), NOW), full);
        assert_eq!(
            told(&mut tally, gateway(1), &believing(10, -5, full, Some(TALLY)), NOW),
            full - 5,
            "it knows it from here"
        );
    }

    #[test]
    fn what_is_told_late_has_drained_meanwhile() {
        let late = believing(1, 5, 9, None).aged(6);
        assert_eq!(late.by[0].spent[0], Spent { change: 0, full: 3 });
        assert_eq!(spending(1, -5).aged(6), spending(1, -5), "what was given back stays given back");
    }

    #[test]
    fn organizations_are_apart_and_no_number_is_too_strange() {
        let mut tally = Tally::new(TALLY);
        told(&mut tally, gateway(1), &spending(1, 5), NOW);
        let strange = believing(2, i64::MAX, u64::MAX, None);
        assert_eq!(tally.add(organization(2), gateway(1), &strange, NOW).filled[0].drains_in[0], Fill::LONGEST);
        assert_eq!(tally.add(organization(2), gateway(1), &spending(3, i64::MIN), NOW).filled[0].drains_in[0], 0);
        assert_eq!(told(&mut tally, gateway(1), &spending(2, 0), NOW), 5);
        let many = Spending { round: 4, by: strange.by.repeat(Spending::MOST + 1) }.aged(u64::MAX);
        assert_eq!(tally.add(organization(1), gateway(1), &many, u64::MAX).filled.len(), Spending::MOST);
    }

    #[test]
    fn a_tally_has_room_again_when_what_filled_it_has_drained() {
        let (mut tally, mut now) = (Tally::new(TALLY), NOW);
        let crowd = |tally: &mut Tally, from: u128, now: u64| {
            let by = (from..from + Spending::MOST as u128).map(|id| Spender {
                id: Uuid::from_u128(id),
                heard: Some(TALLY),
                spent: [Spent { change: 60, full: 60 }; 2],
            });
            let spending = Spending { round: u64::try_from(from).expect("small"), by: by.collect() };
            tally.add(organization(1), gateway(1), &spending, now).filled.len()
        };
        let rounds = MOST / Spending::MOST;
        for round in 0..rounds as u128 {
            assert_eq!(crowd(&mut tally, round * Spending::MOST as u128 + 1, now), Spending::MOST);
        }
        assert_eq!(crowd(&mut tally, u128::from(u32::MAX), now), 0, "it is full");
        now += 61;
        assert_eq!(crowd(&mut tally, u128::from(u32::MAX), now), Spending::MOST);
    }
}
