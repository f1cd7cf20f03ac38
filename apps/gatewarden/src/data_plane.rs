//! The gateway in the same process: it hears of changes and tells of calls over two lines instead of a network.

use std::{io, net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use gatewarden_control::{App, follow, gateways, usage};
use gatewarden_gateway::{Batch, Config, Gateway, Lines, SealingKeys, SpoolConfig, Telling, Witness};
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
    keeping: JoinHandle<()>,
}

impl DataPlane {
    /// Starts the gateway on the address it was given.
    pub fn start(settings: &Settings, app: &App, drain: Duration) -> anyhow::Result<Self> {
        let (to_gateway, feed) = mpsc::channel(WAITING);
        let (usage, batches) = mpsc::channel(WAITING);
        let (wishes, wished) = mpsc::channel(WAITING);
        let (limits, tellings) = mpsc::unbounded_channel();
        let config = config(settings, drain);
        let (sealing, clock, entropy) = (app.sealing.clone(), app.clock.clone(), app.entropy.clone());
        let here = app.clone();
        let witness = Witness::new(move |organization, policy| {
            here.took(organization, policy.position(organization).unwrap_or_default());
        });
        let sealing = SealingKeys::One(sealing);
        let (enrolled, steady) = (Vec::new(), gatewarden_ambient::steady());
        let lines = Lines { feed, usage, wishes, limits, witness, sealing, enrolled, clock, steady, entropy };
        let gateway = match Gateway::start(&config, lines) {
            Ok(gateway) => gateway,
            Err(bad) if bad.kind() == io::ErrorKind::AddrInUse => {
                bail!("something listens on {} already; give the gateway another --gateway-listen", config.listen)
            }
            Err(bad) => bail!("the gateway cannot start on {}: {bad}", config.listen),
        };
        tokio::spawn(follow::run(app.clone(), to_gateway, wished));
        tokio::spawn(share_limits(app.clone(), tellings));
        let keeping = tokio::spawn(keep(app.clone(), batches));
        Ok(Self { gateway, keeping })
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
        if let Err(bad) = self.keeping.await {
            tracing::error!(error = %bad, "the last usage waits in the spool for the next start");
        }
    }
}

fn config(settings: &Settings, drain: Duration) -> Config {
    let spool = SpoolConfig { folder: settings.data.join("gateway/usage"), most_bytes: settings.limits.usage_spool };
    let allow_private = settings.allow_private.clone();
    Config { allow_private, drain, spool, ..Config::new(settings.gateway_listen, settings.data.clone()) }
}

/// Keeps what the gateway reports, until it has ended. An organization whose usage cannot be kept is asked for again.
async fn keep(app: App, mut batches: mpsc::Receiver<Batch>) {
    while let Some(batch) = batches.recv().await {
        let calls = batch.records.iter().map(Into::into).collect();
        match usage::ingest(&app, calls).await {
            Ok(()) => batch.kept(),
            Err(bad) => {
                tracing::warn!(error = %bad, "usage waits in the spool");
                batch.kept_except(bad.0.into_keys().collect());
            }
        }
    }
}

/// Tells the other gateways what this one has let through, and this one what they have.
async fn share_limits(app: App, mut tellings: mpsc::UnboundedReceiver<Telling>) {
    while let Some(telling) = tellings.recv().await {
        let tallied = gateways::share_limits_here(&app, telling.organization, &telling.spending);
        telling.answered(&tallied);
    }
}
