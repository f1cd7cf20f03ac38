//! `trail verify`: every entry against its hash, every kept checkpoint against the entries, every row against both.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::bail;
use gatewarden_control::{
    App,
    trail::{Verification, verify},
};
use gatewarden_store::Place;

use crate::cli::Verify;

/// Verifies the trails that were asked for, and names the first thing that is wrong with each.
pub async fn run(app: &App, asked: &Verify) -> anyhow::Result<ExitCode> {
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
    let terminal = io::stderr().is_terminal();
    let found = verify(app, place.id, |done, of| {
        let line = format!("{}: {done} of {of} entries", place.slug);
        if terminal { eprint!("\r{line}") } else { eprintln!("{line}") }
    });
    let found = found.await?;
    if terminal {
        eprintln!();
    }
    println!("{}: {found}", place.slug);
    Ok(matches!(found, Verification::Verified { .. }))
}
