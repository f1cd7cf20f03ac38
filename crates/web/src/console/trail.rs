//! The trail: who did what to what, and what it was before.

use actix_web::web;
use askama::Template;
use gatewarden_access::ActionInfo;
use gatewarden_control::trail::{self, EntryFilter, FieldChange, History, Names, ReadChange, ReadEntry, TrailPage};
use gatewarden_types::{Account, Grant, Id, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    http::{Answer, Fault, Here, download},
    views::{Choice, Paging, Place, trail as view},
    wording::{counted, instant, relative, thousands},
};

/// How many entries a page shows.
const ROWS: usize = 50;

/// With more fields than this, one record of several is folded.
const MANY: usize = 8;

/// The spans to filter by: word, label, seconds.
const SPANS: [(&str, &str, i64); 3] =
    [("24h", "last 24 hours", 86_400), ("7d", "last 7 days", 604_800), ("30d", "last 30 days", 2_592_000)];

/// What the address asks for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    q: String,
    action: String,
    by: String,
    when: String,
    /// Entries older than this one.
    before: Option<u64>,
}

/// The list, newest first.
pub async fn list(here: Here, asked: web::Query<Asked>) -> Answer {
    let filter = asked.filter(here.site.app.clock.now())?;
    let search = Some(asked.q.trim()).filter(|text| !text.is_empty());
    let found = trail::search(&here.site.app, &here.caller, here.organization, search, &filter, ROWS).await?;
    let page = page(&here, &asked, &found).await?;
    here.page_or_part(&page, || page.as_list().render())
}

/// One entry, whole, or below its row.
pub async fn entry(here: Here) -> Answer {
    let seq = here.part("seq").parse().map_err(|_| Fault::NotFound)?;
    let found = trail::read(&here.site.app, &here.caller, here.organization, seq).await?;
    let page = one(&here, &found.ok_or(Fault::NotFound)?).await?;
    here.page_or_part(&page, || page.as_entry().render())
}

/// The proof of one entry, as a file.
pub async fn proof(here: Here) -> Answer {
    let seq = here.part("seq").parse().map_err(|_| Fault::NotFound)?;
    let proof = trail::prove(&here.site.app, &here.caller, here.organization, seq).await?;
    download(&format!("{}-{seq}.tlog-proof", here.slug), proof.ok_or(Fault::NotFound)?.text())
}

impl Asked {
    fn filter(&self, now: Timestamp) -> Result<EntryFilter, Fault> {
        let some = |word: &str| Some(word.to_owned()).filter(|word| !word.is_empty());
        let actor = some(&self.by).map(|by| by.parse::<Id<Account>>()).transpose();
        let span = SPANS.into_iter().find(|(word, ..)| *word == self.when);
        Ok(EntryFilter {
            action: some(&self.action),
            actor: actor.map_err(|_| Fault::Malformed("The person to filter by is no account.".to_owned()))?,
            since: span.map(|(_, _, seconds)| now.plus_seconds(-seconds)),
            before: self.before,
            ..EntryFilter::default()
        })
    }

    /// The address of the page after this one.
    fn older(&self, here: &Here, before: u64) -> String {
        let before = before.to_string();
        let mut pairs: Vec<(&str, &str)> =
            vec![("q", &self.q), ("action", &self.action), ("by", &self.by), ("when", &self.when), ("before", &before)];
        pairs.retain(|(_, value)| !value.is_empty());
        here.href(&format!("/trail?{}", serde_urlencoded::to_string(pairs).unwrap_or_default()))
    }
}

