//! Members: the list, and what is done to a row.

use actix_web::{http::StatusCode, web};
use askama::Template;
use gatewarden_access::{ActionInfo, Facts};
use gatewarden_control::{
    Error,
    members::{
        self, ChangeMemberRole, ListMembers, Listed, MemberFilter, MemberOrder, MemberRow, MemberSort, PageFrom,
        RoleChanged,
    },
};
use gatewarden_types::{Id, Member, MemberState, Organization, Role, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;

use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, html, may, now_true},
    revocation,
    views::{self, Choice, Column, Paging, Place, Sorted, members as view},
    wording::{counted, relative, thousands},
};

/// How many rows a page shows.
const ROWS: u64 = 50;

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    role: String,
    status: String,
    sort: String,
    /// The row after which (or before which) the page begins: sort key and id.
    after: Option<String>,
    before: Option<String>,
}

/// The list.
pub async fn list(here: Here, asked: web::Query<Asked>) -> Answer {
    let command = asked.command()?;
    let listed = members::list(&here.site.app, &here.caller, here.organization, command).await?;
    let page = page(&here, &asked, listed).await?;
    here.page_or_part(&page, || page.as_list().render())
}

#[derive(Deserialize)]
struct RoleForm {
    role: String,
    version: Seen,
}

/// Another role, saved at once; the toast offers Undo.
pub async fn change_role(here: Here, body: web::Bytes) -> Answer {
    let form: RoleForm = here.form(&body)?;
    let member = here.id("member")?;
    let role = form.role.parse().map_err(|_| Fault::NotFound)?;
    let command = ChangeMemberRole { member, role, seen: form.version.0 };
    match members::change_role(&here.site.app, &here.caller, here.organization, command).await {
        Ok(changed) => row_or_list(&here, member, role_changed(&here, member, changed).await?).await,
        Err(against) => as_it_is(&here, member, against).await,
    }
}

/// What they are now, with the way back.
async fn role_changed(here: &Here, member: Id<Member>, changed: RoleChanged) -> Result<views::Notice, Fault> {
    let after = members::read(&here.site.app, &here.caller, here.organization, member).await?;
    let name = after.person.map(|person| person.name.to_string()).unwrap_or_default();
    let role = after.role.map(|role| role.name.to_string()).unwrap_or_default();
    let fields = [("role", changed.before.to_string()), ("version", changed.version.to_string())];
    let undo = views::Undo {
        action: here.href(&format!("/members/{member}/role")),
        fields: fields.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        target: format!("#member-{member}"),
    };
    Ok(views::Notice { undo: Some(undo), ..now_true(format!("{name} is now {role}.")) })
}

/// No more acting, until reinstated.
pub async fn suspend(here: Here, body: web::Bytes) -> Answer {
    let form: VersionForm = here.form(&body)?;
    let (app, member, seen) = (&here.site.app, here.id("member")?, form.version.0);
    match members::suspend(app, &here.caller, here.organization, member, seen).await {
        Ok(suspended) => {
            let far = revocation::told(&here, suspended.version, false).await?;
            let text = format!("The member is suspended, and their keys with them. {far}");
            row_or_list(&here, member, now_true(text)).await
        }
        Err(against) => as_it_is(&here, member, against).await,
    }
}

/// Acting again.
pub async fn reinstate(here: Here, body: web::Bytes) -> Answer {
    let form: VersionForm = here.form(&body)?;
    let (app, member, seen) = (&here.site.app, here.id("member")?, form.version.0);
    if let Err(against) = members::reinstate(app, &here.caller, here.organization, member, seen).await {
        return as_it_is(&here, member, against).await;
    }
    row_or_list(&here, member, now_true("The member is active again.")).await
}

/// No member any more.
pub async fn remove(here: Here, body: web::Bytes) -> Answer {
    let form: VersionForm = here.form(&body)?;
    let (app, member, seen) = (&here.site.app, here.id("member")?, form.version.0);
    let position = match members::remove(app, &here.caller, here.organization, member, seen).await {
        Ok(position) => position,
        Err(against) => return as_it_is(&here, member, against).await,
    };
    let far = revocation::told(&here, position, false).await?;
    let notice = now_true(format!("The member is removed and their keys are revoked. {far}"));
    if !here.wants_part() {
        return here.done(&here.href("/members"), &notice);
    }
    row_answer(&here, StatusCode::OK, None, notice)
}

