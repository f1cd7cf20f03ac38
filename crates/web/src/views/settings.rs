//! `/o/{slug}/settings`.

use askama::Template;

use super::{Choice, Field, Shell};

/// `/o/{slug}/settings`. Posts to itself: `name`, `usage` (`own` or `all`), `requests_per_minute`,
/// `tokens_per_minute`, `stale_after` (seconds), `version`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "settings/settings.html")]
pub struct Settings {
    /// The frame.
    pub shell: Shell,
    /// The organization's name.
    pub name: Field,
    /// How many calls a minute.
    pub requests: Field,
    /// How many tokens a minute.
    pub tokens: Field,
    /// How long a gateway may go on alone.
    pub stale_after: Vec<Choice>,
    /// What is wrong with that.
    pub stale_after_error: String,
    /// Whether members see everyone's usage.
    pub everyone_sees_usage: bool,
    /// The seq of the record's last entry, sent as `version`.
    pub version: String,
    /// The organization's id, for the API.
    pub id: String,
    /// Since when it exists, in words.
    pub since: String,
    /// May be changed by the viewer.
    pub can_edit: bool,
}
