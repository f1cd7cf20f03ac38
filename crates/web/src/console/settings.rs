//! What an organization is called and what its members see.

use actix_web::web;
use gatewarden_access::ActionInfo;
use gatewarden_control::{
    Error,
    organizations::{self, UpdateOrganization},
};
use gatewarden_types::{Reach, Seq};
use serde::Deserialize;

use super::organizations::{field, word};
use crate::{
    http::{Answer, Here, Seen, may, now_true},
    views::{Field, Place, settings::Settings},
    wording::date,
};

/// The form.
pub async fn show(here: Here) -> Answer {
    let row = organizations::read(&here.site.app, &here.caller, here.organization).await?;
    let name = Field::of(row.record.name.as_str());
    here.page(&view(&here, name, row.record.visibility.usage, Some(row.version)).await?)
}

#[derive(Deserialize)]
struct SettingsForm {
    name: String,
    usage: Reach,
    version: Seen,
}

/// Saves it.
pub async fn save(here: Here, body: web::Bytes) -> Answer {
    let form: SettingsForm = here.form(&body)?;
    let (usage, Seen(seen)) = (form.usage, form.version);
    let mut wrong = Vec::new();
    let saved = match word(&mut wrong, "name", &form.name) {
        Some(name) => {
            let command = UpdateOrganization { name: Some(name), usage: Some(usage), seen };
            organizations::update(&here.site.app, &here.caller, here.organization, command).await
        }
        None => Err(Error::Invalid(wrong)),
    };
    match saved {
        Ok(_) => here.done(&here.href("/settings"), &now_true("The settings are saved.")),
        Err(Error::Invalid(wrong)) => {
            let page = view(&here, field(&wrong, "name", &form.name), usage, seen).await?;
            here.page_with(actix_web::http::StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(other) => Err(other.into()),
    }
}

async fn view(here: &Here, name: Field, usage: Reach, version: Option<Seq>) -> Result<Settings, crate::http::Fault> {
    let frame = organizations::frame(&here.site.app, &here.caller, Some(here.organization)).await?;
    let update = ActionInfo::named("organization.update");
    Ok(Settings {
        shell: here.shell(Place::Settings).await?,
        name,
        everyone_sees_usage: usage == Reach::All,
        version: version.map(|seq| seq.to_string()).unwrap_or_default(),
        id: here.organization.to_string(),
        since: date(here.organization.made_at()),
        can_edit: frame.facts.as_ref().zip(update).is_some_and(|(facts, update)| may(facts, update)),
    })
}
