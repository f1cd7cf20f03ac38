//! Trying again, ever more rarely.

use std::time::Duration;

/// The longest wait, as a power of two: 64 seconds.
const SLOWEST: u32 = 6;

/// How long to wait before something that failed is tried again: 1, 2, 4 … and at last 64 seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff(u32);

impl Backoff {
    /// The wait after one more failure.
    pub fn failed(&mut self) -> Duration {
        let wait = Duration::from_secs(1 << self.0);
        self.0 = SLOWEST.min(self.0 + 1);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_a_minute() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..9).map(|_| backoff.failed().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 64, 64]);
    }
}
