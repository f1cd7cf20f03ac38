use std::{net::IpAddr, time::Duration};

use futures::{Stream, TryStreamExt};
use gatewarden_credentials::GatewayCredential;
use gatewarden_feed::{Enrolled, Enrolment, Position, Report, Spending, Tallied, UsageRecord, usage_batch};
use gatewarden_types::Digest;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use url::{Host, Url};

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the feed may be silent. The control plane says something every five seconds.
const SILENCE: Duration = Duration::from_secs(15);

/// How many calls are handed over at once: together shorter than the longest body that is taken, 64 KiB.
const AT_ONCE: usize = 64;

/// Where the control plane is, and the way there.
#[derive(Debug, Clone)]
pub struct ControlPlane {
    client: Client,
    url: Url,
}

/// Why the control plane did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Its address cannot be used.
    #[error("{0} is no address of a control plane: give it with https://, as people open the console")]
    Address(Url),
    /// It cannot be reached, or broke off.
    #[error("the control plane cannot be reached: {0}")]
    Unreachable(String),
    /// It does not know what it was shown.
    #[error("the control plane does not know this gateway: was it removed, or is this another installation?")]
    Unknown,
    /// It answered something else.
    #[error("the control plane answered {0}")]
    Refused(StatusCode),
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        // The causes say more than the error, which names the address and its query.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::Unreachable(cause.to_string())
    }
}

impl ControlPlane {
    /// The one at this address. What it sends is sealed, but what gateways show is not: it must be `https`, but for an
    /// address of this machine.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn new(url: Url) -> Result<Self, Trouble> {
        if !(url.scheme() == "https" || (url.scheme() == "http" && is_here(&url))) {
            return Err(Trouble::Address(url));
        }
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(PATIENCE)
            .read_timeout(SILENCE)
            .tcp_nodelay(true);
        // On this machine nothing is encrypted, and what is shown there is for nobody between.
        let client = if url.scheme() == "http" { client.no_proxy() } else { client };
        let client = client.build()?;
        Ok(Self { client, url })
    }

    /// Its address.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Shows the token that an admin was given, and says what the gateway shows from now on.
    ///
    /// # Errors
    /// When the token cannot be used, or the control plane not be reached.
    pub async fn enroll(&self, token: &GatewayCredential, verifier: Digest) -> Result<Enrolled, Trouble> {
        let asked = self.client.post(self.at("enroll")?).json(&Enrolment { verifier });
        Ok(answered(asked, token).await?.json().await?)
    }

    /// Listens to the feed: pieces of sealed frames, from a position on or from a base.
    ///
    /// # Errors
    /// When there is no feed; a piece is an error when it broke off.
    pub async fn feed(
        &self,
        credential: &GatewayCredential,
        salt: Digest,
        from: Option<Position>,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, Trouble>> + Unpin + use<>, Trouble> {
        let mut url = self.at("feed")?;
        url.query_pairs_mut().append_pair("salt", &salt.to_string());
        if let Some(Position { seq, head }) = from {
            url.query_pairs_mut().append_pair("after", &seq.to_string()).append_pair("head", &head.to_string());
        }
        let answer = answered(self.client.get(url), credential).await?;
        Ok(Box::pin(answer.bytes_stream().map_ok(|bytes| bytes.to_vec()).map_err(Trouble::from)))
    }

    /// Says how the gateway is.
    ///
    /// # Errors
    /// When nobody took it in.
    pub async fn report(&self, credential: &GatewayCredential, report: &Report) -> Result<(), Trouble> {
        answered(self.client.post(self.at("report")?).json(report), credential).await.map(drop)
    }

    /// Tells what was let through, and is told how full the limits are with what the other gateways have let through.
    ///
    /// # Errors
    /// When nobody answered; it may have been taken in.
    pub async fn share_limits(&self, credential: &GatewayCredential, spending: &Spending) -> Result<Tallied, Trouble> {
        Ok(answered(self.client.post(self.at("limits")?).json(spending), credential).await?.json().await?)
    }

    /// Hands over calls. Once this has returned, the control plane has them for good.
    ///
    /// # Errors
    /// When it does not have all of them; those that it has may be handed over again.
    pub async fn keep(&self, credential: &GatewayCredential, calls: &[UsageRecord]) -> Result<(), Trouble> {
        for calls in calls.chunks(AT_ONCE) {
            let asked = self.client.post(self.at("usage")?).body(usage_batch::encode(calls));
            answered(asked, credential).await?;
        }
        Ok(())
    }

    fn at(&self, what: &str) -> Result<Url, Trouble> {
        self.url.join(&format!("/api/gateway/v1/{what}")).map_err(|_| Trouble::Address(self.url.clone()))
    }
}

async fn answered(request: RequestBuilder, shows: &GatewayCredential) -> Result<Response, Trouble> {
    let answer = request.bearer_auth(shows.text().expose()).send().await?;
    match answer.status() {
        status if status.is_success() => Ok(answer),
        StatusCode::UNAUTHORIZED => Err(Trouble::Unknown),
        status => Err(Trouble::Refused(status)),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
