//! How long the gateway takes to decide on a call at a million keys: from the request's headers to its reservation, in
//! one thread, without sockets and bodies. Putting the key into the headers counts as well.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

mod policy;

use std::{fs, time::Instant};

use gatewarden_credentials::ApiKey;
use gatewarden_gateway::{Decision, Follower, SealingKeys};
use gatewarden_types::{Id, Timestamp};
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};

const ORGANIZATIONS: usize = 100;
/// Every so many-th key is called with, in an order that jumps about in memory.
const SHOWN: usize = 16;
/// Decisions that are timed together.
const TOGETHER: usize = 1_000;
const ROUNDS: usize = 5;
/// In nanoseconds, for the median.
const TARGET: f64 = 1_000.0;
type Authorization = [u8; 7 + ApiKey::LENGTH];
const NOW: Timestamp = Timestamp::from_micros(1_800_000_001_000_000);

fn main() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {} at the start", load.split(' ').next().unwrap_or("unknown"));
    let mut follower = Follower::new(SealingKeys::One(policy::root().sealing()));
    let mut callers = Vec::new();
    for _ in 0..ORGANIZATIONS {
        let models = [(policy::MODEL, "http://127.0.0.1:1/v1"), ("other", "http://127.0.0.1:2/v1")];
        let (base, texts) = policy::organization(policy::KEYS_EACH, SHOWN, &models);
        assert_eq!(follower.step(base), None, "the base is read");
        callers.extend(texts.iter().map(|text| authorization(text)));
    }
    let decision = Decision::by(follower.snapshot().clone());
    scatter(&mut callers);
    println!("{} keys, {} of them calling\n", follower.snapshot().keys(), callers.len());
    report("all of them for the first time", &mut nanos(&decision, &callers));
    let mut again: Vec<f64> = (0..ROUNDS).flat_map(|_| nanos(&decision, &callers)).collect();
    let median = report("all of them again", &mut again);
    for some in [4_096, 64] {
        let callers = callers.get(..some).expect("there are as many");
        let mut nanos: Vec<f64> = (0..ROUNDS * 62_500 / some).flat_map(|_| nanos(&decision, callers)).collect();
        report(&format!("{some} keys all the time"), &mut nanos);
    }
    println!("\ntarget: ≤ {TARGET:.0} ns for all of them again: {}", if median <= TARGET { "met" } else { "not met" });
}

/// The text of a header, as it lies in what a connection has just read.
fn authorization(text: &str) -> Authorization {
    format!("Bearer {text}").into_bytes().try_into().expect("every key is as long")
}

/// Shuffles, the same way each time.
fn scatter(callers: &mut [Authorization]) {
    let entropy = policy::entropy();
    for at in (1..callers.len()).rev() {
        let drawn = u64::from_le_bytes(entropy.bytes()) % (at as u64 + 1);
        callers.swap(at, usize::try_from(drawn).unwrap_or_default());
    }
}

/// Nanoseconds of a decision, one figure for each part of the callers.
fn nanos(decision: &Decision, callers: &[Authorization]) -> Vec<f64> {
    let request = Id::new(NOW, &policy::entropy());
    let mut headers = HeaderMap::new();
    let timed = callers.chunks(TOGETHER).map(|part| {
        let start = Instant::now();
        for authorization in part {
            headers.insert(AUTHORIZATION, HeaderValue::from_bytes(authorization).expect("a header"));
            decision.of(&headers, policy::MODEL, 130, (request, NOW)).expect("it is let through");
        }
        #[expect(clippy::cast_precision_loss, reason = "a thousand")]
        let count = part.len() as f64;
        start.elapsed().as_secs_f64() * 1e9 / count
    });
    timed.collect()
}

/// Prints the fastest tenth, median and slowest tenth, and gives the median.
fn report(what: &str, nanos: &mut [f64]) -> f64 {
    nanos.sort_by(f64::total_cmp);
    let at = |share: usize| nanos.get((nanos.len() - 1) * share / 100).copied().unwrap_or_default();
    println!("{what:30} median {:6.0} ns   one in ten below {:6.0} ns, one above {:6.0} ns", at(50), at(10), at(90));
    at(50)
}
