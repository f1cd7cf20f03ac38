use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Actor, Id, Job, Organization, Via};

use crate::{App, Changed, Error, or_refuse};

/// Who states from the command line of the program's own host that a backup was restored.
pub fn restorer(app: &App) -> Caller {
    Caller { actor: Actor::System(Job::Restore), via: Via::CommandLine, request: app.id() }
}

/// Begins an epoch of a trail, because a backup was restored, and signs its first checkpoint: what was signed of the
/// entries that the backup lacks does not count from here on. To begin one more does no harm.
///
/// # Errors
/// When the caller may not, or the database cannot answer.
pub async fn begin_epoch(app: &App, caller: &Caller, id: Id<Organization>) -> Result<Changed<Organization>, Error> {
    let (mut tx, epoch) = app.store.change_epoch(caller, id).await?;
    let asked = tx.permit_on::<actions::BeginEpoch>(id, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    let organization = Organization { epoch, ..row.record };
    tx.put(&permit, &organization).await?;
    let committed = tx.commit(permit).await?;
    app.store.checkpoint(id).await?;
    Ok(Changed { value: organization, version: committed.seq })
}
