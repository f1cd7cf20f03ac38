//! Callers at work at one gateway.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

use gatewarden_types::{Id, Request};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    host::{Answer, call},
    pace, until,
};
use crate::program::client;

/// How many call at a time.
const CALLERS: usize = 3;

/// Callers who go on until their gateway is gone, or they are asked to end.
pub struct Callers {
    /// Whether each of them has lost the gateway.
    people: JoinSet<bool>,
    told: Arc<Told>,
    gateway: String,
    client: Client,
    /// How many usage records the gateway had written to the disk before.
    before: u64,
}

#[derive(Default)]
struct Told {
    over: AtomicBool,
    calls: Mutex<BTreeSet<Id<Request>>>,
    /// How many usage records the gateway has written to the disk, as it said last.
    spooled: AtomicU64,
}

/// What callers were told.
pub struct Called {
    /// The calls whose answer came whole.
    pub calls: BTreeSet<Id<Request>>,
    /// How many usage records were said to be on the disk meanwhile.
    pub spooled: u64,
    /// Whether the gateway was gone for anyone.
    pub lost: bool,
}

impl Callers {
    pub async fn begin(gateway: &str, key: &str) -> Self {
        let mut callers = Self {
            people: JoinSet::new(),
            told: Arc::default(),
            gateway: gateway.to_owned(),
            client: client(),
            before: 0,
        };
        callers.before = callers.figure("gatewarden_usage_kept_total").await;
        for _ in 0..CALLERS {
            let (client, told) = (callers.client.clone(), Arc::clone(&callers.told));
            let (gateway, key) = (gateway.to_owned(), key.to_owned());
            let mut pace = pace();
            callers.people.spawn(async move {
                while !told.over.load(SeqCst) {
                    let Some(Answer { request, status, code, .. }) = call(&client, &gateway, &key).await else {
                        return true;
                    };
                    assert_eq!((status.as_u16(), code.as_str()), (200, ""), "{request}");
                    told.calls.lock().expect("not poisoned").insert(request);
                    pace.tick().await;
                }
                false
            });
        }
        callers
    }

    /// Waits until so many calls more were answered.
    pub async fn until_called(&self, calls: usize) {
        let answered = || self.told.calls.lock().expect("not poisoned").len();
        let before = answered();
        until("calls", async || answered() >= before + calls).await;
    }

    /// Waits until so many more usage records are on the disk.
    pub async fn until_spooled(&self, records: u64) {
        let before = self.figure("gatewarden_usage_kept_total").await;
        until("usage on the disk", async || self.figure("gatewarden_usage_kept_total").await >= before + records).await;
    }

    /// Waits until usage could not be written. The gateway says so where it is asked how it is, and answers calls.
    pub async fn until_unwritable(&self) {
        until("a disk that takes no usage", async || {
            let said: Value = self.get("readyz").await.json().await.expect("JSON");
            let shown = self.figure("gatewarden_usage_unwritable").await == 1;
            shown && said["usage_unwritable"] == json!(true) && said["status"] == json!("degraded")
        })
        .await;
    }

    /// A figure of the gateway's now.
    pub async fn figure(&self, name: &str) -> u64 {
        let page = self.get("metrics").await.text().await.expect("text");
        let figure = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.expect("is there").parse().expect("a number")
        };
        self.told.spooled.store(figure("gatewarden_usage_kept_total"), Relaxed);
        figure(name)
    }

    async fn get(&self, page: &str) -> Response {
        self.client.get(format!("{}/{page}", self.gateway)).send().await.expect("answers")
    }

    /// Ends them, where they have not seen yet that the gateway is gone.
    pub async fn end(mut self) -> Called {
        self.told.over.store(true, SeqCst);
        let mut lost = false;
        while let Some(ended) = self.people.join_next().await {
            lost |= ended.expect("nobody was told anything else");
        }
        let calls = std::mem::take(&mut *self.told.calls.lock().expect("not poisoned"));
        Called { calls, spooled: self.told.spooled.load(Relaxed) - self.before, lost }
    }
}
