use gatewarden_access::{Action, Caller, Writes, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Member, MemberState, Organization, Seq};

use super::keep_an_owner;
use crate::{App, Changed, Error, check_seen, or_refuse};

/// Suspends a member: they and their keys may do nothing until reinstated.
///
/// # Errors
/// When the caller may not, the member changed meanwhile, or they are the last owner.
pub async fn suspend(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    member: Id<Member>,
    seen: Option<Seq>,
) -> Result<Changed<Member>, Error> {
    set::<actions::SuspendMember>(app, caller, organization, (member, seen), MemberState::Suspended).await
}

/// Lets a suspended member act again, with the role they hold.
///
/// # Errors
/// When the caller may not, or the member changed meanwhile.
pub async fn reinstate(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    member: Id<Member>,
    seen: Option<Seq>,
) -> Result<Changed<Member>, Error> {
    set::<actions::ReinstateMember>(app, caller, organization, (member, seen), MemberState::Active).await
}

async fn set<A: Action<Target = Member> + Writes<Member>>(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    (member, seen): (Id<Member>, Option<Seq>),
    state: MemberState,
) -> Result<Changed<Member>, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    // Who is let act again is given all that their role holds.
    let giving = |member: &Member| match state {
        MemberState::Active => Giving::Role(member.role),
        MemberState::Suspended => Giving::Nothing,
    };
    let (permit, row) = or_refuse!(tx, tx.permit_on::<A>(member, giving).await);
    check_seen(seen, row.version)?;
    if row.record.state == state {
        return Ok(Changed { value: row.record, version: row.version });
    }
    if state == MemberState::Suspended {
        keep_an_owner(&tx, &permit, &row.record).await?;
    }
    let member = Member { state, ..row.record };
    tx.put(&permit, &member).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: member, version: committed.seq })
}
