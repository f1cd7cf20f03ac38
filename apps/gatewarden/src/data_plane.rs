//! The gateway in the same process: it hears of changes and tells of calls over two lines instead of a network.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use gatewarden_control::{
    App, follow,
    usage::{self, Observed},
};
use gatewarden_gateway::{Config, Gateway, Lines, SealingKeys, Tokens, UsageRecord, Witness};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::settings::Settings;

/// How many events and batches may wait.
const WAITING: usize = 256;
/// How often a starting gateway is looked at.
const GLANCE: Duration = Duration::from_millis(5);
/// How long it may take to start.
const STARTING: Duration = Duration::from_mins(2);

/// The gateway and what connects it.
pub struct DataPlane {
    gateway: Gateway,
    collecting: JoinHandle<()>,
}

impl DataPlane {
    /// Starts the gateway on the address it was given.
    pub fn start(settings: &Settings, app: &App, drain: Duration) -> anyhow::Result<Self> {
        let (to_gateway, feed) = mpsc::channel(WAITING);
        let (usage, batches) = mpsc::channel(WAITING);
        let (wishes, wished) = mpsc::channel(WAITING);
        let config =
            Config { allow_private: settings.allow_private.clone(), drain, ..Config::new(settings.gateway_listen) };
        let (sealing, clock, entropy) = (app.sealing.clone(), app.clock.clone(), app.entropy.clone());
        let here = app.clone();
        let witness = Witness::new(move |organization, policy| {
            here.took(organization, policy.position(organization).unwrap_or_default());
        });
        let sealing = SealingKeys::One(sealing);
        let (enrolled, steady) = (Vec::new(), clock.clone());
        let lines = Lines { feed, usage, wishes, witness, sealing, enrolled, clock, steady, entropy };
        let gateway = match Gateway::start(&config, lines) {
            Ok(gateway) => gateway,
            Err(bad) if bad.kind() == io::ErrorKind::AddrInUse => {
                bail!("something listens on {} already; give the gateway another --gateway-listen", config.listen)
            }
            Err(bad) => bail!("the gateway cannot listen on {}: {bad}", config.listen),
        };
        tokio::spawn(follow::run(app.clone(), to_gateway, wished));
        let (observed, reported) = mpsc::channel(WAITING);
        tokio::spawn(report(batches, observed));
        let collecting = tokio::spawn(usage::collect(app.clone(), reported));
        Ok(Self { gateway, collecting })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// Waits until it has the policy of every organization that can be read, and answers calls.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let ready = async {
            while !self.gateway.status().ready {
                sleep(GLANCE).await;
            }
        };
        timeout(STARTING, ready).await.context("the gateway did not get every organization's policy; look at the log")
    }

    /// Lets calls finish, and keeps the last of their usage.
    pub async fn shutdown(self) {
        self.gateway.shutdown().await;
        if let Err(bad) = self.collecting.await {
            tracing::error!(error = %bad, "the last usage was lost");
        }
    }
}

/// Ends when either side has ended.
async fn report(mut batches: mpsc::Receiver<Vec<UsageRecord>>, collector: mpsc::Sender<Vec<Observed>>) {
    while let Some(batch) = batches.recv().await {
        if collector.send(batch.iter().map(observed).collect()).await.is_err() {
            return;
        }
    }
}

fn observed(seen: &UsageRecord) -> Observed {
    let Tokens { read, written } = seen.tokens.unwrap_or(Tokens { read: 0, written: 0 });
    let record = usage::UsageRecord {
        id: seen.request,
        at: seen.at,
        key: seen.key,
        member: seen.member,
        model: seen.model,
        provider: seen.provider,
        status: seen.status,
        refused: seen.refused.map(str::to_owned),
        input_tokens: read,
        output_tokens: written,
        latency_micros: seen.total_micros,
        upstream_micros: seen.upstream_micros.unwrap_or_default(),
        decided_under: seen.seq,
    };
    Observed { organization: seen.organization, record }
}
