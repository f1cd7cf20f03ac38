//! The people of an organization.

mod change_role;
mod list;
mod may_on;
mod remove;
mod standing;

pub use change_role::{ChangeMemberRole, RoleChanged, change_role};
pub use gatewarden_store::{MemberFilter, MemberOrder, MemberPage, MemberRow, MemberSort, PageFrom};
pub use list::{ListMembers, Listed, ListedMember, list, one, read};
pub use may_on::{MayOn, may_on};
pub use remove::remove;
pub use standing::{reinstate, suspend};

use gatewarden_access::{Permit, Writes};
use gatewarden_store::OrgTx;
use gatewarden_types::{Builtin, Id, Member, MemberState, Role};

use crate::Error;

/// Refuses to leave an organization without an owner who can act. Exact, because a transaction is the only writer.
async fn keep_an_owner<A: Writes<Member>>(tx: &OrgTx, permit: &Permit<A>, losing: &Member) -> Result<(), Error> {
    let owner_role: Option<Id<Role>> = tx.builtin_role(permit, Builtin::Owner).await?;
    if Some(losing.role) != owner_role || losing.state != MemberState::Active {
        return Ok(());
    }
    if tx.active_holders(permit, losing.role).await? > 1 {
        return Ok(());
    }
    Err(Error::Rule("This is the last owner. Make someone else an owner first."))
}
