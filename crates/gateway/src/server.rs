//! Threads, sockets and the order in which they start and stop.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use gatewarden_feed::FeedEvent;
use gatewarden_types::{AllowedNetworks, Clock, Entropy, Id, Organization, Seq};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    connections::{Connections, Patience},
    connector::Connecting,
    edge::Edge,
    follower::Follower,
    limits::{Limiter, Telling},
    snapshot::SealingKeys,
    socket::CallerSocket,
    spool::{self, Batch, SpoolConfig},
    status::{Counters, Current, Status},
    steward::{Steward, Witness},
    upstream::Providers,
    usage::Till,
};

/// What a gateway has to be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// How many threads answer requests; at least one.
    pub workers: usize,
    /// The longest request body that is taken, in bytes.
    pub body_limit: usize,
    /// The private addresses at which providers may be.
    pub allow_private: AllowedNetworks,
    /// How long connections may do nothing.
    pub patience: Patience,
    /// How providers are connected to.
    pub connecting: Connecting,
    /// How long calls may go on after a shutdown has begun.
    pub drain: Duration,
    /// Where usage waits until it is acknowledged.
    pub spool: SpoolConfig,
}

impl Config {
    /// The usual settings for an address and a folder for usage: a thread per core, bodies of 4 MiB, no private
    /// providers, 30 s to drain.
    pub fn new(listen: SocketAddr, spool: PathBuf) -> Self {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let (patience, drain) = (Patience::default(), Duration::from_secs(30));
        Self {
            listen,
            workers,
            body_limit: 4 * 1024 * 1024,
            allow_private: AllowedNetworks::default(),
            patience,
            connecting: Connecting::default(),
            drain,
            spool: SpoolConfig::new(spool),
        }
    }
}

/// What comes into a gateway and what goes out of it besides calls.
#[derive(Debug)]
pub struct Lines {
    /// The trails of its organizations. When it ends, the gateway goes on with the policy it has.
    pub feed: mpsc::Receiver<FeedEvent>,
    /// Batches of usage records, one at a time; each wants an answer. Until it comes, records wait in the spool.
    pub usage: mpsc::Sender<Batch>,
    /// The organizations whose base it wants anew, because it could not read what came.
    pub wishes: mpsc::Sender<Id<Organization>>,
    /// What it has let through, for the other gateways of its organizations: one at a time for each of them.
    pub limits: mpsc::UnboundedSender<Telling>,
    /// Who wants to know how far it is.
    pub witness: Witness,
    /// Opens the credentials of providers.
    pub sealing: SealingKeys,
    /// As which gateway it was let in by which organization; empty where it is in the control plane's own process.
    pub enrolled: Vec<(Id<Organization>, Id<gatewarden_types::Gateway>)>,
    /// What time it is.
    pub clock: Clock,
    /// A clock that is never set, by which the age of a policy is told, and by which limits drain.
    pub steady: Clock,
    /// Where request ids come from.
    pub entropy: Entropy,
}

/// What the threads of a gateway share.
struct Shared {
    current: Arc<Current>,
    counters: Arc<Counters>,
    limiter: Arc<Limiter>,
    till: Till,
}

impl Shared {
    fn edge(&self, config: &Config, lines: &Lines) -> io::Result<Edge> {
        let allowed = Arc::new(config.allow_private.clone());
        Ok(Edge {
            current: Arc::clone(&self.current),
            counters: Arc::clone(&self.counters),
            providers: Providers::new(allowed, config.connecting, Arc::clone(&self.counters))?,
            limiter: Arc::clone(&self.limiter),
            till: self.till.clone(),
            clock: lines.clock.clone(),
            steady: lines.steady.clone(),
            entropy: lines.entropy.clone(),
            body_limit: config.body_limit,
        })
    }
}

/// A running gateway. Dropping it stops it at once; [`Gateway::shutdown`] lets calls finish.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    current: Arc<Current>,
    counters: Arc<Counters>,
    stop: watch::Sender<bool>,
    ended: mpsc::Receiver<()>,
}

