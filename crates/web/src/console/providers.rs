//! Providers: the list, one of them, and what is done to it.

use actix_web::{http::StatusCode, web};
use askama::Template;
use gatewarden_access::{Action, Facts, actions as a};
use gatewarden_control::{
    Error, FieldError,
    providers::{self, AddProvider, ListedProvider, SecretChange, Tested, UpdateProvider},
};
use gatewarden_credentials::Secret;
use gatewarden_types::{BaseUrl, Dialect, Id, Provider, Timestamp, Versioned};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, html, may, now_true},
    views::{Choice, Field, Notice, Place, Tone, providers as view},
    wording::relative,
};

/// How many of the models that a test found are named.
const NAMED: usize = 24;

/// The list.
pub async fn list(here: Here) -> Answer {
    let (found, facts) = providers::list(&here.site.app, &here.caller, here.organization).await?;
    let now = here.site.app.clock.now();
    let rows = found.iter().map(|row| drawn(row, &facts, now)).collect();
    let (shell, can_add) = (here.shell(Place::Providers).await?, may(&facts, a::AddProvider::INFO));
    here.page(&view::Providers { shell, rows, can_add })
}

/// The form for another one.
pub async fn new(here: Here) -> Answer {
    here.page(&blank(&here).await?)
}

/// What the form sends.
#[derive(Deserialize)]
struct Typed {
    name: String,
    #[serde(default)]
    kind: String,
    base_url: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    erase: String,
    #[serde(default)]
    version: Seen,
}

