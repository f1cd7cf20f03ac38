//! `/o/{slug}`: what happened lately.

use askama::Template;

use super::Shell;
use crate::charts::{Area, Bar};

/// `/o/{slug}?range=24h|7d|30d`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "overview/overview.html", blocks = ["figures"])]
pub struct Overview {
    /// The frame.
    pub shell: Shell,
    /// The span that is shown.
    pub range: Range,
    /// Whose calls are counted: `Everyone's calls` or `Your own calls`.
    pub whose: String,
    /// The figures at the top.
    pub cards: Vec<Card>,
    /// Calls over time.
    pub calls: Area,
    /// Calls by model, most first.
    pub models: Vec<Bar>,
    /// Calls by member, most first; empty where only one's own are seen.
    pub members: Vec<Bar>,
    /// What was refused lately.
    pub refused: Vec<RefusedRow>,
    /// Set while there has been no call at all.
    pub first_call: Option<FirstCall>,
}

/// A figure with what it is compared with.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// What is counted: `Calls`.
    pub label: String,
    /// The figure as shown: `1.24 M`.
    pub value: String,
    /// One remark: `+18 % on the 30 days before`.
    pub note: String,
}

/// Calls that were refused for one reason.
#[derive(Clone, Debug, Default)]
pub struct RefusedRow {
    /// Why, in two words: `Key revoked`.
    pub why: String,
    /// How many, as shown.
    pub calls: String,
    /// What helps: `revoked 2 min ago by Bashir`.
    pub helps: String,
}

/// How to make a first call.
#[derive(Clone, Debug, Default)]
pub struct FirstCall {
    /// The line to paste.
    pub curl: String,
    /// What has to come first: `Add a provider` with its URL; none where a call would work.
    pub before: Option<(String, String)>,
    /// Whether the viewer may make a key for it.
    pub can_create_key: bool,
    /// Whether the viewer may see what can be called.
    pub can_see_models: bool,
}

/// The span that figures cover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    #[default]
    Month,
}

impl Range {
    /// Every span, shortest first.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The value in the URL.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }

    /// In words, after `last`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }
}
