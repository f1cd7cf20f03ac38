use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Gateway, GatewayState, Id, Organization, Seq};

use super::goes_on::goes_on_until;
use crate::{App, Error, check_seen, or_refuse};

/// Removes a gateway: it is let in no more, drops the organization's policy, and refuses its calls. One that was removed
/// already is left alone.
///
/// # Errors
/// When the caller may not, or it changed meanwhile.
pub async fn remove(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    gateway: Id<Gateway>,
    seen: Option<Seq>,
) -> Result<(), Error> {
    let until = goes_on_until(app, organization).await?;
    let mut tx = app.store.change(caller, organization).await?;
    let (permit, row) = or_refuse!(tx, tx.permit_on::<actions::RemoveGateway>(gateway, |_| Giving::Nothing).await);
    check_seen(seen, row.version)?;
    if row.record.state == GatewayState::Removed {
        return Ok(());
    }
    let settings = tx.get::<_, Organization>(&permit, organization).await?.ok_or(Error::Gone)?.record;
    // Out of reach, it goes on for as long as it was told to; so long it is not known to have ended.
    let expires = match row.record.state {
        GatewayState::Waiting => tx.now(),
        _ => until.max(tx.now().plus_seconds(settings.stale_after.seconds().into())),
    };
    tx.put(&permit, &Gateway { state: GatewayState::Removed, expires, ..row.record }).await?;
    tx.commit(permit).await?;
    app.connected().expel(gateway);
    Ok(())
}
