//! Callers and admins at work on a running program.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use gatewarden_demo::upstream::{Settings, Upstream, spawn};
use gatewarden_types::{Id, Request};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::program::{Folder, Running, client, text};

/// How long something may take that happens as soon as it can.
const PATIENCE: Duration = Duration::from_mins(1);
const SECRET: &str = "sk-of-the-provider";

/// Waits until something is so.
pub async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    let reaching = async {
        while !reached().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, reaching).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

/// An organization with a model, and the model server behind it.
pub struct Site {
    pub folder: Folder,
    pub organization: String,
    key: String,
    upstream: Upstream,
}

impl Site {
    pub async fn new(folder: Folder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let settings = Settings { secret: SECRET.to_owned(), pace: Duration::ZERO };
        let upstream = spawn(listener, settings).expect("serves");
        let made = folder.init("Acme");
        let field = |name: &str| made[name].as_str().expect("text").to_owned();
        let site = Self { organization: field("organization"), key: field("master_key"), folder, upstream };
        let running = site.start();
        let provider = json!({"name": "Demo", "base_url": site.upstream.base_url(), "secret": SECRET});
        let provider: Value = site.add(&running, "providers", &provider).await;
        let model = json!({"name": "fast", "provider": provider["id"], "upstream": "demo-small"});
        site.add(&running, "models", &model).await;
        site
    }

    /// Starts the program.
    pub fn start(&self) -> Running {
        self.start_by(self.folder.program(&["serve"]))
    }

    /// Starts it by another command.
    pub fn start_by(&self, mut command: Command) -> Running {
        Running::begin({
            command.env("GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE", "127.0.0.0/8");
            command
        })
    }

    /// Starts it so that its calls of the system can be made to fail, which [`Self::order`] does.
    pub fn start_fallible(&self) -> Running {
        let program = self.folder.program(&["serve"]);
        let mut command = Command::new("fiu-run");
        command.arg("-x").arg("-f").arg(self.control()).arg(program.get_program()).args(program.get_args());
        command.current_dir(program.get_current_dir().expect("it has one"));
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.start_by(command)
    }

    /// Tells libfiu what is to fail from now on in a program that was started fallible.
    pub fn order(&self, running: &Running, order: &str) {
        let mut control = Command::new("fiu-ctrl");
        control.arg("-f").arg(self.control()).args(["-c", order]).arg(running.id().to_string());
        let told = control.output().expect("fiu-utils is installed");
        assert!(told.status.success() && told.stdout.is_empty(), "{}{}", text(&told.stdout), text(&told.stderr));
    }

    fn control(&self) -> PathBuf {
        self.folder.data().join("fiu")
    }

