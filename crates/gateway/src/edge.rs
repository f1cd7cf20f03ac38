//! One request, from its head to its answer.

use std::{convert::Infallible, sync::Arc, sync::atomic::Ordering::Relaxed};

use bytes::{Bytes, BytesMut};
use gatewarden_credentials::ApiKey;
use gatewarden_types::{Clock, Dialect, Entropy, Id, Model, Timestamp};
use http_body_util::BodyExt;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Incoming},
    header::{CONNECTION, CONTENT_TYPE, HeaderValue},
    http::request::Parts,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    admission::{Holder, Route, presented},
    asked::Asked,
    body::{AnswerBody, Passing, Reading},
    connections::{Activity, Phase},
    limits::Limiter,
    operation::{Operation, spoken},
    pool::Pooled,
    refusal::{Refusal, Voice, shown},
    running::{Leash, Running},
    snapshot::Snapshot,
    status::{Counters, Current, Status, metrics},
    tokens::{EventStream, PlainAnswer},
    upstream::{Providers, sift},
    usage::{Meter, Till},
};

/// What one thread needs to answer requests.
pub(crate) struct Edge {
    pub(crate) current: Arc<Current>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) providers: Providers,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) till: Till,
    pub(crate) clock: Clock,
    /// Never set; limits drain by it.
    pub(crate) steady: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) body_limit: usize,
}

/// One request's own: how it is spoken of, when it came, its head, and the connection it came on.
struct Call {
    voice: Voice,
    at: Timestamp,
    came: Instant,
    head: Parts,
    activity: Arc<Activity>,
}

