use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Model, ModelState, Organization, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Withdraws a model: nobody may call it any more. One that is withdrawn already stays as it is.
///
/// # Errors
/// When the caller may not, or the model changed meanwhile.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    model: Id<Model>,
    seen: Option<Seq>,
) -> Result<Changed<Model>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::WithdrawModel>(model, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    if row.record.state == ModelState::Withdrawn {
        return Ok(Changed { value: row.record, version: row.version });
    }
    check_seen(seen, row.version)?;
    let model = Model { state: ModelState::Withdrawn, ..row.record };
    tx.put(&permit, &model).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: model, version: committed.seq })
}
