//! The trail.

use gatewarden_control::{
    Error,
    trail::{self, Entry as Stored, EntryFilter, Format, ReadEntry},
};
use gatewarden_types::{Account, Id, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{limit, word};
use crate::http::{Answer, Fault, KeyHolder, download, stream};

/// An entry: ids and facts alone.
#[derive(Serialize, JsonSchema)]
pub struct Entry {
    /// Its position, from 1, without gaps.
    pub seq: u64,
    /// When it was committed, as RFC 3339 has it.
    pub at: String,
    /// Who acted: `kind`, and `id` where it is an account.
    pub actor: Value,
    /// How they came: `kind`, and `id` where it is a session or a key.
    pub via: Value,
    /// The request it happened in.
    pub request: String,
    /// What was done, such as `member.change_role`.
    pub action: String,
    /// The id of what it was done to.
    pub target: String,
    /// What allowed it.
    pub grant: Value,
    /// The ids of the records that it changed.
    pub changed: Vec<String>,
}

/// A page of entries.
#[derive(Serialize, JsonSchema)]
pub struct Trail {
    /// The entries, newest first.
    pub data: Vec<Entry>,
    /// How many entries the whole trail has.
    pub size: u64,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<u64>,
}

/// An entry with what it changed.
#[derive(Serialize, JsonSchema)]
pub struct WholeEntry {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// What it changed, record by record.
    pub changes: Vec<Change>,
    /// The RFC 6962 hash that was kept for it, in hexadecimal digits; null where it is lost.
    pub leaf: Option<String>,
    /// The size of the first checkpoint that covers it; null before there is one.
    pub covered_by: Option<u64>,
}

/// One record before and after.
#[derive(Serialize, JsonSchema)]
pub struct Change {
    /// The record's id.
    pub record: String,
    /// The entry that changed it before; null where this one made it.
    pub previous: Option<u64>,
    /// The fields that differ: `field`, `was` and `is`, null where it is not there.
    pub fields: Vec<Value>,
}

#[derive(Deserialize)]
struct Asked {
    q: Option<String>,
    action: Option<String>,
    actor: Option<String>,
    after: Option<u64>,
    limit: Option<u64>,
}

/// A page of it, newest first.
pub async fn list(sender: KeyHolder) -> Answer {
    let asked: Asked = sender.query()?;
    let actor = asked.actor.as_deref().map(|actor| word::<Id<Account>>("actor", actor)).transpose()?;
    let most = limit(asked.limit);
    let filter = EntryFilter { action: asked.action, actor, before: asked.after, ..EntryFilter::default() };
    let search = asked.q.as_deref().filter(|text| !text.trim().is_empty());
    let found = trail::search(&sender.site.app, &sender.caller, sender.organization, search, &filter, most).await?;
    let data = found.entries.iter().map(shown).collect::<Result<_, _>>()?;
    sender.answer(200, None, &Trail { data, size: found.size, next: found.older })
}

/// One entry and what it changed.
pub async fn read(sender: KeyHolder) -> Answer {
    let seq = sender.part("seq").parse().map_err(|_| Fault::NotFound)?;
    let found = trail::read(&sender.site.app, &sender.caller, sender.organization, seq).await?;
    sender.answer(200, None, &whole(&found.ok_or(Fault::NotFound)?)?)
}

/// The proof that one entry is in the trail.
pub async fn proof(sender: KeyHolder) -> Answer {
    let seq = sender.part("seq").parse().map_err(|_| Fault::NotFound)?;
    let proof = trail::prove(&sender.site.app, &sender.caller, sender.organization, seq).await?;
    download(&format!("{}-{seq}.tlog-proof", sender.organization), proof.ok_or(Fault::NotFound)?.text())
}

#[derive(Deserialize)]
struct AskedExport {
    format: Option<String>,
}

/// Every entry, as a file that is written while it is read.
pub async fn export(sender: KeyHolder) -> Answer {
    let asked: AskedExport = sender.query()?;
    let format = Format::named(asked.format.as_deref().unwrap_or("jsonl"));
    let format = format.ok_or_else(|| Error::field("format", "There is no such format; choose jsonl, csv or ocsf."))?;
    let export = trail::export(&sender.site.app, &sender.caller, sender.organization).await?;
    Ok(stream(&format!("{}-trail.{}", sender.organization, format.ending()), format, export))
}

fn whole(found: &ReadEntry) -> Result<WholeEntry, Fault> {
    let field = |field: &trail::FieldChange| json!({ "field": field.field, "was": field.was, "is": field.is });
    let change = |change: &trail::ReadChange| Change {
        record: Target { kind: change.kind.prefix().into(), id: change.record }.text(),
        previous: change.previous,
        fields: change.fields.iter().map(field).collect(),
    };
    Ok(WholeEntry {
        entry: shown(&found.entry)?,
        changes: found.changes.iter().map(change).collect(),
        leaf: found.leaf.map(|leaf| leaf.to_string()),
        covered_by: found.covered_by,
    })
}

fn shown(entry: &Stored) -> Result<Entry, Fault> {
    let changed = |change: &trail::Change| Target { kind: change.kind.prefix().into(), id: change.id }.text();
    Ok(Entry {
        seq: entry.seq,
        at: entry.at.rfc3339(),
        actor: value(&entry.actor)?,
        via: value(&entry.via)?,
        request: entry.request.to_string(),
        action: entry.action.clone(),
        target: entry.target.text(),
        grant: value(&entry.grant)?,
        changed: entry.changes.iter().map(changed).collect(),
    })
}

fn value(part: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(part)
        .map_err(|_| Fault::Failed { message: "The entry could not be written out.", status: 500 })
}
