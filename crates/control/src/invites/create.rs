use gatewarden_access::{Caller, Permit, actions};
use gatewarden_credentials::Token;
use gatewarden_store::{Giving, OrgTx};
use gatewarden_types::{Email, Id, Invite, InviteState, Organization, Role};

use super::{LIFETIME_SECONDS, Sent, letter::Letter, link::Link, refuse_taken};
use crate::{App, Changed, Error, Once, or_refuse};

/// Invites someone.
#[derive(Debug, Clone)]
pub struct InviteMember {
    /// Where the invite goes.
    pub email: Email,
    /// The role that it offers.
    pub role: Id<Role>,
    /// The request's `Idempotency-Key`.
    pub once: Option<Once>,
}

/// Invites an address, and mails the link. No one offers a role beyond their own power, and that power is asked again
/// when the invite is accepted.
///
/// # Errors
/// When the caller may not or is no member, or the address is a member's or has an open invite.
pub async fn create(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: InviteMember,
) -> Result<Sent, Error> {
    let InviteMember { email, role, once } = command;
    let mut tx = app.store.change(caller, organization).await?;
    let permit = or_refuse!(tx, tx.permit_giving::<actions::InviteMember>(&Giving::Role(role)).await);
    if let Some(before) = Once::before::<_, Invite>(once.as_ref(), &tx, &permit).await? {
        return again(&tx, &permit, before, email).await;
    }
    let invited_by = permit.member().ok_or(Error::Rule("A member invites: use a key that belongs to a member."))?;
    refuse_taken(&tx, &permit, &email, None).await?;
    let link = Link { invite: app.id(), token: Token::generate(&app.entropy) };
    let expires = tx.now().plus_seconds(LIFETIME_SECONDS);
    let verifier = link.token.digest();
    let invite = Invite { id: link.invite, role, invited_by, verifier, expires, state: InviteState::Pending };
    tx.put(&permit, &invite).await?;
    tx.put_invite_address(&permit, invite.id, &email).await?;
    Once::keep(once.as_ref(), &mut tx, &permit, invite.id).await?;
    let letter = Letter::read(&tx, &permit, organization, &invite, email).await?;
    let committed = tx.commit(permit).await?;
    app.store.enter(invite.id, organization).await;
    Ok(letter.send(app, Changed { value: invite, version: committed.seq }, &link).await)
}

/// What the same request made before, without its link.
async fn again(
    tx: &OrgTx,
    permit: &Permit<actions::InviteMember>,
    before: Id<Invite>,
    email: Email,
) -> Result<Sent, Error> {
    let row = tx.get::<_, Invite>(permit, before).await?.ok_or(Error::Gone)?;
    let invite = Changed { value: row.record, version: row.version };
    Ok(Sent { invite, email, delivery: None, link: None })
}
