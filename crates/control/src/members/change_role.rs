use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Member, Organization, Role, Seq};

use super::keep_an_owner;
use crate::{App, Error, check_seen, or_refuse};

/// Changes which role a member holds.
#[derive(Debug, Clone)]
pub struct ChangeMemberRole {
    /// Whose.
    pub member: Id<Member>,
    /// To which.
    pub role: Id<Role>,
    /// The version of the member that was looked at.
    pub seen: Option<Seq>,
}

/// A role that was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleChanged {
    /// The role before, which Undo gives back.
    pub before: Id<Role>,
    /// The member's version now.
    pub version: Seq,
}

/// Changes the role. No one gives what they do not hold, acts on someone above them, or takes the last owner's role.
///
/// # Errors
/// When the caller may not, the member changed meanwhile, or they are the last owner.
pub async fn change_role(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: ChangeMemberRole,
) -> Result<RoleChanged, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::ChangeMemberRole>(command.member, |_| Giving::Role(command.role)).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(command.seen, row.version)?;
    let before = row.record.role;
    if before == command.role {
        return Ok(RoleChanged { before, version: row.version });
    }
    keep_an_owner(&tx, &permit, &row.record).await?;
    let member = Member { role: command.role, ..row.record };
    tx.put(&permit, &member).await?;
    let committed = tx.commit(permit).await?;
    Ok(RoleChanged { before, version: committed.seq })
}
