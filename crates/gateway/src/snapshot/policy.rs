//! One organization's policy as the gateway needs it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use gatewarden_access::{Caller, Facts, KeyFacts, RoleFacts};
use gatewarden_types::{
    Builtin, Gateway, GatewayState, Id, KeyOwner, Member, Model, ModelName, ModelState, Organization, Provider, Role,
    Seq, Timestamp,
};

use super::{Endpoint, Shards, Unreadable};

/// What one organization allows. Cloning it copies pointers; each part is copied only when it changes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    pub(super) id: Id<Organization>,
    pub(super) seq: Seq,
    pub(super) organization: Option<Arc<Organization>>,
    pub(super) roles: Arc<BTreeMap<Id<Role>, RoleFacts>>,
    pub(super) members: Shards<Member>,
    pub(super) providers: Arc<BTreeMap<Id<Provider>, Arc<Endpoint>>>,
    pub(super) models: Arc<Models>,
    pub(super) gateways: Arc<BTreeMap<Id<Gateway>, GatewayState>>,
    pub(super) quarantine: Option<Unreadable>,
    pub(super) age: Age,
}

/// Whether a policy is new enough to decide by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Age {
    #[default]
    Current,
    /// More of it is on its way, which may take something away.
    Coming,
    /// The control plane was not heard for longer than the organization allows.
    Stale,
}

/// The models of an organization, by id and by the name callers use.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Models {
    by_id: BTreeMap<Id<Model>, Arc<Model>>,
    by_name: HashMap<ModelName, Arc<Model>>,
}

impl Models {
    pub(super) fn put(&mut self, model: Model) {
        self.by_id.insert(model.id, Arc::new(model));
        self.name();
    }

    pub(super) fn remove(&mut self, id: Id<Model>) {
        self.by_id.remove(&id);
        self.name();
    }

    /// Names follow from the records alone, never from the order in which they came, so that a base and the entries
    /// behind it give the same answer.
    fn name(&mut self) {
        let approved = self.by_id.values().filter(|model| model.state == ModelState::Approved);
        self.by_name = approved.rev().map(|model| (model.name.clone(), Arc::clone(model))).collect();
    }
}

impl Policy {
    pub(super) fn new(id: Id<Organization>) -> Self {
        Self {
            id,
            seq: 0,
            organization: None,
            roles: Arc::default(),
            members: Shards::default(),
            providers: Arc::default(),
            models: Arc::default(),
            gateways: Arc::default(),
            quarantine: None,
            age: Age::Current,
        }
    }

    /// The position this is the state at.
    pub(crate) fn seq(&self) -> Seq {
        self.seq
    }

    /// Whether all of it is there.
    pub(super) fn is_whole(&self) -> bool {
        self.organization.is_some() && self.age != Age::Coming
    }

    /// Whether it is new enough to decide by.
    pub(crate) fn age(&self) -> Age {
        self.age
    }

    /// The organization itself.
    pub(crate) fn organization(&self) -> Option<&Arc<Organization>> {
        self.organization.as_ref()
    }

    /// How many gateways share its limits: those that were let in, and the one in the control plane's own process.
    pub(crate) fn sharing(&self) -> u32 {
        let serving = |state: &&GatewayState| matches!(state, GatewayState::Enrolled | GatewayState::Draining);
        1 + u32::try_from(self.gateways.values().filter(serving).count()).unwrap_or(u32::MAX - 1)
    }

    /// The approved model that callers name so.
    pub(crate) fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.by_name.get(name.trim())
    }

    /// The approved models, in the order of their names.
    pub(crate) fn approved(&self) -> Vec<&Arc<Model>> {
        let mut models: Vec<_> = self.models.by_name.values().collect();
        models.sort_by(|a, b| a.name.cmp(&b.name));
        models
    }

    pub(crate) fn endpoint(&self, provider: Id<Provider>) -> Option<&Arc<Endpoint>> {
        self.providers.get(&provider)
    }

    /// The member that a key belongs to, if it is a member's and they are still there.
    pub(crate) fn owner(&self, key: &KeyFacts) -> Option<&Member> {
        match key.owner {
            KeyOwner::Member(member) => self.members.get(member.uuid()),
            KeyOwner::Organization => None,
        }
    }

    /// What is known of whoever calls with `key`; none when the policy lacks what it takes to know.
    pub(crate) fn facts(
        &self,
        caller: Caller,
        key: &KeyFacts,
        owner: Option<&Member>,
        now: Timestamp,
    ) -> Option<Facts> {
        let organization = self.organization.as_deref()?;
        let owner_role = self.roles.values().find(|role| role.builtin == Some(Builtin::Owner))?;
        let owner = owner.and_then(|member| Some((member, self.roles.get(&member.role)?)));
        Some(Facts::key(caller, organization, key, owner, owner_role, now))
    }
}