    async fn add(&self, running: &Running, what: &str, body: &Value) -> Value {
        let request = client().post(format!("{}/api/v1/{what}", running.console)).bearer_auth(&self.key);
        let answer = request.body(body.to_string()).send().await.expect("answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }

    /// Where usage is spooled.
    pub fn spool(&self) -> PathBuf {
        self.folder.data().join("gateway/usage")
    }

    /// Verifies the trail from its beginning, as another program.
    pub fn verify(&self) {
        let verified = self.folder.run(&["trail", "verify", "--all"]);
        assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    }

    /// Callers and admins begin.
    pub fn load(&self, running: &Running) -> Load {
        let mut load = Load {
            people: JoinSet::new(),
            answered: Arc::default(),
            metrics: format!("{}/metrics", running.gateway),
            client: client(),
        };
        for _ in 0..3 {
            let (client, answered) = (load.client.clone(), Arc::clone(&load.answered));
            let (key, url) = (self.key.clone(), format!("{}/v1/chat/completions", running.gateway));
            load.people.spawn(async move { while call(&client, &url, &key, &answered).await.is_some() {} });
        }
        for _ in 0..2 {
            let (client, answered) = (load.client.clone(), Arc::clone(&load.answered));
            let (key, url) = (self.key.clone(), format!("{}/api/v1/organization", running.console));
            load.people.spawn(async move { while rename(&client, &url, &key, &answered).await.is_some() {} });
        }
        load
    }
}

/// What people were told.
#[derive(Debug, Default, Clone)]
pub struct Answered {
    /// The calls whose answer came whole.
    pub calls: BTreeSet<Id<Request>>,
    /// The changes that were made, and their position.
    pub changes: BTreeMap<Id<Request>, u64>,
    /// The changes of which it was said that nothing was kept.
    pub not_kept: BTreeSet<Id<Request>>,
    /// The changes of which nobody knew, or that failed before they were to be kept.
    pub failed: usize,
    /// How many usage records of this start were said to be on the disk.
    pub spooled: u64,
}

impl Answered {
    fn refused(&self) -> usize {
        self.not_kept.len() + self.failed
    }
}

/// People at work until the program is gone.
pub struct Load {
    people: JoinSet<()>,
    answered: Arc<Mutex<Answered>>,
    metrics: String,
    client: Client,
}

fn request(answer: &Response) -> Id<Request> {
    answer.headers()["x-request-id"].to_str().expect("text").parse().expect("an id")
}

/// None once the program is gone.
async fn call(client: &Client, url: &str, key: &str, answered: &Mutex<Answered>) -> Option<()> {
    let body = json!({"model": "fast", "messages": [{"role": "user", "content": "Hello"}]});
    let answer = client.post(url).bearer_auth(key).body(body.to_string()).send().await.ok()?;
    let (request, status) = (request(&answer), answer.status());
    let body = answer.bytes().await.ok()?;
    assert_eq!(status, 200, "{}", text(&body));
    answered.lock().expect("not poisoned").calls.insert(request);
    Some(())
}

/// Gives the organization a name that it never had: one that it has would change nothing.
async fn rename(client: &Client, url: &str, key: &str, answered: &Mutex<Answered>) -> Option<()> {
    static NAMES: AtomicU64 = AtomicU64::new(0);
    let name = format!("Acme {}", NAMES.fetch_add(1, Relaxed));
    let asked = client.patch(url).bearer_auth(key).body(json!({ "name": name }).to_string());
    let answer = asked.send().await.ok()?;
    let (request, status) = (request(&answer), answer.status().as_u16());
    let body = answer.text().await.ok()?;
    let mut answered = answered.lock().expect("not poisoned");
    match status {
        200 => {
            let told: Value = serde_json::from_str(&body).expect("JSON");
            let version = told["version"].as_u64().expect("a number");
            assert_eq!(answered.changes.insert(request, version), None, "told once");
        }
        500..=599 if body.contains("Nothing of it was changed") => {
            answered.not_kept.insert(request);
        }
        500..=599 => answered.failed += 1,
        _ => panic!("{status}: {body}"),
    }
    Some(())
}

impl Load {
    /// What has been answered so far.
    pub fn answered(&self) -> Answered {
        self.answered.lock().expect("not poisoned").clone()
    }

    /// Waits until so many changes more were made.
    pub async fn until_answered(&mut self, changes: usize) {
        let before = self.answered().changes.len();
        until("changes", async || self.answered().changes.len() >= before + changes).await;
        self.figure("gatewarden_usage_kept_total").await;
    }

    /// Waits until a change could not be made and usage could not be written. Calls go on meanwhile.
    pub async fn until_refused(&mut self) {
        let before = self.answered().refused();
        until("a change that cannot be kept", async || self.answered().refused() > before).await;
        self.until_unwritable().await;
        self.until_called(5).await;
    }

    /// Waits until usage could not be written.
    pub async fn until_unwritable(&mut self) {
        until("a disk that takes no usage", async || self.figure("gatewarden_usage_unwritable").await == 1).await;
    }

    /// Waits until so many calls more were answered.
    pub async fn until_called(&mut self, calls: usize) {
        let before = self.answered().calls.len();
        until("calls", async || self.answered().calls.len() >= before + calls).await;
    }

    /// Waits until so many more usage records are on the disk.
    pub async fn until_spooled(&mut self, records: u64) {
        let before = self.figure("gatewarden_usage_kept_total").await;
        until("usage on the disk", async || self.figure("gatewarden_usage_kept_total").await >= before + records).await;
    }

    /// A figure of the gateway's now.
    pub async fn figure(&self, name: &str) -> u64 {
        let page = self.client.get(&self.metrics).send().await.expect("answers").text().await.expect("text");
        let figure = |name: &str| {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.expect("is there").parse().expect("a number")
        };
        let spooled = figure("gatewarden_usage_kept_total");
        self.answered.lock().expect("not poisoned").spooled = spooled;
        figure(name)
    }

    /// Waits until everyone has seen that the program is gone.
    pub async fn end(mut self) -> Answered {
        while let Some(ended) = self.people.join_next().await {
            ended.expect("nobody was told anything else");
        }
        self.answered()
    }
}
