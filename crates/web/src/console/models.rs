//! Approved models: the list with the form that approves another, and withdrawing.

use std::collections::BTreeMap;

use actix_web::{http::StatusCode, web};
use gatewarden_access::{Action, Facts, actions as a};
use gatewarden_control::{
    Error, FieldError,
    models::{self, ApproveModel, ListedModel},
    providers,
    usage::{self, Range},
};
use gatewarden_types::{Id, Model, Reach, Timestamp};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Fault, Here, Seen, VersionForm, may, now_true},
    views::{Choice, Notice, Place, Tone, Undo, models as view},
    wording::{relative, thousands},
};

/// What the form sends, and what an address may fill it with.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    provider: String,
    /// The provider's own name; empty where it is the same.
    upstream: String,
}

/// The list.
pub async fn list(here: Here) -> Answer {
    let mut asked: Typed = here.query()?;
    if asked.name.is_empty() {
        asked.name.clone_from(&asked.upstream);
    }
    here.page(&page(&here, &asked, &[]).await?)
}

/// Approves another one.
pub async fn approve(here: Here, body: web::Bytes) -> Answer {
    let typed: Typed = here.form(&body)?;
    let approved = match typed.command() {
        Ok(command) => models::approve(&here.site.app, &here.caller, here.organization, command).await,
        Err(wrong) => Err(Error::Invalid(wrong)),
    };
    match approved {
        Ok(approved) => {
            let text = format!("{} is approved: it may be called within seconds.", approved.value.name);
            here.done(&here.href("/models"), &now_true(text))
        }
        Err(Error::Invalid(wrong)) => {
            here.page_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&here, &typed, &wrong).await?)
        }
        Err(other) => Err(other.into()),
    }
}

/// Callers may not name it any more; the toast offers to approve it again.
pub async fn withdraw(here: Here, body: web::Bytes) -> Answer {
    let Seen(seen) = here.form::<VersionForm>(&body)?.version;
    let model = here.id("model")?;
    match models::withdraw(&here.site.app, &here.caller, here.organization, model, seen).await {
        Ok(withdrawn) => here.done(&here.href("/models"), &gone(&here, &withdrawn.value)),
        Err(Error::Conflict { .. }) => {
            let mut page = page(&here, &Typed::default(), &[]).await?;
            let text = "Someone changed it in the meantime. The models are shown as they are now.".to_owned();
            page.shell.notice = Some(Notice { tone: Tone::Bad, text, undo: None });
            here.page_with(StatusCode::CONFLICT, &page)
        }
        Err(other) => Err(other.into()),
    }
}

impl Typed {
    fn command(&self) -> Result<ApproveModel, Vec<FieldError>> {
        let mut wrong = Vec::new();
        let name = word(&mut wrong, "name", &self.name);
        let provider = self.provider.parse().map_err(|_| {
            let message = "Choose one of the providers.".to_owned();
            wrong.push(FieldError { field: "provider", message });
        });
        let upstream =
            if self.upstream.trim().is_empty() { name.clone() } else { word(&mut wrong, "upstream", &self.upstream) };
        match (name, provider, upstream) {
            (Some(name), Ok(provider), Some(upstream)) => Ok(ApproveModel { name, provider, upstream, once: None }),
            _ => Err(wrong),
        }
    }
}

fn gone(here: &Here, model: &Model) -> Notice {
    let again = [
        ("name", model.name.to_string()),
        ("provider", model.provider.to_string()),
        ("upstream", model.upstream.to_string()),
    ];
    let undo = Undo {
        action: here.href("/models"),
        fields: again.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        target: String::new(),
    };
    let notice = now_true(format!("{} is withdrawn: calls to it are refused within seconds.", model.name));
    Notice { undo: Some(undo), ..notice }
}

async fn page(here: &Here, typed: &Typed, wrong: &[FieldError]) -> Result<view::Models, Fault> {
    let (found, facts) = models::list(&here.site.app, &here.caller, here.organization).await?;
    let calls = Calls::of(here, &facts).await?;
    let now = here.site.app.clock.now();
    let can_approve = may(&facts, a::ApproveModel::INFO);
    Ok(view::Models {
        shell: here.shell(Place::Models).await?,
        rows: found.iter().map(|row| drawn(row, &facts, &calls, now)).collect(),
        can_approve,
        providers: if can_approve { choices(here, &facts, &typed.provider).await? } else { Vec::new() },
        provider_error: field(wrong, "provider", "").error,
        name: field(wrong, "name", &typed.name),
        upstream: field(wrong, "upstream", &typed.upstream),
        own_calls: calls.whose == Some(Reach::Own),
    })
}

async fn choices(here: &Here, facts: &Facts, chosen: &str) -> Result<Vec<Choice>, Fault> {
    if !may(facts, a::ListProviders::INFO) {
        return Ok(Vec::new());
    }
    let (found, _) = providers::list(&here.site.app, &here.caller, here.organization).await?;
    let choice = |id: String, label: String| Choice { chosen: id == chosen, value: id, label };
    let rows = found.into_iter().map(|row| row.provider.record);
    Ok(rows.map(|provider| choice(provider.id.to_string(), provider.name.to_string())).collect())
}

/// The calls of the last 30 days, as far as the viewer sees them.
struct Calls {
    /// Whose are counted; none where the viewer sees no usage.
    whose: Option<Reach>,
    by_model: BTreeMap<Id<Model>, u64>,
}

impl Calls {
    async fn of(here: &Here, facts: &Facts) -> Result<Self, Fault> {
        if !may(facts, a::ReadUsage::INFO) {
            return Ok(Self { whose: None, by_model: BTreeMap::new() });
        }
        let (whose, found) = usage::by_models(&here.site.app, &here.caller, here.organization, Range::Month).await?;
        let counted = found.into_iter().filter_map(|usage| Some((usage.model?, usage.slice.calls)));
        Ok(Self { whose: Some(whose), by_model: counted.collect() })
    }

    fn shown(&self, model: Id<Model>) -> String {
        let calls = self.by_model.get(&model).copied().unwrap_or_default();
        self.whose.map(|_| thousands(calls)).unwrap_or_default()
    }
}

fn drawn(row: &ListedModel, facts: &Facts, calls: &Calls, now: Timestamp) -> view::ModelRow {
    let model = &row.model.record;
    view::ModelRow {
        id: model.id.to_string(),
        name: model.name.to_string(),
        provider: row.provider.to_string(),
        upstream: model.upstream.to_string(),
        since: relative(row.since, now),
        calls: calls.shown(model.id),
        keys: row.keys as u64,
        version: row.model.version.to_string(),
        can_withdraw: may(facts, a::WithdrawModel::INFO),
    }
}
