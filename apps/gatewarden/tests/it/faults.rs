//! The program, and gateways on other hosts, under load while they are killed, while fsync fails and while a disk is full:
//! what was acknowledged is there, once, in force at each gateway, and the trail has no gap.

mod admins;
mod callers;
mod chance;
mod disk;
mod elsewhere;
mod failing;
mod fleet;
mod here;
#[expect(dead_code, reason = "the tests of the gateway's program do more with it")]
#[path = "../../../gateway/tests/it/host.rs"]
mod host;
mod kept;
mod load;
mod site;

use std::{
    io::{self, Write},
    time::Duration,
};

use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

/// How long something may take that happens as soon as it can.
const PATIENCE: Duration = Duration::from_mins(1);

/// Of the kills, each test has one in so many. Together they are as many as were asked for.
const OF_THE_PROGRAM: usize = 3;
const OF_GATEWAYS: usize = 6;
/// One in so many is a round of failing writes, in each test of those.
const FAILING: usize = 10;

/// One in so many of the rounds that `GATEWARDEN_TEST_FAULTS` names; none, and told, where it names no number.
fn rounds(one_in: usize) -> Option<usize> {
    let Some(rounds) = std::env::var("GATEWARDEN_TEST_FAULTS").ok() else {
        say(
            "left out: faults, as GATEWARDEN_TEST_FAULTS names no number; `cargo xtask faults` brings what they need\n",
        );
        return None;
    };
    Some(rounds.parse::<usize>().expect("GATEWARDEN_TEST_FAULTS is a number").div_ceil(one_in))
}

/// Not by `println!`, which a test that passes keeps to itself.
fn say(line: &str) {
    io::stderr().write_all(line.as_bytes()).expect("standard error is open");
}

/// Waits until something is so.
async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let reaching = async {
        while !reached().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, reaching).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

/// How fast whoever is at work does one thing after the other: enough is under way at any moment, and the processors are left
/// to the programs.
fn pace() -> Interval {
    let mut pace = interval(Duration::from_millis(10));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}
