//! The key's own organization.

use actix_web::web;
use gatewarden_control::organizations::{self, LimitChange, UpdateOrganization};
use gatewarden_types::{Name, Reach, StaleAfter};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{invalid, per_minute, word};
use crate::http::{Answer, Fault, KeyHolder};

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
    /// How many calls are let through in a minute, with all keys together; null for as many as there are.
    pub requests_per_minute: Option<u64>,
    /// How many tokens are let through in a minute; null for as many as there are.
    pub tokens_per_minute: Option<u64>,
    /// How long a gateway answers calls without hearing from the control plane, in seconds; from then on it refuses them.
    pub gateway_stale_after_seconds: u64,
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
    /// How many calls are let through in a minute, with all keys together: 1 to 1,000,000,000, or null for no limit.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<u64>")]
    pub requests_per_minute: Sent,
    /// How many tokens are let through in a minute: 1 to 1,000,000,000, or null for no limit.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<u64>")]
    pub tokens_per_minute: Sent,
    /// How long a gateway answers calls without hearing from the control plane, in seconds: 60 to 2,592,000 (30 days).
    pub gateway_stale_after_seconds: Option<u64>,
}

/// A limit of an [`UpdateBody`].
#[derive(Debug, Clone, Copy, Default)]
pub enum Sent {
    /// It was left out.
    #[default]
    Nothing,
    /// It was sent; null is none.
    Number(Option<u64>),
}

impl Sent {
    fn change(self, field: &'static str) -> Result<LimitChange, Fault> {
        match self {
            Self::Nothing => Ok(LimitChange::Keep),
            Self::Number(number) => per_minute(field, number).map(LimitChange::from),
        }
    }
}

/// What was sent. What was left out never comes here.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Sent, D::Error> {
    Option::deserialize(field).map(Sent::Number)
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
    let requests = body.requests_per_minute.change("requests_per_minute")?;
    let tokens = body.tokens_per_minute.change("tokens_per_minute")?;
    let stale_after = body.gateway_stale_after_seconds.map(span).transpose()?;
    let command = UpdateOrganization { name, usage, requests, tokens, stale_after, seen: sender.seen()? };
    let changed = organizations::update(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(200, Some(changed.version), &shown(&changed.value, changed.version))
}

fn reach(word: &str) -> Result<Reach, Fault> {
    match word {
        "own" => Ok(Reach::Own),
        "all" => Ok(Reach::All),
        _ => Err(invalid("usage_visibility", "Use own or all.")),
    }
}

fn span(seconds: u64) -> Result<StaleAfter, Fault> {
    StaleAfter::try_from(seconds).map_err(|bad| invalid("gateway_stale_after_seconds", bad.to_string()))
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
        requests_per_minute: organization.limits.requests.map(u64::from),
        tokens_per_minute: organization.limits.tokens.map(u64::from),
        gateway_stale_after_seconds: organization.stale_after.into(),
        version,
    }
}
