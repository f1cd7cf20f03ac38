use std::collections::{BTreeMap, BTreeSet};

use gatewarden_access::{
    Permit, Reads,
    actions::{ListGateways, ListInvites, ListKeys, ListMembers, ListModels, ListProviders, ListRoles},
};
use gatewarden_store::{OrgRead, Table};
use gatewarden_trail::Entry;
use gatewarden_types::{
    Account, Actor, Gateway, Grant, Id, Invite, Job, Key, Kind, Member, Model, Name, Organization, Provider,
    RecordKind, Role, Versioned, Via,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, names::people};

/// How many ids a text finds at most, the oldest: one that fits more says too little to look for.
const MOST_FOUND: usize = 1000;

/// What the things in entries are called, as far as the reader may know: entries hold ids alone.
#[derive(Debug, Clone, Default)]
pub struct Names {
    accounts: BTreeMap<Id<Account>, Name>,
    records: BTreeMap<Uuid, String>,
}

impl Names {
    /// Who acted, for people.
    pub fn actor(&self, actor: Actor) -> String {
        match actor {
            Actor::Account(account) => {
                self.accounts.get(&account).map_or_else(|| "Someone".to_owned(), |name| name.as_str().to_owned())
            }
            Actor::Organization => "The organization".to_owned(),
            Actor::System(Job::Follower) => "Gatewarden (follower)".to_owned(),
            Actor::System(Job::Ingest) => "Gatewarden (ingest)".to_owned(),
            Actor::System(Job::Export) => "Gatewarden (export)".to_owned(),
            Actor::System(Job::AddGateway) => "Gatewarden (gateway enroll)".to_owned(),
            Actor::System(Job::Enroll) => "Gatewarden (enrolment)".to_owned(),
            Actor::System(Job::Restore) => "Gatewarden (restore)".to_owned(),
            Actor::System(Job::Verify) => "Gatewarden (verify)".to_owned(),
            Actor::Anyone => "Someone not signed in".to_owned(),
        }
    }

    /// How they came, for people.
    pub fn via(&self, via: Via) -> String {
        match via {
            Via::Session(_) => "console".to_owned(),
            Via::Key(key) => {
                self.record(key.uuid()).map_or_else(|| "API key".to_owned(), |name| format!("API key {name}"))
            }
            Via::CommandLine => "command line".to_owned(),
            Via::System => "system".to_owned(),
            Via::Nothing => "not signed in".to_owned(),
        }
    }

    /// What a record is called; none where it is gone or the reader may not know.
    pub fn record(&self, id: Uuid) -> Option<&str> {
        self.records.get(&id).map(String::as_str)
    }

    /// Everyone who is named here, by account, in the order of their names.
    pub fn people(&self) -> impl Iterator<Item = (Id<Account>, &Name)> {
        let mut people: Vec<_> = self.accounts.iter().map(|(account, name)| (*account, name)).collect();
        people.sort_by(|a, b| a.1.cmp(b.1));
        people.into_iter()
    }

    /// A field's value, for people: ids as names, lists with commas.
    pub fn value(&self, value: &Value) -> String {
        match value {
            Value::String(text) => {
                let named = id(text).and_then(|id| self.record(id).or_else(|| self.account(id)));
                named.unwrap_or(text).to_owned()
            }
            Value::Array(values) => values.iter().map(|value| self.value(value)).collect::<Vec<_>>().join(", "),
            other => other.to_string(),
        }
    }

    /// Whatever has this id, or is called so in part: the first [`MOST_FOUND`].
    pub(super) fn find(&self, text: &str) -> Vec<Uuid> {
        if let Some(id) = id(text.trim()) {
            return vec![id];
        }
        let part = text.trim().to_lowercase();
        let fits = |name: &str| name.to_lowercase().contains(&part);
        let accounts = self.accounts.iter().filter(|(_, name)| fits(name.as_str())).map(|(account, _)| account.uuid());
        let records = self.records.iter().filter(|(_, name)| fits(name)).map(|(record, _)| *record);
        accounts.chain(records).take(MOST_FOUND).collect()
    }

    fn account(&self, id: Uuid) -> Option<&str> {
        self.accounts.get(&Id::from_uuid(id)).map(Name::as_str)
    }

    /// What an act was done to, for people: a name, else its id. What was made is told rather than what it was made in.
    /// The name of an invite is where it went, which is forgotten once it was answered.
    pub fn target(&self, entry: &Entry) -> String {
        let made = entry.changes.first().filter(|_| entry.target.kind == Organization::PREFIX);
        let invite = made.map_or(entry.target.kind == Invite::PREFIX, |change| change.kind == RecordKind::Invite);
        let name = self.record(made.map_or(entry.target.id, |change| change.id));
        match name.or_else(|| self.record(entry.target.id).filter(|_| !invite)) {
            Some(name) => name.to_owned(),
            None if invite => "an invite".to_owned(),
            None => entry.target.text(),
        }
    }

