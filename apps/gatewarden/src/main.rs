//! Gatewarden: who may do what with AI. This program reads its settings, puts the parts together and starts them.

mod ambient;
mod cli;
mod key;
mod log;
mod secret_key;
mod settings;
mod storage;
mod trail;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, Key, Trail};
use settings::Settings;
use storage::Storage;

/// For mistakes in what the program was told, as clap uses it.
const TOLD_WRONG: u8 = 2;

fn main() -> ExitCode {
    let Cli { command, flags } = Cli::parse();
    if let Some(Command::Key(Key::Check { key })) = command {
        return ended(key::check(key));
    }
    let sources = flags.sources(std::env::vars_os());
    let settings = match Settings::load(&sources) {
        Ok(settings) => settings,
        Err(mistakes) => {
            eprintln!("gatewarden: {mistakes}");
            return ExitCode::from(TOLD_WRONG);
        }
    };
    ended(run(command.unwrap_or(Command::Serve), settings))
}

fn ended(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|bad| {
        eprintln!("gatewarden: {bad:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command, settings: Settings) -> anyhow::Result<ExitCode> {
    log::start(&settings.log);
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        anyhow::bail!("another TLS library was chosen before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(perform(command, settings))
}

async fn perform(command: Command, mut settings: Settings) -> anyhow::Result<ExitCode> {
    let (clock, entropy) = (ambient::clock(), ambient::entropy());
    match command {
        Command::Migrate => {
            Storage::open(&mut settings, &clock, &entropy).await?;
            println!("The tables are up to date.");
            Ok(ExitCode::SUCCESS)
        }
        Command::Trail(Trail::Verify(asked)) => {
            let storage = Storage::open(&mut settings, &clock, &entropy).await?;
            trail::verify(&storage.store, &asked).await
        }
        _ => anyhow::bail!("not yet"),
    }
}
