use std::{net::IpAddr, time::Duration};

use futures::{Stream, TryStreamExt};
use gatewarden_credentials::GatewayCredential;
use gatewarden_feed::{
    Asked, Enrolled, Enrolment, LONGEST_BODY, Position, Report, SILENCE, Spending, Tallied, UsageRecord, paths,
    usage_batch,
};
use gatewarden_types::Digest;
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use url::{Host, Url};

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest refusal that is read, in bytes.
const LONGEST_REFUSAL: usize = 4 * 1024;

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
    /// It answered that it will not, and why where it says so.
    #[error("the control plane answered {status}{}", .why.as_ref().map(|why| format!(": {why}")).unwrap_or_default())]
    Refused {
        /// The status.
        status: StatusCode,
        /// What it says has happened and what to do.
        why: Option<String>,
    },
    /// Something answered as no control plane does, such as a page to sign in.
    #[error(
        "what answered does not speak as the control plane of this release does: {0}; check the address, and what is between"
    )]
    Strange(String),
}

/// What is read of a refusal (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
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
            // Until an answer begins, and between two parts of it.
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
        let asked = self.client.post(self.at(paths::ENROLL)?).json(&Enrolment { verifier });
        read(answered(asked, token).await?).await
    }

    /// Listens to the feed: pieces of sealed frames, from the known position on or from a base.
    ///
    /// # Errors
    /// When there is no feed; a piece is an error when it broke off.
    pub async fn feed(
        &self,
        credential: &GatewayCredential,
        salt: Digest,
        Asked { known, wants_base }: Asked,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, Trouble>> + Unpin + use<>, Trouble> {
        let mut url = self.at(paths::FEED)?;
        url.query_pairs_mut().append_pair("salt", &salt.to_string());
        if let Some(Position { seq, head }) = known {
            url.query_pairs_mut().append_pair("after", &seq.to_string()).append_pair("head", &head.to_string());
        }
        if wants_base {
            url.query_pairs_mut().append_pair("base", "true");
        }
        let answer = answered(self.client.get(url), credential).await?;
        Ok(Box::pin(answer.bytes_stream().map_ok(|bytes| bytes.to_vec()).map_err(Trouble::from)))
    }

    /// Says how the gateway is.
    ///
    /// # Errors
    /// When nobody took it in, also where something else answered.
    pub async fn report(&self, credential: &GatewayCredential, report: &Report) -> Result<(), Trouble> {
        taken_in(self.client.post(self.at(paths::REPORT)?).json(report), credential).await
    }

    /// Tells what was let through, and is told how full the limits are with what the other gateways have let through.
    ///
    /// # Errors
    /// When nobody answered; it may have been taken in.
    pub async fn share_limits(&self, credential: &GatewayCredential, spending: &Spending) -> Result<Tallied, Trouble> {
        read(answered(self.client.post(self.at(paths::LIMITS)?).json(spending), credential).await?).await
    }

    /// Hands over calls. Once this has returned, the control plane has them for good.
    ///
    /// # Errors
    /// When it does not have all of them; those that it has may be handed over again.
    pub async fn keep(&self, credential: &GatewayCredential, calls: &[UsageRecord]) -> Result<(), Trouble> {
        for calls in calls.chunks(usage_batch::MOST) {
            let asked = self.client.post(self.at(paths::USAGE)?).body(usage_batch::encode(calls));
            taken_in(asked, credential).await?;
        }
        Ok(())
    }

    fn at(&self, path: &str) -> Result<Url, Trouble> {
        self.url.join(path).map_err(|_| Trouble::Address(self.url.clone()))
    }
}

async fn answered(request: RequestBuilder, shows: &GatewayCredential) -> Result<Response, Trouble> {
    let answer = request.bearer_auth(shows.text().expose()).send().await?;
    match answer.status() {
        status if status.is_success() => Ok(answer),
        StatusCode::UNAUTHORIZED => Err(Trouble::Unknown),
        status => Err(Trouble::Refused { status, why: why(answer).await }),
    }
}

/// The same where there is nothing to be said. Whatever else answers with success, what it was sent is not kept there.
async fn taken_in(request: RequestBuilder, shows: &GatewayCredential) -> Result<(), Trouble> {
    match answered(request, shows).await?.status() {
        StatusCode::NO_CONTENT => Ok(()),
        status => Err(Trouble::Strange(format!("it answered {status} where 204 No Content was due"))),
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, Trouble> {
    let bytes = body(answer, LONGEST_BODY).await?;
    serde_json::from_slice(&bytes).map_err(|bad| Trouble::Strange(bad.to_string()))
}

/// Why something was refused, as one line for whoever runs this.
async fn why(answer: Response) -> Option<String> {
    // The status is what was asked for: without more it is told alone.
    let bytes = body(answer, LONGEST_REFUSAL).await.ok()?;
    let Problem { detail } = serde_json::from_slice(&bytes).ok()?;
    let line: String = detail.chars().filter(|char| !char.is_control()).collect();
    Some(line).filter(|line| !line.is_empty())
}

async fn body(mut answer: Response, longest: usize) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if bytes.len() + piece.len() > longest {
            return Err(Trouble::Strange(format!("its answer is longer than {longest} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
