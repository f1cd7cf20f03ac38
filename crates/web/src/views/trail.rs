//! The trail: everything that was changed.

use askama::Template;

use super::{Choice, Paging, Shell};

/// `/o/{slug}/trail?q=&action=&by=&when=`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "trail/trail.html", blocks = ["list"])]
pub struct Trail {
    /// The frame.
    pub shell: Shell,
    /// Why it may not be what was signed of it; empty where it is.
    pub doubt: String,
    /// What was searched for.
    pub search: String,
    /// Actions to filter by, `any` first.
    pub action_filter: Vec<Choice>,
    /// People and machines to filter by, `anyone` first.
    pub actor_filter: Vec<Choice>,
    /// Spans to filter by.
    pub when_filter: Vec<Choice>,
    /// The page's entries, newest first.
    pub rows: Vec<EntryRow>,
    /// Where the list stands.
    pub paging: Paging,
}

/// An entry as listed.
#[derive(Clone, Debug, Default)]
pub struct EntryRow {
    /// Its place in the trail.
    pub seq: u64,
    /// Its place as shown: `18,204`.
    pub number: String,
    /// Who acted, by name.
    pub who: String,
    /// What they did, in words: `changed a role`.
    pub did: String,
    /// What it was done to, by name.
    pub what: String,
    /// Through what: `console`, `API key`, `system`.
    pub through: String,
    /// When, in words: `2 min ago`.
    pub when: String,
    /// The exact instant: `2026-11-21 10:58:03 UTC`.
    pub instant: String,
}

/// `/o/{slug}/trail/{seq}`. The block `entry` is what htmx shows below its row.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "trail/entry.html", blocks = ["entry"])]
pub struct Entry {
    /// The frame.
    pub shell: Shell,
    /// The entry as listed.
    pub row: EntryRow,
    /// What changed, record by record.
    pub records: Vec<ChangedRecord>,
    /// The grant that allowed it: `Owner, organization-wide`.
    pub allowed_by: String,
    /// The request's id.
    pub request_id: String,
    /// The entry's leaf hash, in hex.
    pub leaf_hash: String,
    /// The checkpoint that covers it: `checkpoint 18,204`; empty before there is one.
    pub checkpoint: String,
}

/// What an entry changed of one record.
#[derive(Clone, Debug, Default)]
pub struct ChangedRecord {
    /// What it is called: `Chiara Moretti`.
    pub name: String,
    /// Its kind and how much of it changed: `role, 24 fields`.
    pub note: String,
    /// Shown when asked for only: one of several, and long.
    pub folded: bool,
    /// The entry before of the same record.
    pub previous: Option<u64>,
    /// Field by field.
    pub changes: Vec<Change>,
}

/// One field before and after.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The field's name: `role`.
    pub field: String,
    /// What it was; none where it was not there.
    pub was: Option<String>,
    /// What it is; none where it is gone.
    pub is: Option<String>,
}
