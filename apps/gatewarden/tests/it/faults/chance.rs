//! What is left to chance, and can be done again.

use gatewarden_testkit::fresh_seed;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::say;

/// Numbers that follow from a seed: the one of `GATEWARDEN_TEST_SEED`, or a new one, which is told.
pub struct Chance(StdRng);

impl Chance {
    pub fn of(test: &str) -> Self {
        let asked = std::env::var("GATEWARDEN_TEST_SEED").ok();
        let seed = asked.map_or_else(fresh_seed, |seed| seed.parse().expect("GATEWARDEN_TEST_SEED is a number"));
        say(&format!("{test}: GATEWARDEN_TEST_SEED={seed} does this once more\n"));
        Self(StdRng::seed_from_u64(seed))
    }

    /// From 1 up to a number.
    pub fn up_to(&mut self, most: usize) -> usize {
        self.0.random_range(1..=most)
    }

    pub fn of_all<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.0.random_range(0..all.len())]
    }
}
