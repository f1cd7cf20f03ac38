//! Callers of two gateways whose control plane is gone, one of which is killed in the midst of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use gatewarden_control::keys::{self, CreateKey};
use gatewarden_types::ModelSet;
use reqwest::{Client, StatusCode};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use crate::{
    host::{Answer, Host, Running, call},
    plane::Plane,
};

/// How many call at a time, half of them at each gateway.
pub const CALLERS: usize = 32;
/// How many calls a minute the limited key has, over all gateways.
const LIMIT: u64 = 30;
/// How many gateways share the limit: the two that are called, and the control plane's own.
const GATEWAYS: u64 = 3;
/// The gateway that is killed.
const KILLED: usize = 1;

/// With which key a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum With {
    InForce,
    Revoked,
    /// Of another organization, which these gateways do not serve.
    Unknown,
    Expired,
    /// For another model alone.
    OtherModel,
    Limited,
}

impl With {
    /// In which order each caller takes them.
    const TURN: [Self; 8] = [
        Self::InForce,
        Self::Revoked,
        Self::InForce,
        Self::Unknown,
        Self::InForce,
        Self::Expired,
        Self::OtherModel,
        Self::Limited,
    ];
}

/// What callers were answered.
#[derive(Debug, Default)]
pub struct Answered {
    /// With each kind of key, how often what: [`PASSED`], or the code of the refusal.
    pub calls: BTreeMap<With, BTreeMap<String, usize>>,
    /// Calls that a killed gateway did not answer whole; they were made once more.
    pub broken: usize,
}

/// What stands for the answer of the model.
pub const PASSED: &str = "passed";

impl Answered {
    fn add(&mut self, with: With, answer: Answer) {
        let said = if answer.status == StatusCode::OK { PASSED.to_owned() } else { answer.code };
        *self.calls.entry(with).or_default().entry(said).or_default() += 1;
    }
}

/// How it went.
pub struct Course {
    pub answered: Answered,
    /// From its start on, how long the killed gateway took until it said that it is ready.
    pub ready: Duration,
    /// The same, until it had answered a call.
    pub called: Duration,
    pub took: Duration,
}

impl Course {
    /// Whether as many calls of the limited key were let through as docs/GATEWAY.md says: each gateway lets through its part,
    /// and the one that is killed once more. The control plane's own lets nothing through here, so that these are no more than
    /// the limit.
    pub fn assert_limited(&self) {
        let passed = self.answered.calls[&With::Limited].get(PASSED).map_or(0, |passed| *passed as u64);
        // A minute's worth may be used at once, and comes back evenly.
        let came_back = LIMIT * self.took.as_secs() / 60 + 1;
        let (least, most) = (LIMIT / GATEWAYS, LIMIT + came_back + GATEWAYS);
        assert!(
            (least..=most).contains(&passed),
            "{passed} calls passed of a limit of {LIMIT}, of which {came_back} came back"
        );
    }
}

type Keys = BTreeMap<With, String>;

/// Lets in two gateways, stops the control plane, and calls so often in all through both of them.
pub async fn run(mut plane: Plane, calls: usize) -> Course {
    let hosts = [Host::new(), Host::new()];
    let mut gateways = plane.gateways(&hosts).await;
    let keys = Arc::new(keys(&plane).await);
    plane.stop().await;
    let began = Instant::now();
    let (killed, mut addresses) = (gateways.remove(KILLED), Vec::new());
    let (address, of_killed) = watch::channel(killed.url.clone());
    for gateway in &gateways {
        addresses.push(watch::channel(gateway.url.clone()).1);
    }
    addresses.insert(KILLED, of_killed);
    let (mut callers, answered, done) = call_all(&addresses, &keys, calls);
    done.subscribe().wait_for(|done| *done >= calls / 2).await.unwrap();
    drop(killed);
    let (again, ready, called) = start_again(&hosts[KILLED], &keys).await;
    address.send_replace(again.url.clone());
    // Whoever loses a gateway from now on waits for no other address, and fails.
    drop(address);
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let answered = std::mem::take(&mut *answered.lock().unwrap());
    Course { answered, ready, called, took: began.elapsed() }
}

/// One key of each kind. Every gateway decides by all of them when this returns.
async fn keys(plane: &Plane) -> Keys {
    let usual = |name: &str| CreateKey::usual(name.parse().unwrap());
    let dear = plane.offer("dear", "demo-large").await;
    // Over by the clock that gateways tell the time by, which is far ahead of this world's.
    let expires = Some(plane.world.time().now().plus_seconds(60));
    let (app, stranger, other) = (plane.world.app(), plane.world.stranger().caller(), plane.world.other_org());
    let unknown = keys::create(app, &stranger, other, usual("Elsewhere")).await.unwrap().secret.unwrap();
    let revoked = plane.key("Revoked").await;
    let keys = BTreeMap::from([
        (With::InForce, plane.key("In force").await.text),
        (With::Unknown, unknown.expose().clone()),
        (With::Expired, plane.make(CreateKey { expires, ..usual("Expired") }).await.text),
        (With::OtherModel, plane.make(CreateKey { models: ModelSet::Only([dear].into()), ..usual("Dear") }).await.text),
        (With::Limited, plane.limited_key(LIMIT).await.text),
        (With::Revoked, revoked.text.clone()),
    ]);
    plane.revoke(&revoked).await;
    keys
}

type Progress = (JoinSet<()>, Arc<Mutex<Answered>>, watch::Sender<usize>);

fn call_all(addresses: &[watch::Receiver<String>], keys: &Arc<Keys>, calls: usize) -> Progress {
    let (mut callers, answered, done) = (JoinSet::new(), Arc::<Mutex<Answered>>::default(), watch::Sender::new(0));
    for caller in 0..CALLERS {
        let (address, keys) = (addresses[caller % addresses.len()].clone(), Arc::clone(keys));
        let (answered, done) = (Arc::clone(&answered), done.clone());
        callers.spawn(async move {
            let client = Client::builder().build().unwrap();
            for with in With::TURN.into_iter().cycle().take(calls / CALLERS) {
                call_until_answered(&client, address.clone(), with, &keys[&with], &answered).await;
                done.send_modify(|done| *done += 1);
            }
        });
    }
    (callers, answered, done)
}

/// Calls again, at the new address, where the gateway is killed before it has answered.
async fn call_until_answered(
    client: &Client,
    mut address: watch::Receiver<String>,
    with: With,
    key: &str,
    answered: &Mutex<Answered>,
) {
    loop {
        let gateway = address.borrow_and_update().clone();
        if let Some(answer) = call(client, &gateway, key).await {
            return answered.lock().unwrap().add(with, answer);
        }
        answered.lock().unwrap().broken += 1;
        address.changed().await.expect("only one gateway is killed, and once");
    }
}

/// Starts a gateway on what is on its disk; how long it took until it was ready, and until it had answered a call.
async fn start_again(host: &Host, keys: &Keys) -> (Running, Duration, Duration) {
    let began = Instant::now();
    let gateway = host.start();
    gateway.answering().await;
    let ready = began.elapsed();
    assert_eq!(gateway.call(&keys[&With::InForce]).await.0, StatusCode::OK);
    (gateway, ready, began.elapsed())
}
