//! `demo`: everything with an example organization and a model server that needs no account.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use gatewarden_ambient::End;
use gatewarden_credentials::Secret;
use gatewarden_demo::{
    organization::{MODEL, Models, OWNER, PASSWORD, prepare},
    upstream,
};
use gatewarden_types::{Clock, Entropy};
use tokio::net::TcpListener;

use crate::{
    init::explained,
    serve::{Ready, Running},
    settings::Settings,
};

/// What the demo's model server wants of its callers; nobody but this machine can call it.
const SECRET: &str = "sk-demo";
/// The pause before each word, so that a stream can be watched.
const PACE: Duration = Duration::from_millis(25);

/// Serves the example in a folder of its own, and prints how to sign in and how to make the first call.
pub async fn demo(mut settings: Settings, ambient: (Clock, Entropy)) -> anyhow::Result<ExitCode> {
    let mut end = End::new()?;
    let listener = TcpListener::bind("127.0.0.1:0").await.context("no free port for the demo's models")?;
    let models = upstream::spawn(listener, upstream::Settings { secret: SECRET.to_owned(), pace: PACE })?;
    // Its password stands in the source: it is for this machine alone, and for no data but its own.
    if !(settings.listen.ip().is_loopback() && settings.gateway_listen.ip().is_loopback()) {
        bail!("the demo's password is known to everyone: give it addresses of this machine, such as 127.0.0.1:8080");
    }
    settings.data = settings.data.join("demo");
    (settings.public_url, settings.gateway_public_url) = (None, None);
    (settings.root_key, settings.mail) = (None, None);
    settings.allow_private.0.push("127.0.0.1".parse()?);
    let ready = Ready::open(&mut settings, ambient).await?;
    let runs = Models { base_url: models.base_url().parse()?, secret: Secret::new(SECRET.to_owned()) };
    let example = prepare(&ready.app, &runs).await.map_err(explained)?;
    let running = ready.start(&settings).await?;
    introduce(&running, example.secret.expose());
    end.asked().await;
    running.stop(end).await
}

fn introduce(running: &Running, key: &str) {
    let (console, gateway) = (&running.app.public_url, &running.gateway_url);
    println!("The demo is ready: {console}sign-in");
    println!("Sign in as {} with the password: {PASSWORD}", OWNER.1);
    println!("Call a model:");
    println!(
        "curl {gateway}v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
         -d '{{\"model\": \"{MODEL}\", \"messages\": [{{\"role\": \"user\", \"content\": \"What can you do?\"}}]}}'"
    );
}
