//! Throughput, latency and processor time of everyone by turns.

use crate::{
    median,
    peers::{Peers, url},
    process::Gateway,
    report,
};

const CONNECTIONS: [u32; 3] = [1, 32, 128];
const ROUNDS: u32 = 3;
/// For each turn, after two seconds that do not count.
const SECONDS: u32 = 3;
const GATEWAY: &str = "gatewarden";
/// Of what nginx lets through as a plain proxy, from 32 connections on.
const THROUGHPUT: f64 = 0.75;
/// Over nginx at one connection, in milliseconds.
const LATENCY: f64 = 0.08;

/// One turn, as the load program prints it.
struct Turn {
    name: String,
    connections: u32,
    a_second: f64,
    /// Latencies in milliseconds: of half of the calls, and of 99 in 100.
    half: f64,
    p99: f64,
    /// Processor time of a call in microseconds.
    cpu: f64,
    resident: f64,
    refused: f64,
}

/// Prints the table, and what of it is asked for.
pub fn compare(peers: &Peers, gateway: &Gateway) {
    let mut names: Vec<String> = peers.names.iter().map(|name| (*name).to_owned()).collect();
    names.insert(1, format!("{GATEWAY}={},{},{}", gateway.pid(), url(gateway), gateway.key));
    let connections = CONNECTIONS.map(|count| count.to_string()).join(",");
    let turns: Vec<Turn> = peers.by_turns(&names, &connections, ROUNDS, SECONDS).lines().filter_map(turn).collect();
    assert!(!turns.is_empty(), "the load program prints a line for each turn");
    println!(
        "{:12} {:>5} {:>9} {:>7} {:>9} {:>9} {:>10} {:>8}",
        "", "conns", "a second", "ratio", "p50 ms", "p99 ms", "cpu us", "MiB"
    );
    for count in CONNECTIONS {
        for name in names.iter().map(|name| name.split('=').next().unwrap_or(name)) {
            row(&turns, name, count);
        }
    }
    println!();
    for count in CONNECTIONS {
        if count == 1 {
            let over =
                middle(&turns, GATEWAY, count, |turn| turn.half) - middle(&turns, "nginx", count, |turn| turn.half);
            report(
                "latency over nginx at 1 connection, median",
                &format!("{over:.3} ms"),
                "≤ 0.08 ms",
                over <= LATENCY,
            );
        } else {
            let ratio = ratio(&turns, GATEWAY, count);
            let what = format!("throughput of nginx's plain proxy at {count} connections");
            report(&what, &format!("{ratio:.2}"), "≥ 0.75", ratio >= THROUGHPUT);
        }
    }
}

fn turn(line: &str) -> Option<Turn> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, connections, a_second, half, _, p99, cpu, resident, _, refused, _, _] = words.as_slice() else {
        return None;
    };
    Some(Turn {
        name: (*name).to_owned(),
        connections: connections.parse().ok()?,
        a_second: a_second.parse().ok()?,
        half: half.parse().ok()?,
        p99: p99.parse().ok()?,
        cpu: cpu.parse().ok()?,
        resident: resident.parse().ok()?,
        refused: refused.parse().ok()?,
    })
}

fn row(turns: &[Turn], name: &str, count: u32) {
    let middle = |figure: fn(&Turn) -> f64| middle(turns, name, count, figure);
    let refused: f64 = of(turns, name, count).map(|turn| turn.refused).sum();
    let note = if refused > 0.0 { format!("   {refused} not answered with 200") } else { String::new() };
    assert!(refused == 0.0 || name != GATEWAY, "every call of ours is answered with 200");
    println!(
        "{name:12} {count:5} {:9.0} {:7.3} {:9.3} {:9.3} {:10.1} {:8.1}{note}",
        middle(|turn| turn.a_second),
        ratio(turns, name, count),
        middle(|turn| turn.half),
        middle(|turn| turn.p99),
        middle(|turn| turn.cpu),
        middle(|turn| turn.resident),
    );
}

/// The middle of the ratios to nginx's turn of the same round.
fn ratio(turns: &[Turn], name: &str, count: u32) -> f64 {
    let ratios: Vec<f64> = of(turns, name, count)
        .zip(of(turns, "nginx", count))
        .map(|(turn, nginx)| turn.a_second / nginx.a_second)
        .collect();
    median(&ratios)
}

fn middle(turns: &[Turn], name: &str, count: u32, figure: fn(&Turn) -> f64) -> f64 {
    median(&of(turns, name, count).map(figure).collect::<Vec<_>>())
}

fn of<'a>(turns: &'a [Turn], name: &'a str, count: u32) -> impl Iterator<Item = &'a Turn> {
    turns.iter().filter(move |turn| turn.name == name && turn.connections == count)
}
