//! `trail verify`: every entry against its hash, every kept checkpoint against the entries, every row against both.
//! `trail export`: the same entries for verifiers that are not ours. `trail restored`: a new epoch after a restored backup.

mod export;
mod exported;
mod proof;
mod restored;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::bail;
use gatewarden_control::{
    App,
    trail::{self, Verification},
};
use gatewarden_store::Place;
use gatewarden_types::Slug;

use crate::cli::Verify;

pub use export::export;
pub use exported::run as exported;
pub use restored::restored;

/// Verifies the trails that were asked for, and names the first thing that is wrong with each.
pub async fn verify(app: &App, asked: &Verify) -> anyhow::Result<ExitCode> {
    let chosen = chosen(app, asked.organization.as_ref()).await?;
    let mut wrong = 0_usize;
    for place in &chosen {
        wrong += usize::from(!one(app, place).await?);
    }
    if wrong > 0 {
        eprintln!("gatewarden: {wrong} of {} trails cannot be trusted", chosen.len());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// The organization that was asked for, or all of them.
async fn chosen(app: &App, asked: Option<&Slug>) -> anyhow::Result<Vec<Place>> {
    let places = app.store.places().await?;
    let chosen: Vec<Place> = places.into_iter().filter(|place| asked.is_none_or(|slug| *slug == place.slug)).collect();
    match asked {
        Some(slug) if chosen.is_empty() => bail!("there is no organization {slug}; --all is for every one"),
        _ => Ok(chosen),
    }
}

/// Whether the trail is as it was written.
async fn one(app: &App, place: &Place) -> anyhow::Result<bool> {
    let progress = Progress::of(place.slug.to_string());
    let found = trail::verify(app, place.id, |done, of| progress.tell(done, of)).await?;
    progress.end();
    println!("{}: {found}", place.slug);
    Ok(matches!(found, Verification::Verified { .. }))
}

/// How far something that takes long has come, on standard error: in one line that changes, or in lines where nobody
/// watches.
struct Progress {
    what: String,
    terminal: bool,
}

impl Progress {
    fn of(what: String) -> Self {
        Self { what, terminal: io::stderr().is_terminal() }
    }

    fn tell(&self, done: u64, of: u64) {
        let line = format!("{}: {done} of {of} entries", self.what);
        if self.terminal { eprint!("\r{line}") } else { eprintln!("{line}") }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}
