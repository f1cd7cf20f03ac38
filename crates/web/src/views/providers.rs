//! Providers: where approved models come from.

use askama::Template;

use super::{Choice, Field, Place, Shell};

/// `/o/{slug}/providers`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "providers/providers.html")]
pub struct Providers {
    /// The frame.
    pub shell: Shell,
    /// All of them.
    pub rows: Vec<ProviderRow>,
    /// Whether this person may add one.
    pub can_add: bool,
}

/// A provider as listed.
#[derive(Clone, Debug, Default)]
pub struct ProviderRow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it speaks: `OpenAI-compatible`.
    pub kind: String,
    /// Base URL.
    pub base_url: String,
    /// How many approved models it has.
    pub models: u64,
    /// Whether a secret is stored.
    pub has_secret: bool,
    /// When it was last changed, in words.
    pub changed: String,
    /// May be tested by the viewer.
    pub can_test: bool,
}

/// `/o/{slug}/providers/new` and `/o/{slug}/providers/{id}`. Posts to `/o/{slug}/providers` or `/o/{slug}/providers/{id}`:
/// `name`, `kind`, `base_url`, `secret`, `erase`, `version`. Beside it `…/{id}/test` and `…/{id}/remove`.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "providers/edit.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is a control that is drawn or not")]
pub struct ProviderForm {
    /// The frame.
    pub shell: Shell,
    /// The id; none for a new one.
    pub id: Option<String>,
    /// The seq of its last entry, sent as `version`.
    pub version: String,
    /// Its name.
    pub name: Field,
    /// What it speaks; it stays as it was added.
    pub kinds: Vec<Choice>,
    /// Base URL.
    pub base_url: Field,
    /// Whether a secret is stored.
    pub has_secret: bool,
    /// What is wrong with the secret.
    pub secret_error: String,
    /// The stored secret is to be erased.
    pub erase: bool,
    /// Host, port or scheme changed: the secret has to be given again.
    pub secret_again: bool,
    /// Approved models that go with it when it is removed.
    pub models: Vec<String>,
    /// How many API keys name one of them.
    pub keys: usize,
    /// What the last test found.
    pub test: Option<TestResult>,
    /// May be changed by the viewer.
    pub can_edit: bool,
    /// May be tested by the viewer.
    pub can_test: bool,
    /// May be removed by the viewer.
    pub can_remove: bool,
}

impl ProviderForm {
    fn action(&self) -> String {
        let list = Place::Providers.href(self.shell.slug());
        self.id.as_ref().map_or_else(|| list.clone(), |id| format!("{list}/{id}"))
    }
}

/// What a test of a provider found. Alone it is the answer to Test under htmx.
#[derive(Template, Clone, Debug, Default)]
#[template(path = "providers/test.html")]
pub struct TestResult {
    /// The provider's name.
    pub provider: String,
    /// Whether it answered as it should.
    pub works: bool,
    /// What was found: `Answered in 212 ms with 14 models.`, or what failed.
    pub text: String,
    /// What helps; empty where it works.
    pub helps: String,
    /// Names of models found, a few, each with where it can be approved; an empty URL where it cannot.
    pub found: Vec<(String, String)>,
    /// How many more there are: `and 12 more`; empty where that is all.
    pub more: String,
}
