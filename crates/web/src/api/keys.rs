//! API keys.

use std::collections::BTreeSet;

use actix_web::web;
use gatewarden_control::{
    Changed, Once,
    keys::{self, CreateKey, KeyFilter, KeyStanding, KeysFrom, ListKeys, ListedKey},
};
use gatewarden_types::{
    Feature, Key as KeyRecord, KeyOwner, KeyState, Level, Levels, Limits, ModelSet, Seq, Timestamp,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{instant, limit, per_minute, revocation, word};
use crate::http::{Answer, Fault, KeyHolder};

/// An API key. Its text is shown by the answer that makes it, and never again.
#[derive(Serialize, JsonSchema)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How its text begins: what stands before the secret part.
    pub begins: String,
    /// Whose power it borrows: the id of a member, or `organization`.
    pub owner: String,
    /// How much of that power it has, feature by feature; what is not named is disabled.
    #[schemars(schema_with = "levels")]
    pub levels: Levels,
    /// The ids of the approved models it may call; null for all of them, also those approved later.
    pub models: Option<Vec<String>>,
    /// How many calls are let through with it in a minute; null for as many as the organization lets through.
    pub requests_per_minute: Option<u64>,
    /// How many tokens are let through with it in a minute; null for as many as the organization lets through.
    pub tokens_per_minute: Option<u64>,
    /// When it was made.
    pub created: String,
    /// The instant from which it is refused; null for never.
    pub expires: Option<String>,
    /// When it was last used, to the minute; null for never.
    pub last_used: Option<String>,
    /// Where it stands.
    pub state: State,
    /// The version for `If-Match`.
    pub version: u64,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked, for good.
    Revoked,
    /// Its owner is suspended; it works again when they do.
    OwnerSuspended,
}

/// A page of keys.
#[derive(Serialize, JsonSchema)]
pub struct Keys {
    /// The keys, newest first.
    pub data: Vec<Key>,
    /// How many match in all.
    pub total: usize,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
pub struct NewKey {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// Its text, shown this once; null when the same request made the key before.
    pub secret: Option<String>,
    /// How to get another text where this one is lost.
    pub how_to_rotate: String,
}

/// The key that is to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBody {
    /// What people call it: 1 to 100 characters.
    pub name: String,
    /// Whose power it borrows: the id of a member, or `organization`. Left out, it is the owner of the key that asks.
    pub owner: Option<String>,
    /// How much of that power it has, feature by feature. Left out, it may call models and read prompts.
    #[schemars(schema_with = "levels_or_usual")]
    pub levels: Option<Levels>,
    /// The ids of the approved models it may call. Left out, all of them, also those approved later.
    pub models: Option<Vec<String>>,
    /// How many calls are let through with it in a minute: 1 to 1,000,000,000. Left out, there is no limit of its own.
    pub requests_per_minute: Option<u64>,
    /// How many tokens, read and written, in a minute: 1 to 1,000,000,000. Left out, there is no limit of its own.
    pub tokens_per_minute: Option<u64>,
    /// The instant from which it is refused, as RFC 3339; at most five years ahead. Left out, it does not expire.
    pub expires: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
    owner: Option<String>,
    state: Option<State>,
    after: Option<String>,
    limit: Option<u64>,
}

/// A page of them.
pub async fn list(sender: KeyHolder) -> Answer {
    let command = sender.query::<Asked>()?.command()?;
    let listed = keys::list(&sender.site.app, &sender.caller, sender.organization, command).await?;
    let next = listed.rows.last().filter(|_| listed.more).map(|row| row.key.record.id.to_string());
    let data = listed.rows.iter().map(shown).collect();
    sender.answer(200, None, &Keys { data, total: listed.total, next })
}

/// One of them.
pub async fn read(sender: KeyHolder) -> Answer {
    let id = sender.id("key")?;
    let (row, _) = keys::read(&sender.site.app, &sender.caller, sender.organization, id).await?;
    sender.answer(200, Some(row.key.version), &shown(&row))
}

/// Another one. The same request again answers the key it made, without its text.
pub async fn create(sender: KeyHolder, body: web::Bytes) -> Answer {
    let command = sender.json::<CreateBody>(&body)?.command(sender.repeat(&body)?)?;
    let made = keys::create(&sender.site.app, &sender.caller, sender.organization, command).await?;
    with_secret(&sender, 201, &made.key, made.secret.map(|text| text.expose().clone()))
}

