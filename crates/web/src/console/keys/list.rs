//! The list of keys, newest first.

use actix_web::web;
use askama::Template;
use gatewarden_access::ActionInfo;
use gatewarden_control::keys::{self, KeyFilter, KeyStanding, KeysFrom, ListKeys, ListedKey, ListedKeys};
use gatewarden_credentials::ApiKey;
use gatewarden_types::{Id, Key, KeyOwner, Level, Levels, Limits, ModelSet, PerMinute, Timestamp};
use serde::Deserialize;

use crate::{
    http::{Answer, Fault, Here, may},
    views::{Choice, Paging, Place, keys as view},
    wording::{counted, relative, thousands},
};

/// How many rows a page shows.
const ROWS: usize = 50;

/// How many levels or models a row names.
const NAMED: usize = 3;

/// Where keys stand: the word in the address, what people read.
const STANDINGS: [(&str, &str, KeyStanding); 4] = [
    ("active", "Active", KeyStanding::Active),
    ("expired", "Expired", KeyStanding::Expired),
    ("revoked", "Revoked", KeyStanding::Revoked),
    ("owner_suspended", "Owner suspended", KeyStanding::OwnerSuspended),
];

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    state: String,
    /// The key after which (or before which) the page begins.
    after: Option<String>,
    before: Option<String>,
}

/// The list.
pub async fn list(here: Here, asked: web::Query<Asked>) -> Answer {
    let page = page(&here, &asked).await?;
    here.page_or_part(&page, || page.as_list().render())
}

/// The list with nothing but this key.
pub(super) async fn of_one(here: &Here, key: Id<Key>) -> Result<view::Keys, Fault> {
    page(here, &Asked { q: ApiKey::beginning(key), ..Asked::default() }).await
}

async fn page(here: &Here, asked: &Asked) -> Result<view::Keys, Fault> {
    let listed = keys::list(&here.site.app, &here.caller, here.organization, asked.command()?).await?;
    let now = here.site.app.clock.now();
    Ok(view::Keys {
        shell: here.shell(Place::Keys).await?,
        search: asked.q.clone(),
        state_filter: asked.states(),
        rows: listed.rows.iter().map(|row| drawn(row, &listed, now)).collect(),
        paging: asked.paging(here, &listed),
        can_create: ActionInfo::named("key.create").is_some_and(|info| may(&listed.facts, info)),
    })
}

impl Asked {
    fn command(&self) -> Result<ListKeys, Fault> {
        let standing = STANDINGS.into_iter().find(|(word, ..)| *word == self.state);
        let filter = KeyFilter {
            search: Some(self.q.clone()).filter(|text| !text.trim().is_empty()),
            owner: None,
            standing: standing.map(|(.., standing)| standing),
        };
        let edge = |at: &String| at.parse().map_err(|_| Fault::Malformed("The page's edge cannot be read.".to_owned()));
        let from = match (&self.after, &self.before) {
            (Some(after), _) => Some(KeysFrom::OlderThan(edge(after)?)),
            (None, Some(before)) => Some(KeysFrom::NewerThan(edge(before)?)),
            (None, None) => None,
        };
        Ok(ListKeys { filter, from, limit: ROWS })
    }

    fn states(&self) -> Vec<Choice> {
        let choice = |value: &str, label: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: value == self.state,
        };
        let named = STANDINGS.map(|(word, label, _)| choice(word, label));
        [choice("", "Any state")].into_iter().chain(named).collect()
    }

    fn paging(&self, here: &Here, listed: &ListedKeys) -> Paging {
        let total = listed.total as u64;
        let link = |name: &str, row: Option<&ListedKey>| row.map(|row| self.address(here, name, row.key.record.id));
        Paging {
            total: counted(total, "key", "keys"),
            shown: format!("{} of {}", thousands(listed.rows.len() as u64), thousands(total)),
            previous: if listed.earlier { link("before", listed.rows.first()) } else { None },
            next: if listed.more { link("after", listed.rows.last()) } else { None },
        }
    }

    /// The address of the page that begins (or ends) at a key.
    fn address(&self, here: &Here, edge: &str, key: Id<Key>) -> String {
        let key = key.to_string();
        let mut pairs: Vec<(&str, &str)> = vec![("q", &self.q), ("state", &self.state), (edge, &key)];
        pairs.retain(|(_, value)| !value.is_empty());
        here.href(&format!("/keys?{}", serde_urlencoded::to_string(pairs).unwrap_or_default()))
    }
}

fn drawn(row: &ListedKey, listed: &ListedKeys, now: Timestamp) -> view::KeyRow {
    let key = &row.key.record;
    view::KeyRow {
        id: key.id.to_string(),
        name: key.name.to_string(),
        starts: format!("{}…", ApiKey::beginning(key.id)),
        owner: owner(row),
        levels: levels(&key.levels) + &limits(key.limits),
        models: models(&key.models, listed),
        expires: key.expires.map_or_else(|| "never".to_owned(), |at| relative(at, now)),
        last_used: row.last_used.map(|at| relative(at, now)).unwrap_or_default(),
        state: match row.standing {
            KeyStanding::Active => view::KeyState::Active,
            KeyStanding::Expired => view::KeyState::Expired,
            KeyStanding::Revoked => view::KeyState::Revoked,
            KeyStanding::OwnerSuspended => view::KeyState::Asleep,
        },
        version: row.key.version.to_string(),
        can_rotate: row.may.rotate,
        can_revoke: row.may.revoke,
    }
}

fn owner(row: &ListedKey) -> String {
    match (row.key.record.owner, &row.owner) {
        (KeyOwner::Organization, _) => "the organization".to_owned(),
        (KeyOwner::Member(_), Some(person)) => person.name.to_string(),
        (KeyOwner::Member(_), None) => "a member".to_owned(),
    }
}

/// `model calls` for what keys usually may, else feature by feature: `completions write, usage read`
fn levels(levels: &Levels) -> String {
    if *levels == Key::all_levels() {
        return "everything".to_owned();
    }
    if *levels == Key::usual_levels() {
        return "model calls".to_owned();
    }
    let given = levels.iter().filter(|(_, level)| **level > Level::Disabled);
    some_of(given.map(|(feature, level)| format!("{} {}", feature.word(), level.word())).collect())
}

/// `; 60 calls and 90,000 tokens a minute`, where there are such limits.
fn limits(limits: Limits) -> String {
    let named = |limit: Option<PerMinute>, what: &str| Some(format!("{} {what}", thousands(limit?.into())));
    let all: Vec<String> = named(limits.requests, "calls").into_iter().chain(named(limits.tokens, "tokens")).collect();
    if all.is_empty() { String::new() } else { format!("; {} a minute", all.join(" and ")) }
}

fn models(models: &ModelSet, listed: &ListedKeys) -> String {
    match models {
        ModelSet::All => "all".to_owned(),
        ModelSet::Only(named) => {
            some_of(named.iter().filter_map(|id| listed.models.get(id)).map(ToString::to_string).collect())
        }
    }
}

/// The first few, and how many more there are.
fn some_of(all: Vec<String>) -> String {
    let more = all.len().saturating_sub(NAMED);
    let first = all.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    match (first.is_empty(), more) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => first,
        (false, more) => format!("{first} and {more} more"),
    }
}
