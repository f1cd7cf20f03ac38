//! Calls through two gateways, each a program of its own, whose control plane is gone, one of which is killed in the midst of
//! it: how long that one takes until it answers again, from its disk.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on says so and stops"
)]

#[expect(dead_code, reason = "the tests do more with it")]
#[path = "../tests/it/host.rs"]
mod host;
#[expect(dead_code, reason = "the tests assert with it what is printed here")]
#[path = "../tests/it/load.rs"]
mod load;
#[expect(dead_code, reason = "it needs no database, and of few runs no share")]
#[path = "../../../crates/store/benches/measure/mod.rs"]
mod measure;
#[expect(dead_code, reason = "the tests do more with it")]
#[path = "../tests/it/plane.rs"]
mod plane;

use std::time::Duration;

use gatewarden_testkit::World;
use load::{CALLERS, Course};
use measure::{Figures, conditions, ms, row, verdict};
use plane::Plane;

const OUTAGES: usize = 10;
/// In each of them, how many calls each caller makes.
const CALLS: usize = 500;
/// In milliseconds: until a killed gateway has answered a call.
const TARGET: f64 = 1_000.0;

fn main() {
    conditions();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    println!("{OUTAGES} outages of {} calls by {CALLERS} callers\n", CALLERS * CALLS);
    let (mut ready, mut called, mut last) = (Figures::default(), Figures::default(), None);
    for _ in 0..OUTAGES {
        let course = load::run(Plane::new(World::sqlite().await).await, CALLERS * CALLS).await;
        ready.add(course.ready);
        called.add(course.called);
        last = Some(course);
    }
    row("killed, from the start of", &["half", "slowest", ""].map(str::to_owned));
    row("  its process to being ready", &[ms(ready.median()), ms(ready.within(1.0)), String::new()]);
    let slowest = called.within(1.0);
    row("  its process to a call answered", &[ms(called.median()), ms(slowest), verdict(slowest <= TARGET)]);
    let Some(Course { answered, took, .. }) = last else { return };
    println!("\ntarget: 1 s to a call answered. The last outage, {:.1} s under load:", Duration::as_secs_f64(&took));
    for (with, said) in &answered.calls {
        println!("  {with:?}: {said:?}");
    }
    println!("  broken off by the kill, and made once more: {}", answered.broken);
}
