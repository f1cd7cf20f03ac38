//! `serve`: console and gateway until someone ends them.

use std::{
    fmt::Display,
    io,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    time::Duration,
};

use actix_web::dev::ServerHandle;
use anyhow::{Context, bail};
use gatewarden_ambient::End;
use gatewarden_control::{App, checkpointer, gateways, set_up};
use gatewarden_credentials::RootKey;
use gatewarden_store::Hold;
use gatewarden_types::{Clock, Entropy};
use gatewarden_web::{Parts, Site};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use url::Url;

use crate::{
    assembly,
    data_plane::DataPlane,
    secret_key,
    settings::{Settings, Tls},
    storage::Storage,
};

/// How long a request to the console or the API may take to arrive whole.
const ARRIVAL: Duration = Duration::from_secs(30);
/// How long calls and requests may go on after the program was asked to end.
const DRAIN: Duration = Duration::from_secs(20);
/// How long all of the ending may take.
const ENDING: Duration = Duration::from_secs(30);

/// Serves, and prints the one URL to begin with.
pub async fn serve(mut settings: Settings, ambient: (Clock, Entropy)) -> anyhow::Result<ExitCode> {
    let mut end = End::new()?;
    let running = Ready::open(&mut settings, ambient).await?.start(&settings).await?;
    say_what_is_missing(&settings);
    println!("Gatewarden is ready: {}", running.first_url().await?);
    end.asked().await;
    running.stop(end).await
}

/// Everything that is needed to start, and the console's address, taken.
pub struct Ready {
    /// The use cases.
    pub app: App,
    held: Hold,
    root_key: RootKey,
    listener: TcpListener,
    tls: Option<ServerConfig>,
}

impl Ready {
    /// Takes the address first, so that a second program ends before it touches the data.
    pub async fn open(settings: &mut Settings, ambient: (Clock, Entropy)) -> anyhow::Result<Self> {
        let tls = settings.tls.as_ref().map(certificate).transpose()?;
        let listener = listen(settings.listen)?;
        let console = settings.console_url(listener.local_addr()?)?;
        let storage = Storage::open(settings, &ambient.0, &ambient.1).await?;
        let held = storage.hold("serve", "end that program first, or give this one data of its own").await?;
        let app = assembly::app(settings, &storage, ambient, console)?;
        Ok(Self { app, held, root_key: storage.root_key, listener, tls })
    }

    /// Starts gateway and console, and waits until both answer.
    pub async fn start(self, settings: &Settings) -> anyhow::Result<Running> {
        let Self { app, held, root_key, listener, tls } = self;
        let data_plane = DataPlane::start(settings, &app, DRAIN)?;
        let gateway_url = settings.gateway_url(data_plane.addr())?;
        let site = Site::new(Parts {
            app: app.clone(),
            cookies: root_key.cookies(),
            public_url: bare(&app.public_url),
            gateway_url: bare(&gateway_url),
            trusted_proxies: settings.trusted_proxies.clone(),
            arrival: ARRIVAL,
            development: cfg!(debug_assertions),
        });
        let server = gatewarden_web::serve(site, listener, tls).context("the console cannot be served")?;
        let web = server.handle();
        let serving = tokio::spawn(server);
        let (no_more_changes, stop) = oneshot::channel::<()>();
        // Dropping the sender ends it as well.
        let signing = tokio::spawn(checkpointer::run(app.clone(), async move { drop(stop.await) }));
        // Both look at every organization, so they do it side by side.
        let (ready, caught_up) = tokio::join!(data_plane.ready(), app.store.catch_up());
        ready.and(caught_up.map_err(Into::into))?;
        tracing::info!(console = %app.public_url, gateway = %gateway_url, "serving");
        Ok(Running { app, gateway_url, _held: held, web, serving, data_plane, no_more_changes, signing })
    }
}

/// Everything that runs.
pub struct Running {
    /// The use cases.
    pub app: App,
    /// Where programs reach the gateway.
    pub gateway_url: Url,
    _held: Hold,
    web: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    data_plane: DataPlane,
    no_more_changes: oneshot::Sender<()>,
    signing: JoinHandle<()>,
}

impl Running {
    /// Where to begin: the set-up page with its one-time code while nobody has an account, then the console.
    async fn first_url(&self) -> anyhow::Result<Url> {
        let mut url = self.app.public_url.clone();
        if let Some(code) = set_up::offer(&self.app, self.app.id()).await? {
            url.set_path("/set-up");
            url.query_pairs_mut().append_pair("code", code.expose());
        }
        Ok(url)
    }

    /// Takes nothing new, finishes what has begun, keeps the last usage and signs the last checkpoints. Asked a second
    /// time, it ends at once.
    pub async fn stop(self, mut end: End) -> anyhow::Result<ExitCode> {
        tracing::info!("ending; calls may go on for {} seconds", DRAIN.as_secs());
        gateways::hang_up(&self.app);
        let drained = async {
            tokio::join!(self.web.stop(true), self.data_plane.shutdown());
            drop(self.no_more_changes);
            reported("the console", self.serving.await.map_err(io::Error::other).flatten());
            reported("signing checkpoints", self.signing.await);
        };
        tokio::select! {
            ended = timeout(ENDING, drained) => match ended {
                Ok(()) => Ok(ExitCode::SUCCESS),
                Err(_) => bail!("some calls did not end within {} seconds and were cut off", ENDING.as_secs()),
            },
            () = end.asked_again() => bail!("ended at once, because it was asked twice"),
        }
    }
}

fn reported<E: Display>(what: &str, ended: Result<(), E>) {
    if let Err(bad) = ended {
        tracing::error!(error = %bad, "{what} ended with an error");
    }
}

fn bare(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address) {
        Ok(listener) => Ok(listener),
        Err(bad) if bad.kind() == io::ErrorKind::AddrInUse => {
            bail!("something listens on {address} already; end it, or give the console another --listen")
        }
        Err(bad) => bail!("the console cannot listen on {address}: {bad}"),
    }
}

/// Reads the certificate that the console is served with.
pub fn certificate(tls: &Tls) -> anyhow::Result<ServerConfig> {
    let unreadable = |path: &std::path::Path| format!("{} holds no usable PEM", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .with_context(|| unreadable(&tls.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).with_context(|| unreadable(&tls.key))?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    config.context("the certificate and its key do not belong together")
}

/// What works less well than it could, and how to mend it.
fn say_what_is_missing(settings: &Settings) {
    let missing = gatewarden_web::assets::MISSING;
    if !missing.is_empty() {
        let parts = missing.join(" and ");
        tracing::warn!("built without {parts}: the console works as plain pages; install npm and build again");
    }
    if secret_key::exposed(&settings.data).unwrap_or(false) {
        let path = secret_key::path(&settings.data);
        tracing::warn!("others on this machine can read the secret key; run chmod 600 {}", path.display());
    }
}
