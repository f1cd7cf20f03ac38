//! Gateways: the list with the form that adds one, and what is done to a row. A token is drawn once, by the act that made it.

use actix_web::{http::StatusCode, web};
use gatewarden_access::{Action, Facts, actions as a};
use gatewarden_control::{
    Error, FieldError,
    gateways::{self, AddGateway, AddedGateway, ListedGateway, ListedGateways},
};
use gatewarden_types::{GatewayState, Timestamp};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, may, now_true},
    views::{Notice, Place, Shell, Tone, Undo, gateways as view},
    wording::{counted, instant, relative, span, thousands},
};

/// Said when the form of a gateway comes twice.
const SHOWN: &str = "The form was sent twice, and the token was shown the first time: if nobody kept it, remove the gateway and add it again.";

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
struct Typed {
    name: String,
}

/// The list.
pub async fn list(here: Here) -> Answer {
    here.page(&page(&here, &Typed::default(), &[]).await?)
}

/// Adds one. What cannot be taken stays in the form, with the reason.
pub async fn add(here: Here, body: web::Bytes) -> Answer {
    let typed: Typed = here.form(&body)?;
    // Read first: once the gateway is added, nothing may come between it and the page that shows its token.
    let shell = here.shell(Place::Gateways).await?;
    let added = match typed.command() {
        Ok(command) => {
            let command = AddGateway { once: here.repeat(&body), ..command };
            gateways::add(&here.site.app, &here.caller, here.organization, command).await
        }
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match added {
        Ok(added) => shown(&here, shell, added),
        Err(Error::Invalid(wrong)) => {
            here.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&here, &typed, &wrong).await?)
        }
        Err(other) => Err(other.into()),
    }
}

/// The page with the token; for a form that was sent before, only that the token was shown then.
fn shown(here: &Here, shell: Shell, added: AddedGateway) -> Answer {
    let name = added.gateway.value.name.to_string();
    let Some(token) = added.token else {
        return here.done(&here.href("/gateways"), &now_true(format!("{name} was added once. {SHOWN}")));
    };
    let gateways::Commands { enroll, run } = gateways::commands(&here.site.app, &token);
    here.page(&view::NewGateway { shell, name, token: token.expose().clone(), enroll, run })
}

/// Calls go elsewhere from now on; the toast offers Undo.
pub async fn drain(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let id = here.id("gateway")?;
    match gateways::drain(&here.site.app, &here.caller, here.organization, id, true, seen).await {
        Ok(changed) => {
            let undo = Undo {
                action: here.href(&format!("/gateways/{id}/resume")),
                fields: vec![("version".to_owned(), changed.version.to_string())],
                target: String::new(),
            };
            let notice = now_true(format!("{} drains: it says that it is not ready.", changed.value.name));
            here.done(&here.href("/gateways"), &Notice { undo: Some(undo), ..notice })
        }
        Err(against) => as_it_is(&here, against).await,
    }
}

/// Calls come to it again.
pub async fn resume(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let id = here.id("gateway")?;
    match gateways::drain(&here.site.app, &here.caller, here.organization, id, false, seen).await {
        Ok(changed) => here.done(&here.href("/gateways"), &now_true(format!("{} works again.", changed.value.name))),
        Err(against) => as_it_is(&here, against).await,
    }
}

/// Let in no more.
pub async fn remove(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let id = here.id("gateway")?;
    match gateways::remove(&here.site.app, &here.caller, here.organization, id, seen).await {
        Ok(()) => {
            let text = "The gateway is removed. It refuses calls and drops its policy as soon as it hears of this.";
            here.done(&here.href("/gateways"), &now_true(text))
        }
        Err(against) => as_it_is(&here, against).await,
    }
}

/// What stands against an act, over the gateways as they are now; any other error as it is.
async fn as_it_is(here: &Here, against: Error) -> Answer {
    let shows = matches!(against, Error::Conflict { .. } | Error::Rule(_));
    let fault = Fault::from(against);
    if !shows {
        return Err(fault);
    }
    let mut page = page(here, &Typed::default(), &[]).await?;
    page.shell.notice = Some(Notice { tone: Tone::Bad, text: fault.to_string(), undo: None });
    here.page_with(fault.status(), &page)
}

impl Typed {
    fn command(&self) -> Result<AddGateway, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = word(&mut wrong, "name", &self.name);
        name.map(|name| AddGateway { name, once: None }).ok_or(wrong)
    }
}

async fn page(here: &Here, typed: &Typed, wrong: &[FieldError]) -> Result<view::Gateways, Fault> {
    let found = gateways::list(&here.site.app, &here.caller, here.organization).await?;
    let now = here.site.app.clock.now();
    Ok(view::Gateways {
        shell: here.shell(Place::Gateways).await?,
        here: in_this_program(here, &found),
        rows: found.rows.iter().map(|row| drawn(row, &found.facts, now)).collect(),
        goes_on: span(found.stale_after.seconds().into()),
        goes_on_until: instant(found.goes_on_until),
        can_add: may(&found.facts, a::AddGateway::INFO),
        name: field(wrong, "name", &typed.name),
    })
}

fn in_this_program(here: &Here, found: &ListedGateways) -> Option<view::InThisProgram> {
    found.here.map(|come| view::InThisProgram {
        url: here.site.gateway_url.clone(),
        progress: progress(come),
        release: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

fn progress(come: gateways::Progress) -> view::Progress {
    let lag = match come.lag {
        0 => "none".to_owned(),
        lag => counted(lag, "entry", "entries"),
    };
    view::Progress { position: thousands(come.position), lag }
}

fn drawn(row: &ListedGateway, facts: &Facts, now: Timestamp) -> view::GatewayRow {
    let (gateway, seen) = (&row.gateway.record, row.sighting.as_ref());
    let waits = gateway.state == GatewayState::Waiting;
    let can_drain = may(facts, a::DrainGateway::INFO);
    view::GatewayRow {
        id: gateway.id.to_string(),
        name: gateway.name.to_string(),
        state: state(row, now),
        token: if waits { token(gateway.expires, now) } else { String::new() },
        progress: row.progress.map(progress),
        release: seen.map(|seen| seen.release.clone()).unwrap_or_default(),
        last_seen: seen.map(|seen| relative(seen.at, now)).unwrap_or_default(),
        problem: seen.and_then(|seen| seen.problem.clone()).unwrap_or_default(),
        version: row.gateway.version.to_string(),
        can_drain: can_drain && gateway.state == GatewayState::Enrolled,
        can_resume: can_drain && gateway.state == GatewayState::Draining,
        can_remove: may(facts, a::RemoveGateway::INFO),
    }
}

fn token(expires: Timestamp, now: Timestamp) -> String {
    let ends = if now < expires { "ends" } else { "ended" };
    format!("token {ends} {}", relative(expires, now))
}

fn state(row: &ListedGateway, now: Timestamp) -> view::GatewayState {
    use view::GatewayState as Shown;
    let gateway = &row.gateway.record;
    match (gateway.state, row.connected(now)) {
        (GatewayState::Waiting, _) if now < gateway.expires => Shown::Waiting,
        (GatewayState::Waiting, _) => Shown::Expired,
        (GatewayState::Draining, true) => Shown::Draining,
        (GatewayState::Draining, false) => Shown::DrainingAway,
        (_, true) if row.sighting.as_ref().is_some_and(|seen| seen.problem.is_some()) => Shown::Ailing,
        (_, true) => Shown::Connected,
        (_, false) => Shown::Away,
    }
}