impl Gateway {
    /// Binds the address and starts the threads. It is ready once the feed has said [`FeedEvent::CaughtUp`].
    ///
    /// # Errors
    /// When the address cannot be bound, also because something listens there already, when the folder for usage cannot
    /// be had, or a thread cannot be made.
    pub fn start(config: &Config, lines: Lines) -> io::Result<Self> {
        let folder = spool::Folder::hold(&config.spool.folder)?;
        let listeners = listeners(config.listen, config.workers.max(1))?;
        let addr = listeners.first().map_or(Ok(config.listen), std::net::TcpListener::local_addr)?;
        let counters = Arc::<Counters>::default();
        let (stop, stopped) = watch::channel(false);
        let (till, records) = Till::new(Arc::clone(&counters));
        let shared = Shared { current: Arc::default(), counters, limiter: Arc::default(), till };
        let (working, workers_ended) = mpsc::channel(1);
        for listener in listeners {
            let edge = Arc::new(shared.edge(config, &lines)?);
            Worker { edge, config: config.clone(), stopped: stopped.clone() }.spawn(listener, working.clone())?;
        }
        drop(working);
        let (open, ended) = mpsc::channel(1);
        let Shared { current, counters, limiter, .. } = shared;
        let steward = Steward {
            current: Arc::clone(&current),
            counters: Arc::clone(&counters),
            wishes: lines.wishes,
            limiter,
            limits: lines.limits,
            witness: lines.witness,
            enrolled: lines.enrolled,
            steady: lines.steady,
        };
        let spool = (folder, config.spool.most_bytes);
        let spooling = spool::Runner::new(spool, records, lines.usage, Arc::clone(&counters));
        spawn_until("gateway-spool", spooling.run(), open.clone())?;
        let follower = Follower::new(lines.sealing);
        let follower = if steward.enrolled.is_empty() { follower } else { follower.elsewhere() };
        spawn_until("gateway-steward", steward.serve(follower, lines.feed, workers_ended), open)?;
        Ok(Self { addr, current, counters, stop, ended })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How it is doing.
    pub fn status(&self) -> Status {
        Status::of(&self.current, &self.counters)
    }

    /// The position of the policy that an organization's calls are decided by now.
    pub fn position(&self, organization: Id<Organization>) -> Option<Seq> {
        self.current.snapshot.load().position(organization)
    }

    /// Waits until an organization's calls are decided by the policy at `seq` or later.
    pub async fn reached(&self, organization: Id<Organization>, seq: Seq) {
        let there = |current: &Current| current.snapshot.load().position(organization) >= Some(seq);
        self.current.until(there).await;
    }

    /// Waits until everything has come that was there when following began.
    pub async fn ready(&self) {
        self.current.until(|current| current.caught_up.load(Relaxed)).await;
    }

    /// Says in `/readyz` that calls are to go elsewhere, and closes each connection with the answer to its call. Calls that
    /// still come are answered.
    pub fn begin_draining(&self) {
        self.current.draining.store(true, Relaxed);
    }

    /// Stops taking connections, lets calls finish for as long as the configuration says, and ships the last usage.
    pub async fn shutdown(mut self) {
        self.begin_draining();
        self.stop.send_replace(true);
        // Nothing is ever sent; the line closes when the last thread has ended.
        while self.ended.recv().await.is_some() {}
    }
}

/// Runs something on a thread of its own. `open` is dropped when it has ended.
fn spawn_until(
    name: &str,
    running: impl Future<Output = ()> + Send + 'static,
    open: mpsc::Sender<()>,
) -> io::Result<()> {
    spawn(name, move || {
        let indispensable = Indispensable;
        single_threaded()?.block_on(running);
        drop((indispensable, open));
        Ok(())
    })
}

/// Ends the program when the thread that holds it panics: calls would go on by a policy that no revocation reaches, or leave
/// no record.
struct Indispensable;

impl Drop for Indispensable {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("a thread that the gateway cannot do without has panicked; the program ends");
            std::process::abort();
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    let body = move || {
        if let Err(error) = run() {
            tracing::error!(%error, "a thread of the gateway cannot run");
        }
    };
    thread::Builder::new().name(name.to_owned()).spawn(body).map(drop)
}

/// One listening socket for each thread; the kernel spreads connections over them.
fn listeners(listen: SocketAddr, count: usize) -> io::Result<Vec<std::net::TcpListener>> {
    // Sockets that share a port would also share it with another gateway of the same user. This one shares with
    // nobody, so it fails when something listens there.
    drop(bind(listen, false)?);
    let first = bind(listen, true)?;
    let addr = first.local_addr()?;
    let rest = (1..count).map(|_| bind(addr, true));
    std::iter::once(Ok(first)).chain(rest).collect()
}

fn bind(addr: SocketAddr, share: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(share)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn single_threaded() -> io::Result<runtime::Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

struct Worker {
    edge: Arc<Edge>,
    config: Config,
    stopped: watch::Receiver<bool>,
}

impl Worker {
    fn spawn(self, listener: std::net::TcpListener, working: mpsc::Sender<()>) -> io::Result<()> {
        spawn("gateway-edge", move || self.run(listener).map(|()| drop(working)))
    }

    fn run(self, listener: std::net::TcpListener) -> io::Result<()> {
        single_threaded()?.block_on(self.serve(listener))
    }

    async fn serve(self, listener: std::net::TcpListener) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let (connections, open) = (Arc::new(Connections::default()), GracefulShutdown::new());
        let (sweeping, edge, patience) = (Arc::clone(&connections), Arc::clone(&self.edge), self.config.patience);
        let sweep = tokio::spawn(async move {
            tokio::join!(sweeping.sweep(patience, &edge.current, &edge.clock), edge.providers.sweep());
        });
        let mut stopped = self.stopped.clone();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.converse(stream, &connections, &open),
                    // Out of file descriptors, most likely: let some calls end before the next attempt.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                },
                // Also when the handle is gone.
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
        drop(listener);
        // A handle that was dropped instead of shut down wants no draining.
        let drain = if *self.stopped.borrow() { self.config.drain } else { Duration::ZERO };
        if timeout(drain, open.shutdown()).await.is_err() {
            tracing::warn!("calls were still open when the time to drain was over");
        }
        sweep.abort();
        Ok(())
    }

    fn converse(&self, stream: TcpStream, connections: &Connections, open: &GracefulShutdown) {
        Counters::add(&self.edge.counters.connections);
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let (activity, edge) = (connections.begin(), Arc::clone(&self.edge));
        let connection = http1::Builder::new()
            // A caller that closes its half has left: the call to the provider is let go of at once.
            .half_close(false)
            .writev(false)
            .header_read_timeout(None)
            .max_buf_size(64 * 1024)
            .serve_connection(CallerSocket::new(stream, Arc::clone(&activity)), {
                let activity = Arc::clone(&activity);
                service_fn(move |request| {
                    let (edge, activity) = (Arc::clone(&edge), Arc::clone(&activity));
                    async move { edge.serve(request, activity).await }
                })
            });
        let connection = open.watch(connection);
        let watched = Arc::clone(&activity);
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended early");
            }
            drop(activity);
        });
        connections.watch(&watched, task.abort_handle());
    }
}
