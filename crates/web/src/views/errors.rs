//! What went wrong, why, and what to do.

use askama::Template;

use super::{Bare, Notice, Shell};

/// What went wrong, as words.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The HTTP status.
    pub status: u16,
    /// What happened: `This page is not yours to open.`
    pub what: String,
    /// Why: `Reading the trail takes the role Auditor or Admin.`
    pub why: String,
    /// What to do: `Ada Lindqvist or Bashir Karim can give it.`
    pub then: String,
    /// Ways on, as label and URL; the first one is drawn as the main one.
    pub ways: Vec<(String, String)>,
    /// The request's id, for someone who is asked for help; empty where there is none.
    pub request_id: String,
}

impl Trouble {
    /// The usual words for `status`; callers who know more say more.
    pub fn of(status: u16) -> Self {
        let (what, why, then) = words(status);
        Self { status, what: what.to_owned(), why: why.to_owned(), then: then.to_owned(), ..Self::default() }
    }

    fn icon(&self) -> &'static str {
        match self.status {
            401 | 403 => "lock",
            404 => "search",
            429 => "clock",
            500.. => "triangle-alert",
            _ => "circle-alert",
        }
    }
}

/// What happened, why, and what to do.
type Words = (&'static str, &'static str, &'static str);

fn words(status: u16) -> Words {
    match status {
        400..500 => refusal(status),
        503 => (
            "Gatewarden cannot answer just now.",
            "A part it depends on is not there. Nothing is lost.",
            "Try again in a moment. Calls through the gateway go on.",
        ),
        _ => (
            "Something went wrong on our side.",
            "It is not your doing, and it has been written to the log.",
            "Try again. If it happens twice, tell your operator the request id below.",
        ),
    }
}

fn refusal(status: u16) -> Words {
    match status {
        401 => {
            ("Please sign in.", "You are not signed in, or your session has ended.", "Sign in and you come back here.")
        }
        403 => (
            "That is not yours to do.",
            "Your role in this organization does not allow it.",
            "An owner or admin of the organization can change your role.",
        ),
        404 => (
            "There is nothing here that you can see.",
            "It does not exist, was removed, or belongs to an organization you are not a member of.",
            "Check the address, or pick a place at the side.",
        ),
        408 => (
            "The request came too slowly.",
            "It did not arrive whole in the time there is for one. Nothing was done.",
            "Send it again.",
        ),
        409 => (
            "It has changed in the meantime.",
            "Someone else saved a change after you opened this page. Nothing of yours was saved.",
            "Look at it as it is now, then make your change again.",
        ),
        413 => ("That is too large.", "A form may be 64 kB at most.", "Send less at once."),
        422 => ("Something in the form is not right.", "Nothing was saved.", "Go back and correct what is marked."),
        429 => {
            ("Too many tries.", "This address has tried too often in a short time.", "Wait a minute, then try again.")
        }
        _ => (
            "That request could not be read.",
            "Something in it is missing or misspelt.",
            "Go back, load the page again and try once more.",
        ),
    }
}

/// An error where someone is signed in.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "errors/inside.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// What went wrong.
    pub trouble: Trouble,
}

/// An error where nobody is signed in.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "errors/outside.html")]
pub struct BareErrorPage {
    /// The frame.
    pub frame: Bare,
    /// What went wrong.
    pub trouble: Trouble,
}

/// A toast alone, added to those on the page: the answer where nothing else changes.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "toast_answer.html")]
pub struct ToastAnswer {
    /// For the toast's Undo.
    pub csrf: String,
    /// What happened.
    pub notice: Option<Notice>,
}
