//! Members and invites.

use askama::Template;

use super::{Choice, Column, Field, Notice, Paging, Shell};

/// `/o/{slug}/members?q=&role=&status=&sort=`. The block `list` is what htmx swaps on search, filter and paging.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "members/members.html", blocks = ["list"])]
pub struct Members {
    /// The frame.
    pub shell: Shell,
    /// What was searched for.
    pub search: String,
    /// Roles to filter by, `any` first.
    pub role_filter: Vec<Choice>,
    /// States to filter by, `any` first.
    pub status_filter: Vec<Choice>,
    /// The sort word of the URL, kept when the filters change.
    pub sort: String,
    /// Columns: name, role, status, last call, calls.
    pub columns: Vec<Column>,
    /// The page's rows.
    pub rows: Vec<MemberRow>,
    /// Where the list stands.
    pub paging: Paging,
    /// How many invites wait.
    pub invites: u64,
    /// Whether this person may invite.
    pub can_invite: bool,
}

/// A member as listed.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a control that is drawn or not")]
pub struct MemberRow {
    /// The member's id.
    pub id: String,
    /// Name as shown.
    pub name: String,
    /// Address.
    pub email: String,
    /// The role, as people read it.
    pub role: String,
    /// The roles this person may give, the present one chosen; empty where it cannot be changed.
    pub roles: Vec<Choice>,
    /// Why the role cannot be changed, in a word: `the last owner stays`.
    pub fixed_because: String,
    /// The seq of the record's last entry, sent as `version`.
    pub version: String,
    /// Where the membership stands.
    pub status: MemberStatus,
    /// In words: `4 min ago`; empty for never.
    pub last_call: String,
    /// Calls in 30 days, as shown; empty where it may not be seen.
    pub calls: String,
    /// How many keys stop working with them.
    pub keys: u64,
    /// Whether it is the viewer.
    pub you: bool,
    /// May be suspended by the viewer.
    pub can_suspend: bool,
    /// May be reinstated by the viewer.
    pub can_reinstate: bool,
    /// May be removed by the viewer.
    pub can_remove: bool,
}

/// Where a membership stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberStatus {
    /// May sign in and call.
    #[default]
    Active,
    /// May do neither until reinstated.
    Suspended,
}

/// A row alone, and a toast: the answer to a role change, to suspend and to reinstate.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "members/row_answer.html")]
pub struct MemberAnswer {
    /// The organization's slug.
    pub slug: String,
    /// For the row's forms.
    pub csrf: String,
    /// The row as it is now; none where the member is removed.
    pub row: Option<MemberRow>,
    /// What happened.
    pub notice: Option<Notice>,
}

/// `/o/{slug}/invites`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "members/invites.html", blocks = ["list"])]
pub struct Invites {
    /// The frame.
    pub shell: Shell,
    /// How many wait, on all pages.
    pub waiting: u64,
    /// The page's rows.
    pub rows: Vec<InviteRow>,
    /// Where the list stands.
    pub paging: Paging,
    /// Whether this person may invite.
    pub can_invite: bool,
}

/// An invite as listed.
#[derive(Clone, Debug, Default)]
pub struct InviteRow {
    /// Its id.
    pub id: String,
    /// Where it was sent.
    pub email: String,
    /// The role that is offered.
    pub role: String,
    /// Who invited.
    pub invited_by: String,
    /// When, in words.
    pub sent: String,
    /// When it ends, in words: `in 5 days`.
    pub ends: String,
    /// Whether it has ended.
    pub ended: bool,
    /// The seq of its last entry, sent as `version`.
    pub version: String,
    /// May be sent again by the viewer.
    pub can_resend: bool,
    /// May be revoked by the viewer.
    pub can_revoke: bool,
}

/// `/o/{slug}/invites/new`. Posts to `/o/{slug}/invites`: `addresses`, `role`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "members/new_invite.html")]
pub struct NewInvite {
    /// The frame.
    pub shell: Shell,
    /// One address, or several on lines of their own.
    pub addresses: Field,
    /// The roles this person may offer.
    pub roles: Vec<Choice>,
    /// What was just sent; empty before.
    pub sent: Vec<SentInvite>,
    /// Whether mail goes out; where not, links are shown to be passed on.
    pub mail_works: bool,
}

/// An invite that was just made.
#[derive(Clone, Debug, Default)]
pub struct SentInvite {
    /// Where it was sent.
    pub email: String,
    /// The link, where mail does not go out.
    pub link: Option<String>,
}

impl Members {
    fn waiting(&self) -> String {
        count(self.invites)
    }
}

impl Invites {
    fn waiting(&self) -> String {
        count(self.waiting)
    }
}

/// The count beside the tab of invites; nothing where none waits.
fn count(invites: u64) -> String {
    if invites == 0 { String::new() } else { invites.to_string() }
}
