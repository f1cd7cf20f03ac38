//! Everything the gateway refuses, and the one place that says so in HTTP.

use bytes::Bytes;
use gatewarden_access::Reason;
use gatewarden_types::{Dialect, Id, Request};
use hyper::{
    Response, StatusCode,
    header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE},
};
use serde_json::{Value, json};

use crate::{
    body::AnswerBody,
    limits::{Over, seconds},
    operation::Operation,
};

/// Why a call was not made, or not to its end. Its text is for the caller: what happened, and who can change it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "There is no such path. Model calls go to /v1/chat/completions, /v1/embeddings and /v1/messages, and /v1/models lists the models."
    )]
    Route,
    #[error("This path takes {0} only.")]
    Method(&'static str),
    #[error("No API key was sent. Send yours as 'Authorization: Bearer gwk_…' or as 'x-api-key'.")]
    NoKey,
    // Malformed, unknown and wrong are one variant, so that no stranger can tell them apart.
    #[error("This is not a valid API key. Check that it was copied whole, or ask an admin for another.")]
    BadKey,
    #[error("Several different API keys were sent. Send one.")]
    TwoKeys,
    #[error("Key '{key}' may not call {}. {}", what(model.as_deref()), why(*reason))]
    Denied { key: String, model: Option<String>, reason: Reason },
    #[error(
        "Key '{key}' may not call model '{model}': it is not approved in this organization. \
         An admin can approve it under Models."
    )]
    NotApproved { key: String, model: String },
    #[error(
        "Model '{model}' is not served here: its provider speaks the {} API. Call it at {}.",
        .speaks.label(), served(*.speaks)
    )]
    OtherApi { model: String, speaks: Dialect },
    #[error("{0}")]
    Limited(Box<Over>),
    #[error("The request body cannot be read: {0}")]
    Malformed(String),
    #[error(
        "Field '{0}' is not allowed: it may choose another model, address or secret than your organization approved. \
         Leave it out; 'model' says which model is called."
    )]
    FieldNotAllowed(String),
    #[error("The request names no model. Set 'model' to one of those that /v1/models lists.")]
    NoModel,
    #[error("The request body is too large: at most {0} bytes are taken.")]
    TooLarge(usize),
    #[error("The secret of provider '{0}' is not available. An admin can enter it again under Providers.")]
    CredentialMissing(String),
    #[error("Provider '{0}' refused its credential. An admin can enter it again under Providers.")]
    CredentialRefused(String),
    #[error(
        "Provider '{0}' is at a private address, which this gateway may not call. \
         The operator can allow it with GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE."
    )]
    PrivateAddress(String),
    #[error(
        "Provider '{0}' has an http:// address on the open internet, where its secret and your prompt could be read on \
         the way. An admin can give it an https:// address under Providers."
    )]
    InTheClear(String),
    #[error(
        "Provider '{0}' cannot be reached. Try again; if it stays so, an admin can check its address under Providers."
    )]
    Unreachable(String),
    #[error(
        "Provider '{0}' could not be connected to in time. Try again; if it stays so, an admin can check its address \
         under Providers."
    )]
    ConnectTimedOut(String),
    #[error("Provider '{0}' broke off before it answered. Try again.")]
    Broke(String),
    #[error(
        "Provider '{0}' sent the call elsewhere, which is not followed. An admin can check its address under Providers."
    )]
    Redirected(String),
    #[error("Provider '{0}' did not answer in time. Try again.")]
    TimedOut(String),
    #[error("This gateway does not have the organization's policy yet. Try again in a moment.")]
    NotReady,
    #[error(
        "This gateway has not heard from its control plane for longer than the organization allows, so it cannot know \
         who may still call. Whoever runs it can look at its log; an admin can allow longer under Settings."
    )]
    Stale,
}

/// How a caller reads refusals: in which API, and by which name the request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Voice {
    pub(crate) dialect: Dialect,
    pub(crate) request: Id<Request>,
}

/// The paths that call models of a provider.
fn served(dialect: Dialect) -> String {
    let paths: Vec<String> = Operation::of_dialect(dialect).map(|one| format!("/v1{}", one.path())).collect();
    paths.join(" or ")
}

/// A name as it may be repeated to its sender.
pub(crate) fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(128).collect()
}

fn what(model: Option<&str>) -> String {
    model.map_or_else(|| "models".to_owned(), |model| format!("model '{model}'"))
}

fn why(reason: Reason) -> String {
    match reason {
        Reason::Stranger => "Its owner has left the organization. An admin can give you another.".to_owned(),
        Reason::MemberSuspended => "Its owner is suspended. An admin can reinstate them.".to_owned(),
        _ => reason.to_string(),
    }
}

/// How a refusal is told: status, the type and code that OpenAI clients read, and the parameter it is about.
struct Told<'a>(StatusCode, &'static str, &'static str, Option<&'a str>);

