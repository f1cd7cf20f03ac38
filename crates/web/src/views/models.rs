//! `/o/{slug}/models`: which models may be called.

use askama::Template;

use super::{Choice, Field, Shell};

/// `/o/{slug}/models`. The form posts to `/o/{slug}/models`: `name`, `provider`, `upstream`. Withdrawing posts to `…/{id}/withdraw`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "models/models.html")]
pub struct Models {
    /// The frame.
    pub shell: Shell,
    /// All approved models.
    pub rows: Vec<ModelRow>,
    /// Whether this person may approve.
    pub can_approve: bool,
    /// Providers to approve from; with none the page says to add one first.
    pub providers: Vec<Choice>,
    /// What is wrong with the provider.
    pub provider_error: String,
    /// The name callers use.
    pub name: Field,
    /// The provider's own name for it; empty where it is the same.
    pub upstream: Field,
    /// The calls shown are the viewer's own alone.
    pub own_calls: bool,
}

/// An approved model as listed.
#[derive(Clone, Debug, Default)]
pub struct ModelRow {
    /// Its id.
    pub id: String,
    /// The name callers use.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's own name for it.
    pub upstream: String,
    /// Since when, in words.
    pub since: String,
    /// Calls in 30 days, as shown; empty where it may not be seen.
    pub calls: String,
    /// Keys that name it alone and can then call nothing.
    pub keys: u64,
    /// The seq of its last entry, sent as `version`.
    pub version: String,
    /// May be withdrawn by the viewer.
    pub can_withdraw: bool,
}
