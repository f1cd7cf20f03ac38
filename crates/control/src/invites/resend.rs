use gatewarden_access::{Caller, actions};
use gatewarden_credentials::Token;
use gatewarden_store::Giving;
use gatewarden_types::{Id, Invite, InviteState, Organization, Seq};

use super::{LIFETIME_SECONDS, Sent, letter::Letter, link::Link, refuse_taken};
use crate::{App, Changed, Error, check_seen, or_refuse};

/// Sends an invite again with a new link and a new end; the old link is dead. Whoever sends it again vouches for it
/// from then on.
///
/// # Errors
/// When the caller may not or may not give its role, it changed meanwhile, or it is no longer open.
pub async fn resend(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    invite: Id<Invite>,
    seen: Option<Seq>,
) -> Result<Sent, Error> {
    let mut tx = app.store.change(caller, organization).await?;
    let asked = tx.permit_on::<actions::ResendInvite>(invite, |invite| Giving::Role(invite.role)).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(seen, row.version)?;
    if row.record.state != InviteState::Pending {
        return Err(Error::Rule("This invite was accepted or revoked. Invite the address anew."));
    }
    let email = tx.invite_addresses(&permit, [invite]).await?.remove(&invite);
    let email = email.ok_or(Error::Rule("Nobody knows any more where this invite went. Invite the address anew."))?;
    refuse_taken(&tx, &permit, &email, Some(invite)).await?;
    let link = Link { invite, token: Token::generate(&app.entropy) };
    let invite = Invite {
        invited_by: permit.member().unwrap_or(row.record.invited_by),
        verifier: link.token.digest(),
        expires: tx.now().plus_seconds(LIFETIME_SECONDS),
        ..row.record
    };
    tx.put(&permit, &invite).await?;
    let letter = Letter::read(&tx, &permit, organization, &invite, email).await?;
    let committed = tx.commit(permit).await?;
    // Once more, for one whose creation was cut off before it was entered.
    app.store.enter(invite.id, organization).await;
    Ok(letter.send(app, Changed { value: invite, version: committed.seq }, &link).await)
}
