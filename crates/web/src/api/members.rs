//! Members.

use actix_web::web;
use gatewarden_control::{
    Changed,
    members::{self, ChangeMemberRole, ListMembers, ListedMember, MemberFilter, MemberOrder, MemberRow, PageFrom},
    organizations::Person,
};
use gatewarden_types::{Id, Member as MemberRecord, MemberState, Versioned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{invalid, limit, word};
use crate::http::{Answer, Fault, KeyHolder};

/// A member.
#[derive(Serialize, JsonSchema)]
pub struct Member {
    /// Its id.
    pub id: String,
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// The role they hold.
    pub role: String,
    /// `active` or `suspended`.
    pub state: String,
    /// The version for `If-Match`.
    pub version: u64,
}

/// A page of members.
#[derive(Serialize, JsonSchema)]
pub struct Members {
    /// The members, by name.
    pub data: Vec<Member>,
    /// How many match in all.
    pub total: u64,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

/// The role that a member is to hold.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBody {
    /// The role's id.
    pub role: String,
}

#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
    role: Option<String>,
    after: Option<String>,
    limit: Option<u64>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Asked = sender.query()?;
    let role = asked.role.as_deref().map(|role| word("role", role)).transpose()?;
    let filter = MemberFilter { search: asked.q, role, state: None };
    let from = asked.after.as_deref().map(cursor).transpose()?;
    let command = ListMembers { filter, order: MemberOrder::default(), from, limit: limit(asked.limit) };
    let listed = members::list(&sender.site.app, &sender.caller, sender.organization, command).await?;
    let page = listed.page;
    let next = page.rows.last().filter(|_| page.more).map(next_cursor);
    sender.answer(200, None, &Members { data: page.rows.iter().map(in_row).collect(), total: page.total, next })
}

/// One of them.
pub async fn read(sender: KeyHolder) -> Answer {
    let id = sender.id("member")?;
    let member = members::read(&sender.site.app, &sender.caller, sender.organization, id).await?;
    sender.answer(200, Some(member.member.version), &shown(&member))
}

/// Another role.
pub async fn change_role(sender: KeyHolder, body: web::Bytes) -> Answer {
    let (id, body) = (sender.id("member")?, sender.json::<RoleBody>(&body)?);
    let command = ChangeMemberRole { member: id, role: word("role", &body.role)?, seen: sender.seen()? };
    members::change_role(&sender.site.app, &sender.caller, sender.organization, command).await?;
    let member = members::read(&sender.site.app, &sender.caller, sender.organization, id).await?;
    sender.answer(200, Some(member.member.version), &shown(&member))
}

/// No more acting, until reinstated.
pub async fn suspend(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("member")?, sender.seen()?);
    let changed = members::suspend(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    as_changed(sender, changed).await
}

/// Acting again.
pub async fn reinstate(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("member")?, sender.seen()?);
    let changed = members::reinstate(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    as_changed(sender, changed).await
}

/// A member who was changed. Whoever suspended themselves may not read who that is, but it is done.
async fn as_changed(sender: KeyHolder, changed: Changed<MemberRecord>) -> Answer {
    let Changed { value: record, version } = changed;
    let read = members::read(&sender.site.app, &sender.caller, sender.organization, record.id).await;
    let person = read.ok().and_then(|read| read.person);
    sender.answer(200, Some(version), &described(&Versioned { record, version }, person.as_ref()))
}

/// No member any more.
pub async fn remove(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("member")?, sender.seen()?);
    members::remove(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.done()
}

/// The page's edge as it is sent back: the id, a colon, and the sort key.
fn next_cursor(row: &MemberRow) -> String {
    format!("{}:{}", row.member.record.id, MemberOrder::default().by.key(row))
}

fn cursor(sent: &str) -> Result<PageFrom, Fault> {
    let edge = sent.split_once(':').and_then(|(id, key)| Some((id.parse::<Id<MemberRecord>>().ok()?, key)));
    let (id, key) = edge.ok_or_else(|| invalid("after", "Send what the page before gave as next."))?;
    Ok(PageFrom { key: key.to_owned(), id: id.uuid(), before: false })
}

fn in_row(row: &MemberRow) -> Member {
    described(&row.member, Some(&row.person))
}

fn shown(member: &ListedMember) -> Member {
    described(&member.member, member.person.as_ref())
}

fn described(row: &Versioned<MemberRecord>, person: Option<&Person>) -> Member {
    let member = &row.record;
    Member {
        id: member.id.to_string(),
        name: person.map(|person| person.name.to_string()),
        email: person.map(|person| person.email.to_string()),
        role: member.role.to_string(),
        state: match member.state {
            MemberState::Active => "active",
            MemberState::Suspended => "suspended",
        }
        .to_owned(),
        version: row.version,
    }
}
