use std::collections::BTreeMap;

use gatewarden_access::{Caller, Facts, Permit, actions};
use gatewarden_store::{Giving, MemberFilter, MemberOrder, MemberPage, MemberRow, OrgRead, PageFrom, Person};
use gatewarden_types::{Builtin, Id, Member, Organization, Reach, Role, Timestamp, Versioned};

use crate::{App, Error, usage::Range};

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
    /// The organization.
    pub organization: Organization,
    /// Every role, by id.
    pub roles: BTreeMap<Id<Role>, Role>,
    /// When each was last here.
    pub seen: BTreeMap<Id<Member>, Timestamp>,
    /// Calls of the same 30 days that the overview shows, of each member whose usage the caller may see.
    pub calls: BTreeMap<Id<Member>, u64>,
    /// How many working keys each has.
    pub keys: BTreeMap<Id<Member>, u64>,
    /// How many invites wait; none where the caller may not see invites.
    pub open_invites: u64,
    /// The role that the last owner holds and keeps; none where there are several owners.
    pub kept_role: Option<Id<Role>>,
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
    describe(&read, &permit, organization, page).await
}

/// A page of one member, for drawing their row again.
///
/// # Errors
/// When there is none that the caller may see.
pub async fn one(app: &App, caller: &Caller, organization: Id<Organization>, id: Id<Member>) -> Result<Listed, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListMembers>()?;
    let member = read.get::<_, Member>(&permit, id).await?;
    let person = read.people(&permit, [id]).await?.remove(&id);
    let rows: Vec<MemberRow> =
        member.zip(person).map(|(member, person)| MemberRow { member, person }).into_iter().collect();
    let page = MemberPage { total: rows.len() as u64, rows, more: false, earlier: false };
    describe(&read, &permit, organization, page).await
}

async fn describe(
    read: &OrgRead,
    permit: &Permit<actions::ListMembers>,
    id: Id<Organization>,
    page: MemberPage,
) -> Result<Listed, Error> {
    let ids: Vec<Id<Member>> = page.rows.iter().map(|row| row.member.record.id).collect();
    let organization = read.get::<_, Organization>(permit, id).await?;
    let organization = organization.ok_or(Error::Gone)?.record;
    let roles = read.list::<_, Role>(permit).await?.into_iter().map(|role| (role.record.id, role.record)).collect();
    Ok(Listed {
        organization,
        roles,
        seen: read.last_seen(permit, ids.iter().copied()).await?,
        calls: calls(read, &ids).await?,
        keys: read.keys_of(permit, ids).await?,
        open_invites: open_invites(read).await?,
        kept_role: kept_role(read, permit).await?,
        facts: read.facts().clone(),
        page,
    })
}

async fn kept_role(read: &OrgRead, permit: &Permit<actions::ListMembers>) -> Result<Option<Id<Role>>, Error> {
    let Some(owner) = read.builtin_role(permit, Builtin::Owner).await? else { return Ok(None) };
    Ok((read.active_holders(permit, owner).await? == 1).then_some(owner))
}

async fn calls(read: &OrgRead, ids: &[Id<Member>]) -> Result<BTreeMap<Id<Member>, u64>, Error> {
    let Ok(permit) = read.permit::<actions::ReadUsage>() else { return Ok(BTreeMap::new()) };
    let filter = Range::Month.filter(read.now());
    let counted = read.calls_of(&permit, filter, ids.iter().copied()).await?;
    let visible = |id: &&Id<Member>| permit.reach() == Reach::All || permit.member() == Some(**id);
    Ok(ids.iter().filter(visible).map(|id| (*id, counted.get(id).copied().unwrap_or_default())).collect())
}

async fn open_invites(read: &OrgRead) -> Result<u64, Error> {
    let Ok(permit) = read.permit::<actions::ListInvites>() else { return Ok(0) };
    Ok(read.waiting_invites(&permit).await?)
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
