//! A model server that needs no account: it speaks the OpenAI and the Anthropic API, is deterministic, and able to
//! misbehave on request.
//!
//! It is the counterpart of the gateway in the demo and in tests. It answers `GET /v1/models`,
//! `POST /v1/chat/completions` and `POST /v1/messages` (plain and streaming), `POST /v1/messages/count_tokens` and
//! `POST /v1/embeddings`, and wants its secret on all: as a bearer token, or under `/v1/messages` as `x-api-key` with an
//! `anthropic-version`. It counts what happens to each call, so that a test can wait for a cancelled one instead of
//! sleeping.
//!
//! The model's name chooses how a call behaves:
//!
//! | model | behaviour |
//! | --- | --- |
//! | `slow` | a second before each word |
//! | `silent` | takes the request and never answers |
//! | `half` | breaks off in the middle of the answer |
//! | `stall` | sends half of the answer, and then nothing |
//! | `endless` | says the same words again and again, as fast as they are taken |
//! | `error-429`, `error-500`, … | answers with that status and an error body of the API |
//! | anything else | answers at once, streaming word by word at the server's pace |

mod answer;
mod body;
mod counts;
mod messages;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use answer::{Behaviour, ChatCall};
use body::{AnswerBody, Course};
use counts::{Call, Ledger};
pub use counts::{Counts, Seen};

/// The models that `GET /v1/models` lists, besides the ones whose name is a behaviour.
pub const MODELS: [&str; 3] = ["demo-small", "demo-large", "demo-reasoning"];

/// How the server behaves as a whole.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The secret that every call has to carry.
    pub secret: String,
    /// The pause before each word of a streamed answer; zero in tests, a few milliseconds where people watch.
    pub pace: Duration,
}

/// A running model server; dropping it stops it.
#[derive(Debug)]
pub struct Upstream {
    addr: SocketAddr,
    ledger: Arc<Ledger>,
    task: JoinHandle<()>,
}

/// Serves on a listener that is already bound, until the returned value is dropped.
///
/// # Errors
/// When the listener has no local address.
pub fn spawn(listener: TcpListener, settings: Settings) -> std::io::Result<Upstream> {
    let addr = listener.local_addr()?;
    let ledger = Arc::new(Ledger::default());
    let server = Arc::new(Server { settings, ledger: Arc::clone(&ledger) });
    let task = tokio::spawn(accept(listener, server));
    Ok(Upstream { addr, ledger, task })
}

impl Upstream {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a provider record names as its base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// Model calls that carried the right secret, so far.
    pub fn calls(&self) -> u64 {
        self.ledger.counts().calls
    }

    /// Calls whose caller left before the answer was complete.
    pub fn cancelled(&self) -> u64 {
        self.ledger.counts().cancelled
    }

    /// Calls being answered now.
    pub fn open(&self) -> u64 {
        self.ledger.counts().open
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.ledger.counts().connections
    }

    /// The last model call as it arrived.
    pub fn last_seen(&self) -> Option<Seen> {
        self.ledger.last_seen()
    }