/// The row as it is now and a toast, or the list for a browser without scripts.
async fn row_or_list(here: &Here, member: Id<Member>, notice: views::Notice) -> Answer {
    if !here.wants_part() {
        return here.done(&here.href("/members"), &notice);
    }
    let row = match members::one(&here.site.app, &here.caller, here.organization, member).await {
        Ok(one) => drawn(here, &one),
        // Whoever suspended themselves sees nothing any more, but it is done.
        Err(Error::Refused(_)) => None,
        Err(other) => return Err(other.into()),
    };
    row_answer(here, StatusCode::OK, row, notice)
}

/// What stands against an act, and the member as they are: another's change is shown, not lost.
async fn as_it_is(here: &Here, member: Id<Member>, against: Error) -> Answer {
    if !matches!(against, Error::Conflict { .. } | Error::Rule(_)) {
        return Err(against.into());
    }
    let fault = Fault::from(against);
    let one = members::one(&here.site.app, &here.caller, here.organization, member).await?;
    let Some(found) = one.page.rows.first() else { return Err(fault) };
    let notice = views::Notice { tone: views::Tone::Bad, text: fault.to_string(), undo: None };
    if here.wants_part() {
        return row_answer(here, fault.status(), drawn(here, &one), notice);
    }
    let asked = Asked { q: found.person.email.to_string(), ..Asked::default() };
    let mut page = page(here, &asked, one).await?;
    page.shell.notice = Some(notice);
    here.page_with(fault.status(), &page)
}

fn drawn(here: &Here, one: &Listed) -> Option<view::MemberRow> {
    one.page.rows.first().map(|row| Drawing::of(here, one).row(row))
}

fn row_answer(here: &Here, status: StatusCode, row: Option<view::MemberRow>, notice: views::Notice) -> Answer {
    let answer = view::MemberAnswer { slug: here.slug.clone(), csrf: here.csrf(), row, notice: Some(notice) };
    html(status, answer.render())
}

impl Asked {
    fn command(&self) -> Result<ListMembers, Fault> {
        let filter = MemberFilter {
            search: Some(self.q.clone()).filter(|text| !text.trim().is_empty()),
            role: parsed(&self.role)?,
            state: match self.status.as_str() {
                "active" => Some(MemberState::Active),
                "suspended" => Some(MemberState::Suspended),
                _ => None,
            },
        };
        let from = self.after.as_ref().map(|at| (at, false)).or(self.before.as_ref().map(|at| (at, true)));
        let from = from.map(|(at, before)| page_from(at, before)).transpose()?;
        Ok(ListMembers { filter, order: self.order(), from, limit: ROWS })
    }

    fn order(&self) -> MemberOrder {
        let (word, descending) = self.sort.strip_prefix('-').map_or((self.sort.as_str(), false), |word| (word, true));
        let by = match word {
            "email" => MemberSort::Email,
            "joined" => MemberSort::Joined,
            _ => MemberSort::Name,
        };
        MemberOrder { by, descending }
    }

    /// The address of the list with some of this changed.
    fn address(&self, here: &Here, changes: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(&str, &str)> =
            vec![("q", &self.q), ("role", &self.role), ("status", &self.status), ("sort", &self.sort)];
        for (name, value) in changes {
            pairs.retain(|(known, _)| known != name);
            pairs.push((name, value));
        }
        pairs.retain(|(_, value)| !value.is_empty());
        let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
        here.href(&format!("/members?{query}"))
    }
}

fn parsed(role: &str) -> Result<Option<Id<Role>>, Fault> {
    if role.is_empty() || role == "any" {
        return Ok(None);
    }
    role.parse().map(Some).map_err(|_| Fault::Malformed("The role to filter by is no role.".to_owned()))
}

/// A page's edge as the address carries it: the id, a colon, and the sort key.
fn page_from(at: &str, before: bool) -> Result<PageFrom, Fault> {
    let edge = at.split_once(':').and_then(|(id, key)| Some((id.parse::<Id<Member>>().ok()?, key)));
    let (id, key) = edge.ok_or_else(|| Fault::Malformed("The page's edge cannot be read.".to_owned()))?;
    Ok(PageFrom { key: key.to_owned(), id: id.uuid(), before })
}

fn edge(order: MemberOrder, row: &MemberRow) -> String {
    format!("{}:{}", row.member.record.id, order.by.key(row))
}

