//! Connecting to providers: the address that is judged is the address that is connected to.

use std::{
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
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// How long a connection may take to be made, over all addresses of a host.
const CONNECTING: Duration = Duration::from_secs(10);

/// The provider is at an address that may not be called.
#[derive(Debug, thiserror::Error)]
#[error("the address may not be called: {0:?}")]
pub(crate) struct NotPermitted(pub(crate) Forbidden);

/// Opens connections to public addresses, where they are encrypted, and to those the operator allows.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    allowed: Arc<AllowedNetworks>,
}

type Connecting = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

impl Connector {
    pub(crate) fn new(allowed: Arc<AllowedNetworks>) -> Self {
        Self { allowed }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Connecting {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let connected = timeout(CONNECTING, connect(&uri, &allowed)).await;
            connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?.map(TokioIo::new)
        })
    }
}

async fn connect(uri: &Uri, allowed: &AllowedNetworks) -> io::Result<TcpStream> {
    let encrypted = uri.scheme_str() == Some("https");
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses(uri).await? {
        // A host may have public and private addresses: each is judged by itself, just before it is used.
        if let Err(why) = allowed.judge(address.ip(), encrypted) {
            last = io::Error::new(io::ErrorKind::PermissionDenied, NotPermitted(why));
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
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
    use super::*;

    async fn refused(uri: &str) -> Option<Forbidden> {
        let uri: Uri = uri.parse().expect("an address");
        let refused = connect(&uri, &AllowedNetworks::default()).await.err().and_then(io::Error::into_inner);
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
}
