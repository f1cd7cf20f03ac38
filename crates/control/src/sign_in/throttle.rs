//! How many tries to sign in are taken, in memory, without ever locking anyone out.
//!
//! Three limits hold at once, each a bucket that fills again: for an address from one network, for one network, and
//! for one address from all networks it was not yet signed in from. Whoever signed in from a network before is not
//! slowed by what strangers do to their address elsewhere; everyone else waits seconds, never longer.

use std::{
    collections::HashMap,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
};

use gatewarden_credentials::digest;
use gatewarden_types::{Digest, Email, Timestamp};

/// A bucket: so many tries at once, then one more after each interval.
#[derive(Debug, Clone, Copy)]
struct Limit {
    burst: i64,
    interval_seconds: i64,
}

const ADDRESS_FROM_NETWORK: Limit = Limit { burst: 5, interval_seconds: 60 };
const NETWORK: Limit = Limit { burst: 60, interval_seconds: 5 };
const ADDRESS: Limit = Limit { burst: 20, interval_seconds: 10 };

/// How many buckets of a kind are kept: at most about 20 MB in all.
const KEPT: usize = 1 << 16;

/// Tries that were taken.
#[derive(Debug, Default)]
pub(crate) struct Throttle(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    address_from_network: Buckets<(IpAddr, Digest)>,
    network: Buckets<IpAddr>,
    address: Buckets<Digest>,
    /// When an address was last signed in from a network.
    signed_in: Buckets<(IpAddr, Digest)>,
}

impl Throttle {
    /// Takes a try, or says in how many seconds there is one.
    pub(crate) fn admit(&self, from: IpAddr, email: &Email, now: Timestamp) -> Result<(), u64> {
        let (network, address) = (network(from), digest(email.as_str().as_bytes()));
        let mut tries = self.tries();
        let known = tries.signed_in.0.contains_key(&(network, address));
        let waits = [
            tries.address_from_network.wait(&(network, address), ADDRESS_FROM_NETWORK, now),
            tries.network.wait(&network, NETWORK, now),
            if known { 0 } else { tries.address.wait(&address, ADDRESS, now) },
        ];
        let wait = waits.into_iter().max().unwrap_or_default();
        if wait > 0 {
            return Err(u64::try_from(wait).unwrap_or_default().div_ceil(1_000_000));
        }
        tries.address_from_network.take((network, address), ADDRESS_FROM_NETWORK, now);
        tries.network.take(network, NETWORK, now);
        if !known {
            tries.address.take(address, ADDRESS, now);
        }
        Ok(())
    }

    /// Gives back what a try took that turned out to be right, and remembers where from.
    pub(crate) fn succeeded(&self, from: IpAddr, email: &Email, now: Timestamp) {
        let (network, address) = (network(from), digest(email.as_str().as_bytes()));
        let mut tries = self.tries();
        tries.address_from_network.0.remove(&(network, address));
        tries.network.give_back(&network, NETWORK);
        tries.signed_in.put((network, address), now.micros());
    }

    fn tries(&self) -> MutexGuard<'_, Tries> {
        // Plain numbers are never half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For each key the instant in microseconds at which its bucket is full again (the generic cell rate algorithm).
#[derive(Debug)]
struct Buckets<K>(HashMap<K, i64>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Microseconds until there is a try; 0 when there is one now.
    fn wait(&self, key: &K, limit: Limit, now: Timestamp) -> i64 {
        let room = limit.burst * limit.micros();
        (self.full_again(key, now) + limit.micros() - now.micros() - room).max(0)
    }

    fn take(&mut self, key: K, limit: Limit, now: Timestamp) {
        let full_again = self.full_again(&key, now) + limit.micros();
        self.put(key, full_again);
    }

    fn give_back(&mut self, key: &K, limit: Limit) {
        if let Some(full_again) = self.0.get_mut(key) {
            *full_again -= limit.micros();
        }
    }

    fn full_again(&self, key: &K, now: Timestamp) -> i64 {
        self.0.get(key).copied().unwrap_or_default().max(now.micros())
    }

    /// Keeps a value. When there are too many, the half with the earliest instants makes room: those matter least.
    fn put(&mut self, key: K, instant: i64) {
        if self.0.len() >= KEPT && !self.0.contains_key(&key) {
            let mut instants: Vec<i64> = self.0.values().copied().collect();
            let (_, median, _) = instants.select_nth_unstable(KEPT / 2);
            let median = *median;
            self.0.retain(|_, instant| *instant > median);
        }
        self.0.insert(key, instant);
    }
}

impl Limit {
    const fn micros(self) -> i64 {
        self.interval_seconds * 1_000_000
    }
}

/// What counts as one network: an IPv4 address, or the 64 bits of an IPv6 prefix that one household has.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn email(text: &str) -> Email {
        text.parse().expect("an address")
    }

    fn from(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn guesses_from_one_network_wait_and_go_on() {
        let (throttle, ada) = (Throttle::default(), email("ada@example.com"));
        for _ in 0..5 {
            assert_eq!(throttle.admit(from(1), &ada, START), Ok(()));
        }
        assert_eq!(throttle.admit(from(1), &ada, START), Err(60));
        assert_eq!(throttle.admit(from(1), &ada, START.plus_seconds(59)), Err(1));
        assert_eq!(throttle.admit(from(1), &ada, START.plus_seconds(60)), Ok(()));
        assert_eq!(throttle.admit(from(1), &email("grace@example.com"), START), Ok(()), "others there may");
        assert_eq!(throttle.admit(from(2), &ada, START), Ok(()), "she may elsewhere");
    }

    #[test]
    fn one_network_cannot_try_every_address() {
        let throttle = Throttle::default();
        let admitted =
            (0..100).filter(|n| throttle.admit(from(1), &email(&format!("a{n}@example.com")), START).is_ok());
        assert_eq!(admitted.count(), 60);
        assert_eq!(throttle.admit(from(1), &email("b@example.com"), START), Err(5));
    }

    #[test]
    fn a_victim_of_many_networks_signs_in_from_her_own_at_once_and_elsewhere_soon() {
        let (throttle, ada) = (Throttle::default(), email("ada@example.com"));
        assert_eq!(throttle.admit(from(1), &ada, START), Ok(()));
        throttle.succeeded(from(1), &ada, START);
        let attacked = (1000..2000).filter(|n| throttle.admit(from(*n), &ada, START).is_ok());
        assert!(attacked.count() < 20);
        assert_eq!(throttle.admit(from(1), &ada, START), Ok(()));
        assert_eq!(throttle.admit(from(2), &ada, START), Err(10));
        assert_eq!(throttle.admit(from(2), &ada, START.plus_seconds(10)), Ok(()));
    }

    #[test]
    fn a_household_is_one_network() {
        let [a, b, c] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|text| network(text.parse().expect("one")));
        assert!(a == b && a != c);
        assert_eq!(network("::ffff:192.0.2.1".parse().expect("one")), network("192.0.2.1".parse().expect("one")));
    }

    #[test]
    fn memory_is_bounded_and_the_most_throttled_stay() {
        let mut buckets = Buckets::default();
        for n in 0..=KEPT {
            buckets.put(n, i64::try_from(n).expect("small"));
        }
        assert!(buckets.0.len() <= KEPT && buckets.0.contains_key(&(KEPT - 1)) && !buckets.0.contains_key(&0));
    }
}
