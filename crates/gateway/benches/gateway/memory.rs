//! What the gateway holds in memory: doing nothing, with a million keys, and after calls of every kind.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use crate::{
    caller::Caller,
    load_average,
    peers::Peers,
    policy,
    process::Gateway,
    report,
    upstream::{FIRST, LAST, SILENT, STREAMING, Upstreams},
};

const MILLION: usize = 1_000_000;
/// What the second half of a soak may hold more than the first, in MiB.
const FLAT: f64 = 1.0;
/// Connections under load.
const CONNECTIONS: u32 = 32;

/// With one organization, one key, and no call yet.
pub fn idle(upstreams: &Upstreams) {
    let resident = Gateway::start(1, upstreams).resident();
    report("memory, idle", &format!("{resident:.1} MiB"), "≤ 25 MiB", resident <= 25.0);
}

/// With a million keys in a hundred organizations, and calls answered.
pub fn many_keys(upstreams: &Upstreams) {
    let start = Instant::now();
    let gateway = Gateway::start(MILLION, upstreams);
    let took = start.elapsed().as_secs_f64();
    assert_eq!(gateway.keys, MILLION, "it knows them all");
    assert_eq!(Caller::connect(gateway.addr, &gateway.key).call(policy::MODEL), 200, "a call is answered");
    let resident = gateway.resident();
    let what = format!("memory with 1,000,000 keys, made and taken in in {took:.1} s");
    report(&what, &format!("{resident:.0} MiB"), "≤ 300 MiB", resident <= 300.0);
}

/// Under load for `time`, with streams, refusals and callers that leave among the calls: what is held in the second half
/// is compared with the first.
pub fn soak(peers: &Peers, upstreams: &Upstreams, time: Duration) {
    let gateway = Gateway::start(1, upstreams);
    let over = AtomicBool::new(false);
    let (calls, beside, [first, second]) = thread::scope(|scope| {
        let load = scope.spawn(|| {
            let calls = peers.load(&gateway, CONNECTIONS, time);
            over.store(true, Relaxed);
            calls
        });
        let looking = scope.spawn(|| halves(&gateway, time, &over));
        let beside = call_beside(&gateway, upstreams, &over);
        (load.join().expect("the load ran"), beside, looking.join().expect("its memory was looked at"))
    });
    let (seconds, average) = (time.as_secs(), load_average());
    println!("soak of {seconds} s at {CONNECTIONS} connections, load {average}: {calls} calls, {beside} others");
    let figure = format!("{first:.1} then {second:.1} MiB");
    report("most memory in the soak's first and second half", &figure, "≤ 1 MiB more", second - first <= FLAT);
}

/// The most memory in the first half of `time` and in what follows.
fn halves(gateway: &Gateway, time: Duration, over: &AtomicBool) -> [f64; 2] {
    let (start, mut halves) = (Instant::now(), [0.0_f64; 2]);
    while !over.load(Relaxed) {
        let [first, second] = &mut halves;
        let half = if start.elapsed() > time / 2 { second } else { first };
        *half = half.max(gateway.resident());
        wait(Duration::from_millis(500));
    }
    halves
}

/// Streams, half of which are left in the middle, refused calls, and callers that leave a silent provider.
fn call_beside(gateway: &Gateway, upstreams: &Upstreams, over: &AtomicBool) -> u64 {
    let mut count = 0;
    while !over.load(Relaxed) {
        let mut streaming = Caller::connect(gateway.addr, &gateway.key);
        streaming.send(STREAMING, true);
        let seen = streaming.read_until(FIRST);
        if u64::is_multiple_of(count, 2) {
            streaming.read_on(seen, LAST);
        }
        let mut refused = Caller::connect(gateway.addr, &gateway.key);
        refused.send("none", false);
        refused.read_until("model_not_found");
        let mut leaving = Caller::connect(gateway.addr, &gateway.key);
        leaving.send(SILENT, false);
        upstreams.asked.recv_timeout(Duration::from_secs(10)).expect("the call comes to its provider");
        count += 3;
        wait(Duration::from_millis(5));
    }
    count
}

fn wait(time: Duration) {
    #[expect(clippy::disallowed_methods, reason = "a thread that looks on")]
    thread::sleep(time);
}
