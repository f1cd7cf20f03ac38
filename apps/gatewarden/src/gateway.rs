//! `gateway enroll`: adds a gateway, and says once what its program enrols with.

use std::process::ExitCode;

use anyhow::bail;
use gatewarden_control::{
    App, Error,
    gateways::{self, AddGateway, Commands},
};

use crate::cli::Enroll;

/// Adds the gateway that was asked for. The token goes to standard output by itself, for scripts; the rest is for people.
pub async fn enroll(app: &App, asked: Enroll) -> anyhow::Result<ExitCode> {
    let Enroll { organization, name } = asked;
    let places = app.store.places().await?;
    let Some(place) = places.into_iter().find(|place| place.slug == organization) else {
        bail!("there is no organization {organization}; `gatewarden trail verify --all` names every one");
    };
    let command = AddGateway { name: name.clone(), once: None };
    let added = match gateways::add(app, &gateways::operator(app), place.id, command).await {
        Err(Error::Invalid(wrong)) => {
            let wrong: Vec<String> = wrong.into_iter().map(|field| field.message).collect();
            bail!("{name} cannot be added: {}", wrong.join(" "));
        }
        added => added?,
    };
    let Some(token) = added.token else { bail!("{name} was added before; its token was shown then") };
    let Commands { enroll, run } = gateways::commands(app, &token);
    println!("{}", token.expose());
    eprintln!(
        "{name} waits for its program. Its token works once and for an hour, and is not shown again. On its host:"
    );
    eprintln!("\n    {enroll}\n    {run}\n");
    Ok(ExitCode::SUCCESS)
}
