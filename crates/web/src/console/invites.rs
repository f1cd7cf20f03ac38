//! Invites of an organization: those that wait, new ones, and what is done to a row.

use actix_web::{http::StatusCode, web};
use gatewarden_access::{ActionInfo, Facts};
use gatewarden_control::{
    Error, Once,
    invites::{self, InviteMember, Invites, OpenInvite, Sent},
};
use gatewarden_types::{Email, Id, Role, Timestamp};
use serde::Deserialize;

use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, may, now_true},
    views::{Choice, Field, Paging, Place, members as view},
    wording::{counted, relative},
};

/// How many people may be invited at once.
const MOST: usize = 50;

/// Said of an address whose form comes twice.
const AGAIN: &str =
    "Invited once, by the same form. A link that was shown then is not shown again: send the invite again.";

/// The list.
pub async fn list(here: Here) -> Answer {
    let found = invites::list(&here.site.app, &here.caller, here.organization).await?;
    let now = here.site.app.clock.now();
    let waiting = found.rows.iter().filter(|row| !row.ended).count() as u64;
    let total = counted(found.rows.len() as u64, "invite", "invites");
    let rows = found.rows.iter().map(|row| drawn(row, &found.facts, now)).collect();
    let (shell, can_invite) = (here.shell(Place::Members).await?, allowed(&found.facts, "invite.create"));
    here.page(&view::Invites { shell, waiting, rows, paging: Paging { total, ..Paging::default() }, can_invite })
}

/// The form for new ones.
pub async fn new(here: Here) -> Answer {
    let found = invites::list(&here.site.app, &here.caller, here.organization).await?;
    here.page(&form(&here, &found, None, Field::default(), Vec::new()).await?)
}

#[derive(Deserialize)]
struct NewInvites {
    addresses: String,
    role: String,
}

/// Invites each address. What cannot be invited stays in the form, with the reason.
pub async fn create(here: Here, body: web::Bytes) -> Answer {
    let sent: NewInvites = here.form(&body)?;
    let role: Id<Role> = sent.role.parse().map_err(|_| Fault::Malformed("The role is no role.".to_owned()))?;
    let (made, left) = match addresses(&sent.addresses) {
        Ok(addresses) => invite_all(&here, addresses, role, here.repeat(&body).as_ref()).await?,
        Err(wrong) => (Vec::new(), Field::of(sent.addresses).wrong(wrong)),
    };
    let status = if left.error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let found = invites::list(&here.site.app, &here.caller, here.organization).await?;
    here.page_with(status, &form(&here, &found, Some(role), left, made).await?)
}

/// Another link to the same address; the one before is dead.
pub async fn resend(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let (app, invite) = (&here.site.app, here.id("invite")?);
    let sent = invites::resend(app, &here.caller, here.organization, invite, seen).await?;
    if sent.link.is_none() {
        return here
            .done(&here.href("/invites"), &now_true("The invite is on its way again. The link before is dead."));
    }
    let found = invites::list(app, &here.caller, here.organization).await?;
    here.page(&form(&here, &found, None, Field::default(), vec![shown(&sent)]).await?)
}

/// No invite any more.
pub async fn revoke(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let (app, invite) = (&here.site.app, here.id("invite")?);
    invites::revoke(app, &here.caller, here.organization, invite, seen).await?;
    here.done(&here.href("/invites"), &now_true("The invite is revoked. Its link is dead."))
}

/// The addresses, one on each line, or what is wrong with them: then nobody is invited.
fn addresses(typed: &str) -> Result<Vec<Email>, String> {
    let lines: Vec<&str> = typed.split([',', ';', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() || lines.len() > MOST {
        return Err(format!("Give 1 to {MOST} addresses, one on each line."));
    }
    let read = |line: &&str| line.parse().map_err(|bad| format!("{line}: {bad}"));
    lines.iter().map(read).collect()
}

/// Invites one after the other. What an address stands against does not stop the others; a refusal stops all.
async fn invite_all(
    here: &Here,
    addresses: Vec<Email>,
    role: Id<Role>,
    once: Option<&Once>,
) -> Result<(Vec<view::SentInvite>, Field), Fault> {
    let (mut made, mut left, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for (number, email) in addresses.into_iter().enumerate() {
        let command = InviteMember { email: email.clone(), role, once: once.map(|once| once.part(number)) };
        match invites::create(&here.site.app, &here.caller, here.organization, command).await {
            Ok(sent) if sent.delivery.is_none() => reasons.push(format!("{email}: {AGAIN}")),
            Ok(sent) => made.push(shown(&sent)),
            Err(Error::Invalid(wrong)) => {
                left.push(email.to_string());
                reasons.extend(wrong.into_iter().map(|field| field.message));
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok((made, Field::of(left.join("\n")).wrong(reasons.join(" "))))
}

async fn form(
    here: &Here,
    found: &Invites,
    chosen: Option<Id<Role>>,
    addresses: Field,
    sent: Vec<view::SentInvite>,
) -> Result<view::NewInvite, Fault> {
    let choice = |role: &Role| Choice {
        value: role.id.to_string(),
        label: role.name.to_string(),
        chosen: chosen.map_or(role.builtin == Some(gatewarden_types::Builtin::Member), |chosen| chosen == role.id),
    };
    let roles = found.roles.iter().map(choice).collect();
    let mail_works = here.site.app.mailer.sends();
    Ok(view::NewInvite { shell: here.shell(Place::Members).await?, addresses, roles, sent, mail_works })
}

fn shown(sent: &Sent) -> view::SentInvite {
    let link = sent.link.as_ref().map(|link| link.expose().clone());
    view::SentInvite { email: sent.email.to_string(), link }
}

fn drawn(row: &OpenInvite, facts: &Facts, now: Timestamp) -> view::InviteRow {
    let text = |name: &Option<gatewarden_types::Name>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    let invite = &row.invite.record;
    view::InviteRow {
        id: invite.id.to_string(),
        email: row.email.as_ref().map_or_else(|| "an erased address".to_owned(), ToString::to_string),
        role: text(&row.role),
        invited_by: text(&row.invited_by),
        sent: relative(row.sent, now),
        ends: relative(invite.expires, now),
        ended: row.ended,
        version: row.invite.version.to_string(),
        can_resend: allowed(facts, "invite.resend"),
        can_revoke: allowed(facts, "invite.revoke"),
    }
}

fn allowed(facts: &Facts, action: &str) -> bool {
    ActionInfo::named(action).is_some_and(|info| may(facts, info))
}
