//! What an organization is called, what its members see, and how much they may call.

use actix_web::web;
use gatewarden_access::ActionInfo;
use gatewarden_control::{
    Error, FieldError,
    organizations::{self, LimitChange, UpdateOrganization},
};
use gatewarden_types::{Organization, Reach};
use serde::Deserialize;

use super::organizations::{REQUESTS, TOKENS, field, per_minute, word};
use crate::{
    http::{Answer, Here, Seen, may, now_true},
    views::{Place, settings::Settings},
    wording::date,
};

/// The form.
pub async fn show(here: Here) -> Answer {
    let row = organizations::read(&here.site.app, &here.caller, here.organization).await?;
    let Organization { name, visibility, limits, .. } = row.record;
    let typed = SettingsForm {
        name: name.to_string(),
        usage: visibility.usage,
        requests_per_minute: limits.requests.map(|limit| limit.to_string()),
        tokens_per_minute: limits.tokens.map(|limit| limit.to_string()),
        version: Seen(Some(row.version)),
    };
    here.page(&view(&here, &typed, &[]).await?)
}

#[derive(Deserialize)]
struct SettingsForm {
    name: String,
    usage: Reach,
    /// A form from before there were limits has none of these, and leaves them.
    requests_per_minute: Option<String>,
    tokens_per_minute: Option<String>,
    version: Seen,
}

impl SettingsForm {
    fn command(&self) -> Result<UpdateOrganization, Error> {
        let mut wrong = Vec::new();
        let name = word(&mut wrong, "name", &self.name);
        let mut limit = |name, typed: &Option<String>| match typed {
            Some(typed) => per_minute(&mut wrong, name, typed).into(),
            None => LimitChange::Keep,
        };
        let requests = limit(REQUESTS, &self.requests_per_minute);
        let tokens = limit(TOKENS, &self.tokens_per_minute);
        let Seen(seen) = self.version;
        if wrong.is_empty() {
            Ok(UpdateOrganization { name, usage: Some(self.usage), requests, tokens, seen })
        } else {
            Err(Error::Invalid(wrong))
        }
    }
}

/// Saves it.
pub async fn save(here: Here, body: web::Bytes) -> Answer {
    let form: SettingsForm = here.form(&body)?;
    let saved = match form.command() {
        Ok(command) => organizations::update(&here.site.app, &here.caller, here.organization, command).await,
        Err(wrong) => Err(wrong),
    };
    match saved {
        Ok(_) => here.done(&here.href("/settings"), &now_true("The settings are saved.")),
        Err(Error::Invalid(wrong)) => {
            let page = view(&here, &form, &wrong).await?;
            here.page_with(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

async fn view(here: &Here, typed: &SettingsForm, wrong: &[FieldError]) -> Result<Settings, crate::http::Fault> {
    let frame = organizations::frame(&here.site.app, &here.caller, Some(here.organization)).await?;
    let update = ActionInfo::named("organization.update");
    Ok(Settings {
        shell: here.shell(Place::Settings).await?,
        name: field(wrong, "name", &typed.name),
        requests: field(wrong, REQUESTS, typed.requests_per_minute.as_deref().unwrap_or_default()),
        tokens: field(wrong, TOKENS, typed.tokens_per_minute.as_deref().unwrap_or_default()),
        everyone_sees_usage: typed.usage == Reach::All,
        version: typed.version.0.map(|seq| seq.to_string()).unwrap_or_default(),
        id: here.organization.to_string(),
        since: date(here.organization.made_at()),
        can_edit: frame.facts.as_ref().zip(update).is_some_and(|(facts, update)| may(facts, update)),
    })
}
