//! Pages about the viewer's own account.

use askama::Template;

use super::{Field, Shell};

/// `/organizations`. The form posts to `/organizations`: `name`, `slug`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "account/organizations.html")]
pub struct Organizations {
    /// The frame; its `organizations` are the list.
    pub shell: Shell,
    /// Whether this person may create one.
    pub can_create: bool,
    /// The new one's name.
    pub name: Field,
    /// The new one's slug.
    pub new_slug: Field,
}

/// `/account`. Posts `name` to `/account`, `current` and `password` to `/account/password`; sessions end at `/account/sessions/{id}/revoke` and `/account/sessions/revoke-others`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "account/account.html")]
pub struct Account {
    /// The frame.
    pub shell: Shell,
    /// The name as stored or as typed.
    pub name: Field,
    /// What is wrong with the password they gave as theirs.
    pub current_error: String,
    /// What is wrong with the new one.
    pub password_error: String,
    /// Where this person is signed in, newest first.
    pub sessions: Vec<Session>,
}

/// A browser that is signed in.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// Browser and system: `Firefox on Linux`.
    pub device: String,
    /// Network address.
    pub network: String,
    /// In words: `4 min ago`.
    pub last_seen: String,
    /// When it was begun, in words.
    pub since: String,
    /// Whether it is this one.
    pub current: bool,
}