    /// Waits until the counts are as described, at most a minute, and returns them as they are then.
    pub async fn until(&self, reached: impl FnMut(&Counts) -> bool) -> Counts {
        self.ledger.until(reached).await
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What is asked for, and so in which shape it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Chat,
    Embeddings,
    Message,
    Count,
    Models,
}

struct Server {
    settings: Settings,
    ledger: Arc<Ledger>,
}

async fn accept(listener: TcpListener, server: Arc<Server>) {
    // Connections live in this set, so that they end together with the accept loop.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        server.ledger.connected();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the caller left while being accepted");
        }
        let server = Arc::clone(&server);
        connections.spawn(async move {
            let service = service_fn(|request| {
                let server = Arc::clone(&server);
                async move { server.answer(request).await }
            });
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            if let Err(error) = served {
                tracing::debug!(%error, "a call to the model server ended early");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<AnswerBody>, hyper::Error> {
        let shape = match request.uri().path() {
            "/v1/chat/completions" => Shape::Chat,
            "/v1/embeddings" => Shape::Embeddings,
            "/v1/messages" => Shape::Message,
            "/v1/messages/count_tokens" => Shape::Count,
            "/v1/models" => Shape::Models,
            _ => return Ok(refusal(Shape::Chat, StatusCode::NOT_FOUND, "unknown_url", "There is no such path.")),
        };
        if !self.admits(shape, request.headers()) {
            let text = "Incorrect API key provided.";
            return Ok(refusal(shape, StatusCode::UNAUTHORIZED, "invalid_api_key", text));
        }
        match (request.method(), shape) {
            (&Method::GET, Shape::Models) => Ok(json(StatusCode::OK, &answer::models(&MODELS))),
            (&Method::POST, _) => self.call(shape, request).await,
            _ => Ok(refusal(shape, StatusCode::METHOD_NOT_ALLOWED, "method", "There is no such method.")),
        }
    }

    fn admits(&self, shape: Shape, headers: &HeaderMap) -> bool {
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let secret = self.settings.secret.as_str();
        let bearer = given("authorization").and_then(|value| value.strip_prefix("Bearer ")) == Some(secret);
        let own = given("x-api-key") == Some(secret) && given("anthropic-version").is_some();
        match shape {
            Shape::Chat | Shape::Embeddings => bearer,
            Shape::Message | Shape::Count => own,
            Shape::Models => bearer || own,
        }
    }

    async fn call(&self, shape: Shape, request: Request<Incoming>) -> Result<Response<AnswerBody>, hyper::Error> {
        let call = self.ledger.begin();
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        call.saw(Seen { path: parts.uri.path().to_owned(), headers: parts.headers, body: body.clone() });
        let Ok(chat) = serde_json::from_slice::<ChatCall>(&body) else {
            call.finish();
            let text = "The body is not one of a model call.";
            return Ok(refusal(shape, StatusCode::BAD_REQUEST, "invalid_request_error", text));
        };
        Ok(self.reply(shape, &chat, call).await)
    }

    async fn reply(&self, shape: Shape, chat: &ChatCall, call: Call) -> Response<AnswerBody> {
        let pause = match chat.behaviour() {
            Behaviour::Silent => return std::future::pending().await,
            Behaviour::Error(status) => {
                call.finish();
                let text = "The model was asked for an error and made one.";
                return refusal(shape, status, "scripted_error", text);
            }
            Behaviour::Slow => Duration::from_secs(1),
            Behaviour::Half | Behaviour::Stall | Behaviour::Plain => self.settings.pace,
            Behaviour::Endless => Duration::ZERO,
        };
        let course = match chat.behaviour() {
            Behaviour::Half => Course::BreaksOff,
            Behaviour::Stall => Course::Stalls,
            Behaviour::Endless => Course::Repeats,
            _ => Course::Whole,
        };
        let (media, parts) = match shape {
            Shape::Chat if chat.stream => ("text/event-stream", chat.events(call.number())),
            Shape::Message if chat.stream => ("text/event-stream", messages::events(chat, call.number())),
            Shape::Chat | Shape::Models => ("application/json", vec![chat.completion(call.number())]),
            Shape::Message => ("application/json", vec![messages::whole(chat, call.number())]),
            Shape::Count => ("application/json", vec![messages::count(chat)]),
            Shape::Embeddings => ("application/json", vec![chat.embeddings()]),
        };
        let pause = if chat.stream || chat.behaviour() == Behaviour::Slow { pause } else { Duration::ZERO };
        typed(StatusCode::OK, media, AnswerBody::paced(parts, pause, course, call))
    }
}

fn refusal(shape: Shape, status: StatusCode, code: &str, message: &str) -> Response<AnswerBody> {
    match shape {
        Shape::Message | Shape::Count => json(status, &messages::error(status, message)),
        Shape::Chat | Shape::Embeddings | Shape::Models => json(status, &answer::error(code, message)),
    }
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response<AnswerBody> {
    typed(status, "application/json", AnswerBody::whole(value.to_string().into()))
}

fn typed(status: StatusCode, media: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(media));
    response
}
