use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use gatewarden_credentials::Secret;
use gatewarden_types::{AllowedNetworks, BaseUrl, Dialect, Forbidden, Provider};
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use tokio::net::lookup_host;
use url::{Host, Url};

use crate::Error;

/// How long a provider may take to answer a test, and its name to be found.
const PATIENCE: Duration = Duration::from_secs(10);

/// Speaks to providers: only at addresses that the operator allows, judged at the moment of connecting, without
/// following redirects and without a proxy.
#[derive(Debug, Clone)]
pub struct Upstreams {
    allowed: Arc<AllowedNetworks>,
    encrypted: Client,
    in_the_clear: Client,
}

/// The provider's host leads to addresses that may not be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// The operator does not allow it.
    #[error(
        "This address leads to {0}, which is not on the open internet. Give a public address, or ask the operator to \
         allow the range with GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE."
    )]
    Private(IpAddr),
    /// The secret and the prompts would be read on the way.
    #[error(
        "This address leads to {0} on the open internet without encryption: the secret and every prompt could be read \
         on the way. Give an https:// address."
    )]
    InTheClear(IpAddr),
}

impl NotPermitted {
    fn new(why: Forbidden, address: IpAddr) -> Self {
        match why {
            Forbidden::Private => Self::Private(address),
            Forbidden::InTheClear => Self::InTheClear(address),
        }
    }
}

impl Upstreams {
    /// Speaks to the open internet, where that is encrypted, and to `allowed` besides.
    ///
    /// # Errors
    /// When the machine's certificates or the TLS library cannot be used.
    pub fn new(allowed: AllowedNetworks) -> Result<Self, Error> {
        // The first to install wins; that it is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let allowed = Arc::new(allowed);
        let client = |encrypted| {
            let allowed = Arc::clone(&allowed);
            let client = Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(PATIENCE)
                .pool_max_idle_per_host(0)
                .dns_resolver(Permitted { allowed, encrypted })
                .build();
            client.map_err(|bad| Error::Internal(format!("no HTTP client: {bad}")))
        };
        let (encrypted, in_the_clear) = (client(true)?, client(false)?);
        Ok(Self { allowed, encrypted, in_the_clear })
    }

    /// Refuses an address that leads nowhere but where the operator does not allow. A host that cannot be found now is
    /// let through: it is judged again whenever it is called.
    pub(crate) async fn check(&self, base_url: &BaseUrl) -> Result<(), NotPermitted> {
        let Ok(url) = Url::parse(base_url.as_str()) else { return Ok(()) };
        let addresses: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(address)) => vec![(address, 0).into()],
            Some(Host::Ipv6(address)) => vec![(address, 0).into()],
            Some(Host::Domain(name)) => match tokio::time::timeout(PATIENCE, lookup_host((name, 0))).await {
                Ok(Ok(found)) => found.collect(),
                _ => return Ok(()),
            },
            None => return Ok(()),
        };
        permitted(&self.allowed, is_encrypted(&url), addresses).map(drop)
    }

    /// Asks a provider for something below its base URL. An address in figures never goes through name resolution, so
    /// it is judged here; a name is judged as it is resolved for the connection.
    pub(crate) async fn get(
        &self,
        provider: &Provider,
        path: &str,
        secret: Option<&Secret<String>>,
    ) -> Result<reqwest::Response, Failed> {
        let base_url = &provider.base_url;
        let url = base_url.as_str().parse::<Url>().ok();
        if url.as_ref().is_some_and(|url| !matches!(url.host(), Some(Host::Domain(_)))) {
            self.check(base_url).await.map_err(Failed::NotPermitted)?;
        }
        let client = if url.is_some_and(|url| is_encrypted(&url)) { &self.encrypted } else { &self.in_the_clear };
        let request = client.get(format!("{base_url}{path}")).headers(headers(provider.dialect, secret)?);
        request.send().await.map_err(|bad| Failed::from(&bad))
    }
}

