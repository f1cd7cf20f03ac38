//! Gateways on other hosts.

use actix_web::web;
use gatewarden_control::{
    Changed,
    gateways::{self, AddGateway, ListedGateway, Progress as Come},
};
use gatewarden_types::{Gateway as GatewayRecord, GatewayState, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Paged, cut, word};
use crate::http::{Answer, KeyHolder};

/// A gateway on another host.
#[derive(Serialize, JsonSchema)]
pub struct Gateway {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is let in.
    pub state: State,
    /// The instant from which its token is refused; null once it has enrolled.
    pub token_expires: Option<String>,
    /// Whether it was heard in the last seconds.
    pub connected: bool,
    /// The position of the policy that its calls are decided by; null while it has none.
    pub position: Option<u64>,
    /// How many entries it is behind; null while it has no policy.
    pub lag: Option<u64>,
    /// Its release, as it said itself.
    pub release: Option<String>,
    /// When it was last heard; null where it was not since the program started.
    pub last_seen: Option<String>,
    /// What it could not read, so that it keeps an older policy.
    pub problem: Option<String>,
    /// The version for `If-Match`.
    pub version: u64,
}

/// Whether a gateway is let in.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It can enrol, once, until its token expires.
    Waiting,
    /// It has enrolled, and follows.
    Enrolled,
    /// It follows and answers, and says that it is not ready, so that calls go elsewhere.
    Draining,
    /// It was removed, and is let in no more.
    Removed,
}

/// How far a gateway has come.
#[derive(Serialize, JsonSchema)]
pub struct Progress {
    /// The position of the policy that its calls are decided by.
    pub position: u64,
    /// How many entries it is behind.
    pub lag: u64,
}

/// A page of gateways.
#[derive(Serialize, JsonSchema)]
pub struct Gateways {
    /// The gateways on other hosts, in the order they were added.
    pub data: Vec<Gateway>,
    /// How many there are in all.
    pub total: usize,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
    /// The gateway in the program itself; null where it runs without one.
    pub in_this_program: Option<Progress>,
}

/// The gateway that is to be added.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddBody {
    /// What people call it: 1 to 100 characters, and no other gateway's name.
    pub name: String,
}

/// A new gateway.
#[derive(Serialize, JsonSchema)]
pub struct NewGateway {
    /// The gateway.
    #[serde(flatten)]
    pub gateway: Gateway,
    /// The token that its program enrols with, once and within an hour. It is shown this once; null when the same request
    /// added the gateway before.
    pub secret: Option<String>,
    /// What to run on the gateway's own host, one after the other; empty where there is no token.
    pub commands: Vec<String>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Paged = sender.query()?;
    let found = gateways::list(&sender.site.app, &sender.caller, sender.organization).await?;
    let now = sender.site.app.clock.now();
    let rows = found.rows.iter().map(|row| shown(row, now)).collect();
    let (data, total, next) = cut(rows, |gateway: &Gateway| gateway.id.clone(), &asked);
    let in_this_program = found.here.map(|Come { position, lag }| Progress { position, lag });
    sender.answer(200, None, &Gateways { data, total, next, in_this_program })
}

/// Another one. The same request again answers the gateway it added, without its token.
pub async fn add(sender: KeyHolder, body: web::Bytes) -> Answer {
    let (sent, once) = (sender.json::<AddBody>(&body)?, sender.repeat(&body)?);
    let (app, command) = (&sender.site.app, AddGateway { name: word("name", &sent.name)?, once });
    let added = gateways::add(app, &sender.caller, sender.organization, command).await?;
    let commands = added.token.as_ref().map(|token| gateways::commands(app, token));
    let commands = commands.map(|commands| vec![commands.enroll, commands.run]).unwrap_or_default();
    let (gateway, secret) = (listed(&sender, added.gateway).await?, added.token.map(|token| token.expose().clone()));
    sender.answer(201, Some(gateway.version), &NewGateway { gateway, secret, commands })
}

/// Calls go elsewhere from now on.
pub async fn drain(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("gateway")?, sender.seen()?);
    let changed = gateways::drain(&sender.site.app, &sender.caller, sender.organization, id, true, seen).await?;
    let gateway = listed(&sender, changed).await?;
    sender.answer(200, Some(gateway.version), &gateway)
}

/// Calls come to it again.
pub async fn resume(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("gateway")?, sender.seen()?);
    let changed = gateways::drain(&sender.site.app, &sender.caller, sender.organization, id, false, seen).await?;
    let gateway = listed(&sender, changed).await?;
    sender.answer(200, Some(gateway.version), &gateway)
}

/// Let in no more.
pub async fn remove(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("gateway")?, sender.seen()?);
    gateways::remove(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.done()
}

async fn listed(sender: &KeyHolder, changed: Changed<GatewayRecord>) -> Result<Gateway, crate::http::Fault> {
    let app = &sender.site.app;
    Ok(shown(&gateways::as_listed(app, sender.organization, changed).await?, app.clock.now()))
}

fn shown(row: &ListedGateway, now: Timestamp) -> Gateway {
    let (gateway, seen) = (&row.gateway.record, row.sighting.as_ref());
    Gateway {
        id: gateway.id.to_string(),
        name: gateway.name.to_string(),
        state: match gateway.state {
            GatewayState::Waiting => State::Waiting,
            GatewayState::Enrolled => State::Enrolled,
            GatewayState::Draining => State::Draining,
            GatewayState::Removed => State::Removed,
        },
        token_expires: Some(gateway.expires).filter(|_| gateway.state == GatewayState::Waiting).map(Timestamp::rfc3339),
        connected: row.connected(now),
        position: row.progress.map(|come| come.position),
        lag: row.progress.map(|come| come.lag),
        release: seen.map(|seen| seen.release.clone()),
        last_seen: seen.map(|seen| seen.at.rfc3339()),
        problem: seen.and_then(|seen| seen.problem.clone()),
        version: row.gateway.version,
    }
}
