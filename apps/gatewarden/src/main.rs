//! Gatewarden: who may do what with AI. This program reads its settings, puts the parts together and starts them.

mod assembly;
mod cli;
mod data_plane;
mod demo;
mod doctor;
mod gateway;
mod init;
mod key;
mod log;
mod secret_key;
mod serve;
mod settings;
mod storage;
mod trail;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, Gateway, Key, Trail, Verify};
use gatewarden_ambient::{clock, entropy};
use gatewarden_control::App;
use gatewarden_credentials::Secret;
use gatewarden_types::{Clock, Entropy};
use settings::Settings;
use storage::Storage;

/// For mistakes in what the program was told, as clap uses it.
const TOLD_WRONG: u8 = 2;

fn main() -> ExitCode {
    let Cli { command, flags } = Cli::parse();
    if let Some(Command::Key(Key::Check { key })) = command {
        return ended(key::check(key));
    }
    // What was exported is verified by whoever has it, on a machine without any settings.
    if let Some(Command::Trail(Trail::Verify(Verify { exported, key, .. }))) = &command
        && !exported.is_empty()
    {
        return ended(trail::exported(exported, key.as_deref()));
    }
    let sources = flags.sources(std::env::vars_os());
    let mut settings = match Settings::load(&sources) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("gatewarden: {mistakes}");
            return ExitCode::from(TOLD_WRONG);
        }
    };
    if matches!(command, Some(Command::Demo)) && !sources.has_flag("database.url") {
        // The example comes into a database only where somebody asks for it here and now.
        settings.postgres = None;
    }
    let password = sources.variable(init::PASSWORD).map(|text| Secret::new(text.to_owned()));
    ended(run(command.unwrap_or(Command::Serve), settings, password))
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|bad| {
        eprintln!("gatewarden: {bad:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command, settings: Settings, password: Option<Secret<String>>) -> anyhow::Result<ExitCode> {
    log::start(&settings.log);
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS library was chosen before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(perform(command, settings, (clock(), entropy()), password));
    // Whoever asked twice does not wait for a thread that hashes or writes.
    runtime.shutdown_background();
    ended
}

async fn perform(
    command: Command,
    mut settings: Settings,
    ambient: (Clock, Entropy),
    password: Option<Secret<String>>,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve => serve::serve(settings, ambient).await,
        Command::Init(asked) => init::init(settings, ambient, asked, password).await,
        Command::Doctor => Ok(doctor::run(&settings).await),
        Command::Migrate => {
            Storage::open(&mut settings, &ambient.0, &ambient.1).await?;
            println!("The tables are up to date.");
            Ok(ExitCode::SUCCESS)
        }
        Command::Trail(Trail::Verify(asked)) => {
            let (app, _) = existing(settings, ambient).await?;
            trail::verify(&app, &asked).await
        }
        Command::Trail(Trail::Export(asked)) => {
            let (app, _) = existing(settings, ambient).await?;
            trail::export(&app, &asked).await
        }
        Command::Gateway(Gateway::Enroll(asked)) => {
            let (app, _) = existing(settings, ambient).await?;
            gateway::enroll(&app, asked).await
        }
        Command::Trail(Trail::Restored(asked)) => {
            let (app, storage) = existing(settings, ambient).await?;
            let _held = storage.hold("trail restored", "end that program first").await?;
            trail::restored(&app, &asked).await
        }
        Command::Demo => demo::demo(settings, ambient).await,
        Command::Key(Key::Check { key }) => key::check(key),
    }
}

/// The use cases over data that is there; a folder that was mistyped is told and not made.
async fn existing(mut settings: Settings, ambient: (Clock, Entropy)) -> anyhow::Result<(App, Storage)> {
    let storage = Storage::open_existing(&mut settings, &ambient.0, &ambient.1).await?;
    let links = settings.console_url(settings.listen)?;
    Ok((assembly::app(&settings, &storage, ambient, links)?, storage))
}
