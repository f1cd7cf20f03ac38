//! How long a revoked key is still admitted: three gateways, each a program of its own, behind one control plane, under a
//! steady load of calls with the very key that is revoked.
//!
//! What counts is from the answer to the revocation to the end of the last call that was let through, so it includes what
//! that call took itself. The control plane and those who call are in one process with the benchmark.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on says so and stops"
)]

#[expect(dead_code, reason = "the tests do more with it")]
#[path = "../tests/it/host.rs"]
mod host;
#[expect(dead_code, reason = "it needs no database, and of few runs no share")]
#[path = "../../../crates/store/benches/measure/mod.rs"]
mod measure;
#[expect(dead_code, reason = "the tests do more with it")]
#[path = "../tests/it/plane.rs"]
mod plane;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use gatewarden_control::keys::{self, CreateKey};
use gatewarden_testkit::World;
use gatewarden_types::Key;
use host::{Host, Running};
use measure::{Figures, conditions, ms, row, verdict};
use plane::{Holding, Plane};
use reqwest::Client;
use serde_json::json;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

const GATEWAYS: usize = 3;
const REVOCATIONS: usize = 1_000;
/// Calls a second, on all gateways together.
const LOAD: u64 = 500;
/// In milliseconds: half of them, 99 in 100, and each.
const TARGETS: [(f64, f64); 3] = [(0.5, 10.0), (0.99, 50.0), (1.0, 250.0)];

/// A call with the key that is being revoked.
struct Call {
    of: usize,
    gateway: usize,
    sent: Instant,
    done: Instant,
    admitted: bool,
}

type Calls = Arc<Mutex<Vec<Call>>>;

fn main() {
    conditions();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let plane = Plane::new(World::sqlite().await).await;
    let hosts: Vec<Host> = (0..GATEWAYS).map(|_| Host::new()).collect();
    let gateways = plane.gateways(&hosts).await;
    println!(
        "{REVOCATIONS} revocations each, {GATEWAYS} gateways, {LOAD} calls a second with the key that is revoked\n"
    );
    row("ms to the last call let through", &["half", "99 in 100", "slowest", "", "later"].map(str::to_owned));
    for (wait, name) in [(false, "revoke"), (true, "revoke and wait")] {
        let keys = make_keys(&plane).await;
        let (lasted, took, later) = revoke_all(&plane, &gateways, &keys, wait).await;
        let figures = TARGETS.map(|(share, target)| (ms(lasted.within(share)), lasted.within(share) <= target));
        let met = if wait { later == 0 } else { figures.iter().all(|(_, met)| *met) };
        let [half, most, slowest] = figures.map(|(figure, _)| figure);
        row(name, &[half, most, slowest, verdict(met), later.to_string()]);
        let answer = TARGETS.map(|(share, _)| ms(took.within(share)));
        row("  its answer took", &answer);
    }
    println!("\ntargets: 10, 50 and 250 ms; after \"revoke and wait\" has answered, no call that was sent later");
}

async fn make_keys(plane: &Plane) -> Vec<Holding> {
    let mut keys = Vec::with_capacity(REVOCATIONS);
    for n in 0..REVOCATIONS {
        keys.push(plane.key(&format!("Key {n}")).await);
    }
    keys
}

/// A key that may revoke the others.
async fn master(plane: &Plane) -> String {
    let (app, owner) = (plane.world.app(), plane.world.owner().caller());
    let usual = CreateKey::usual("Master".parse().expect("a name"));
    let command = CreateKey { levels: Key::all_levels(), ..usual };
    let created = keys::create(app, &owner, plane.world.org(), command).await.expect("it is made");
    created.secret.expect("it is new").expose().clone()
}

/// Revokes one key after the other under load. How long each was let through after the answer, and how many calls that
/// were sent after the answer were let through in all. The answer itself waits a little, or as asked, for the gateways.
async fn revoke_all(plane: &Plane, gateways: &[Running], keys: &[Holding], wait: bool) -> (Figures, Figures, usize) {
    let (calls, (now, current)) = (Calls::default(), watch::channel(0));
    let texts = keys.iter().map(|key| key.text.clone()).collect();
    let urls = gateways.iter().map(|gateway| gateway.url.clone()).collect();
    let load = tokio::spawn(load(urls, texts, current, Arc::clone(&calls)));
    let (client, master) = (Client::builder().build().expect("a client"), master(plane).await);
    let (mut lasted, mut took, mut later) = (Figures::default(), Figures::default(), 0);
    for (of, key) in keys.iter().enumerate() {
        now.send_replace(of);
        until(&calls, |calls| everywhere(calls, |call| call.of == of && call.admitted)).await;
        let revoke = client.delete(format!("{}/api/v1/keys/{}?wait={wait}", plane.url(), key.id)).bearer_auth(&master);
        let asked = Instant::now();
        let answer = revoke.send().await.expect("it answers");
        let answered = Instant::now();
        took.add(answered - asked);
        assert!(answer.status().is_success(), "{}", answer.status());
        until(&calls, |calls| everywhere(calls, |call| call.of == of && !call.admitted && call.sent > answered)).await;
        let seen = std::mem::take(&mut *calls.lock().expect("nobody panics with it"));
        let mut after = seen.iter().filter(|call| call.of == of && call.admitted).map(|call| call.done);
        let last = after.by_ref().max().map_or(Duration::ZERO, |done| done.saturating_duration_since(answered));
        lasted.add(last);
        later += seen.iter().filter(|call| call.of == of && call.admitted && call.sent > answered).count();
    }
    load.abort();
    (lasted, took, later)
}

/// Calls with the key that is named now, evenly over time and gateways.
async fn load(urls: Vec<String>, texts: Vec<String>, current: watch::Receiver<usize>, calls: Calls) {
    let client = Client::builder().pool_max_idle_per_host(64).build().expect("a client");
    let mut ticks = interval(Duration::from_micros(1_000_000 / LOAD));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "Say hello."}]});
    for n in 0_usize.. {
        ticks.tick().await;
        let (of, gateway) = (*current.borrow(), n % urls.len());
        let request = client.post(format!("{}/v1/chat/completions", urls[gateway])).bearer_auth(&texts[of]).json(&body);
        let calls = Arc::clone(&calls);
        tokio::spawn(async move {
            let sent = Instant::now();
            let answer = request.send().await.expect("it answers");
            let admitted = answer.status().is_success();
            assert!(answer.bytes().await.is_ok(), "the answer is whole");
            let call = Call { of, gateway, sent, done: Instant::now(), admitted };
            calls.lock().expect("nobody panics with it").push(call);
        });
    }
}

fn everywhere(calls: &[Call], is_one: impl Fn(&Call) -> bool) -> bool {
    (0..GATEWAYS).all(|gateway| calls.iter().any(|call| call.gateway == gateway && is_one(call)))
}

async fn until(calls: &Calls, reached: impl Fn(&[Call]) -> bool) {
    while !reached(&calls.lock().expect("nobody panics with it")) {
        sleep(Duration::from_millis(1)).await;
    }
}
