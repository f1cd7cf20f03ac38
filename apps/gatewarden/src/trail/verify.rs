//! `trail verify` of what the program keeps: every organization that is listed, every one that should be, and the
//! instance's own trail.

use std::process::ExitCode;

use anyhow::bail;
use gatewarden_control::{
    App,
    trail::{self, Verification},
};
use gatewarden_store::{Listed, Roll, Trace, Unlisted};

use super::{Progress, chosen};
use crate::cli::Verify;

/// Verifies the trails that were asked for, and names the first thing that is wrong with each.
pub async fn verify(app: &App, asked: &Verify) -> anyhow::Result<ExitCode> {
    let roll = app.store.roll().await?;
    if asked.all {
        return all(app, &roll).await;
    }
    let (chosen, mut wrong) = (chosen(roll.listed, asked.organization.as_ref())?, 0);
    for listed in &chosen {
        wrong += usize::from(!one(app, listed).await);
    }
    Ok(ended(wrong, chosen.len()))
}

/// Verifies everything there is or should be. Whoever asks that and has nothing looks in the wrong place, or has lost it.
async fn all(app: &App, roll: &Roll) -> anyhow::Result<ExitCode> {
    let (mut wrong, mut of) = (0, 1);
    for listed in &roll.listed {
        (wrong, of) = (wrong + usize::from(!one(app, listed).await), of + 1);
    }
    for unlisted in &roll.unlisted {
        println!("{}", lost(app, unlisted));
        (wrong, of) = (wrong + 1, of + 1);
    }
    let instance = trail::verify_instance(app).await.map_err(|bad| cannot_be_read(&bad));
    wrong += usize::from(!told("the instance", &instance));
    if of == 1 {
        bail!(
            "there is no organization, so no trail of one was verified. If there should be some, look whether --data and \
             --database-url name the right place, and put what is lost back from your backup."
        );
    }
    if wrong == 0 {
        println!("{of} trails verified");
    }
    Ok(ended(wrong, of))
}

fn ended(wrong: usize, of: usize) -> ExitCode {
    if wrong == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("gatewarden: {wrong} of {of} trails cannot be trusted");
    ExitCode::FAILURE
}

/// Whether the trail is as it was written. One that cannot be read is told like any other that is wrong, so that those
/// after it are verified as well.
async fn one(app: &App, listed: &Listed) -> bool {
    let progress = Progress::of(listed.slug.clone());
    let found = trail::verify(app, listed.id, |done, of| progress.tell(done, of)).await;
    progress.end();
    match found {
        Ok(found) => told(&listed.slug, &Ok(found)),
        Err(bad) => told(&listed.slug, &Err(unread(app, listed, &bad).await)),
    }
}

/// Prints what was found of a trail, and answers whether that is good.
fn told(name: &str, found: &Result<Verification, String>) -> bool {
    match found {
        Ok(found) => println!("{name}: {found}"),
        Err(why) => println!("{name}: {why}"),
    }
    matches!(found, Ok(Verification::Verified { .. }))
}

/// Why a trail could not be read, and what to do.
async fn unread(app: &App, listed: &Listed, bad: &gatewarden_control::Error) -> String {
    let (there, slug) = (app.store.tables_of(listed.id), &listed.slug);
    match app.store.has_tables(listed.id).await {
        Ok(false) => format!(
            "its trail is gone, because {there} is not there; put it back from your backup and run `gatewarden trail \
             restored --organization {slug}`"
        ),
        _ => format!("{} (it is kept in {there})", cannot_be_read(bad)),
    }
}

fn cannot_be_read(bad: &gatewarden_control::Error) -> String {
    format!("its trail cannot be read: {bad}")
}

/// What is told of an organization that is not listed.
fn lost(app: &App, unlisted: &Unlisted) -> String {
    let Unlisted { id, trace: Trace { tables, signed, entered } } = unlisted;
    let there = app.store.tables_of(*id);
    let traces = [
        signed.map(|signed| format!("its first {signed} entries were signed")),
        tables.then(|| format!("{there} is there")),
        entered.then(|| "the directory names it".to_owned()),
    ];
    let traces: Vec<String> = traces.into_iter().flatten().collect();
    format!(
        "{id}: it is not in the list of organizations any more, but {}; put the list back from a backup of the control \
         database",
        traces.join(", and ")
    )
}
