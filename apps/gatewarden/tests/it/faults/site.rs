//! An organization with a model, the model server behind it, and the program that serves it.

use std::{path::PathBuf, process::Command, time::Duration};

use gatewarden_demo::upstream::{Settings, Upstream, spawn};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::failing::Switch;
use crate::program::{Folder, Running, client, text};

const SECRET: &str = "sk-of-the-provider";

pub struct Site {
    pub folder: Folder,
    pub organization: String,
    /// Where the console listens at the next start.
    pub listen: String,
    pub key: String,
    upstream: Upstream,
}

/// Where a site is served.
pub struct Served {
    pub console: String,
    pub gateways: Vec<String>,
}

impl Site {
    pub async fn new(folder: Folder) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let settings = Settings { secret: SECRET.to_owned(), pace: Duration::ZERO };
        let upstream = spawn(listener, settings).expect("serves");
        let made = folder.init("Acme");
        let field = |name: &str| made[name].as_str().expect("text").to_owned();
        let (organization, key, listen) = (field("organization"), field("master_key"), "127.0.0.1:0".to_owned());
        let site = Self { folder, organization, listen, key, upstream };
        let running = site.start();
        let provider = json!({"name": "Demo", "base_url": site.upstream.base_url(), "secret": SECRET});
        let provider: Value = site.add(&running, "providers", &provider).await;
        let model = json!({"name": "fast", "provider": provider["id"], "upstream": "demo-small"});
        site.add(&running, "models", &model).await;
        site
    }

    /// Starts the program.
    pub fn start(&self) -> Running {
        Running::begin_at(&self.listen, self.serving())
    }

    /// Starts it so that its calls of the system can be made to fail.
    pub fn start_fallible(&self) -> (Running, Switch) {
        Switch::start(&self.serving(), |command| Running::begin_at(&self.listen, command), Running::id)
    }

    fn serving(&self) -> Command {
        let mut command = self.folder.program(&["serve"]);
        command.env("GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE", "127.0.0.0/8");
        command
    }

    /// Where it is served by the program alone.
    pub fn served(running: &Running) -> Served {
        Served { console: running.console.clone(), gateways: vec![running.gateway.clone()] }
    }

    pub async fn add(&self, running: &Running, what: &str, body: &Value) -> Value {
        let request = client().post(format!("{}/api/v1/{what}", running.console)).bearer_auth(&self.key);
        let answer = request.body(body.to_string()).send().await.expect("answers");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }

    /// Where the program's own gateway spools usage.
    pub fn spool(&self) -> PathBuf {
        self.folder.data().join("gateway/usage")
    }

    /// Verifies the trail from its beginning, as another program.
    pub fn verify(&self) {
        let verified = self.folder.run(&["trail", "verify", "--all"]);
        assert!(verified.status.success(), "{}{}", text(&verified.stdout), text(&verified.stderr));
    }
}
