use std::collections::{BTreeMap, BTreeSet};

use gatewarden_access::{Caller, Facts, actions};
use gatewarden_credentials::ApiKey;
use gatewarden_store::{Giving, OrgRead, Person};
use gatewarden_types::{
    Id, Key, KeyOwner, KeyState, Member, Model, ModelName, Organization, Timestamp, Versioned, fold,
};

use super::owners::{MayOn, Owners};
use crate::{App, Error, names};

/// Which keys.
#[derive(Debug, Clone, Default)]
pub struct KeyFilter {
    /// Part of the key's or its owner's name, in any case, or how the key's text begins.
    pub search: Option<String>,
    /// Of this owner.
    pub owner: Option<KeyOwner>,
    /// Where they stand.
    pub standing: Option<KeyStanding>,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStanding {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its owner is suspended.
    OwnerSuspended,
}

/// Which page of the keys.
#[derive(Debug, Clone)]
pub struct ListKeys {
    /// Which keys.
    pub filter: KeyFilter,
    /// From where; none for the newest.
    pub from: Option<KeysFrom>,
    /// At most how many.
    pub limit: usize,
}

/// Where a page of keys begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysFrom {
    /// With the keys made next before this one.
    OlderThan(Id<Key>),
    /// With the keys made next after this one.
    NewerThan(Id<Key>),
}

/// A key as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The policy row.
    pub key: Versioned<Key>,
    /// Where it stands now.
    pub standing: KeyStanding,
    /// Who owns it; none for a key of the organization, and where the reader may not know.
    pub owner: Option<Person>,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// What the caller may do to it.
    pub may: MayOn,
}

/// A page of keys, newest first, with what it takes to draw it.
#[derive(Debug)]
pub struct ListedKeys {
    /// The rows.
    pub rows: Vec<ListedKey>,
    /// How many keys the filter matches in all.
    pub total: usize,
    /// Whether there are newer ones before these.
    pub earlier: bool,
    /// Whether there are older ones after these.
    pub more: bool,
    /// The names of every model there is or was.
    pub models: BTreeMap<Id<Model>, ModelName>,
    /// What the caller may do.
    pub facts: Facts,
}

/// One page of the keys that the caller may see.
///
/// # Errors
/// When the caller may not see keys.
pub async fn list(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    command: ListKeys,
) -> Result<ListedKeys, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListKeys>()?;
    let mut rows = listed(&read, read.list(&permit).await?).await?;
    rows.retain(|row| matches(row, &command.filter));
    rows.sort_by_key(|row| std::cmp::Reverse(row.key.record.id));
    let total = rows.len();
    let here = stretch(&rows, command.from, command.limit);
    let (earlier, more) = (here.start > 0, here.end < total);
    let mut rows: Vec<ListedKey> = rows.drain(here).collect();
    last_used(&read, &mut rows).await?;
    let models: Vec<Versioned<Model>> = read.list(&permit).await?;
    let models = models.into_iter().map(|row| (row.record.id, row.record.name)).collect();
    Ok(ListedKeys { rows, total, earlier, more, models, facts: read.facts().clone() })
}

/// Which of the rows, newest first, make the page.
fn stretch(rows: &[ListedKey], from: Option<KeysFrom>, limit: usize) -> std::ops::Range<usize> {
    match from {
        Some(KeysFrom::NewerThan(id)) => {
            let end = rows.partition_point(|row| row.key.record.id > id);
            end.saturating_sub(limit)..end
        }
        Some(KeysFrom::OlderThan(id)) => {
            let start = rows.partition_point(|row| row.key.record.id >= id);
            start..start.saturating_add(limit).min(rows.len())
        }
        None => 0..limit.min(rows.len()),
    }
}

/// One key, and what the caller may do.
///
/// # Errors
/// When there is none that the caller may see.
pub async fn read(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
    key: Id<Key>,
) -> Result<(ListedKey, Facts), Error> {
    let read = app.store.read(caller, organization).await?;
    let (_permit, row) = read.permit_on::<actions::ReadKey>(key, |_| Giving::Nothing).await?;
    let mut rows = listed(&read, vec![row]).await?;
    last_used(&read, &mut rows).await?;
    let row = rows.pop().ok_or_else(|| Error::Internal("a key was lost".to_owned()))?;
    Ok((row, read.facts().clone()))
}

async fn listed(read: &OrgRead, keys: Vec<Versioned<Key>>) -> Result<Vec<ListedKey>, Error> {
    let members: BTreeSet<Id<Member>> = keys.iter().filter_map(|row| member(&row.record)).collect();
    let owners = Owners::load(read).await?;
    let people = names::people(read, members).await?;
    let row = |key: Versioned<Key>| ListedKey {
        standing: standing(&key.record, &owners, read.now()),
        owner: member(&key.record).and_then(|owner| people.get(&owner).cloned()),
        last_used: None,
        may: owners.may_on(read.facts(), &key.record, read.now()),
        key,
    };
    Ok(keys.into_iter().map(row).collect())
}

fn member(key: &Key) -> Option<Id<Member>> {
    match key.owner {
        KeyOwner::Member(member) => Some(member),
        KeyOwner::Organization => None,
    }
}

fn standing(key: &Key, owners: &Owners, now: Timestamp) -> KeyStanding {
    if key.state == KeyState::Revoked {
        KeyStanding::Revoked
    } else if !key.works(now) {
        KeyStanding::Expired
    } else if member(key).is_some_and(|owner| owners.suspended(owner)) {
        KeyStanding::OwnerSuspended
    } else {
        KeyStanding::Active
    }
}

fn matches(row: &ListedKey, filter: &KeyFilter) -> bool {
    let key = &row.key.record;
    let named = |search: &str| {
        let owner = row.owner.as_ref().map(|person| fold(person.name.as_str())).unwrap_or_default();
        fold(key.name.as_str()).contains(search) || owner.contains(search)
    };
    let begins = |search: &str| {
        let (typed, beginning) = (search.trim().trim_end_matches('…'), ApiKey::beginning(key.id));
        // A whole key that is pasted names itself; no more of it is looked at.
        typed.starts_with("gwk_") && (beginning.starts_with(typed) || typed.starts_with(&beginning))
    };
    filter.search.as_deref().is_none_or(|search| named(&fold(search)) || begins(search))
        && filter.owner.is_none_or(|owner| owner == key.owner)
        && filter.standing.is_none_or(|standing| standing == row.standing)
}

async fn last_used(read: &OrgRead, rows: &mut [ListedKey]) -> Result<(), Error> {
    let permit = read.permit::<actions::ListKeys>()?;
    let seen = read.last_seen(&permit, rows.iter().map(|row| row.key.record.id)).await?;
    for row in rows {
        row.last_used = seen.get(&row.key.record.id).copied();
    }
    Ok(())
}
