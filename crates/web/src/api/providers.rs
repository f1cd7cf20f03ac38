//! Providers.

use actix_web::web;
use gatewarden_control::providers::{self, AddProvider, SecretChange, Tested, UpdateProvider};
use gatewarden_credentials::Secret;
use gatewarden_types::{Dialect as DialectRecord, Provider as ProviderRecord, Seq};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Paged, cut, word};
use crate::http::{Answer, KeyHolder};

/// A provider: where approved models are called.
#[derive(Serialize, JsonSchema)]
pub struct Provider {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The API it speaks.
    pub dialect: Dialect,
    /// Where it is, up to and with the version: `https://api.openai.com/v1`.
    pub base_url: String,
    /// Whether a secret is stored. The secret itself is never shown.
    pub has_secret: bool,
    /// The version for `If-Match`.
    pub version: u64,
}

/// The API that a provider speaks.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The OpenAI API, and what is compatible with it.
    #[default]
    #[serde(rename = "openai")]
    OpenAi,
    /// The Anthropic API: its models are called at `/v1/messages`.
    Anthropic,
}

impl From<Dialect> for DialectRecord {
    fn from(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAi => Self::OpenAi,
            Dialect::Anthropic => Self::Anthropic,
        }
    }
}

impl From<DialectRecord> for Dialect {
    fn from(dialect: DialectRecord) -> Self {
        match dialect {
            DialectRecord::OpenAi => Self::OpenAi,
            DialectRecord::Anthropic => Self::Anthropic,
        }
    }
}

/// A page of providers.
#[derive(Serialize, JsonSchema)]
pub struct Providers {
    /// The providers, in the order they were added.
    pub data: Vec<Provider>,
    /// How many there are in all.
    pub total: usize,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

/// The provider that is to be added.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddBody {
    /// What people call it: 1 to 100 characters, and no other provider's name.
    pub name: String,
    /// The API it speaks, which stays as it is. Left out, it is the OpenAI API.
    #[serde(default)]
    pub dialect: Dialect,
    /// Where it is, up to and with the version: `https://api.openai.com/v1`.
    pub base_url: String,
    /// What opens it, sent as its API wants it: as a bearer token, or as `x-api-key`. It is sealed and never shown
    /// again. Left out, the provider is called without one.
    pub secret: Option<String>,
}

/// What is to be changed; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateBody {
    /// What people call it.
    pub name: Option<String>,
    /// Where it is. Another scheme, host or port takes the secret again.
    pub base_url: Option<String>,
    /// What opens it: a new secret in place of the stored one, or null to erase that.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    pub secret: SecretChange,
}

/// What a test of a provider found.
#[derive(Serialize, JsonSchema)]
pub struct Test {
    /// Whether it answered with its models.
    pub works: bool,
    /// What was found, as a sentence.
    pub found: String,
    /// What helps where it does not work, as a sentence; else null.
    pub helps: Option<String>,
    /// The provider's own names of its models.
    pub models: Vec<String>,
    /// From asking to the whole answer; null where it does not work.
    pub latency_ms: Option<u64>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Paged = sender.query()?;
    let (rows, _) = providers::list(&sender.site.app, &sender.caller, sender.organization).await?;
    let rows = rows.iter().map(|row| shown(&row.provider.record, row.provider.version)).collect();
    let (data, total, next) = cut(rows, |provider: &Provider| provider.id.clone(), &asked);
    sender.answer(200, None, &Providers { data, total, next })
}

/// One of them.
pub async fn read(sender: KeyHolder) -> Answer {
    let id = sender.id("provider")?;
    let (row, _) = providers::read(&sender.site.app, &sender.caller, sender.organization, id).await?;
    sender.answer(200, Some(row.version), &shown(&row.record, row.version))
}

/// Another one.
pub async fn add(sender: KeyHolder, body: web::Bytes) -> Answer {
    let (sent, once) = (sender.json::<AddBody>(&body)?, sender.repeat(&body)?);
    let (name, base_url) = (word("name", &sent.name)?, word("base_url", &sent.base_url)?);
    let secret = sent.secret.map(Secret::new);
    let command = AddProvider { name, dialect: sent.dialect.into(), base_url, secret, once };
    let made = providers::add(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(201, Some(made.version), &shown(&made.value, made.version))
}

/// Changes it.
pub async fn update(sender: KeyHolder, body: web::Bytes) -> Answer {
    let (provider, sent) = (sender.id("provider")?, sender.json::<UpdateBody>(&body)?);
    let name = sent.name.as_deref().map(|name| word("name", name)).transpose()?;
    let base_url = sent.base_url.as_deref().map(|url| word("base_url", url)).transpose()?;
    let command = UpdateProvider { provider, name, base_url, secret: sent.secret, seen: sender.seen()? };
    let changed = providers::update(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(200, Some(changed.version), &shown(&changed.value, changed.version))
}

/// Asks it for its models, with its secret.
pub async fn test(sender: KeyHolder) -> Answer {
    let id = sender.id("provider")?;
    let tested = providers::test(&sender.site.app, &sender.caller, sender.organization, id).await?;
    sender.answer(200, None, &found(tested))
}

/// Removes it with its models and its secret.
pub async fn remove(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("provider")?, sender.seen()?);
    providers::remove(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.done()
}

/// A secret that was sent, or null. One that was left out never comes here.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<SecretChange, D::Error> {
    let sent: Option<String> = Option::deserialize(field)?;
    Ok(sent.map_or(SecretChange::Erase, |text| SecretChange::Replace(Secret::new(text))))
}

fn found(tested: Tested) -> Test {
    let (found, helps) = (tested.text(), Some(tested.helps()).filter(|text| !text.is_empty()));
    match tested {
        Tested::Works { latency_micros, models } => {
            Test { works: true, found, helps, models, latency_ms: Some(latency_micros.div_ceil(1000)) }
        }
        _ => Test { works: false, found, helps, models: Vec::new(), latency_ms: None },
    }
}

fn shown(provider: &ProviderRecord, version: Seq) -> Provider {
    Provider {
        id: provider.id.to_string(),
        name: provider.name.to_string(),
        dialect: provider.dialect.into(),
        base_url: provider.base_url.to_string(),
        has_secret: provider.credential.is_some(),
        version,
    }
}
