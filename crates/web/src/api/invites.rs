//! Invites.

use actix_web::web;
use gatewarden_control::invites::{self, Delivery, InviteMember, OpenInvite, Sent};
use gatewarden_types::{Id, Invite as InviteRecord};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{invalid, limit, word};
use crate::http::{Answer, Fault, KeyHolder};

/// An invite that nobody has answered.
#[derive(Serialize, JsonSchema)]
pub struct Invite {
    /// Its id.
    pub id: String,
    /// Where it went; null where that is erased.
    pub email: Option<String>,
    /// The id of the role that it offers.
    pub role: String,
    /// The id of the member who sent it.
    pub invited_by: String,
    /// From when it can no longer be accepted, as RFC 3339 has it.
    pub expires: String,
    /// The version for `If-Match`.
    pub version: u64,
}

/// A page of invites.
#[derive(Serialize, JsonSchema)]
pub struct Invites {
    /// The invites, newest first.
    pub data: Vec<Invite>,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

/// An invite that was made or sent again.
#[derive(Serialize, JsonSchema)]
pub struct SentInvite {
    /// The invite.
    #[serde(flatten)]
    pub invite: Invite,
    /// `sent` by the mail server, `written` to the program's mail folder, or `failed`; null where nothing was sent
    /// because the same request made the invite before.
    pub delivery: Option<String>,
    /// The link to pass on, where no mail server took it. It is shown this once: afterwards, resend the invite.
    pub secret: Option<String>,
}

/// Who is to be invited.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    /// Where the invite goes.
    pub email: String,
    /// The id of the role that it offers.
    pub role: String,
}

#[derive(Deserialize)]
struct Asked {
    after: Option<String>,
    limit: Option<u64>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Asked = sender.query()?;
    let after = asked.after.as_deref().map(|after| word::<Id<InviteRecord>>("after", after)).transpose()?;
    let found = invites::list(&sender.site.app, &sender.caller, sender.organization).await?;
    let begin = match after {
        None => 0,
        Some(after) => after_row(&found.rows, after)?,
    };
    let most = limit(asked.limit);
    let data: Vec<Invite> = found.rows.iter().skip(begin).take(most).map(in_row).collect();
    let more = found.rows.len() > begin + data.len();
    let next = data.last().filter(|_| more).map(|invite| invite.id.clone());
    sender.answer(200, None, &Invites { data, next })
}

/// One more.
pub async fn create(sender: KeyHolder, body: web::Bytes) -> Answer {
    let once = sender.repeat(&body)?;
    let body: InviteBody = sender.json(&body)?;
    let command = InviteMember { email: word("email", &body.email)?, role: word("role", &body.role)?, once };
    let sent = invites::create(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(201, Some(sent.invite.version), &shown(&sent))
}

/// Another link to the same address; the one before is dead.
pub async fn resend(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("invite")?, sender.seen()?);
    let sent = invites::resend(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.answer(200, Some(sent.invite.version), &shown(&sent))
}

/// No invite any more.
pub async fn revoke(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("invite")?, sender.seen()?);
    invites::revoke(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.done()
}

/// Where the page after this invite begins.
fn after_row(rows: &[OpenInvite], after: Id<InviteRecord>) -> Result<usize, Fault> {
    let place = rows.iter().position(|row| row.invite.record.id == after);
    place.map(|place| place + 1).ok_or_else(|| invalid("after", "That invite is no longer open. Begin again."))
}

fn in_row(row: &OpenInvite) -> Invite {
    described(&row.invite.record, row.email.as_ref().map(ToString::to_string), row.invite.version)
}

fn shown(sent: &Sent) -> SentInvite {
    let delivery = sent.delivery.map(|delivery| match delivery {
        Delivery::Sent => "sent",
        Delivery::Written => "written",
        Delivery::Failed => "failed",
    });
    SentInvite {
        invite: described(&sent.invite.value, Some(sent.email.to_string()), sent.invite.version),
        delivery: delivery.map(str::to_owned),
        secret: sent.link.as_ref().map(|link| link.expose().clone()),
    }
}

fn described(invite: &InviteRecord, email: Option<String>, version: u64) -> Invite {
    Invite {
        id: invite.id.to_string(),
        email,
        role: invite.role.to_string(),
        invited_by: invite.invited_by.to_string(),
        expires: invite.expires.rfc3339(),
        version,
    }
}
