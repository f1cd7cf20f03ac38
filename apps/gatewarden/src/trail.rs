//! `trail verify`: every entry against its hash, every kept checkpoint against the entries, every row against both.
//! `trail export`: the same entries for verifiers that are not ours.

mod export;
mod exported;
mod proof;

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

use crate::cli::Verify;

pub use export::export;
pub use exported::run as exported;

/// Verifies the trails that were asked for, and names the first thing that is wrong with each.
pub async fn verify(app: &App, asked: &Verify) -> anyhow::Result<ExitCode> {
    let places = app.store.places().await?;
    let chosen: Vec<Place> =
        places.into_iter().filter(|place| asked.organization.as_ref().is_none_or(|slug| *slug == place.slug)).collect();
    if let (Some(slug), true) = (&asked.organization, chosen.is_empty()) {
        bail!("there is no organization {slug}; --all verifies every one");
    }
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
