//! The gateway alone, for a host without a database: it enrols with a control plane, follows it over the network, and
//! answers model calls by the policy that it was sent.

mod cli;
mod leaving;
mod run;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::Parser;
use cli::{Cli, Command, Enroll};
use gatewarden_link::ControlPlane;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    start_log();
    match perform(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(bad) => {
            eprintln!("gatewarden-gateway: {bad:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<()> {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        bail!("another TLS library was chosen before");
    }
    // Calls have threads of their own; this one follows, reports and writes.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match command {
        Command::Enroll(asked) => runtime.block_on(enroll(asked)),
        Command::Run(asked) => runtime.block_on(run::run(asked)),
    }
}

async fn enroll(asked: Enroll) -> anyhow::Result<()> {
    let Enroll { control, token, data } = asked;
    let token = token.parse()?;
    let control = ControlPlane::new(control)?;
    let enrolled = gatewarden_link::enroll(&control, &token, &data, &gatewarden_ambient::entropy()).await;
    let enrolled = enrolled.context("this gateway was not let in")?;
    println!("Enrolled as {} for {}.", token.gateway(), enrolled.organization);
    println!("Start it with: gatewarden-gateway run --data {}", data.display());
    Ok(())
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // Colours are for a terminal, and not for a file.
    lines.with_ansi(io::stderr().is_terminal()).init();
}
