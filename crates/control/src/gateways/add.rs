use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{GatewayCredential, Secret, Token};
use gatewarden_types::{Actor, Gateway, GatewayState, Id, Job, Name, Organization, Via, fold};

use super::LIFETIME_SECONDS;
use crate::{App, Changed, Error, Once, or_refuse};

/// Adds a gateway.
#[derive(Debug, Clone)]
pub struct AddGateway {
    /// What it is called; no other gateway of the organization bears the name.
    pub name: Name,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

/// A gateway that waits for its program.
#[derive(Debug)]
pub struct AddedGateway {
    /// The gateway.
    pub gateway: Changed<Gateway>,
    /// What its program enrols with, once and within an hour; none when the same request was sent before.
    pub token: Option<Secret<String>>,
}

/// What is run on the gateway's own host, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commands {
    /// Enrols it with its token, once.
    pub enroll: String,
    /// Runs it, from then on.
    pub run: String,
}

/// The commands for a gateway that was given this token.
pub fn commands(app: &App, token: &Secret<String>) -> Commands {
    let (control, token) = (app.public_url.as_str().trim_end_matches('/'), token.expose());
    Commands {
        enroll: format!("gatewarden-gateway enroll --control {control} --token {token} --data ./gateway"),
        run: "gatewarden-gateway run --data ./gateway".to_owned(),
    }
}

/// Who adds gateways from the command line of the program's own host.
pub fn operator(app: &App) -> Caller {
    Caller { actor: Actor::System(Job::AddGateway), via: Via::CommandLine, request: app.id() }
}

/// Adds a gateway, which does nothing until its program has enrolled with the token.
///
/// # Errors
/// When the caller may not, or the name is taken.
pub async fn add(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: AddGateway,
) -> Result<AddedGateway, Error> {
    let AddGateway { name, once } = command;
    let mut tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit::<actions::AddGateway>());
    if let Some(before) = Once::before::<_, Gateway>(once.as_ref(), &tx, &permit).await? {
        let row = tx.get::<_, Gateway>(&permit, before).await?.ok_or(Error::Gone)?;
        return Ok(AddedGateway { gateway: Changed { value: row.record, version: row.version }, token: None });
    }
    let others = tx.list::<_, Gateway>(&permit).await?;
    let bears =
        |other: &Gateway| other.state != GatewayState::Removed && fold(other.name.as_str()) == fold(name.as_str());
    if others.iter().any(|row| bears(&row.record)) {
        return Err(Error::field("name", "Another gateway has this name already. Choose another."));
    }
    let token = GatewayCredential::new(app.id(), Token::generate(&app.entropy));
    let expires = tx.now().plus_seconds(LIFETIME_SECONDS);
    let (id, verifier) = (token.gateway(), token.verifier());
    let gateway = Gateway { id, name, state: GatewayState::Waiting, verifier, expires };
    tx.put(&permit, &gateway).await?;
    Once::keep(once.as_ref(), &mut tx, &permit, gateway.id).await?;
    let committed = tx.commit(permit).await?;
    app.store.enter(gateway.id, organization).await;
    Ok(AddedGateway { gateway: Changed { value: gateway, version: committed.seq }, token: Some(token.text()) })
}
