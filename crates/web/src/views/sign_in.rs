//! Pages for someone who is not signed in: setting up, signing in, accepting an invite.

use askama::Template;

use super::{Bare, Field};

/// `/set-up`: the first owner and the first organization. Posts to `/set-up`:
/// `code`, `name`, `email`, `password`, `organization`, `slug`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "sign_in/set_up.html")]
pub struct SetUp {
    /// The frame.
    pub frame: Bare,
    /// The one-time code from the URL that the program printed.
    pub code: String,
    /// What stops the whole form, such as a wrong code; empty where nothing does.
    pub error: String,
    /// The owner's name.
    pub name: Field,
    /// The owner's address.
    pub email: Field,
    /// What is wrong with the password.
    pub password_error: String,
    /// The organization's name.
    pub organization: Field,
    /// The organization's slug, fixed from then on.
    pub slug: Field,
}

/// What `/set-up` answers: the master key, shown this once.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "sign_in/set_up_done.html")]
pub struct SetUpDone {
    /// The frame.
    pub frame: Bare,
    /// The organization's name.
    pub organization: String,
    /// The organization's slug.
    pub slug: String,
    /// The master key's text.
    pub master_key: String,
    /// A line that makes a first call with that key.
    pub curl: String,
}

/// `/sign-in`. Posts to `/sign-in`: `email`, `password`, `next`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "sign_in/sign_in.html")]
pub struct SignIn {
    /// The frame.
    pub frame: Bare,
    /// What was typed.
    pub email: String,
    /// Why the last try failed; alike for known and unknown addresses.
    pub error: String,
    /// Why this page is shown instead of another: `Your session has ended.`
    pub reason: String,
    /// The path to go to afterwards.
    pub next: String,
}

/// `/invites/{token}`. Posts to itself: `name` and `password` where the account is new.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "sign_in/invite.html")]
pub struct Invite {
    /// The frame.
    pub frame: Bare,
    /// The link's token.
    pub token: String,
    /// The organization's name.
    pub organization: String,
    /// The role that is offered, as people read it.
    pub role: String,
    /// Who invited.
    pub invited_by: String,
    /// The address the invite was sent to.
    pub email: String,
    /// When it ends, in words: `in 6 days`.
    pub ends: String,
    /// What has to be known to accept.
    pub asks: InviteAsks,
    /// The name of a new account.
    pub name: Field,
    /// What is wrong with the password.
    pub password_error: String,
}

/// What accepting an invite takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InviteAsks {
    /// A name and a password: the account is new.
    #[default]
    NewAccount,
    /// One click: the right person is signed in.
    Nothing,
    /// Signing in first with the invited address.
    SignIn,
    /// It cannot be accepted: used, revoked, ended or never made.
    Gone,
}
