//! The gateway with every check on, beside plain proxies and other gateways, in one run on one machine.
//!
//! The gateway is a process of its own, which is this program started anew (`alone`): the gateway and nothing else,
//! with an organization, a key with limits, an approved model and a provider. The others are started by the scripts of
//! the peers (`peers`). Traffic stays on the loopback interface.
#![expect(clippy::expect_used, reason = "a benchmark that cannot go on says so and stops")]

mod alone;
mod caller;
mod latency;
mod load;
mod memory;
mod peers;
#[path = "../policy/mod.rs"]
mod policy;
mod process;
mod upstream;

use std::{fs, process::ExitCode, time::Duration};

/// How long the gateway is under load when nobody says otherwise, in minutes.
const SHORT_SOAK: u64 = 1;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["alone", keys, providers @ ..] => alone::run(keys.parse().expect("a number of keys"), providers),
        [] => measure(SHORT_SOAK),
        ["--soak", minutes] => measure(minutes.parse().expect("--soak takes minutes")),
        other => {
            eprintln!("not understood: {}; there is --soak MINUTES", other.join(" "));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(soak: u64) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{cores} cores, load {} at the start", load_average());
    let peers = peers::Peers::start();
    let upstreams = upstream::Upstreams::start();
    let gateway = process::Gateway::start(1, &upstreams);
    println!("\nThroughput and latency: POST of some 400 bytes, JSON answer of 494 bytes, load {}\n", load_average());
    load::compare(&peers, &gateway);
    println!("\nAlone, load {}\n", load_average());
    latency::freed(&gateway, &upstreams);
    latency::first_byte(&gateway, &upstreams);
    drop(gateway);
    process::first_answer(&upstreams);
    memory::idle(&upstreams);
    memory::many_keys(&upstreams);
    memory::soak(&peers, &upstreams, Duration::from_secs(soak * 60));
}

/// How busy the machine is, as the average of the last minute.
fn load_average() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

/// One figure with its target.
fn report(what: &str, figure: &str, target: &str, met: bool) {
    println!("{what:56} {figure:>22}   {target:>10}   {}", if met { "met" } else { "not met" });
}

/// The middle one.
fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