/// A new text for it; the old one is refused from now on.
pub async fn rotate(sender: KeyHolder) -> Answer {
    let (id, seen) = (sender.id("key")?, sender.seen()?);
    let rotated = keys::rotate(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    with_secret(&sender, 200, &rotated.key, Some(rotated.secret.expose().clone()))
}

/// Refused from now on, for good; says on how many gateways.
pub async fn revoke(sender: KeyHolder) -> Answer {
    let (id, seen, asked) = (sender.id("key")?, sender.seen()?, sender.query::<revocation::Asked>()?);
    let revoked = keys::revoke(&sender.site.app, &sender.caller, sender.organization, id, seen).await?;
    revocation::answer(&sender, revoked.version, asked.wait).await
}

impl Asked {
    fn command(self) -> Result<ListKeys, Fault> {
        let filter = KeyFilter {
            search: self.q,
            owner: self.owner.as_deref().map(owner).transpose()?,
            standing: self.state.map(|state| match state {
                State::Active => KeyStanding::Active,
                State::Expired => KeyStanding::Expired,
                State::Revoked => KeyStanding::Revoked,
                State::OwnerSuspended => KeyStanding::OwnerSuspended,
            }),
        };
        let from = self.after.as_deref().map(|after| word("after", after)).transpose()?.map(KeysFrom::OlderThan);
        Ok(ListKeys { filter, from, limit: limit(self.limit) })
    }
}

impl CreateBody {
    fn command(self, once: Option<Once>) -> Result<CreateKey, Fault> {
        let only = |ids: Vec<String>| ids.iter().map(|id| word("models", id)).collect::<Result<BTreeSet<_>, _>>();
        Ok(CreateKey {
            name: word("name", &self.name)?,
            owner: self.owner.as_deref().map(owner).transpose()?,
            levels: self.levels.unwrap_or_else(KeyRecord::usual_levels),
            models: self.models.map(only).transpose()?.map_or(ModelSet::All, ModelSet::Only),
            limits: Limits {
                requests: per_minute("requests_per_minute", self.requests_per_minute)?,
                tokens: per_minute("tokens_per_minute", self.tokens_per_minute)?,
            },
            expires: self.expires.as_deref().map(|text| instant("expires", text)).transpose()?,
            once,
        })
    }
}

fn owner(text: &str) -> Result<KeyOwner, Fault> {
    if text == "organization" { Ok(KeyOwner::Organization) } else { word("owner", text).map(KeyOwner::Member) }
}

fn with_secret(sender: &KeyHolder, status: u16, made: &Changed<KeyRecord>, secret: Option<String>) -> Answer {
    // What a replay finds may have ended meanwhile.
    let state = match made.value.state {
        KeyState::Revoked => State::Revoked,
        KeyState::Active if made.value.works(sender.site.app.clock.now()) => State::Active,
        KeyState::Active => State::Expired,
    };
    let key = described(&made.value, made.version, state, None);
    let how_to_rotate = format!("POST /api/v1/keys/{}/rotate", key.id);
    sender.answer(status, Some(made.version), &NewKey { key, secret, how_to_rotate })
}

fn shown(row: &ListedKey) -> Key {
    let state = match row.standing {
        KeyStanding::Active => State::Active,
        KeyStanding::Expired => State::Expired,
        KeyStanding::Revoked => State::Revoked,
        KeyStanding::OwnerSuspended => State::OwnerSuspended,
    };
    described(&row.key.record, row.key.version, state, row.last_used.map(Timestamp::rfc3339))
}

fn described(key: &KeyRecord, version: Seq, state: State, last_used: Option<String>) -> Key {
    Key {
        id: key.id.to_string(),
        name: key.name.to_string(),
        begins: gatewarden_credentials::ApiKey::beginning(key.id),
        owner: match key.owner {
            KeyOwner::Organization => "organization".to_owned(),
            KeyOwner::Member(member) => member.to_string(),
        },
        levels: key.levels.clone(),
        models: match &key.models {
            ModelSet::All => None,
            ModelSet::Only(named) => Some(named.iter().map(ToString::to_string).collect()),
        },
        requests_per_minute: key.limits.requests.map(u64::from),
        tokens_per_minute: key.limits.tokens.map(u64::from),
        created: key.id.made_at().rfc3339(),
        expires: key.expires.map(Timestamp::rfc3339),
        last_used,
        state,
        version,
    }
}

/// Features with their levels, as they are in `gatewarden-types`.
fn levels(_schemas: &mut SchemaGenerator) -> Schema {
    let level = json!({ "type": "string", "enum": Level::ALL.map(Level::word) });
    let features: Map<String, Value> = Feature::ALL.iter().map(|f| (f.word().to_owned(), level.clone())).collect();
    json_schema!({ "type": "object", "properties": features, "additionalProperties": false })
}

fn levels_or_usual(schemas: &mut SchemaGenerator) -> Schema {
    let mut schema = levels(schemas);
    schema.insert("type".to_owned(), json!(["object", "null"]));
    schema
}