impl Edge {
    /// Answers a request. Whatever goes wrong is an answer too.
    pub(crate) async fn serve(
        &self,
        request: Request<Incoming>,
        activity: Arc<Activity>,
    ) -> Result<Response<AnswerBody>, Infallible> {
        Counters::add(&self.counters.requests);
        activity.enter(Phase::Receiving);
        let (head, body) = request.into_parts();
        let at = self.clock.now();
        let request = Id::new(at, &self.entropy);
        let voice = Voice { dialect: spoken(head.uri.path(), &head.headers), request };
        let call = Call { voice, at, came: Instant::now(), head, activity };
        let mut answer = match self.answer(&call, body).await {
            Ok(answer) => answer,
            Err(refusal) => {
                self.counters.refused(&refusal);
                tracing::debug!(request = %voice.request, code = refusal.code(), "refused");
                refusal.answer(voice)
            }
        };
        if let Ok(id) = HeaderValue::try_from(voice.request.to_string()) {
            if voice.dialect == Dialect::Anthropic {
                answer.headers_mut().insert("request-id", id.clone());
            }
            answer.headers_mut().insert("x-request-id", id);
        }
        if self.current.draining.load(Relaxed) {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        call.activity.enter(Phase::Answering);
        Ok(answer.map(|body| body.on(call.activity)))
    }

    async fn answer(&self, call: &Call, body: Incoming) -> Result<Response<AnswerBody>, Refusal> {
        let path = call.head.uri.path();
        if let Some(operation) = Operation::of(path) {
            only(&call.head, &Method::POST, "POST")?;
            return self.call(operation, call, body).await;
        }
        let model = path.strip_prefix("/v1/models/").filter(|name| !name.is_empty());
        if model.is_none() && !matches!(path, "/v1/models" | "/healthz" | "/readyz" | "/metrics") {
            return Err(Refusal::Route);
        }
        only(&call.head, &Method::GET, "GET")?;
        match path {
            "/healthz" => Ok(text(StatusCode::OK, "text/plain", "ok\n".to_owned())),
            "/readyz" => Ok(self.ready()),
            "/metrics" => Ok(self.metrics()),
            _ => self.models(call, model.map(|name| percent_decode_str(name).decode_utf8_lossy()).as_deref()),
        }
    }

    /// Proves the key by the policy in force now.
    fn holder(&self, key: &ApiKey) -> Result<Holder, Refusal> {
        self.found(|snapshot| Holder::find(snapshot, key))
    }

    fn found(&self, find: impl FnOnce(&Snapshot) -> Result<Holder, Refusal>) -> Result<Holder, Refusal> {
        let snapshot = self.current.snapshot.load();
        // Before everything has come, a key that is not here may still be a good one.
        let to_come = || !self.current.caught_up.load(Relaxed) || snapshot.lacks_policies();
        find(&snapshot).map_err(|refusal| if to_come() { Refusal::NotReady } else { refusal })
    }

    async fn call(
        &self,
        operation: Operation,
        call: &Call,
        mut body: Incoming,
    ) -> Result<Response<AnswerBody>, Refusal> {
        // Without a good key nothing of a body is kept. Everything else is decided once the body is whole, by the one
        // snapshot of that moment: by an older one, who sends slowly would outlast a revocation.
        let holder = match presented(&call.head.headers).and_then(|key| self.holder(&key)) {
            Ok(holder) => holder,
            Err(refusal) => {
                self.discard(&mut body).await;
                return Err(refusal);
            }
        };
        let body = self.receive(body).await;
        let holder = self.found(|snapshot| holder.anew(snapshot))?;
        let mut meter = Meter::start(self.till.clone(), call.voice.request, call.at, call.came, &holder);
        let passed = match body {
            Ok(body) => self.pass(operation, call, &holder, body, &mut meter).await,
            Err(refusal) => Err(refusal),
        };
        match passed {
            Ok((answer, pooled, reading, leash)) => {
                let passing = |incoming| Passing::new((incoming, pooled), reading, meter, leash, call.voice);
                Ok(answer.map(|incoming| AnswerBody::passing(passing(incoming))))
            }
            Err(refusal) => {
                meter.refused(&refusal);
                Err(refusal)
            }
        }
    }

    async fn pass(
        &self,
        operation: Operation,
        call: &Call,
        holder: &Holder,
        body: Bytes,
        meter: &mut Meter,
    ) -> Result<(Response<Incoming>, Pooled, Reading, Leash), Refusal> {
        let facts = holder.facts(call.voice.request, self.clock.now())?;
        let asked = Asked::parse(body)?;
        let (streamed, route) = (asked.stream, holder.route(&facts, &asked.model)?);
        meter.note(|record| {
            record.model = Some(route.permit.target_id());
            record.provider = Some(route.model.provider);
            record.streamed = streamed;
        });
        let speaks = route.endpoint.provider.dialect;
        if speaks != operation.dialect() {
            return Err(Refusal::OtherApi { model: shown(&asked.model), speaks });
        }
        let (reservation, standing) = self.limiter.admit(holder, asked.estimate(operation), self.steady.now())?;
        let outgoing = asked.outgoing(operation, route.model.upstream.as_str());
        let (running, mut leash) = Running::new(holder, call.voice.request, &route);
        call.activity.begin(running);
        meter.sent(reservation, Instant::now());
        let (mut answer, pooled) = self.ask(operation, call, &route, outgoing.body, &mut leash).await?;
        meter.answered(Instant::now(), answer.status().as_u16());
        Counters::add(&self.counters.passed);
        let reading = reading(&answer, outgoing.usage_added);
        sift(answer.headers_mut(), matches!(reading, Reading::Events(_)));
        standing.tell(answer.headers_mut());
        Ok((answer, pooled, reading, leash))
    }

    async fn ask(
        &self,
        operation: Operation,
        call: &Call,
        route: &Route,
        body: Bytes,
        leash: &mut Leash,
    ) -> Result<(Response<Incoming>, Pooled), Refusal> {
        tokio::select! {
            biased;
            refusal = leash => Err(refusal),
            answer = self.providers.call(operation, route, &call.head.headers, body) => answer,
        }
    }

    /// Reads a body whole, if it is within the limit.
    async fn receive(&self, mut body: Incoming) -> Result<Bytes, Refusal> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let mut whole = BytesMut::with_capacity(announced.min(self.body_limit));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::Malformed("it ended early".to_owned()))?;
            let Ok(bytes) = frame.into_data() else { continue };
            if whole.len() + bytes.len() > self.body_limit {
                self.discard(&mut body).await;
                return Err(Refusal::TooLarge(self.body_limit));
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.freeze())
    }

    /// Reads on, keeping nothing: whoever is still sending would not read why it was refused. Who sends much more than
    /// the limit is cut off all the same.
    async fn discard(&self, body: &mut Incoming) {
        let mut left = self.body_limit.saturating_mul(8);
        while let Some(Ok(frame)) = body.frame().await {
            let read = frame.data_ref().map_or(0, Bytes::len);
            left = match left.checked_sub(read) {
                Some(left) => left,
                None => return,
            };
        }
    }

    /// The models that the key may call, or one of them.
    fn models(&self, call: &Call, name: Option<&str>) -> Result<Response<AnswerBody>, Refusal> {
        let holder = self.holder(&presented(&call.head.headers)?)?;
        let facts = holder.facts(call.voice.request, call.at)?;
        let body = if let Some(name) = name {
            model(&holder.route(&facts, name)?.model)
        } else {
            holder.may_call(&facts)?;
            let approved = holder.policy.approved().into_iter();
            let callable = approved.filter(|model| holder.may_call_model(&facts, model).is_ok());
            json!({"object": "list", "data": callable.map(|one| model(one)).collect::<Vec<_>>()})
        };
        Ok(text(StatusCode::OK, "application/json", body.to_string()))
    }

    fn ready(&self) -> Response<AnswerBody> {
        let status = Status::of(&self.current, &self.counters);
        let code = if status.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        text(code, "application/json", status.json())
    }

    fn metrics(&self) -> Response<AnswerBody> {
        let status = Status::of(&self.current, &self.counters);
        text(StatusCode::OK, "text/plain; version=0.0.4", metrics(&status, &self.counters))
    }
}

/// How to read the counts of an answer: by what it says it is, not by what was asked for.
fn reading(answer: &Response<Incoming>, usage_added: bool) -> Reading {
    let media = answer.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    if !answer.status().is_success() {
        Reading::Nothing
    } else if media.starts_with(b"text/event-stream") {
        Reading::Events(EventStream::new(usage_added))
    } else if media.starts_with(b"application/json") {
        Reading::Plain(PlainAnswer::default())
    } else {
        Reading::Nothing
    }
}

/// A model as the OpenAI API lists it; its creation lies in its id.
fn model(model: &Model) -> Value {
    let created = model.id.uuid().get_timestamp().map_or(0, |at| at.to_unix().0);
    json!({"id": model.name, "object": "model", "created": created, "owned_by": "organization"})
}

fn only(parts: &Parts, method: &Method, name: &'static str) -> Result<(), Refusal> {
    if parts.method == *method { Ok(()) } else { Err(Refusal::Method(name)) }
}

fn text(status: StatusCode, media: &'static str, body: String) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::whole(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}
