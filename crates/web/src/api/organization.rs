//! The key's own organization.

use actix_web::web;
use gatewarden_control::organizations::{self, UpdateOrganization};
use gatewarden_types::{Name, Reach};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::word;
use crate::http::{Answer, KeyHolder};

/// An organization.
#[derive(Serialize, JsonSchema)]
pub struct Organization {
    /// Its id.
    pub id: String,
    /// Its word in addresses.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Whose usage members see: `own` or `all`.
    pub usage_visibility: String,
    /// The version for `If-Match`.
    pub version: u64,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateBody {
    /// What people call it.
    pub name: Option<String>,
    /// Whose usage members see: `own` or `all`.
    pub usage_visibility: Option<String>,
}

/// Reads it.
pub async fn read(sender: KeyHolder) -> Answer {
    let row = organizations::read(&sender.site.app, &sender.caller, sender.organization).await?;
    sender.answer(200, Some(row.version), &shown(&row.record, row.version))
}

/// Changes it.
pub async fn update(sender: KeyHolder, body: web::Bytes) -> Answer {
    let body: UpdateBody = sender.json(&body)?;
    let name = body.name.as_deref().map(|name| word::<Name>("name", name)).transpose()?;
    let usage = body.usage_visibility.as_deref().map(reach).transpose()?;
    let command = UpdateOrganization { name, usage, seen: sender.seen()? };
    let changed = organizations::update(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(200, Some(changed.version), &shown(&changed.value, changed.version))
}

fn reach(word: &str) -> Result<Reach, crate::http::Fault> {
    match word {
        "own" => Ok(Reach::Own),
        "all" => Ok(Reach::All),
        _ => Err(super::invalid("usage_visibility", "Use own or all.")),
    }
}

fn shown(organization: &gatewarden_types::Organization, version: u64) -> Organization {
    let usage_visibility = match organization.visibility.usage {
        Reach::Own => "own",
        Reach::All => "all",
    };
    Organization {
        id: organization.id.to_string(),
        slug: organization.slug.to_string(),
        name: organization.name.to_string(),
        usage_visibility: usage_visibility.to_owned(),
        version,
    }
}
