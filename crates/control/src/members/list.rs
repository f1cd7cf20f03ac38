use std::collections::BTreeMap;

use gatewarden_access::{Action, Caller, Facts, Permit, Reads, actions};
use gatewarden_store::{Giving, MemberFilter, MemberOrder, MemberPage, OrgRead, PageFrom, Person};
use gatewarden_types::{Id, Member, Organization, Role, Timestamp, Versioned};

use crate::{App, Error};

/// Which page of the members.
#[derive(Debug, Clone)]
pub struct ListMembers {
    /// Which members.
    pub filter: MemberFilter,
    /// In which order.
    pub order: MemberOrder,
    /// From where.
    pub from: Option<PageFrom>,
    /// At most how many.
    pub limit: u64,
}

/// A page of members, with what it takes to draw it.
#[derive(Debug)]
pub struct Listed {
    /// The rows.
    pub page: MemberPage,
    /// Every role, by id.
    pub roles: BTreeMap<Id<Role>, Role>,
    /// When each was last here.
    pub seen: BTreeMap<Id<Member>, Timestamp>,
    /// What the caller may do.
    pub facts: Facts,
}

/// One member.
#[derive(Debug, Clone)]
pub struct ListedMember {
    /// The policy row.
    pub member: Versioned<Member>,
    /// Who they are.
    pub person: Option<Person>,
    /// What they hold.
    pub role: Option<Role>,
}

/// One page of the members that the caller may see.
///
/// # Errors
/// When the caller may not see members.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: ListMembers,
) -> Result<Listed, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListMembers>()?;
    let ListMembers { filter, order, from, limit } = command;
    let page = read.members(&permit, &filter, order, from.as_ref(), limit).await?;
    let ids = page.rows.iter().map(|row| row.member.record.id.uuid()).collect();
    let seen = read.last_seen(ids).await?.into_iter().map(|(id, at)| (Id::from_uuid(id), at)).collect();
    Ok(Listed { page, roles: roles(&read, &permit).await?, seen, facts: read.facts().clone() })
}

/// One member.
///
/// # Errors
/// When there is none that the caller may see.
pub async fn read(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    member: Id<Member>,
) -> Result<ListedMember, Error> {
    let read = app.store.read(caller, organization).await?;
    let (permit, member) = read.permit_on::<actions::ReadMember>(member, |_| Giving::Nothing).await?;
    let id = member.record.id;
    let person = read.people(&permit, [id]).await?.remove(&id);
    let role = read.get::<_, Role>(&permit, member.record.role).await?.map(|role| role.record);
    Ok(ListedMember { member, person, role })
}

async fn roles<A: Action + Reads<Role>>(read: &OrgRead, permit: &Permit<A>) -> Result<BTreeMap<Id<Role>, Role>, Error> {
    let roles = read.list::<A, Role>(permit).await?;
    Ok(roles.into_iter().map(|role| (role.record.id, role.record)).collect())
}
