//! A gateway on another host, as far as the control plane sees one.

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::Method,
};
use gatewarden_credentials::{GatewayCredential, Token};
use gatewarden_testkit::World;
use serde_json::{Value, json};

use crate::harness::{Asker, Door, Reply};

/// A gateway that has enrolled.
pub struct Follower {
    /// What it shows.
    pub credential: GatewayCredential,
}

impl Follower {
    /// Enrols with a token.
    pub async fn enroll<S, B>(world: &World, door: &Door<S>, token: &str) -> Result<Self, Reply>
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
        B: MessageBody,
    {
        let id = token.split('.').next().unwrap_or_default().parse().unwrap_or_else(|_| world.app().id());
        let credential = GatewayCredential::new(id, Token::generate(&world.app().entropy));
        let body = json!({ "verifier": credential.verifier() });
        let answer = said(door, token, "enroll", body).await;
        if answer.code() == 201 { Ok(Self { credential }) } else { Err(answer) }
    }

    /// Says where it is.
    pub async fn report<S, B>(&self, door: &Door<S>, position: u64, problem: Option<&str>) -> Reply
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
        B: MessageBody,
    {
        let body = json!({ "position": position, "epoch": 1, "release": "0.1.0", "problem": problem });
        said(door, self.credential.text().expose(), "report", body).await
    }

    /// Says what it has let through.
    pub async fn spent<S, B>(&self, door: &Door<S>, spending: Value) -> Reply
    where
        S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
        B: MessageBody,
    {
        said(door, self.credential.text().expose(), "limits", spending).await
    }
}

async fn said<S, B>(door: &Door<S>, shown: &str, what: &str, body: Value) -> Reply
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let (asker, body) = (Asker::Key(shown.to_owned()), Some(("application/json", body.to_string())));
    door.ask(&asker, Method::POST, &format!("/api/gateway/v1/{what}"), body).await
}
