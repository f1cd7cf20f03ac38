use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Invite, InviteState, Key, KeyOwner, KeyState, Member, Organization, Seq, Versioned};

use super::keep_an_owner;
use crate::{App, Error, check_seen, or_refuse};

/// Removes a member, revokes their keys and takes back their open invites, in one entry, and forgets who they were
/// here. Answers the position of the entry.
///
/// # Errors
/// When the caller may not, the member changed meanwhile, or they are the last owner.
pub async fn remove(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    member: Id<Member>,
    seen: Option<Seq>,
) -> Result<Seq, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::RemoveMember>(member, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(seen, row.version)?;
    keep_an_owner(&tx, &permit, &row.record).await?;
    for Versioned { record: key, .. } in tx.list::<_, Key>(&permit).await? {
        if key.owner == KeyOwner::Member(member) && key.state == KeyState::Active {
            tx.put(&permit, &Key { state: KeyState::Revoked, ..key }).await?;
        }
    }
    for Versioned { record: invite, .. } in tx.list::<_, Invite>(&permit).await? {
        if invite.invited_by == member && invite.state == InviteState::Pending {
            let invite = Invite { state: InviteState::Revoked, ..invite };
            tx.put(&permit, &invite).await?;
            tx.forget_invite_addresses(&permit, [invite.id]).await?;
        }
    }
    tx.remove::<_, Member>(&permit, member).await?;
    tx.forget_person(&permit, member).await?;
    let committed = tx.commit(permit).await?;
    app.store.leave(row.record.account, organization).await;
    Ok(committed.seq)
}
