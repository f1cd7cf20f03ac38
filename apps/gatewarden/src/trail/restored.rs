//! `trail restored`: the operator's statement that a backup was restored.

use std::process::ExitCode;

use anyhow::Context;
use gatewarden_control::{App, trail};

use super::chosen;
use crate::cli::Restored;

/// Begins an epoch of each trail that was asked for, and tells which it is now.
pub async fn restored(app: &App, asked: &Restored) -> anyhow::Result<ExitCode> {
    for listed in chosen(app.store.roll().await?.listed, asked.organization.as_ref())? {
        let begun = trail::begin_epoch(app, &trail::restorer(app), listed.id).await;
        let begun = begun.with_context(|| format!("{}: no epoch was begun", listed.slug))?;
        println!("{}: epoch {} begins at entry {}", listed.slug, begun.value.epoch, begun.version);
    }
    Ok(ExitCode::SUCCESS)
}