/// Adds it.
pub async fn add(here: Here, body: web::Bytes) -> Answer {
    let typed: Typed = here.form(&body)?;
    let added = match typed.adding() {
        Ok(command) => {
            let command = AddProvider { once: here.repeat(&body), ..command };
            providers::add(&here.site.app, &here.caller, here.organization, command).await
        }
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match added {
        Ok(added) => {
            let text = format!("{} is added. Test it, then approve its models.", added.value.name);
            here.done(&here.href(&format!("/providers/{}", added.value.id)), &now_true(text))
        }
        Err(Error::Invalid(wrong)) => {
            let page = view::ProviderForm { kinds: kinds(typed.dialect()), ..blank(&here).await? };
            here.page_with(StatusCode::UNPROCESSABLE_ENTITY, &typed.kept(page, &wrong))
        }
        Err(other) => Err(other.into()),
    }
}

/// One of them.
pub async fn show(here: Here) -> Answer {
    let (row, facts) = read(&here).await?;
    here.page(&stored(&here, &row, &facts).await?)
}

/// Changes it.
pub async fn update(here: Here, body: web::Bytes) -> Answer {
    let typed: Typed = here.form(&body)?;
    let provider = here.id("provider")?;
    let changed = match typed.updating(provider) {
        Ok(command) => providers::update(&here.site.app, &here.caller, here.organization, command).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match changed {
        Ok(changed) => {
            let text = format!("{} is saved.", changed.value.name);
            here.done(&here.href(&format!("/providers/{provider}")), &now_true(text))
        }
        Err(Error::Invalid(wrong)) => as_it_was_typed(&here, &typed, &wrong).await,
        Err(Error::Conflict { .. }) => as_it_is_now(&here, Some(&typed)).await,
        Err(other) => Err(other.into()),
    }
}

#[derive(Deserialize)]
struct TestForm {}

/// Asks it for its models: the finding alone, or on its page for a browser without scripts.
pub async fn test(here: Here, body: web::Bytes) -> Answer {
    let TestForm {} = here.form(&body)?;
    let provider = here.id("provider")?;
    let tested = providers::test(&here.site.app, &here.caller, here.organization, provider).await?;
    let (row, facts) = read(&here).await?;
    let found = finding(&here, &row.record, &facts, tested);
    if here.wants_part() {
        return html(StatusCode::OK, found.render());
    }
    here.page(&view::ProviderForm { test: Some(found), ..stored(&here, &row, &facts).await? })
}

/// Removes it with its models and its secret.
pub async fn remove(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let provider = here.id("provider")?;
    match providers::remove(&here.site.app, &here.caller, here.organization, provider, seen).await {
        Ok(()) => {
            here.done(&here.href("/providers"), &now_true("The provider is removed, with its models and its secret."))
        }
        Err(Error::Conflict { .. }) => as_it_is_now(&here, None).await,
        Err(other) => Err(other.into()),
    }
}

impl Typed {
    fn adding(&self) -> Result<AddProvider, Vec<FieldError>> {
        let (name, base_url) = self.words()?;
        let secret = (!self.secret.is_empty()).then(|| Secret::new(self.secret.clone()));
        Ok(AddProvider { name, dialect: self.dialect(), base_url, secret, once: None })
    }

    /// The kind that was chosen: the first where none was, as in the form.
    fn dialect(&self) -> Dialect {
        let chosen = Dialect::ALL.into_iter().find(|dialect| dialect.word() == self.kind);
        chosen.unwrap_or(Dialect::OpenAi)
    }

    fn updating(&self, provider: Id<Provider>) -> Result<UpdateProvider, Vec<FieldError>> {
        let (name, base_url) = self.words()?;
        let secret = match (self.secret.is_empty(), self.erase.is_empty()) {
            (true, true) => SecretChange::Keep,
            (true, false) => SecretChange::Erase,
            (false, true) => SecretChange::Replace(Secret::new(self.secret.clone())),
            (false, false) => {
                let message = "Give a new secret or have the stored one erased, not both.".to_owned();
                return Err(vec![FieldError { field: "secret", message }]);
            }
        };
        Ok(UpdateProvider { provider, name: Some(name), base_url: Some(base_url), secret, seen: self.version.0 })
    }

    fn words(&self) -> Result<(gatewarden_types::Name, BaseUrl), Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = word(&mut wrong, "name", &self.name);
        let base_url = word(&mut wrong, "base_url", &self.base_url);
        name.zip(base_url).ok_or(wrong)
    }

    /// Whether the stored secret would be sent to another server than it was given for.
    fn leads_elsewhere(&self, stored: &Provider) -> bool {
        let typed = self.base_url.parse::<BaseUrl>();
        stored.credential.is_some() && typed.is_ok_and(|typed| typed.origin() != stored.base_url.origin())
    }

    /// The page with what was typed and what is wrong with it. A secret is never sent back, so it is asked for again.
    fn kept(&self, page: view::ProviderForm, wrong: &[FieldError]) -> view::ProviderForm {
        let secret_error = match field(wrong, "secret", "").error {
            none if none.is_empty() && !self.secret.is_empty() => "Give the secret again: it was not kept.".to_owned(),
            said => said,
        };
        view::ProviderForm {
            name: field(wrong, "name", &self.name),
            base_url: field(wrong, "base_url", &self.base_url),
            secret_error,
            erase: !self.erase.is_empty(),
            ..page
        }
    }

    /// The page as it is stored, where each field that was typed otherwise says so.
    fn compared(&self, page: view::ProviderForm) -> view::ProviderForm {
        let beside = |stored: Field, typed: &str| match typed.trim().trim_end_matches('/') {
            same if same == stored.value => stored,
            other => {
                let said = format!("You typed “{other}”. This is how it is now.");
                stored.wrong(said)
            }
        };
        let secret_error = if self.secret.is_empty() { "" } else { "Give the secret again: it was not kept." };
        view::ProviderForm {
            name: beside(page.name, &self.name),
            base_url: beside(page.base_url, &self.base_url),
            secret_error: secret_error.to_owned(),
            ..page
        }
    }
}

async fn read(here: &Here) -> Result<(Versioned<Provider>, Facts), Fault> {
    Ok(providers::read(&here.site.app, &here.caller, here.organization, here.id("provider")?).await?)
}

/// The form before anything is typed.
async fn blank(here: &Here) -> Result<view::ProviderForm, Fault> {
    let (_, facts) = providers::list(&here.site.app, &here.caller, here.organization).await?;
    let (shell, can_edit) = (here.shell(Place::Providers).await?, may(&facts, a::AddProvider::INFO));
    let kinds = kinds(Dialect::OpenAi);
    Ok(view::ProviderForm { shell, kinds, can_edit, ..view::ProviderForm::default() })
}

/// The form with what is stored.
async fn stored(here: &Here, row: &Versioned<Provider>, facts: &Facts) -> Result<view::ProviderForm, Fault> {
    let provider = &row.record;
    let can_remove = may(facts, a::RemoveProvider::INFO);
    let (models, keys) = if can_remove {
        let goes = providers::removal_effect(&here.site.app, &here.caller, here.organization, provider.id).await?;
        (goes.models.iter().map(|model| model.name.to_string()).collect(), goes.keys)
    } else {
        (Vec::new(), 0)
    };
    Ok(view::ProviderForm {
        shell: here.shell(Place::Providers).await?,
        id: Some(provider.id.to_string()),
        version: row.version.to_string(),
        name: Field::of(provider.name.as_str()),
        kinds: kinds(provider.dialect),
        base_url: Field::of(provider.base_url.as_str()),
        has_secret: provider.credential.is_some(),
        models,
        keys,
        can_edit: may(facts, a::UpdateProvider::INFO),
        can_test: may(facts, a::TestProvider::INFO),
        can_remove,
        ..view::ProviderForm::default()
    })
}

/// What was typed, and what is wrong with it.
async fn as_it_was_typed(here: &Here, typed: &Typed, wrong: &[FieldError]) -> Answer {
    let (row, facts) = read(here).await?;
    let page = view::ProviderForm {
        secret_again: typed.leads_elsewhere(&row.record),
        version: typed.version.0.map(|seq| seq.to_string()).unwrap_or_default(),
        ..stored(here, &row, &facts).await?
    };
    here.page_with(StatusCode::UNPROCESSABLE_ENTITY, &typed.kept(page, wrong))
}

/// Someone was faster: what is stored now, beside what was typed.
async fn as_it_is_now(here: &Here, typed: Option<&Typed>) -> Answer {
    let (row, facts) = read(here).await?;
    let mut page = stored(here, &row, &facts).await?;
    if let Some(typed) = typed {
        page = typed.compared(page);
    }
    let text = "Someone changed it in the meantime. It is shown as it is now: look, and decide again.".to_owned();
    page.shell.notice = Some(Notice { tone: Tone::Bad, text, undo: None });
    here.page_with(StatusCode::CONFLICT, &page)
}

/// What people call a kind of provider: many speak OpenAI's API, and one its own.
fn kind(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenAi => "OpenAI-compatible",
        Dialect::Anthropic => "Anthropic",
    }
}

