use gatewarden_credentials::{Secret, Token};
use gatewarden_types::{Id, Invite};
use url::Url;

/// What the link of an invite carries: which invite, and the secret that shows that one was asked.
pub(super) struct Link {
    pub(super) invite: Id<Invite>,
    pub(super) token: Token,
}

impl Link {
    /// Reads the last part of the link's address: `inv_….secret`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (invite, token) = text.split_once('.')?;
        Some(Self { invite: invite.parse().ok()?, token: token.parse().ok()? })
    }

    /// The whole address.
    pub(super) fn address(&self, public: &Url) -> Secret<String> {
        let public = public.as_str().trim_end_matches('/');
        Secret::new(format!("{public}/invites/{}.{}", self.invite, self.token.text().expose()))
    }
}
