use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Invite, InviteState, Organization, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Takes an invite back: its link is dead at once, and where it went is forgotten.
///
/// # Errors
/// When the caller may not, it changed meanwhile, or it was accepted.
pub async fn revoke(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    invite: Id<Invite>,
    seen: Option<Seq>,
) -> Result<Changed<Invite>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let (permit, row) = or_refuse!(tx, tx.permit_on::<actions::RevokeInvite>(invite, |_| Giving::Nothing).await);
    check_seen(seen, row.version)?;
    match row.record.state {
        InviteState::Pending => {}
        InviteState::Revoked => return Ok(Changed { value: row.record, version: row.version }),
        InviteState::Accepted => return Err(Error::Rule("This invite was accepted. Remove the member instead.")),
    }
    let invite = Invite { state: InviteState::Revoked, ..row.record };
    tx.put(&permit, &invite).await?;
    tx.forget_invite_addresses(&permit, [invite.id]).await?;
    let committed = tx.commit(permit).await?;
    app.store.leave(invite.id, organization).await;
    Ok(Changed { value: invite, version: committed.seq })
}
