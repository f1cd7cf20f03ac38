//! What an organization is called, what its members see, how much they may call, and how long its gateways go on alone.

use actix_web::web;
use gatewarden_access::ActionInfo;
use gatewarden_control::{
    Error, FieldError,
    organizations::{self, LimitChange, UpdateOrganization},
};
use gatewarden_types::{Organization, Reach, StaleAfter};
use serde::Deserialize;

use super::organizations::{REQUESTS, TOKENS, field, per_minute, word};
use crate::{
    http::{Answer, Here, Seen, may, now_true},
    views::{Choice, Place, settings::Settings},
    wording::{date, span},
};

/// The field for how long gateways go on alone.
const STALE_AFTER: &str = "stale_after";

/// The spans that are offered, in seconds: 5 minutes, an hour, 6 hours, 1, 3, 7 and 30 days.
const SPANS: [u32; 7] = [300, 3600, 21_600, 86_400, 259_200, 604_800, StaleAfter::MOST];

/// The form.
pub async fn show(here: Here) -> Answer {
    let row = organizations::read(&here.site.app, &here.caller, here.organization).await?;
    let Organization { name, visibility, limits, stale_after, .. } = row.record;
    let typed = SettingsForm {
        name: name.to_string(),
        usage: visibility.usage,
        requests_per_minute: limits.requests.map(|limit| limit.to_string()),
        tokens_per_minute: limits.tokens.map(|limit| limit.to_string()),
        stale_after: Some(stale_after.to_string()),
        version: Seen(Some(row.version)),
    };
    here.page(&view(&here, &typed, &[]).await?)
}

#[derive(Deserialize)]
struct SettingsForm {
    name: String,
    usage: Reach,
    /// A form that has none of these leaves them.
    requests_per_minute: Option<String>,
    tokens_per_minute: Option<String>,
    stale_after: Option<String>,
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
        let stale_after = self.stale_after.as_deref().and_then(|typed| word(&mut wrong, STALE_AFTER, typed));
        let Seen(seen) = self.version;
        if wrong.is_empty() {
            Ok(UpdateOrganization { name, usage: Some(self.usage), requests, tokens, stale_after, seen })
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
        stale_after: spans(typed.stale_after.as_deref().unwrap_or_default()),
        stale_after_error: field(wrong, STALE_AFTER, "").error,
        everyone_sees_usage: typed.usage == Reach::All,
        version: typed.version.0.map(|seq| seq.to_string()).unwrap_or_default(),
        id: here.organization.to_string(),
        since: date(here.organization.made_at()),
        can_edit: frame.facts.as_ref().zip(update).is_some_and(|(facts, update)| may(facts, update)),
    })
}

/// The spans to choose from, with the one that holds where it is none of the usual ones.
fn spans(now: &str) -> Vec<Choice> {
    let now = now.parse().map(StaleAfter::seconds).ok();
    let mut seconds: Vec<u32> = SPANS.into_iter().chain(now).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let choice =
        |seconds: u32| Choice { value: seconds.to_string(), label: span(seconds.into()), chosen: now == Some(seconds) };
    seconds.into_iter().map(choice).collect()
}
