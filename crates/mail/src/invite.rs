use askama::Template;
use gatewarden_types::{Email, Name, Timestamp};

/// Asks someone to join an organization.
#[derive(Debug, Clone, Copy)]
pub struct InviteMail<'a> {
    /// Where it goes.
    pub to: &'a Email,
    /// What they are asked to join.
    pub organization: &'a Name,
    /// Who asks.
    pub invited_by: &'a Name,
    /// The role that is offered.
    pub role: &'a Name,
    /// The link that accepts it; whoever has it can.
    pub link: &'a str,
    /// The instant from which the link is dead.
    pub expires: Timestamp,
}

/// A mail in its two forms, ready to be put into a message.
pub(crate) struct Written {
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

#[derive(Template)]
#[template(path = "mail/invite.txt")]
struct Text<'a>(&'a InviteMail<'a>);

#[derive(Template)]
#[template(path = "mail/invite.html")]
struct Html<'a>(&'a InviteMail<'a>);

impl InviteMail<'_> {
    pub(crate) fn write(&self) -> Result<Written, askama::Error> {
        let subject = format!("{} invited you to {}", self.invited_by, self.organization);
        Ok(Written { subject, text: Text(self).render()?, html: Html(self).render()? })
    }

    /// The last instant, as people read it.
    fn until(&self) -> String {
        let ((year, month, day), (hour, minute, _)) = (self.expires.date(), self.expires.time());
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02} UTC")
    }
}
