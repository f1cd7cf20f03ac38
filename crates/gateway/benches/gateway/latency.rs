//! What one caller waits for.

use std::time::{Duration, Instant};

use crate::{
    caller::Caller,
    median,
    process::Gateway,
    report,
    upstream::{FIRST, LAST, SILENT, STREAMING, Upstreams},
};

/// Callers that leave, one after the other.
const LEAVING: usize = 50;
/// Streams, each once directly and once through the gateway.
const STREAMS: usize = 500;
const PATIENCE: Duration = Duration::from_secs(10);

/// From a caller's leaving while its provider says nothing to the end of the connection to that provider.
pub fn freed(gateway: &Gateway, upstreams: &Upstreams) {
    let took: Vec<f64> = (0..LEAVING)
        .map(|_| {
            let mut caller = Caller::connect(gateway.addr, &gateway.key);
            caller.send(SILENT, false);
            upstreams.asked.recv_timeout(PATIENCE).expect("the call comes to its provider");
            let left = Instant::now();
            drop(caller);
            let freed = upstreams.freed.recv_timeout(PATIENCE).expect("the provider is let go of");
            freed.saturating_duration_since(left).as_secs_f64() * 1e3
        })
        .collect();
    let most = took.iter().copied().fold(0.0, f64::max);
    let figure = format!("{:.2} ms, most {most:.2}", median(&took));
    report("a silent provider freed after its caller left", &figure, "≤ 50 ms", most <= 50.0);
}

/// To the first event of a stream: through the gateway less directly.
pub fn first_byte(gateway: &Gateway, upstreams: &Upstreams) {
    let mut direct = Caller::connect(upstreams.streaming, &gateway.key);
    let mut through = Caller::connect(gateway.addr, &gateway.key);
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..STREAMS {
        without.push(first_event(&mut direct));
        with.push(first_event(&mut through));
    }
    let over = median(&with) - median(&without);
    let figure = format!("{over:.3} ms ({:.3} − {:.3})", median(&with), median(&without));
    report("first streamed byte over direct", &figure, "≤ 0.5 ms", over <= 0.5);
}

/// In milliseconds.
fn first_event(caller: &mut Caller) -> f64 {
    let start = Instant::now();
    caller.send(STREAMING, true);
    let seen = caller.read_until(FIRST);
    let took = start.elapsed().as_secs_f64() * 1e3;
    caller.read_on(seen, LAST);
    took
}
