//! Connecting to providers: the address that is judged is the address that is connected to.

use std::{
    error::Error,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use gatewarden_types::{AllowedNetworks, Forbidden};
use hyper::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tower_service::Service;

/// How connections to providers are made.
#[derive(Debug, Clone, Copy)]
pub struct Connecting {
    /// How long one attempt may take, over all addresses of a host and with its encryption.
    pub time: Duration,
    /// How often it is tried again after it was refused; nothing of a request has been sent by then.
    pub retries: u32,
    /// How long to wait before the first retry; twice as long before each further one.
    pub pause: Duration,
}

impl Default for Connecting {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), retries: 2, pause: Duration::from_millis(100) }
    }
}

/// The provider is at an address that may not be called.
#[derive(Debug, thiserror::Error)]
#[error("the address may not be called: {0:?}")]
pub(crate) struct NotPermitted(pub(crate) Forbidden);

/// The provider took too long to be connected to.
#[derive(Debug, thiserror::Error)]
#[error("no connection was made in time")]
pub(crate) struct TooSlow;

type Opening<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// Why no connection was made, by its causes.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Opens connections, ready for requests, within a time.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    sockets: HttpsConnector<Sockets>,
    time: Duration,
}

impl Connector {
    pub(crate) fn new(allowed: Arc<AllowedNetworks>, time: Duration) -> io::Result<Self> {
        let sockets = HttpsConnectorBuilder::new()
            // The machine's own authorities, as when a provider is tested: a company may have one of its own.
            .with_provider_and_platform_verifier(rustls::crypto::ring::default_provider())
            .map_err(io::Error::other)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(Sockets { allowed, time });
        Ok(Self { sockets, time })
    }

    /// Opens a connection to `origin`.
    pub(crate) async fn open(&self, origin: &str) -> Result<MaybeHttpsStream<TokioIo<TcpStream>>, Failure> {
        let origin: Uri = origin.parse()?;
        timeout(self.time, self.sockets.clone().call(origin)).await.map_err(|_| TooSlow)?
    }
}

/// Opens sockets to public addresses, where they are encrypted, and to those the operator allows.
#[derive(Debug, Clone)]
struct Sockets {
    allowed: Arc<AllowedNetworks>,
    time: Duration,
}

impl Service<Uri> for Sockets {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Opening<Self::Response, io::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { allowed, time } = self.clone();
        Box::pin(async move { connect(&uri, &allowed, time).await.map(TokioIo::new) })
    }
}

async fn connect(uri: &Uri, allowed: &AllowedNetworks, time: Duration) -> io::Result<TcpStream> {
    let encrypted = uri.scheme_str() == Some("https");
    first(&addresses(uri).await?, |ip| allowed.judge(ip, encrypted), time).await
}

/// A connection to the first of these addresses that may be called and answers.
async fn first(
    addresses: &[SocketAddr],
    judge: impl Fn(IpAddr) -> Result<(), Forbidden>,
    time: Duration,
) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    // One that never answers leaves the others their share.
    let share = time / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    for address in addresses {
        // A host may have public and private addresses: each is judged by itself, just before it is used.
        if let Err(why) = judge(address.ip()) {
            last = io::Error::new(io::ErrorKind::PermissionDenied, NotPermitted(why));
            continue;
        }
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, TooSlow),
        }
    }
    Err(last)
}

async fn addresses(uri: &Uri) -> io::Result<Vec<SocketAddr>> {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    match literal {
        Ok(address) => Ok(vec![SocketAddr::new(address, port)]),
        Err(_) => Ok(lookup_host((host, port)).await?.collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    async fn refused(uri: &str) -> Option<Forbidden> {
        let uri: Uri = uri.parse().expect("an address");
        let refused = connect(&uri, &AllowedNetworks::default(), Duration::from_secs(10))
            .await
            .err()
            .and_then(io::Error::into_inner);
        refused.and_then(|inner| inner.downcast_ref::<NotPermitted>().map(|refused| refused.0))
    }

    #[tokio::test]
    async fn private_addresses_are_refused_however_they_are_written() {
        for uri in ["http://127.0.0.1:1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]:1/", "http://localhost:1/"] {
            assert_eq!(refused(uri).await, Some(Forbidden::Private), "{uri}");
        }
    }

    #[tokio::test]
    async fn public_addresses_are_refused_in_the_clear() {
        for uri in ["http://1.1.1.1:1/", "http://[2606:4700::1111]:1/", "http://[::ffff:1.1.1.1]:1/"] {
            assert_eq!(refused(uri).await, Some(Forbidden::InTheClear), "{uri}");
        }
    }

    /// An address at which nobody answers: its queue is full.
    async fn silent() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("binds");
        let listener = socket.listen(0).expect("listens");
        let address = listener.local_addr().expect("bound");
        let mut waiting = Vec::new();
        while let Ok(Ok(one)) = timeout(Duration::from_millis(50), TcpStream::connect(address)).await {
            waiting.push(one);
        }
        (listener, waiting, address)
    }

    #[tokio::test]
    async fn an_address_that_never_answers_leaves_the_others_their_share() {
        let (_listener, _waiting, silent) = silent().await;
        let answering = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("binds");
        let addresses = [silent, answering.local_addr().expect("bound")];
        let time = Duration::from_millis(500);
        let connected = first(&addresses, |_| Ok(()), time).await.expect("connects");
        assert_eq!(connected.peer_addr().expect("connected"), addresses[1]);
        let failed = first(&[silent], |_| Ok(()), Duration::from_millis(50)).await.expect_err("nobody answers");
        assert!(failed.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<TooSlow>), "{failed}");
    }
}