fn kinds(chosen: Dialect) -> Vec<Choice> {
    let choice = |dialect: Dialect| Choice {
        value: dialect.word().to_owned(),
        label: kind(dialect).to_owned(),
        chosen: dialect == chosen,
    };
    Dialect::ALL.map(choice).into()
}

fn drawn(row: &ListedProvider, facts: &Facts, now: Timestamp) -> view::ProviderRow {
    let provider = &row.provider.record;
    view::ProviderRow {
        id: provider.id.to_string(),
        name: provider.name.to_string(),
        kind: kind(provider.dialect).to_owned(),
        base_url: provider.base_url.to_string(),
        models: row.models as u64,
        has_secret: provider.credential.is_some(),
        changed: relative(row.changed, now),
        can_test: may(facts, a::TestProvider::INFO),
    }
}

/// What a test found; each model leads to the form that approves it.
fn finding(here: &Here, provider: &Provider, facts: &Facts, tested: Tested) -> view::TestResult {
    let (text, helps) = (tested.text(), tested.helps());
    let (works, models) = match tested {
        Tested::Works { models, .. } => (true, models),
        _ => (false, Vec::new()),
    };
    let can_approve = may(facts, a::ApproveModel::INFO);
    let approval = |name: &String| {
        let query = [("provider", provider.id.to_string()), ("upstream", name.clone())];
        let query = serde_urlencoded::to_string(query).unwrap_or_default();
        if can_approve { here.href(&format!("/models?{query}")) } else { String::new() }
    };
    let more = match models.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("and {more} more"),
    };
    let found = models.into_iter().take(NAMED).map(|name| (name.clone(), approval(&name))).collect();
    view::TestResult { provider: provider.name.to_string(), works, text, helps, found, more }
}
