//! The call to the provider: only with a permit, only to the address that the provider's record names.

use std::{error::Error, io, sync::Arc};

use bytes::Bytes;
use gatewarden_types::{AllowedNetworks, Dialect, Forbidden};
use http_body_util::Full;
use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::Builder,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use tokio::time::sleep;

use crate::{
    admission::Route,
    connector::{Connecting, Connector, Failure, NotPermitted, TooSlow},
    operation::{ANTHROPIC_VERSION, Operation},
    pool::{Pool, Pooled},
    refusal::Refusal,
    status::Counters,
};

/// What of the caller's request headers a provider gets to see, besides those of its API. Everything else stays here:
/// keys above all.
static TO_PROVIDER: [HeaderName; 6] = [
    ACCEPT,
    USER_AGENT,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-stainless-retry-count"),
];

/// What a provider of either API gets to see besides.
static TO_OPENAI: [HeaderName; 1] = [HeaderName::from_static("openai-beta")];
static TO_ANTHROPIC: [HeaderName; 2] = [ANTHROPIC_VERSION, HeaderName::from_static("anthropic-beta")];

/// How many headers a request or an answer has room for at once.
const USUAL_HEADERS: usize = 16;

/// The version of the Anthropic API for callers that name none; the only one there has been since 2023.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// What of a provider's answer headers a caller gets to see, besides its limits on calls (`x-ratelimit-…`,
/// `anthropic-ratelimit-…`). Everything else stays here: cookies and addresses that the provider chose, whose account it was, what belongs to the
/// connection. The request's id is the gateway's own.
const TO_CALLER: [&str; 11] = [
    "content-type",
    "content-length",
    "content-encoding",
    "content-language",
    "cache-control",
    "retry-after",
    "retry-after-ms",
    "x-should-retry",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
];

/// One thread's connections to providers.
pub(crate) struct Providers {
    pool: Pool,
    connector: Connector,
    connecting: Connecting,
    counters: Arc<Counters>,
}

impl Providers {
    pub(crate) fn new(
        allowed: Arc<AllowedNetworks>,
        connecting: Connecting,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let connector = Connector::new(allowed, connecting.time)?;
        Ok(Self { pool: Pool::default(), connector, connecting, counters })
    }

    /// Closes connections that wait for too long, for ever.
    pub(crate) async fn sweep(&self) {
        self.pool.sweep().await;
    }

    /// Makes the call that `route` permits. Dropping the future or the connection ends the call at the provider.
    pub(crate) async fn call(
        &self,
        operation: Operation,
        route: &Route,
        asked: &HeaderMap,
        body: Bytes,
    ) -> Result<(Response<Incoming>, Pooled), Refusal> {
        let provider = || route.endpoint.provider.name.to_string();
        let mut pauses = (0..self.connecting.retries).map(|turn| self.connecting.pause * 2_u32.saturating_pow(turn));
        let (answer, pooled) = loop {
            let request = request(operation, route, asked, body.clone())?;
            let refusal = match self.send(route.endpoint.origin(), request).await {
                Ok(answered) => break answered,
                Err(unanswered) => unanswered.refusal(provider()),
            };
            // Only where no connection was made is it certain that the provider has seen nothing of the request.
            let retried = matches!(refusal, Refusal::Unreachable(_)).then(|| pauses.next()).flatten();
            sleep(retried.ok_or(refusal)?).await;
            Counters::add(&self.counters.retries);
        };
        match answer.status().as_u16() {
            // Passed on, these would tell the caller that their own key is wrong.
            401 | 403 => Err(Refusal::CredentialRefused(provider())),
            // Whoever followed would send the prompt, and their key, to a host that nobody here has approved.
            300..=399 => Err(Refusal::Redirected(provider())),
            // It speaks another protocol from here on.
            100..=199 => Err(Refusal::Broke(provider())),
            _ => Ok((answer, pooled)),
        }
    }

    /// Sends a request over a connection that waits, or else over a new one.
    async fn send(
        &self,
        origin: &Arc<str>,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Pooled), Unanswered> {
        while let Some(mut pooled) = self.pool.take(origin) {
            match pooled.sender.try_send_request(request).await {
                Ok(answer) => return Ok((answer, pooled)),
                // It was closed meanwhile; where nothing of the request was sent, it comes back.
                Err(mut failed) => request = failed.take_message().ok_or(Unanswered::Broke)?,
            }
        }
        let socket = self.connector.open(origin).await.map_err(Unanswered::NotConnected)?;
        let (sender, connection) =
            Builder::new().writev(false).handshake(socket).await.map_err(|_| Unanswered::Broke)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection to a provider ended early");
            }
        });
        let mut pooled = self.pool.open(origin, sender);
        let answer = pooled.sender.send_request(request).await.map_err(|_| Unanswered::Broke)?;
        Ok((answer, pooled))
    }
}

/// Why a provider gave no answer.
enum Unanswered {
    NotConnected(Failure),
    Broke,
}

impl Unanswered {
    fn refusal(self, provider: String) -> Refusal {
        let Self::NotConnected(error) = self else { return Refusal::Broke(provider) };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(here) = cause {
            let inner = here.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if here.is::<TooSlow>() || inner.is_some_and(<dyn Error + Send + Sync>::is::<TooSlow>) {
                return Refusal::ConnectTimedOut(provider);
            }
            match inner.and_then(|inner| inner.downcast_ref()) {
                Some(NotPermitted(Forbidden::Private)) => return Refusal::PrivateAddress(provider),
                Some(NotPermitted(Forbidden::InTheClear)) => return Refusal::InTheClear(provider),
                None => {}
            }
            cause = here.source();
        }
        Refusal::Unreachable(provider)
    }
}

fn request(
    operation: Operation,
    route: &Route,
    asked: &HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let endpoint = &route.endpoint;
    let provider = || endpoint.provider.name.to_string();
    let credential = endpoint.credential().map_err(|()| Refusal::CredentialMissing(provider()))?;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.path(operation).clone();
    let headers = request.headers_mut();
    headers.reserve(USUAL_HEADERS);
    headers.insert(HOST, endpoint.host().clone());
    let of_dialect: &[HeaderName] = match operation.dialect() {
        Dialect::OpenAi => &TO_OPENAI,
        Dialect::Anthropic => {
            headers.insert(ANTHROPIC_VERSION, VERSION);
            &TO_ANTHROPIC
        }
    };
    for name in TO_PROVIDER.iter().chain(of_dialect) {
        if let Some(value) = asked.get(name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some((name, value)) = credential {
        headers.insert(name.clone(), value.clone());
    }
    Ok(request)
}

/// Leaves of a provider's answer headers what the caller is to see. The length of a stream is not known: usage may be
/// taken out of it, and an error may end it.
pub(crate) fn sift(headers: &mut HeaderMap, stream: bool) {
    let all = std::mem::replace(headers, HeaderMap::with_capacity(USUAL_HEADERS));
    // A name stands before its first value only; one value of each is enough.
    for (name, value) in all.into_iter().filter_map(|(name, value)| Some((name?, value))) {
        let limits = ["x-ratelimit-", "anthropic-ratelimit-"].iter().any(|start| name.as_str().starts_with(start));
        let shown = limits || TO_CALLER.contains(&name.as_str());
        if shown && !(stream && name == CONTENT_LENGTH) {
            headers.insert(name, value);
        }
    }
}
