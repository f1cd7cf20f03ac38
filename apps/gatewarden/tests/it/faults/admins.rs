//! Admins at work at the control plane: they make keys, and revoke every other one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use gatewarden_types::{Id, Request};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{pace, until};
use crate::program::client;

/// How many change something at a time.
const ADMINS: usize = 2;

/// Admins who go on until the control plane is gone, or they are asked to end.
pub struct Admins {
    /// Whether each of them has lost the control plane.
    people: JoinSet<bool>,
    over: Arc<AtomicBool>,
    told: Arc<Mutex<Changes>>,
}

/// What admins were told.
#[derive(Debug, Default, Clone)]
pub struct Changes {
    /// The changes that were made, and their position.
    pub made: BTreeMap<Id<Request>, u64>,
    /// The changes of which it was said that nothing was kept.
    pub not_kept: BTreeSet<Id<Request>>,
    /// The changes of which nobody knew, or that failed before they were to be kept.
    pub failed: usize,
    /// The keys that were made, and what is known of each.
    pub keys: BTreeMap<String, Stands>,
    /// Whether the control plane was gone for anyone.
    pub lost: bool,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    InForce,
    /// Whether each gateway had said so when that was answered.
    Revoked {
        everywhere: bool,
    },
    /// It was to be revoked, and what became of that was not told.
    Unknown,
}

/// What became of a change.
enum Told {
    Made(Value),
    NotKept,
    Failed,
}

impl Changes {
    fn refused(&self) -> usize {
        self.not_kept.len() + self.failed
    }
}

impl Admins {
    pub fn begin(console: &str, key: &str) -> Self {
        let mut admins = Self { people: JoinSet::new(), over: Arc::default(), told: Arc::default() };
        // One for all, as it takes longer to make one than to ask.
        let client = client();
        for _ in 0..ADMINS {
            let (over, told) = (Arc::clone(&admins.over), Arc::clone(&admins.told));
            let desk =
                Desk { client: client.clone(), keys: format!("{console}/api/v1/keys"), key: key.to_owned(), told };
            let mut pace = pace();
            admins.people.spawn(async move {
                let mut revokes = false;
                while !over.load(SeqCst) {
                    if desk.work(revokes).await.is_none() {
                        return true;
                    }
                    revokes = !revokes;
                    pace.tick().await;
                }
                false
            });
        }
        admins
    }

    /// What has been told so far.
    fn told(&self) -> Changes {
        self.told.lock().expect("not poisoned").clone()
    }

    /// Waits until so many changes more were made.
    pub async fn until_made(&self, changes: usize) {
        let before = self.told().made.len();
        until("changes", async || self.told().made.len() >= before + changes).await;
    }

    /// Waits until a change could not be made.
    pub async fn until_refused(&self) {
        let before = self.told().refused();
        until("a change that cannot be kept", async || self.told().refused() > before).await;
    }

    /// Ends them, where they have not seen yet that the control plane is gone.
    pub async fn end(mut self) -> Changes {
        self.over.store(true, SeqCst);
        let mut lost = false;
        while let Some(ended) = self.people.join_next().await {
            lost |= ended.expect("nobody was told anything else");
        }
        Changes { lost, ..self.told() }
    }
}

/// Where one admin works.
struct Desk {
    client: Client,
    keys: String,
    key: String,
    told: Arc<Mutex<Changes>>,
}

impl Desk {
    /// Makes a key, and revokes it or leaves it. None once the control plane is gone.
    async fn work(&self, revokes: bool) -> Option<()> {
        let made = self.change(self.client.post(&self.keys).body(json!({"name": "Made"}).to_string())).await?;
        let Told::Made(made) = made else { return Some(()) };
        let word = |name: &str| made[name].as_str().expect("text").to_owned();
        self.stands(word("secret"), Stands::InForce);
        if revokes {
            self.stands(word("secret"), Stands::Unknown);
            let revoked = self.change(self.client.delete(format!("{}/{}", self.keys, word("id")))).await?;
            self.stands(
                word("secret"),
                match revoked {
                    Told::Made(told) => Stands::Revoked { everywhere: told["everywhere"] == json!(true) },
                    Told::NotKept => Stands::InForce,
                    Told::Failed => Stands::Unknown,
                },
            );
        }
        Some(())
    }

    fn stands(&self, key: String, stands: Stands) {
        self.told.lock().expect("not poisoned").keys.insert(key, stands);
    }

    /// Asks for a change. None once the control plane is gone.
    async fn change(&self, asked: RequestBuilder) -> Option<Told> {
        let answer = asked.bearer_auth(&self.key).send().await.ok()?;
        let (request, status) = (request(&answer), answer.status().as_u16());
        let version = answer.headers().get("etag").map(|tag| tag.to_str().expect("text").trim_matches('"').to_owned());
        let body = answer.text().await.ok()?;
        let mut told = self.told.lock().expect("not poisoned");
        Some(match status {
            200 | 201 => {
                let version = version.expect("a version").parse().expect("a number");
                assert_eq!(told.made.insert(request, version), None, "told once");
                Told::Made(serde_json::from_str(&body).expect("JSON"))
            }
            500..=599 if body.contains("Nothing of it was changed") => {
                told.not_kept.insert(request);
                Told::NotKept
            }
            500..=599 => {
                told.failed += 1;
                Told::Failed
            }
            _ => panic!("{status}: {body}"),
        })
    }
}

/// The id that an answer says its request has.
fn request(answer: &Response) -> Id<Request> {
    answer.headers()["x-request-id"].to_str().expect("text").parse().expect("an id")
}
