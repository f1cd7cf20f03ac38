use gatewarden_access::{Caller, Permit, actions};
use gatewarden_store::OrgRead;
use gatewarden_trail::{Change, Entry};
use gatewarden_types::{Digest, Id, Organization, RecordKind, Seq};
use serde_json::Value;
use uuid::Uuid;

use super::{
    FieldChange, Names,
    covering::covering,
    difference,
    names::{ids_in, mentioned},
};
use crate::{App, Error};

/// An entry with all that is known of it.
#[derive(Debug)]
pub struct ReadEntry {
    /// The entry.
    pub entry: Entry,
    /// What it changed, record by record.
    pub changes: Vec<ReadChange>,
    /// The hash that was kept for it; none when it is lost, which a verification would find.
    pub leaf: Option<Digest>,
    /// The size of the first checkpoint that covers it; none before there is one.
    pub covered_by: Option<u64>,
    /// What the things in it are called.
    pub names: Names,
}

/// What an entry changed of one record.
#[derive(Debug)]
pub struct ReadChange {
    /// What kind of record.
    pub kind: RecordKind,
    /// Which.
    pub record: Uuid,
    /// The entry that changed it before; none when this one made it.
    pub previous: Option<Seq>,
    /// What it was.
    pub before: Option<Value>,
    /// What it is; none when it was removed.
    pub after: Option<Value>,
    /// The fields that differ.
    pub fields: Vec<FieldChange>,
}

type Reading = Permit<actions::ReadTrail>;

/// One entry; none when there is none at this position.
///
/// # Errors
/// When the caller may not read the trail.
pub async fn read(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    seq: Seq,
) -> Result<Option<ReadEntry>, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ReadTrail>()?;
    let Some(found) = read.entry(&permit, seq).await? else { return Ok(None) };
    let mut changes = Vec::with_capacity(found.entry.changes.len());
    for change in &found.entry.changes {
        changes.push(read_change(&read, &permit, seq, change).await?);
    }
    let mut ids = mentioned(&found.entry);
    changes.iter().filter_map(|change| change.before.as_ref()).for_each(|before| ids_in(before, &mut ids));
    let names = Names::load(&read, Some(&ids)).await?;
    let covered_by = covering(app, read, &permit, organization, seq).await?.map(|(size, _)| size);
    Ok(Some(ReadEntry { entry: found.entry, changes, leaf: found.leaf, covered_by, names }))
}

async fn read_change(read: &OrgRead, permit: &Reading, seq: Seq, change: &Change) -> Result<ReadChange, Error> {
    let previous = read.previous(permit, change.id, seq).await?;
    // An entry may change a record twice; the last of it is what it left behind.
    let left = |entry: &Entry| entry.changes.iter().rev().find(|c| c.id == change.id).and_then(|c| c.after.clone());
    let before = previous.as_ref().and_then(left);
    Ok(ReadChange {
        kind: change.kind,
        record: change.id,
        previous: previous.map(|entry| entry.seq),
        fields: difference(before.as_ref(), change.after.as_ref()),
        before,
        after: change.after.clone(),
    })
}