async fn page(here: &Here, asked: &Asked, found: &TrailPage) -> Result<view::Trail, Fault> {
    let now = here.site.app.clock.now();
    let choice = |value: String, label: String, chosen: &str| Choice { chosen: value == chosen, value, label };
    let mut action_filter = vec![choice(String::new(), "Any act".to_owned(), &asked.action)];
    let known = ActionInfo::ALL.iter().filter(|info| info.audit.keeps_attempts());
    action_filter.extend(known.map(|info| choice(info.name.to_owned(), info.did.to_owned(), &asked.action)));
    let mut actor_filter = vec![choice(String::new(), "Anyone".to_owned(), &asked.by)];
    let people = found.names.people();
    actor_filter.extend(people.map(|(account, name)| choice(account.to_string(), name.to_string(), &asked.by)));
    if !actor_filter.iter().any(|actor| actor.chosen) {
        actor_filter.push(choice(asked.by.clone(), "Someone not on this page".to_owned(), &asked.by));
    }
    let mut when_filter = vec![choice(String::new(), "Any time".to_owned(), &asked.when)];
    when_filter.extend(SPANS.map(|(word, label, _)| choice(word.to_owned(), label.to_owned(), &asked.when)));
    Ok(view::Trail {
        shell: here.shell(Place::Trail).await?,
        doubt: doubt(found.history),
        search: asked.q.clone(),
        action_filter,
        actor_filter,
        when_filter,
        rows: found.entries.iter().map(|entry| row(entry, &found.names, now)).collect(),
        paging: Paging {
            total: counted(found.size, "entry", "entries"),
            next: found.older.map(|before| asked.older(here, before)),
            ..Paging::default()
        },
    })
}

/// What is to be said of a trail that is not what was signed of it.
fn doubt(history: History) -> String {
    match history {
        History::One => String::new(),
        History::Second(how) => format!(
            "Was a backup restored? As it is now, {how}. Nothing of the organization can be changed until the operator has \
             ended the program and run `gatewarden trail restored`."
        ),
        History::Unknown => {
            "It could not be compared with what was signed of it. The program's log says why.".to_owned()
        }
    }
}

fn row(entry: &trail::Entry, names: &Names, now: Timestamp) -> view::EntryRow {
    let did = ActionInfo::named(&entry.action).map_or(entry.action.as_str(), |info| info.did);
    view::EntryRow {
        seq: entry.seq,
        number: thousands(entry.seq),
        who: names.actor(entry.actor),
        did: did.to_owned(),
        what: names.target(entry),
        through: names.via(entry.via),
        when: relative(entry.at, now),
        instant: instant(entry.at),
    }
}

async fn one(here: &Here, found: &ReadEntry) -> Result<view::Entry, Fault> {
    let now = here.site.app.clock.now();
    Ok(view::Entry {
        shell: here.shell(Place::Trail).await?,
        row: row(&found.entry, &found.names, now),
        records: found.changes.iter().map(|change| changed(change, found)).collect(),
        allowed_by: allowed_by(found.entry.grant, &found.names),
        request_id: found.entry.request.to_string(),
        leaf_hash: found.leaf.map(|leaf| leaf.to_string()).unwrap_or_default(),
        checkpoint: found.covered_by.map(|size| format!("checkpoint {}", thousands(size))).unwrap_or_default(),
    })
}

fn changed(change: &ReadChange, found: &ReadEntry) -> view::ChangedRecord {
    let kind = change.kind.word();
    let fields = counted(change.fields.len() as u64, "field", "fields");
    view::ChangedRecord {
        name: found.names.record(change.record).unwrap_or(kind).to_owned(),
        note: format!("{kind}, {fields}"),
        folded: found.changes.len() > 1 && change.fields.len() > MANY,
        previous: change.previous,
        changes: change.fields.iter().map(|field| drawn(field, &found.names)).collect(),
    }
}

fn drawn(field: &FieldChange, names: &Names) -> view::Change {
    let shown = |value: &Option<Value>| {
        // A record's own id would read as its name.
        let raw = |value: &Value| value.as_str().filter(|_| field.field == "id").map(str::to_owned);
        value.as_ref().map(|value| raw(value).unwrap_or_else(|| names.value(value)))
    };
    view::Change { field: field.field.clone(), was: shown(&field.was), is: shown(&field.is) }
}

/// What allowed it, as people read it.
fn allowed_by(grant: Grant, names: &Names) -> String {
    let role = |role: Id<gatewarden_types::Role>| names.record(role.uuid()).unwrap_or("A role that is gone").to_owned();
    match grant {
        Grant::Role { role: held, .. } => format!("{}, organization-wide", role(held)),
        Grant::Organization { role: held } => format!("The organization's own power: {}", role(held)),
        Grant::Invite { .. } => "An invite, within what its sender holds".to_owned(),
        Grant::Founding => "Founding the organization".to_owned(),
        Grant::Account => "One's own account".to_owned(),
        Grant::Anyone => "Anyone may try".to_owned(),
        Grant::System { .. } => "A part of Gatewarden, within its fixed grants".to_owned(),
    }
}
