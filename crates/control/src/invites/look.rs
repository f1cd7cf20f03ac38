use gatewarden_access::actions;
use gatewarden_types::{Email, Id, Name, Organization, Request, Role, Slug, Timestamp};

use super::{GONE, link::Link, unusable};
use crate::{App, Error, sign_in::anyone};

/// What an invite offers, for whoever holds its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Where to.
    pub organization: Id<Organization>,
    /// What that is called.
    pub name: Name,
    /// Its word in addresses.
    pub slug: Slug,
    /// The role that is offered.
    pub role: Name,
    /// Who sent it, while that is known.
    pub invited_by: Option<Name>,
    /// Where it went.
    pub email: Email,
    /// From when it can no longer be accepted.
    pub expires: Timestamp,
    /// Whether that address has an account, which then has to be signed in.
    pub has_account: bool,
}

/// Looks at an invite. `token` is the last part of its link. Consumes nothing.
///
/// # Errors
/// [`Error::NotRecognized`], alike for every link that leads nowhere; [`Error::Rule`] when its sender may no longer
/// give what it offers.
pub async fn look(app: &App, request: Id<Request>, token: &str) -> Result<Invitation, Error> {
    let link = Link::parse(token).ok_or(GONE)?;
    let organization = app.store.place_of(link.invite).await?.ok_or(GONE)?;
    let read = app.store.read(&anyone(request), organization).await?;
    let (permit, invite) = read.permit_invited(link.invite, link.token.digest()).await.map_err(unusable)?;
    let invite = invite.record;
    let here = read.get::<_, Organization>(&permit, organization).await?.ok_or(GONE)?.record;
    let role = read.get::<_, Role>(&permit, invite.role).await?.ok_or(GONE)?.record.name;
    let email = read.invite_addresses(&permit, [invite.id]).await?.remove(&invite.id).ok_or(GONE)?;
    let sender = read.people(&permit, [invite.invited_by]).await?.remove(&invite.invited_by);
    drop(read);
    let control = app.store.read_control(&anyone(request)).await?;
    let has_account = control.account_with(&control.permit::<actions::OpenAccount>(app.id())?, &email).await?.is_some();
    let (name, slug, expires) = (here.name, here.slug, invite.expires);
    let invited_by = sender.map(|sender| sender.name);
    Ok(Invitation { organization, name, slug, role, invited_by, email, expires, has_account })
}