async fn page(here: &Here, asked: &Asked, listed: Listed) -> Result<view::Members, Fault> {
    let drawing = Drawing::of(here, &listed);
    let rows = listed.page.rows.iter().map(|row| drawing.row(row)).collect();
    let chosen = |value: &str, label: &str, now: &str| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == now,
    };
    let mut role_filter = vec![chosen("", "Any role", &asked.role)];
    role_filter.extend(listed.roles.values().map(|role| chosen(&role.id.to_string(), role.name.as_str(), &asked.role)));
    let states = [("", "Any status"), ("active", "Active"), ("suspended", "Suspended")];
    let invites = ActionInfo::named("invite.create").is_some_and(|info| may(&listed.facts, info));
    Ok(view::Members {
        shell: here.shell(Place::Members).await?,
        search: asked.q.clone(),
        role_filter,
        status_filter: states.map(|(value, label)| chosen(value, label, &asked.status)).to_vec(),
        sort: asked.sort.clone(),
        columns: columns(here, asked),
        rows,
        paging: paging(here, asked, &listed),
        invites: listed.open_invites,
        can_invite: invites,
    })
}

fn columns(here: &Here, asked: &Asked) -> Vec<Column> {
    let order = asked.order();
    let sortable = |label: &str, word: &str, by: MemberSort| {
        let now = order.by == by;
        let next = if now && !order.descending { format!("-{word}") } else { word.to_owned() };
        let sorted = match (now, order.descending) {
            (false, _) => Sorted::No,
            (true, false) => Sorted::Up,
            (true, true) => Sorted::Down,
        };
        Column { label: label.to_owned(), href: asked.address(here, &[("sort", &next)]), figures: false, sorted }
    };
    let plain = |label: &str, figures| Column { label: label.to_owned(), figures, ..Column::default() };
    vec![
        sortable("Person", "name", MemberSort::Name),
        plain("Role", false),
        plain("Status", false),
        plain("Last call", false),
        plain("Calls, 30 days", true),
    ]
}

fn paging(here: &Here, asked: &Asked, listed: &Listed) -> Paging {
    let order = asked.order();
    let page = &listed.page;
    let link = |name: &str, row: Option<&MemberRow>| row.map(|row| asked.address(here, &[(name, &edge(order, row))]));
    Paging {
        total: counted(page.total, "person", "people"),
        shown: format!("{} of {}", thousands(page.rows.len() as u64), thousands(page.total)),
        previous: if page.earlier { link("before", page.rows.first()) } else { None },
        next: if page.more { link("after", page.rows.last()) } else { None },
    }
}

/// What rows are drawn with.
struct Drawing<'a> {
    here: &'a Here,
    facts: &'a Facts,
    organization: &'a Organization,
    roles: &'a BTreeMap<Id<Role>, Role>,
    seen: &'a BTreeMap<Id<Member>, Timestamp>,
    calls: &'a BTreeMap<Id<Member>, u64>,
    keys: &'a BTreeMap<Id<Member>, u64>,
    kept_role: Option<Id<Role>>,
    now: Timestamp,
}

impl<'a> Drawing<'a> {
    fn of(here: &'a Here, listed: &'a Listed) -> Self {
        Self {
            here,
            facts: &listed.facts,
            organization: &listed.organization,
            roles: &listed.roles,
            seen: &listed.seen,
            calls: &listed.calls,
            keys: &listed.keys,
            kept_role: listed.kept_role,
            now: here.site.app.clock.now(),
        }
    }

    fn row(&self, row: &MemberRow) -> view::MemberRow {
        let member = &row.member.record;
        let active = member.state == MemberState::Active;
        let stays = active && self.kept_role == Some(member.role);
        let may_on = if stays {
            members::MayOn { fixed_because: "the last owner stays", ..members::MayOn::default() }
        } else {
            members::may_on(self.facts, self.organization, self.roles, member)
        };
        let role = self.roles.get(&member.role);
        view::MemberRow {
            id: member.id.to_string(),
            name: row.person.name.to_string(),
            email: row.person.email.to_string(),
            role: role.map(|role| role.name.to_string()).unwrap_or_default(),
            roles: self.choices(member, &may_on),
            fixed_because: may_on.fixed_because.to_owned(),
            version: row.member.version.to_string(),
            status: if active { view::MemberStatus::Active } else { view::MemberStatus::Suspended },
            last_call: self.seen.get(&member.id).map(|at| relative(*at, self.now)).unwrap_or_default(),
            calls: self.calls.get(&member.id).map(|calls| thousands(*calls)).unwrap_or_default(),
            keys: self.keys.get(&member.id).copied().unwrap_or_default(),
            you: member.account == self.here.account,
            can_suspend: may_on.suspend && active,
            can_reinstate: may_on.suspend && !active,
            can_remove: may_on.remove,
        }
    }

    fn choices(&self, member: &Member, may_on: &members::MayOn) -> Vec<Choice> {
        let choice = |role: &Role| Choice {
            value: role.id.to_string(),
            label: role.name.to_string(),
            chosen: role.id == member.role,
        };
        self.roles.values().filter(|role| may_on.roles.contains(&role.id)).map(choice).collect()
    }
}
