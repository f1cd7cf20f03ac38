//! Approved models.

use actix_web::web;
use gatewarden_control::models::{self, ApproveModel};
use gatewarden_types::{Model as ModelRecord, Seq};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Paged, cut, word};
use crate::http::{Answer, KeyHolder};

/// An approved model: callers may name it.
#[derive(Serialize, JsonSchema)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// The name callers use.
    pub name: String,
    /// The id of the provider that runs it.
    pub provider: String,
    /// The provider's own name for it.
    pub upstream: String,
    /// The version for `If-Match`.
    pub version: u64,
}

/// A page of models.
#[derive(Serialize, JsonSchema)]
pub struct Models {
    /// The models, by name.
    pub data: Vec<Model>,
    /// How many there are in all.
    pub total: usize,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

/// The model that is to be approved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// The name callers are to use: 1 to 128 letters, digits and signs without spaces.
    pub name: String,
    /// The id of the provider that runs it.
    pub provider: String,
    /// The provider's own name for it. Left out, it is the same.
    pub upstream: Option<String>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Paged = sender.query()?;
    let (rows, _) = models::list(&sender.site.app, &sender.caller, sender.organization).await?;
    let rows = rows.iter().map(|row| shown(&row.model.record, row.model.version)).collect();
    let (data, total, next) = cut(rows, |model: &Model| model.name.clone(), &asked);
    sender.answer(200, None, &Models { data, total, next })
}

/// Another one.
pub async fn approve(sender: KeyHolder, body: web::Bytes) -> Answer {
    let (sent, once) = (sender.json::<ApproveBody>(&body)?, sender.repeat(&body)?);
    let (name, provider) = (word("name", &sent.name)?, word("provider", &sent.provider)?);
    let upstream = word("upstream", sent.upstream.as_deref().unwrap_or(&sent.name))?;
    let command = ApproveModel { name, provider, upstream, once };
    let made = models::approve(&sender.site.app, &sender.caller, sender.organization, command).await?;
    sender.answer(201, Some(made.version), &shown(&made.value, made.version))
}

/// Callers may not name it any more.
pub async fn withdraw(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("model")?, sender.seen()?);
    models::withdraw(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    sender.done()
}

fn shown(model: &ModelRecord, version: Seq) -> Model {
    Model {
        id: model.id.to_string(),
        name: model.name.to_string(),
        provider: model.provider.to_string(),
        upstream: model.upstream.to_string(),
        version,
    }
}
