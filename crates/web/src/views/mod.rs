//! What every page looks like: one struct per page or fragment, filled by handlers, drawn by its template.
//!
//! Views hold plain data and know neither use cases nor HTTP. A control is drawn only where a `can_…` field says so.
//! A fragment that htmx swaps is a block or an included row of the page itself, so that there is one markup.
//! Ids and slugs go into URLs as they are: callers pass the checked text of a typed id.

pub mod account;
pub mod components;
pub mod docs;
pub mod errors;
pub mod gateways;
pub mod keys;
pub mod members;
pub mod models;
pub mod overview;
pub mod providers;
pub mod settings;
mod shell;
pub mod sign_in;
pub mod trail;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use shell::{
    Act, Bare, Group, Mark, Notice, OpenPlace, OrganizationChoice, Place, Shell, Theme, Tone, Undo, Viewer, initials,
};

/// Something that can be picked, in a drop-down or as a filter.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What people read.
    pub label: String,
    /// Whether it is picked now.
    pub chosen: bool,
}

/// A text field of a form as it was typed, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Field {
    /// What was typed, or what is stored. Empty for secrets, which are never sent back.
    pub value: String,
    /// What is wrong and how to mend it; empty where nothing is.
    pub error: String,
}

impl Field {
    /// A field that holds `value` and is fine.
    pub fn of(value: impl Into<String>) -> Self {
        Self { value: value.into(), error: String::new() }
    }

    /// The same field with something wrong.
    #[must_use]
    pub fn wrong(self, error: impl Into<String>) -> Self {
        Self { error: error.into(), ..self }
    }
}

/// Where a list stands: what is counted, and the links to the pages beside it.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// The count in words, shown above the list: `248 people`.
    pub total: String,
    /// What this page shows, below the list: `1–50 of 248`.
    pub shown: String,
    /// The whole URL of the page before, if there is one.
    pub previous: Option<String>,
    /// The whole URL of the page after, if there is one.
    pub next: Option<String>,
}

/// The head of a column that sorts.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// What the column holds.
    pub label: String,
    /// The URL that sorts by it, the other way round where it sorts already.
    pub href: String,
    /// Whether it holds figures, which are set to the right.
    pub figures: bool,
    /// How the list is sorted by it now.
    pub sorted: Sorted,
}

/// How a column is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorted {
    /// The list is sorted by something else.
    #[default]
    No,
    /// Smallest first.
    Up,
    /// Largest first.
    Down,
}