    /// The names of everything that `read` shows its reader, or of what is among `only`.
    pub(super) async fn load(read: &OrgRead, only: Option<&BTreeSet<Uuid>>) -> Result<Self, Error> {
        let mut names = Self::default();
        if let Ok(permit) = read.permit::<ListMembers>() {
            names.add::<_, Organization>(read, &permit, only, |here| here.name.to_string()).await?;
            names.members(read, &permit, only).await?;
        }
        if let Ok(permit) = read.permit::<ListRoles>() {
            names.add::<_, Role>(read, &permit, only, |role| role.name.to_string()).await?;
        }
        if let Ok(permit) = read.permit::<ListProviders>() {
            names.add::<_, Provider>(read, &permit, only, |provider| provider.name.to_string()).await?;
        }
        if let Ok(permit) = read.permit::<ListModels>() {
            names.add::<_, Model>(read, &permit, only, |model| model.name.to_string()).await?;
        }
        if let Ok(permit) = read.permit::<ListKeys>() {
            names.add::<_, Key>(read, &permit, only, |key| key.name.to_string()).await?;
        }
        if let Ok(permit) = read.permit::<ListGateways>() {
            names.add::<_, Gateway>(read, &permit, only, |gateway| gateway.name.to_string()).await?;
        }
        if let Ok(permit) = read.permit::<ListInvites>() {
            let invites = rows::<_, Invite>(read, &permit, only).await?;
            let addresses = read.invite_addresses(&permit, invites.iter().map(|row| row.record.id)).await?;
            names.records.extend(addresses.into_iter().map(|(id, email)| (id.uuid(), email.to_string())));
        }
        Ok(names)
    }

    async fn add<A: Reads<R>, R: Table>(
        &mut self,
        read: &OrgRead,
        permit: &Permit<A>,
        only: Option<&BTreeSet<Uuid>>,
        name: impl Fn(&R) -> String,
    ) -> Result<(), Error> {
        let rows = rows::<A, R>(read, permit, only).await?;
        self.records.extend(rows.iter().map(|row| (row.record.id().uuid(), name(&row.record))));
        Ok(())
    }

    /// Members are known by their own ids and, who acts, by their accounts'.
    async fn members(
        &mut self,
        read: &OrgRead,
        permit: &Permit<ListMembers>,
        only: Option<&BTreeSet<Uuid>>,
    ) -> Result<(), Error> {
        let mut members = rows::<_, Member>(read, permit, only).await?;
        if let Some(ids) = only {
            members.extend(read.members_of(permit, ids).await?);
        }
        let people = people(read, members.iter().map(|row| row.record.id)).await?;
        for Versioned { record: member, .. } in members {
            if let Some(person) = people.get(&member.id) {
                self.accounts.insert(member.account, person.name.clone());
                self.records.insert(member.id.uuid(), person.name.to_string());
            }
        }
        Ok(())
    }
}

async fn rows<A: Reads<R>, R: Table>(
    read: &OrgRead,
    permit: &Permit<A>,
    only: Option<&BTreeSet<Uuid>>,
) -> Result<Vec<Versioned<R>>, Error> {
    Ok(match only {
        Some(ids) => read.among(permit, ids).await?,
        None => read.list(permit).await?,
    })
}

/// Every id that an entry holds: who acted and how, on what, what it changed, and what that refers to.
pub(super) fn mentioned(entry: &Entry) -> BTreeSet<Uuid> {
    let mut ids = BTreeSet::from([entry.target.id]);
    if let Actor::Account(account) = entry.actor {
        ids.insert(account.uuid());
    }
    if let Via::Key(key) = entry.via {
        ids.insert(key.uuid());
    }
    if let Grant::Role { role, .. } | Grant::Organization { role } = entry.grant {
        ids.insert(role.uuid());
    }
    for change in &entry.changes {
        ids.insert(change.id);
        change.after.iter().for_each(|after| ids_in(after, &mut ids));
    }
    ids
}

/// Adds every id in `value` to `ids`.
pub(super) fn ids_in(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) => ids.extend(id(text)),
        Value::Array(values) => values.iter().for_each(|value| ids_in(value, ids)),
        Value::Object(fields) => fields.values().for_each(|value| ids_in(value, ids)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The 128 bits of an id of any kind.
fn id(text: &str) -> Option<Uuid> {
    let (prefix, digits) = text.split_once('_')?;
    let plain = (1..=4).contains(&prefix.len()) && prefix.bytes().all(|b| b.is_ascii_lowercase());
    // Every kind writes its digits alike, so any marker serves to read them.
    let read = format!("{}_{digits}", Account::PREFIX).parse::<Id<Account>>().ok();
    read.filter(|_| plain).map(Id::uuid)
}