/// What a provider wants to be told with each request: its secret, and the version of its API.
fn headers(dialect: Dialect, secret: Option<&Secret<String>>) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    if dialect == Dialect::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    if let Some(secret) = secret {
        let (name, text) = match dialect {
            Dialect::OpenAi => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
            Dialect::Anthropic => (HeaderName::from_static("x-api-key"), secret.expose().clone()),
        };
        let unfit = |_| Failed::Unreachable("its stored secret does not fit into a header".to_owned());
        let mut value = HeaderValue::try_from(text).map_err(unfit)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Why a provider gave no answer.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It may not be called.
    NotPermitted(NotPermitted),
    /// It was called in vain; the text says why, for people.
    Unreachable(String),
}

impl From<&reqwest::Error> for Failed {
    fn from(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Unreachable("it did not answer within 10 seconds".to_owned());
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
            if let Some(refused) = cause.downcast_ref::<NotPermitted>() {
                return Self::NotPermitted(*refused);
            }
        }
        // The innermost cause is what people can act on; the outer ones repeat the address.
        Self::Unreachable(cause.to_string())
    }
}

/// Resolves names to permitted addresses alone, so that what is connected to is what was judged.
#[derive(Debug)]
struct Permitted {
    allowed: Arc<AllowedNetworks>,
    encrypted: bool,
}

impl Resolve for Permitted {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, encrypted) = (Arc::clone(&self.allowed), self.encrypted);
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(permitted(&allowed, encrypted, found)?.into_iter());
            Ok(addresses)
        })
    }
}

fn is_encrypted(url: &Url) -> bool {
    url.scheme() == "https"
}

/// Those of the addresses that may be called; if none may, why the first may not.
fn permitted(
    allowed: &AllowedNetworks,
    encrypted: bool,
    found: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, NotPermitted> {
    let (mut good, mut refused) = (Vec::new(), None);
    for address in found {
        match allowed.judge(address.ip(), encrypted) {
            Ok(()) => good.push(address),
            Err(why) => drop(refused.get_or_insert(NotPermitted::new(why, address.ip()))),
        }
    }
    match refused {
        Some(refused) if good.is_empty() => Err(refused),
        _ => Ok(good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(allowed: &[&str], base_url: &str) -> Failed {
        let allowed = allowed.iter().map(|range| range.parse().unwrap()).collect();
        let upstreams = Upstreams::new(AllowedNetworks(allowed)).unwrap();
        let provider = Provider {
            id: gatewarden_types::Id::from_uuid(uuid::Uuid::nil()),
            name: "One".parse().unwrap(),
            dialect: Dialect::OpenAi,
            base_url: base_url.parse().unwrap(),
            credential: None,
        };
        upstreams.get(&provider, "/models", None).await.unwrap_err()
    }

    /// Nothing listens on port 9: what may be called is not reached, and what may not be is told apart.
    #[tokio::test]
    async fn every_connection_is_judged_by_name_and_by_figures() {
        for base_url in ["http://localhost:9", "http://127.0.0.1:9", "http://[::1]:9", "http://2130706433:9"] {
            let failed = asked(&[], base_url).await;
            assert!(matches!(failed, Failed::NotPermitted(NotPermitted::Private(_))), "{base_url}: {failed:?}");
            let failed = asked(&["127.0.0.0/8", "::1"], base_url).await;
            assert!(matches!(failed, Failed::Unreachable(_)), "{base_url}: {failed:?}");
        }
    }

    #[tokio::test]
    async fn public_addresses_are_called_encrypted_alone() {
        for base_url in ["http://1.1.1.1", "http://[2606:4700::1111]:9"] {
            let failed = asked(&["127.0.0.0/8"], base_url).await;
            assert!(matches!(failed, Failed::NotPermitted(NotPermitted::InTheClear(_))), "{base_url}: {failed:?}");
        }
        let (public, private) = (([1, 1, 1, 1], 80).into(), ([127, 0, 0, 1], 80).into());
        let allowed = AllowedNetworks(vec!["127.0.0.0/8".parse().unwrap()]);
        // A name that has both is reached at the one that may be.
        assert_eq!(permitted(&allowed, false, vec![public, private]), Ok(vec![private]));
        assert_eq!(permitted(&allowed, true, vec![public]), Ok(vec![public]));
        assert_eq!(permitted(&allowed, false, vec![public]), Err(NotPermitted::InTheClear(public.ip())));
    }
}
