//! API keys.

use askama::Template;

use super::{Choice, Field, Paging, Shell};

/// `/o/{slug}/keys?q=&state=`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "keys/keys.html", blocks = ["list"])]
pub struct Keys {
    /// The frame.
    pub shell: Shell,
    /// What was searched for.
    pub search: String,
    /// States to filter by, `any` first.
    pub state_filter: Vec<Choice>,
    /// The page's rows.
    pub rows: Vec<KeyRow>,
    /// Where the list stands.
    pub paging: Paging,
    /// Whether this person may create one.
    pub can_create: bool,
}

impl Keys {
    /// Whether some keys may be left out of the list.
    fn filtered(&self) -> bool {
        !self.search.is_empty() || self.state_filter.iter().skip(1).any(|state| state.chosen)
    }
}

/// A key as listed.
#[derive(Clone, Debug, Default)]
pub struct KeyRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How its text begins: `gwk_3fA9…`.
    pub starts: String,
    /// Who owns it: a name, or `the organization`.
    pub owner: String,
    /// What it may do and how much, in few words: `completions write; 60 calls a minute`.
    pub levels: String,
    /// `all`, or the names.
    pub models: String,
    /// In words: `in 30 days`, `never`.
    pub expires: String,
    /// In words; empty for never.
    pub last_used: String,
    /// Where it stands.
    pub state: KeyState,
    /// The seq of its last entry, sent as `version`.
    pub version: String,
    /// May be rotated by the viewer.
    pub can_rotate: bool,
    /// May be revoked by the viewer.
    pub can_revoke: bool,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyState {
    /// Calls.
    #[default]
    Active,
    /// Its time is over.
    Expired,
    /// Taken back.
    Revoked,
    /// Its owner is suspended.
    Asleep,
}

/// `/o/{slug}/keys/new`. Posts to `/o/{slug}/keys`: `name`, `owner`, one `level.{feature}` per feature,
/// `models` (`all` or `only`) with `model` for each named one, `expires` (days, or `never`).
#[derive(Template, Clone, Debug, Default)]
#[template(path = "keys/new_key.html")]
pub struct NewKey {
    /// The frame.
    pub shell: Shell,
    /// Its name.
    pub name: Field,
    /// Who may own it: oneself, and the organization where allowed.
    pub owners: Vec<Choice>,
    /// What is wrong with the owner.
    pub owner_error: String,
    /// A row per feature.
    pub features: Vec<FeatureLevel>,
    /// What is wrong with the levels.
    pub levels_error: String,
    /// Whether only named models may be called.
    pub only_named: bool,
    /// Approved models, the named ones chosen.
    pub models: Vec<Choice>,
    /// What is wrong with the models.
    pub models_error: String,
    /// How many calls a minute.
    pub requests: Field,
    /// How many tokens a minute.
    pub tokens: Field,
    /// Spans it may live.
    pub expiries: Vec<Choice>,
    /// What is wrong with the span.
    pub expires_error: String,
}

/// What a key may do with one feature.
#[derive(Clone, Debug, Default)]
pub struct FeatureLevel {
    /// Its word: `completions`.
    pub feature: String,
    /// As people read it: `Completions`.
    pub label: String,
    /// What it covers, in one line.
    pub hint: String,
    /// The level chosen.
    pub level: Level,
    /// The highest level the owner holds; higher ones are drawn, but cannot be chosen.
    pub highest: Level,
}

/// How much a key may do with a feature, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    Disabled,
    /// See.
    Read,
    /// See and change.
    Write,
    /// See, change and delete.
    Delete,
}

impl Level {
    /// Every level, least first.
    pub const ALL: [Self; 4] = [Self::Disabled, Self::Read, Self::Write, Self::Delete];

    /// The form's value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Disabled => "Disabled",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Delete => "Delete",
        }
    }
}

/// A key's secret, shown this once: the answer to creating and to rotating.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "keys/secret.html")]
pub struct NewSecret {
    /// The frame.
    pub shell: Shell,
    /// The key's name.
    pub name: String,
    /// The key's whole text.
    pub secret: String,
    /// Whether it replaces another.
    pub rotated: bool,
    /// A line that makes a call with it.
    pub curl: String,
    /// The same with the OpenAI package for Python.
    pub python: String,
}
