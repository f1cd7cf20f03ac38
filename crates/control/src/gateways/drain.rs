use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Gateway, GatewayState, Id, Organization, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Drains a gateway, or lets it work again: while it drains it says that it is not ready, so that whatever spreads calls
/// over gateways passes it over; the calls that still come are answered.
///
/// # Errors
/// When the caller may not, it changed meanwhile, or it has not enrolled.
pub async fn drain(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    gateway: Id<Gateway>,
    draining: bool,
    seen: Option<Seq>,
) -> Result<Changed<Gateway>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let (permit, row) = or_refuse!(tx, tx.permit_on::<actions::DrainGateway>(gateway, |_| Giving::Nothing).await);
    check_seen(seen, row.version)?;
    let state = match (row.record.state, draining) {
        (GatewayState::Enrolled | GatewayState::Draining, true) => GatewayState::Draining,
        (GatewayState::Enrolled | GatewayState::Draining, false) => GatewayState::Enrolled,
        (GatewayState::Waiting, _) => {
            return Err(Error::Rule("This gateway has not enrolled yet. Start it with its token first."));
        }
        (GatewayState::Removed, _) => return Err(Error::Gone),
    };
    if state == row.record.state {
        return Ok(Changed { value: row.record, version: row.version });
    }
    let gateway = Gateway { state, ..row.record };
    tx.put(&permit, &gateway).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: gateway, version: committed.seq })
}
