//! `trail restored`: the operator's statement that a backup was restored.

use std::process::ExitCode;

use gatewarden_control::{App, trail};

use super::chosen;
use crate::cli::Restored;

/// Begins an epoch of each trail that was asked for, and tells which it is now.
pub async fn restored(app: &App, asked: &Restored) -> anyhow::Result<ExitCode> {
    for place in chosen(app, asked.organization.as_ref()).await? {
        let begun = trail::begin_epoch(app, &trail::restorer(app), place.id).await?;
        println!("{}: epoch {} begins at entry {}", place.slug, begun.value.epoch, begun.version);
    }
    Ok(ExitCode::SUCCESS)
}
