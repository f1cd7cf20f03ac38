//! The one place where the time and randomness of this machine come in, and its wish that the program end. Only the programs
//! ask here; everything else is given a [`Clock`] and an [`Entropy`].

mod end;

use std::time::UNIX_EPOCH;

use gatewarden_types::{Clock, Entropy, Timestamp};
use rand::Rng;
use rustix::time::{ClockId, clock_gettime};

pub use end::{End, Wish};

/// The system's clock.
pub fn clock() -> Clock {
    Clock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the program says here what time it is")]
        let now = std::time::SystemTime::now();
        let micros = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    })
}

/// A generator that is fit for keys, seeded by the operating system.
pub fn entropy() -> Entropy {
    Entropy::new(|bytes| {
        #[expect(clippy::disallowed_methods, reason = "the program says here where random bytes come from")]
        let mut generator = rand::rng();
        generator.fill_bytes(bytes);
    })
}

/// The system's clock that goes on while the host is suspended: other hosts do their work then.
#[cfg(target_os = "linux")]
const SINCE_BOOT: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const SINCE_BOOT: ClockId = ClockId::Monotonic;

/// A clock that begins with the system's and is never set, whatever becomes of that.
pub fn steady() -> Clock {
    let since_boot = || {
        let now = clock_gettime(SINCE_BOOT);
        now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
    };
    let (began, at) = (clock().now(), since_boot());
    Clock::new(move || Timestamp::from_micros(began.micros().saturating_add(since_boot().saturating_sub(at))))
}
