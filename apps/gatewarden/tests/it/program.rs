use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Lines, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    thread,
};

use gatewarden_testkit::Postgres;
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;

/// A folder that a test keeps its data in, and the PostgreSQL if it keeps it there.
pub struct Folder {
    folder: TempDir,
    pub postgres: Option<Postgres>,
}

impl Folder {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), postgres: None }
    }

    /// On a disk of its own.
    pub fn within(disk: &Path) -> Self {
        Self { folder: tempfile::tempdir_in(disk).expect("a folder"), postgres: None }
    }

    /// None where there is no PostgreSQL to test with.
    pub async fn on_postgres() -> Option<Self> {
        let postgres = Postgres::fresh().await?;
        let folder = Self { postgres: Some(postgres), ..Self::new() };
        Some(folder)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The program, with its data here and nothing else of the machine's settings.
    pub fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatewarden"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GATEWARDEN")) {
            command.env_remove(name);
        }
        command.current_dir(self.folder.path()).args(words).arg("--data").arg(self.data());
        if let Some(postgres) = &self.postgres {
            command.arg("--database-url").arg(postgres.serving().as_str());
            command.env("GATEWARDEN_DATABASE_OWNER_URL", postgres.owner().as_str());
            command.env("GATEWARDEN_SECRET_KEY", "5e".repeat(32));
        }
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.program(words).stdin(Stdio::null()).output().expect("runs")
    }

    /// Makes an organization and answers what was printed.
    pub fn init(&self, name: &str) -> Value {
        let words = ["init", "--organization", name, "--owner", "ada@acme.example"];
        let output = self.program(&words).env("GATEWARDEN_OWNER_PASSWORD", "correct horse battery").output();
        printed_json(&output.expect("runs"))
    }
}

/// Gives an organization another name through the API.
pub async fn rename(running: &Running, made: &Value, name: &str) {
    let key = made["master_key"].as_str().expect("a key");
    let request = client().patch(format!("{}/api/v1/organization", running.console)).bearer_auth(key);
    let answer = request.body(serde_json::json!({ "name": name }).to_string()).send().await.expect("answers");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
}

/// The one JSON object that was printed.
pub fn printed_json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 1);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Gives `input` on standard input.
pub fn with_input(command: &mut Command, input: &str) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("reads it");
    child.wait_with_output().expect("ends")
}

/// The program while it serves.
pub struct Running {
    child: Child,
    printed: Lines<BufReader<ChildStdout>>,
    pub console: String,
    pub gateway: String,
}

impl Running {
    /// Starts it on free ports, and waits until it says that it serves.
    pub fn start(folder: &Folder, words: &[&str]) -> Self {
        Self::begin(folder.program(words))
    }

    /// The same with a command that was made ready otherwise.
    pub fn begin(command: Command) -> Self {
        Self::begin_at("127.0.0.1:0", command)
    }

    /// The same with an address for the console.
    pub fn begin_at(console: &str, mut command: Command) -> Self {
        command.args(["--listen", console, "--gateway-listen", "127.0.0.1:0"]);
        command.env("GATEWARDEN__LOG__FORMAT", "json").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let printed = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let serving = log.by_ref().find_map(|line| {
            let line: Value = serde_json::from_str(&line).expect("each line of the log is JSON");
            let address = |name: &str| Some(line.get(name)?.as_str()?.trim_end_matches('/').to_owned());
            Some((address("console")?, address("gateway")?))
        });
        let (console, gateway) = serving.expect("it serves");
        // Read to the end, so that it never waits for a full pipe.
        thread::spawn(move || log.for_each(drop));
        Self { child, printed, console, gateway }
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        self.printed.next().expect("prints a line").expect("text")
    }

    /// The lines it prints from now to its end.
    pub fn rest(&mut self) -> Vec<String> {
        self.printed.by_ref().map_while(Result::ok).collect()
    }

    /// Asks it to end, as a service manager does.
    pub fn ask_to_end(&self) {
        let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(asked.expect("kill is there").success());
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as nothing can hinder.
    pub fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("ends");
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        self.child.wait().expect("ends")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn client() -> Client {
    // A library without a provider of its own; another test may have installed it.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().build().expect("a client")
}

pub async fn get(url: String) -> Response {
    client().get(url).send().await.expect("answers")
}

/// The only folder of an organization's files.
pub fn ledger(data: &Path) -> PathBuf {
    let mut organizations = std::fs::read_dir(data.join("organizations")).expect("a folder");
    let one = organizations.next().expect("one").expect("readable").path();
    assert_eq!(one.file_name().and_then(OsStr::to_str).map(|name| name.starts_with("org_")), Some(true));
    one.join("ledger.db")
}
