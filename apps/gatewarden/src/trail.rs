//! `trail verify`: every entry against its hash, every kept checkpoint against the entries.

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use anyhow::{Context, bail};
use gatewarden_access::{Caller, actions::ReadTrail};
use gatewarden_store::{Place, Store};
use gatewarden_trail::{Verified, Verifier};
use gatewarden_types::Job;

use crate::cli::Verify;

/// How many entries are read at once.
const PAGE: u64 = 1000;

/// Verifies the trails that were asked for; fails when one of them is not what was written.
pub async fn verify(store: &Store, asked: &Verify) -> anyhow::Result<ExitCode> {
    let places = store.places().await?;
    let chosen: Vec<Place> =
        places.into_iter().filter(|place| asked.organization.as_ref().is_none_or(|slug| *slug == place.slug)).collect();
    if let (Some(slug), true) = (&asked.organization, chosen.is_empty()) {
        bail!("there is no organization {slug}; --all verifies every one");
    }
    let mut wrong = 0_usize;
    for place in &chosen {
        match one(store, place).await {
            Ok(Verified { size, root, .. }) => {
                let root = root.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                println!("{}: {size} entries, root {root}: as they were written", place.slug);
            }
            Err(bad) => {
                wrong += 1;
                println!("{}: {bad:#}", place.slug);
            }
        }
    }
    if wrong > 0 {
        eprintln!("gatewarden: {wrong} of {} trails cannot be trusted", chosen.len());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn one(store: &Store, place: &Place) -> anyhow::Result<Verified> {
    let caller = Caller::system(Job::Verify, store.request_id());
    // Checkpoints first: the entries read after them are at least those that they cover, also while changes go on.
    let read = store.read(&caller, place.id).await?;
    let kept = read.kept_checkpoints(&read.permit::<ReadTrail>()?).await?;
    drop(read);
    let read = store.read(&caller, place.id).await?;
    let permit = read.permit::<ReadTrail>()?;
    let total = read.size(&permit).await?;
    let key = store.verifying_key(place.id)?;
    let mut verifier = Verifier::new(Some(place.id), &kept.notes, key, &store.origin(place.id))?;
    let (mut after, mut progress) = (0, Progress::new(place, total));
    loop {
        let page = read.stored(&permit, after, PAGE).await.context("the trail cannot be read")?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for stored in &page {
            verifier.push(stored)?;
        }
        progress.at(after);
    }
    progress.end();
    Ok(verifier.finish()?)
}

/// Says on standard error how far it is.
struct Progress<'a> {
    place: &'a Place,
    total: u64,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(place: &'a Place, total: u64) -> Self {
        Self { place, total, terminal: io::stderr().is_terminal() }
    }

    fn at(&mut self, seq: u64) {
        let line = format!("{}: {seq} of {} entries", self.place.slug, self.total.max(seq));
        if self.terminal { eprint!("\r{line}") } else { eprintln!("{line}") }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}
