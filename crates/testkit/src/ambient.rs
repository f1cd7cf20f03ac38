//! Time and randomness that a test holds in its hand.

use std::{
    fs::File,
    io::Read,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use gatewarden_types::{Clock, Entropy, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// 1 January 2026, in microseconds since 1970.
const START: i64 = 1_767_225_600_000_000;
/// How much passes each time someone looks: ids sort as they were made, and no two things happen at once.
const TICK: i64 = 1_000;

/// A clock that moves on by a millisecond each time it is read, and further when a test turns it.
#[derive(Debug, Clone)]
pub struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn start() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    /// What it shows, as the program sees it.
    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now())
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(TICK, Ordering::SeqCst))
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).expect("a test passes less than 292,000 years");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

/// Bytes that follow from `seed`.
pub(crate) fn seeded(seed: u64) -> Entropy {
    let generator = Mutex::new(StdRng::seed_from_u64(seed));
    Entropy::new(move |bytes| generator.lock().expect("nobody panics in here").fill_bytes(bytes))
}

/// A seed that no other world has, in this process or another: worlds share a PostgreSQL cluster and its role names.
pub fn fresh_seed() -> u64 {
    let mut bytes = [0; 8];
    let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    read.expect("the system gives random bytes");
    u64::from_ne_bytes(bytes)
}
