use gatewarden_access::{Permit, Reads};
use gatewarden_credentials::Secret;
use gatewarden_mail::{Delivery, InviteMail};
use gatewarden_store::OrgRead;
use gatewarden_types::{Email, Id, Invite, Member, Name, Organization, Role};

use super::link::Link;
use crate::{App, Changed, Error};

/// An invite that was made or sent again.
#[derive(Debug)]
pub struct Sent {
    /// The invite.
    pub invite: Changed<Invite>,
    /// Where it goes.
    pub email: Email,
    /// What became of its mail; none when the same request made the invite before, and nothing was sent this time.
    pub delivery: Option<Delivery>,
    /// The link to pass on by hand, where no mail server took it. Nobody sees it again.
    pub link: Option<Secret<String>>,
}

/// What an invite's mail says, read before the change is made, because it is sent after it.
pub(super) struct Letter {
    to: Email,
    organization: Name,
    invited_by: Name,
    role: Name,
}

impl Letter {
    pub(super) async fn read<A>(
        read: &OrgRead,
        permit: &Permit<A>,
        organization: Id<Organization>,
        invite: &Invite,
        to: Email,
    ) -> Result<Self, Error>
    where
        A: Reads<Organization> + Reads<Member> + Reads<Role>,
    {
        let here = read.get::<A, Organization>(permit, organization).await?;
        let role = read.get::<A, Role>(permit, invite.role).await?;
        let sender = read.people(permit, [invite.invited_by]).await?.remove(&invite.invited_by);
        let organization = here.map(|here| here.record.name).ok_or(Error::Gone)?;
        let role = role.map(|role| role.record.name).ok_or(Error::Gone)?;
        let invited_by = sender.map_or_else(|| organization.clone(), |sender| sender.name);
        Ok(Self { to, organization, invited_by, role })
    }

    /// Sends it. That it could not be sent is logged and shown to the inviter, and undoes nothing.
    pub(super) async fn send(self, app: &App, invite: Changed<Invite>, link: &Link) -> Sent {
        let address = link.address(&app.public_url);
        let mail = InviteMail {
            to: &self.to,
            organization: &self.organization,
            invited_by: &self.invited_by,
            role: &self.role,
            link: address.expose(),
            expires: invite.value.expires,
        };
        let delivery = match app.mailer.invite(&mail, app.clock.now()).await {
            Ok(delivery) => delivery,
            Err(bad) => {
                tracing::warn!(invite = %invite.value.id, error = %bad, "an invite could not be mailed");
                Delivery::Failed
            }
        };
        let link = (delivery != Delivery::Sent).then_some(address);
        Sent { invite, email: self.to, delivery: Some(delivery), link }
    }
}
