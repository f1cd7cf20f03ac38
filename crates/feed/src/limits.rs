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
/// How many limits an organization's tally holds; gateways go on alone with more.
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

    /// In how many nanoseconds it is empty.
    pub fn left(self, now: u64) -> u64 {
        self.0.saturating_sub(now).min(Self::LONGEST)
    }

    /// This with so many nanoseconds more, or less.
    #[must_use]
    pub fn with(self, change: i64, now: u64) -> Self {
        Self::of(self.left(now).saturating_add_signed(change), now)
    }
}

/// What a gateway says of one limit, in nanoseconds: what it has let through since it last told, less what was given back,
/// and how full it holds the limit to be, with that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent(pub i64, pub u64);

/// What a gateway says of a key or an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spender {
    /// The key's id, or the organization's.
    pub id: Uuid,
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
    pub const MOST: usize = 400;
}

/// How full a key's or an organization's limits are with what all gateways have told: nanoseconds until requests, and
/// tokens, have drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filled {
    /// Whose limits.
    pub id: Uuid,
    /// How full they are.
    pub left: [u64; 2],
}

/// What all gateways have told. It is not kept: after a restart it begins with what they hold for true.
#[derive(Debug, Default)]
pub struct Tally(HashMap<Id<Organization>, Told>);

#[derive(Debug, Default)]
struct Told {
    fills: HashMap<Uuid, [Fill; 2]>,
    /// The last round of each gateway; none is the one in the control plane's own process.
    rounds: HashMap<Option<Id<Gateway>>, u64>,
}

impl Tally {
    /// Adds what a gateway has let through, once for each round, and says how full its limits are now.
    pub fn add(
        &mut self,
        organization: Id<Organization>,
        gateway: Option<Id<Gateway>>,
        spending: &Spending,
        now: u64,
    ) -> Vec<Filled> {
        let told = self.0.entry(organization).or_default();
        let fresh = told.rounds.insert(gateway, spending.round) != Some(spending.round);
        if told.fills.len() >= CROWDED && told.fills.len() == told.fills.capacity() {
            told.fills.retain(|_, fills| fills.iter().any(|fill| fill.left(now) > 0));
        }
        let answered = spending.by.iter().take(Spending::MOST).map(|Spender { id, spent }| {
            let fills = told.take(*id, spent, fresh, now);
            Filled { id: *id, left: fills.map(|fill| fill.left(now)) }
        });
        answered.collect()
    }
}

impl Told {
    fn take(&mut self, id: Uuid, spent: &[Spent; 2], fresh: bool, now: u64) -> [Fill; 2] {
        let believed = spent.map(|Spent(_, left)| Fill::of(left, now));
        let full = self.fills.len() >= MOST;
        match self.fills.entry(id) {
            Entry::Occupied(mut held) => {
                if fresh {
                    for (fill, Spent(change, _)) in held.get_mut().iter_mut().zip(spent) {
                        *fill = fill.with(*change, now);
                    }
                }
                *held.get()
            }
            Entry::Vacant(_) if full => believed,
            Entry::Vacant(place) => *place.insert(believed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_800_000_000 * SECOND;

    fn organization(number: u128) -> Id<Organization> {
        Id::from_uuid(Uuid::from_u128(number))
    }

    fn gateway(number: u128) -> Option<Id<Gateway>> {
        Some(Id::from_uuid(Uuid::from_u128(number)))
    }

    fn spending(round: u64, change: i64, left: u64) -> Spending {
        Spending { round, by: vec![Spender { id: Uuid::from_u128(7), spent: [Spent(change, left), Spent(0, 0)] }] }
    }

    fn told(tally: &mut Tally, of: Option<Id<Gateway>>, spending: &Spending, now: u64) -> u64 {
        tally.add(organization(1), of, spending, now)[0].left[0]
    }

    #[test]
    fn what_gateways_let_through_adds_up_and_drains() {
        let mut tally = Tally::default();
        assert_eq!(told(&mut tally, gateway(1), &spending(1, 5, 5), NOW), 5);
        assert_eq!(told(&mut tally, gateway(2), &spending(1, 7, 7), NOW), 12);
        assert_eq!(told(&mut tally, None, &spending(1, -2, 0), NOW), 10);
        assert_eq!(told(&mut tally, gateway(1), &spending(2, 0, 0), NOW + 4), 6);
        assert_eq!(told(&mut tally, gateway(1), &spending(3, 1, 1), NOW + 40), 1);
    }

    #[test]
    fn a_round_that_is_told_again_counts_once() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            assert_eq!(told(&mut tally, gateway(1), &spending(9, 5, 5), NOW), 5);
        }
        assert_eq!(told(&mut tally, gateway(2), &spending(9, 5, 5), NOW), 10, "another's rounds are others");
    }

    #[test]
    fn a_tally_that_is_new_begins_with_what_a_gateway_holds_for_true() {
        let mut tally = Tally::default();
        assert_eq!(told(&mut tally, gateway(1), &spending(9, 5, 50 * SECOND), NOW), 50 * SECOND);
        assert_eq!(told(&mut tally, gateway(2), &spending(9, 5, 45 * SECOND), NOW), 50 * SECOND + 5);
    }

    #[test]
    fn organizations_are_apart_and_no_number_is_too_strange() {
        let mut tally = Tally::default();
        told(&mut tally, gateway(1), &spending(1, 5, 5), NOW);
        let strange = spending(2, i64::MAX, u64::MAX);
        assert_eq!(tally.add(organization(2), gateway(1), &strange, NOW)[0].left[0], Fill::LONGEST);
        assert_eq!(tally.add(organization(2), gateway(1), &spending(3, i64::MIN, 0), NOW)[0].left[0], 0);
        assert_eq!(told(&mut tally, gateway(1), &spending(2, 0, 0), NOW), 5);
        let many = Spending { round: 4, by: strange.by.repeat(Spending::MOST + 1) };
        assert_eq!(tally.add(organization(1), gateway(1), &many, u64::MAX).len(), Spending::MOST);
    }
}