impl Refusal {
    /// The word for it in usage records and metrics.
    pub(crate) fn code(&self) -> &'static str {
        self.told().2
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.told().0
    }

    /// Whether it is certain of a call that was let through that no provider has worked on it.
    pub(crate) fn is_without_work(&self) -> bool {
        matches!(
            self,
            Self::CredentialMissing(_)
                | Self::CredentialRefused(_)
                | Self::PrivateAddress(_)
                | Self::InTheClear(_)
                | Self::Unreachable(_)
                | Self::ConnectTimedOut(_)
                | Self::Redirected(_)
        )
    }

    fn told(&self) -> Told<'_> {
        const REQUEST: &str = "invalid_request_error";
        const KEY: &str = "authentication_error";
        const PERMISSION: &str = "permission_error";
        const PROVIDER: &str = "provider_error";
        match self {
            Self::Route => Told(StatusCode::NOT_FOUND, REQUEST, "unknown_url", None),
            Self::Method(_) => Told(StatusCode::METHOD_NOT_ALLOWED, REQUEST, "method_not_allowed", None),
            Self::NoKey => Told(StatusCode::UNAUTHORIZED, KEY, "missing_api_key", None),
            Self::BadKey => Told(StatusCode::UNAUTHORIZED, KEY, "invalid_api_key", None),
            Self::TwoKeys => Told(StatusCode::UNAUTHORIZED, KEY, "several_api_keys", None),
            Self::Denied { reason, .. } => match reason {
                Reason::KeyRevoked | Reason::KeyExpired => Told(StatusCode::UNAUTHORIZED, KEY, reason.word(), None),
                Reason::KeyModel => Told(StatusCode::FORBIDDEN, PERMISSION, reason.word(), Some("model")),
                _ => Told(StatusCode::FORBIDDEN, PERMISSION, reason.word(), None),
            },
            Self::NotApproved { .. } => Told(StatusCode::NOT_FOUND, REQUEST, "model_not_found", Some("model")),
            Self::OtherApi { .. } => Told(StatusCode::BAD_REQUEST, REQUEST, "other_api", Some("model")),
            Self::Limited(over) => Told(StatusCode::TOO_MANY_REQUESTS, over.what.word(), "rate_limit_exceeded", None),
            Self::Malformed(_) => Told(StatusCode::BAD_REQUEST, REQUEST, "invalid_body", None),
            Self::FieldNotAllowed(name) => Told(StatusCode::BAD_REQUEST, REQUEST, "field_not_allowed", Some(name)),
            Self::NoModel => Told(StatusCode::BAD_REQUEST, REQUEST, "missing_model", Some("model")),
            Self::TooLarge(_) => Told(StatusCode::PAYLOAD_TOO_LARGE, REQUEST, "body_too_large", None),
            Self::CredentialMissing(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "credential_missing", None),
            Self::CredentialRefused(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "credential_refused", None),
            Self::PrivateAddress(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "private_address", None),
            Self::InTheClear(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "unencrypted_address", None),
            Self::Unreachable(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "provider_unreachable", None),
            Self::ConnectTimedOut(_) => Told(StatusCode::GATEWAY_TIMEOUT, PROVIDER, "provider_connect_timed_out", None),
            Self::Broke(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "provider_broke_off", None),
            Self::Redirected(_) => Told(StatusCode::BAD_GATEWAY, PROVIDER, "provider_redirected", None),
            Self::TimedOut(_) => Told(StatusCode::GATEWAY_TIMEOUT, PROVIDER, "provider_timed_out", None),
            Self::NotReady => Told(StatusCode::SERVICE_UNAVAILABLE, "server_error", "not_ready", None),
            Self::Stale => Told(StatusCode::SERVICE_UNAVAILABLE, "server_error", "policy_stale", None),
        }
    }

    /// The error as the caller's API has it. Anthropic's knows no codes; clients pass over the one that is added.
    fn body(&self, voice: Voice) -> Value {
        let (Told(status, kind, code, param), message) = (self.told(), self.to_string());
        match voice.dialect {
            Dialect::OpenAi => json!({"error": {"message": message, "type": kind, "param": param, "code": code}}),
            Dialect::Anthropic => {
                let error = json!({"type": anthropic(status), "message": message, "code": code});
                json!({"type": "error", "error": error, "request_id": voice.request})
            }
        }
    }

    /// The last event of a stream that may not go on.
    pub(crate) fn event(&self, voice: Voice) -> Bytes {
        Bytes::from(format!("event: error\ndata: {}\n\n", self.body(voice)))
    }

    /// The answer, with a body in the shape of the caller's API.
    pub(crate) fn answer(&self, voice: Voice) -> Response<AnswerBody> {
        let (status, body) = (self.status(), self.body(voice));
        let mut response = Response::new(AnswerBody::whole(Bytes::from(body.to_string())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Method(allowed) => drop(headers.insert(ALLOW, HeaderValue::from_static(allowed))),
            Self::Limited(over) => {
                over.standing.tell(headers);
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds(over.wait)));
            }
            Self::NotReady => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
            _ if status == StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            _ => {}
        }
        response
    }
}

/// The types of errors in the Anthropic API, which follow from the status.
fn anthropic(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "authentication_error",
        StatusCode::FORBIDDEN => "permission_error",
        StatusCode::NOT_FOUND => "not_found_error",
        StatusCode::PAYLOAD_TOO_LARGE => "request_too_large",
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        StatusCode::GATEWAY_TIMEOUT => "timeout_error",
        StatusCode::SERVICE_UNAVAILABLE => "overloaded_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "api_error",
    }
}
