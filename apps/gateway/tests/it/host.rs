//! Another host: the program, its folder, and those who call it.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use gatewarden_types::{Gateway, Id, Request};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A host with a gateway's folder.
pub struct Host {
    folder: TempDir,
}

/// A gateway that runs there. Dropping it is like pulling the plug.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub url: String,
    client: Client,
    log: Arc<Mutex<String>>,
    logging: Option<JoinHandle<()>>,
}

/// How a gateway answered a call: the code is that of the refusal.
pub struct Answer {
    pub request: Id<Request>,
    pub status: StatusCode,
    pub code: String,
    /// Whether it closes its connection.
    pub closes: bool,
}

/// Calls the model that answers. None where the gateway is gone before the answer is whole.
pub async fn call(client: &Client, gateway: &str, key: &str) -> Option<Answer> {
    call_model(client, gateway, "fast", key).await
}

async fn call_model(client: &Client, gateway: &str, model: &str, key: &str) -> Option<Answer> {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]});
    let answer =
        client.post(format!("{gateway}/v1/chat/completions")).bearer_auth(key).json(&body).send().await.ok()?;
    let request = answer.headers()["x-request-id"].to_str().unwrap().parse().unwrap();
    let (status, closes) = (answer.status(), answer.headers().get("connection").is_some_and(|value| value == "close"));
    let body: Value = serde_json::from_slice(&answer.bytes().await.ok()?).unwrap();
    let code = body["error"]["code"].as_str().unwrap_or_default().to_owned();
    Some(Answer { request, status, code, closes })
}

/// The program. All are built into one folder, whichever of them these tests are of.
fn gateway() -> PathBuf {
    let built = option_env!("CARGO_BIN_EXE_gatewarden-gateway").or(option_env!("CARGO_BIN_EXE_gatewarden")).unwrap();
    Path::new(built).with_file_name("gatewarden-gateway")
}

impl Host {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// On a disk of its own.
    pub fn within(disk: &Path) -> Self {
        Self { folder: tempfile::tempdir_in(disk).unwrap() }
    }

    fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(gateway());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEWARDEN")) {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).args(words).arg("--data").arg(self.folder.path());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.program(words).stdin(Stdio::null()).output().unwrap()
    }

    pub fn enroll(&self, control: &str, token: &str) -> Output {
        self.run(&["enroll", "--control", control, "--token", token])
    }

    /// What runs the gateway.
    pub fn serving(&self) -> Command {
        self.program(&["run", "--listen", "127.0.0.1:0", "--allow-private", "127.0.0.1"])
    }

    /// Starts the gateway; it may not be ready yet.
    pub fn start(&self) -> Running {
        Running::begin(self.serving())
    }

    /// Starts it with more to say; it may not be ready yet.
    pub fn start_with(&self, words: &[&str]) -> Running {
        let mut command = self.serving();
        command.args(words);
        Running::begin(command)
    }

    /// Where usage is spooled.
    pub fn spool(&self) -> PathBuf {
        self.folder.path().join("usage")
    }

    /// Makes an enrolment that cannot be read.
    pub fn spoil(&self) {
        let folder = self.folder.path().join("gtw_spoilt");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("enrolment.json"), "{").unwrap();
    }

    /// The folders of the organizations that have let it in.
    pub fn enrolments(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        folders.filter(|folder| folder.join("enrolment.json").is_file()).collect()
    }

    /// Waits until so many organizations have let it in.
    pub async fn until_enrolments(&self, due: usize) {
        let late = Instant::now() + PATIENCE;
        while self.enrolments().len() != due {
            assert!(Instant::now() < late, "{:?}", self.enrolments());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Changes where the control plane of an enrolment is to an address that cannot be used.
    pub fn misdirect(&self, gateway: Id<Gateway>) {
        let file = self.folder.path().join(gateway.to_string()).join("enrolment.json");
        let mut enrolment: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        enrolment["control"] = "http://gatewarden.example".into();
        std::fs::write(file, enrolment.to_string()).unwrap();
    }

    /// Leaves no place on disk where its policy could be kept.
    pub fn block_policies(&self) {
        for folder in self.enrolments() {
            for name in ["policy-1", "policy-2"] {
                std::fs::create_dir_all(folder.join(name).join("in the way")).unwrap();
            }
        }
    }

    /// The files that its policy is kept in.
    pub fn policies(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let files = folders.flat_map(|folder| ["policy-1", "policy-2"].map(|name| folder.join(name)));
        files.filter(|file| file.is_file()).collect()
    }

    /// Waits until it keeps no policy any more, which is a moment after none is in force.
    pub async fn until_no_policies(&self) {
        let late = Instant::now() + PATIENCE;
        while !self.policies().is_empty() {
            assert!(Instant::now() < late, "{:?}", self.policies());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Running {
    /// Starts a gateway with a command that was made ready otherwise.
    pub fn begin(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let first = BufReader::new(child.stdout.take().unwrap()).lines().next().unwrap().unwrap();
        let url = format!("http://{}", first.rsplit(' ').next().unwrap());
        let (log, lines) = (Arc::<Mutex<String>>::default(), BufReader::new(child.stderr.take().unwrap()).lines());
        let kept = Arc::clone(&log);
        let logging = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().extend([line.as_str(), "\n"]);
            }
        });
        Self { child, url, client: Client::builder().build().unwrap(), log, logging: Some(logging) }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").arg(name).arg(self.id().to_string()).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.ended_after(|_| ()).await
    }

    /// Sends it a signal again and again, until it has ended.
    pub async fn ended_by(&mut self, name: &str) -> ExitStatus {
        self.ended_after(|gateway| gateway.signal(name)).await
    }

    async fn ended_after(&mut self, urge: impl Fn(&Self)) -> ExitStatus {
        let late = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it has said last is read as well then.
                self.logging.take().map_or(Ok(()), JoinHandle::join).unwrap();
                return status;
            }
            urge(self);
            assert!(Instant::now() < late, "{}", self.log());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Calls a model: the status, and the code of the error where it was refused.
    pub async fn call(&self, key: &str) -> (StatusCode, String) {
        let Answer { status, code, .. } = self.answer(key).await;
        (status, code)
    }

    /// Calls a model.
    pub async fn answer(&self, key: &str) -> Answer {
        call(&self.client, &self.url, key).await.unwrap()
    }

    /// A call of one of its models, which may outlast it.
    pub fn calling(&self, model: &str, key: &str) -> impl Future<Output = Option<Answer>> + use<> {
        let (client, url, model, key) = (self.client.clone(), self.url.clone(), model.to_owned(), key.to_owned());
        async move { call_model(&client, &url, &model, &key).await }
    }

    /// Waits until it answers calls with a key.
    pub async fn until_answered(&self, key: &str) {
        let late = Instant::now() + PATIENCE;
        loop {
            let (status, code) = self.call(key).await;
            if status == StatusCode::OK {
                return;
            }
            assert!(Instant::now() < late, "{status} {code}: {}", self.log());
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it says of itself.
    pub async fn readiness(&self) -> (StatusCode, Value) {
        let answer = self.client.get(format!("{}/readyz", self.url)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Waits until so many calls were written to its disk since it started.
    pub async fn spooled(&self, due: u64) {
        let late = Instant::now() + PATIENCE;
        loop {
            let metrics = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
            let line = metrics.lines().find_map(|line| line.strip_prefix("gatewarden_usage_kept_total "));
            if line.is_some_and(|count| count.parse::<u64>().unwrap() >= due) {
                return;
            }
            assert!(Instant::now() < late, "{metrics}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until what it says of itself has a word in a place.
    pub async fn until(&self, place: &str, word: &Value) {
        let late = Instant::now() + PATIENCE;
        loop {
            let (_, said) = self.readiness().await;
            if &said[place] == word {
                return;
            }
            assert!(Instant::now() < late, "{place} is not {word}: {said}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it answers calls and follows.
    pub async fn ready(&self) {
        self.until("status", &"ready".into()).await;
    }

    /// Waits until it answers calls, by the policy of its disk where there is no other.
    pub async fn answering(&self) {
        let late = Instant::now() + PATIENCE;
        while self.readiness().await.0 != StatusCode::OK {
            assert!(Instant::now() < late, "{}", self.log());
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
