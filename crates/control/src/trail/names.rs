use std::collections::BTreeMap;

use gatewarden_access::actions::{ListKeys, ListMembers, ListModels, ListProviders, ListRoles};
use gatewarden_store::OrgRead;
use gatewarden_types::{
    Account, Actor, Id, Job, Key, Kind, Member, Model, Name, Organization, Provider, Role, Target, Via,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{Error, names::people};

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

    /// Everyone who is known, by account, in the order of their names.
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

    /// Whatever has this id, or is called so in part.
    pub(super) fn find(&self, text: &str) -> Vec<Uuid> {
        if let Some(id) = id(text.trim()) {
            return vec![id];
        }
        let part = text.trim().to_lowercase();
        let fits = |name: &str| name.to_lowercase().contains(&part);
        let accounts = self.accounts.iter().filter(|(_, name)| fits(name.as_str())).map(|(account, _)| account.uuid());
        accounts.chain(self.records.iter().filter(|(_, name)| fits(name)).map(|(record, _)| *record)).collect()
    }

    fn account(&self, id: Uuid) -> Option<&str> {
        self.accounts.get(&Id::from_uuid(id)).map(Name::as_str)
    }

    /// What an act was done to, for people: a name, else its id.
    pub fn target(&self, target: &Target) -> String {
        self.record(target.id).map_or_else(|| target.text(), str::to_owned)
    }

    /// The names of everything that `read` shows its reader.
    pub(super) async fn load(read: &OrgRead, organization: Id<Organization>) -> Result<Self, Error> {
        let mut names = Self::default();
        if let Ok(permit) = read.permit::<ListMembers>() {
            let here = read.get::<_, Organization>(&permit, organization).await?;
            names.add(here.into_iter().map(|row| (row.record.id.uuid(), row.record.name.to_string())));
            let members: Vec<Member> = read.list(&permit).await?.into_iter().map(|row| row.record).collect();
            names.members(read, &members).await?;
        }
        if let Ok(permit) = read.permit::<ListRoles>() {
            let roles = read.list::<_, Role>(&permit).await?;
            names.add(roles.into_iter().map(|row| (row.record.id.uuid(), row.record.name.to_string())));
        }
        if let Ok(permit) = read.permit::<ListProviders>() {
            let providers = read.list::<_, Provider>(&permit).await?;
            names.add(providers.into_iter().map(|row| (row.record.id.uuid(), row.record.name.to_string())));
        }
        if let Ok(permit) = read.permit::<ListModels>() {
            let models = read.list::<_, Model>(&permit).await?;
            names.add(models.into_iter().map(|row| (row.record.id.uuid(), row.record.name.to_string())));
        }
        if let Ok(permit) = read.permit::<ListKeys>() {
            let keys = read.list::<_, Key>(&permit).await?;
            names.add(keys.into_iter().map(|row| (row.record.id.uuid(), row.record.name.to_string())));
        }
        Ok(names)
    }

    async fn members(&mut self, read: &OrgRead, members: &[Member]) -> Result<(), Error> {
        let people = people(read, members.iter().map(|member| member.id)).await?;
        for member in members {
            if let Some(person) = people.get(&member.id) {
                self.accounts.insert(member.account, person.name.clone());
                self.records.insert(member.id.uuid(), person.name.to_string());
            }
        }
        Ok(())
    }

    fn add(&mut self, names: impl Iterator<Item = (Uuid, String)>) {
        self.records.extend(names);
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
