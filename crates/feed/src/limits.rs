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
    /// How many nanoseconds ago this was so.
    pub age: u64,
    /// At most [`Spending::MOST`].
    pub by: Vec<Spender>,
}

impl Spending {
    /// How many are told of at once: shorter than [`LONGEST_BODY`](crate::LONGEST_BODY).
    pub const MOST: usize = 256;
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

/// How a gateway's word is to be taken.
#[derive(Clone, Copy)]
struct Word {
    /// It was not told before.
    fresh: bool,
    /// The gateway knows how full the limit is from this tally.
    learnt_here: bool,
    age: u64,
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
            let learnt_here = spender.heard == Some(self.number);
            let fills = told.take(spender, Word { fresh, learnt_here, age: spending.age }, now)?;
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
    fn take(&mut self, spender: &Spender, word: Word, now: u64) -> Option<[Fill; 2]> {
        let full = self.fills.len() >= MOST;
        let fills = match self.fills.entry(spender.id) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(_) if full => return None,
            Entry::Vacant(place) => place.insert(<[Fill; 2]>::default()),
        };
        for (fill, spent) in fills.iter_mut().zip(spender.spent) {
            *fill = word.added(*fill, spent, now);
        }
        Some(*fills)
    }
}

impl Word {
    fn added(self, fill: Fill, Spent { change, full }: Spent, now: u64) -> Fill {
        let Self { fresh, learnt_here, age } = self;
        // Where nothing else was let through, it has drained since.
        let drained = if fill.drains_in(now) == 0 { age.try_into().unwrap_or(i64::MAX) } else { 0 };
        let change = if change > drained { change - drained } else { change.min(0) };
        let added = if fresh { fill.with(change, now) } else { fill };
        // What it did not learn here it may have learnt of a tally before this one.
        let believed = Fill::of(full.saturating_sub(age), now);
        if learnt_here || believed.drains_in(now) < added.drains_in(now) { added } else { believed }
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
        Spending { round, age: 0, by: vec![Spender { id: Uuid::from_u128(7), heard: Some(TALLY), spent }] }
    }

    /// The same of one that has heard of another or of none.
    fn believing(round: u64, change: i64, full: u64, heard: Option<u64>) -> Spending {
        let spent = [Spent { change, full }, Spent::default()];
        Spending { round, age: 0, by: vec![Spender { id: Uuid::from_u128(7), heard, spent }] }
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
        let late = |round, change, heard| Spending { age: 6, ..believing(round, change, 9, heard) };
        let mut tally = Tally::new(TALLY);
        assert_eq!(told(&mut tally, gateway(1), &late(1, 5, Some(TALLY)), NOW), 0, "there was nothing else");
        assert_eq!(told(&mut tally, gateway(1), &late(2, 7, Some(TALLY)), NOW), 1);
        assert_eq!(told(&mut tally, gateway(1), &late(3, 5, Some(TALLY)), NOW), 6, "it came on top of something");
        assert_eq!(told(&mut tally, gateway(1), &late(4, -4, Some(TALLY)), NOW), 2);
        assert_eq!(told(&mut tally, gateway(1), &late(5, 0, None), NOW), 3, "and so has what it knew");
    }

    #[test]
    fn organizations_are_apart_and_no_number_is_too_strange() {
        let mut tally = Tally::new(TALLY);
        told(&mut tally, gateway(1), &spending(1, 5), NOW);
        let strange = believing(2, i64::MAX, u64::MAX, None);
        assert_eq!(tally.add(organization(2), gateway(1), &strange, NOW).filled[0].drains_in[0], Fill::LONGEST);
        assert_eq!(tally.add(organization(2), gateway(1), &spending(3, i64::MIN), NOW).filled[0].drains_in[0], 0);
        assert_eq!(told(&mut tally, gateway(1), &spending(2, 0), NOW), 5);
        let many = Spending { round: 4, age: u64::MAX, by: strange.by.repeat(Spending::MOST + 1) };
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
            let spending = Spending { round: u64::try_from(from).expect("small"), age: 0, by: by.collect() };
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
