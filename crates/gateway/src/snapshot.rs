//! The policy of every organization, immutable: what one request decides on, from its first step to its last.

mod endpoint;
mod held_key;
mod policy;
mod shards;

use std::{collections::BTreeSet, sync::Arc};

use gatewarden_access::RoleFacts;
use gatewarden_trail::{Change, Entry};
use gatewarden_types::{AnyRecord, Gateway, GatewayState, Id, Key, Organization, Provider, RecordKind, Seq};

pub(crate) use endpoint::Endpoint;
pub use endpoint::{SealingKeys, Vault};
pub(crate) use held_key::HeldKey;
pub(crate) use policy::{Age, Policy};
pub(crate) use shards::Shards;

/// The policy of all organizations at one moment. Cloning it copies two pointers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    organizations: Shards<Arc<Policy>>,
    keys: Shards<Arc<HeldKey>>,
}

/// Why something from the feed was not taken in. The organization keeps the policy it had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are not an entry of a version that this release reads.
    #[error("an entry cannot be read: {0}")]
    Entry(String),
    /// An entry before this one is missing.
    #[error("entry {found} came where {expected} was due")]
    Gap {
        /// The position that was due.
        expected: Seq,
        /// The position that came.
        found: Seq,
    },
    /// The entry is another organization's, or the instance's own.
    #[error("an entry of another trail came")]
    OtherTrail,
    /// An after-image is not a whole record of its kind, or not of the id it says.
    #[error("entry {seq} has an after-image that cannot be read: {problem}")]
    Image {
        /// The entry's position.
        seq: Seq,
        /// What is wrong with it.
        problem: String,
    },
    /// A record belongs to another organization already.
    #[error("the key {0} is another organization's")]
    ForeignKey(Id<Key>),
    /// A provider's address cannot be called.
    #[error("the provider {0} has an address that cannot be called")]
    BaseUrl(Id<Provider>),
    /// The control plane cannot read the organization's records, or what it said of them is not taken.
    #[error("nothing newer can be had: {0}")]
    Unavailable(String),
    /// There is no record of the organization itself.
    #[error("the organization's own record is missing")]
    Incomplete,
}

impl Snapshot {
    /// How many organizations it holds.
    pub fn organizations(&self) -> usize {
        self.organizations.len()
    }

    /// How many keys it holds.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// The position of an organization's policy; none while nothing could be read of it, or not all that is to come.
    pub fn position(&self, organization: Id<Organization>) -> Option<Seq> {
        self.policy(organization).filter(|policy| policy.is_whole()).map(|policy| policy.seq)
    }

    /// Which of an organization's trails that is a position of.
    pub fn epoch(&self, organization: Id<Organization>) -> Option<u32> {
        self.policy(organization)?.organization.as_ref().map(|record| record.epoch)
    }

    /// The organizations that keep an older policy because the feed could not be read, each with its position.
    pub fn quarantined(&self) -> impl Iterator<Item = (Id<Organization>, Seq, &Unreadable)> {
        let policies = self.organizations.values();
        policies.filter_map(|policy| Some((policy.id, policy.seq, policy.quarantine.as_ref()?)))
    }

    /// What could not be read of an organization, so that it keeps an older policy.
    pub fn problem(&self, organization: Id<Organization>) -> Option<&Unreadable> {
        self.policy(organization)?.quarantine.as_ref()
    }

    pub(crate) fn policy(&self, organization: Id<Organization>) -> Option<&Arc<Policy>> {
        self.organizations.get(organization.uuid())
    }

    pub(crate) fn key(&self, id: Id<Key>) -> Option<&Arc<HeldKey>> {
        self.keys.get(id.uuid())
    }

    /// This with the next entry of an organization's trail. An entry that is in it already changes nothing.
    ///
    /// # Errors
    /// When the entry is not the next one or cannot be read; nothing of it is taken in then.
    pub fn apply(&self, entry: &Entry, vault: &Vault) -> Result<Self, Unreadable> {
        let organization = entry.organization.ok_or(Unreadable::OtherTrail)?;
        let mut policy = self.policy_or_new(organization);
        if let Some(problem) = policy.quarantine {
            return Err(problem);
        }
        if entry.seq <= policy.seq {
            return Ok(self.clone());
        }
        if entry.seq != policy.seq + 1 {
            return Err(Unreadable::Gap { expected: policy.seq + 1, found: entry.seq });
        }
        let mut next = self.clone();
        for change in &entry.changes {
            next.change(&mut policy, entry.seq, change, vault)?;
        }
        policy.seq = entry.seq;
        next.settle(policy)
    }

    /// This with an organization's policy replaced by its folded state at `seq`.
    ///
    /// # Errors
    /// When the records do not make a policy; nothing of them is taken in then.
    pub fn rebase(
        &self,
        organization: Id<Organization>,
        seq: Seq,
        records: Vec<AnyRecord>,
        vault: &Vault,
    ) -> Result<Self, Unreadable> {
        let mut next = self.without(organization);
        let mut policy = Policy { seq, ..Policy::new(organization) };
        let (mut keys, mut lists) = (Vec::new(), BTreeSet::new());
        for record in records {
            match record {
                AnyRecord::Key(key) => {
                    let mut held = next.held(organization, &key)?;
                    held.facts.limits.share(&mut lists);
                    keys.push((key.id.uuid(), Arc::new(held)));
                }
                other => next.put(&mut policy, other, vault)?,
            }
        }
        next.keys.extend(keys);
        next.settle(policy)
    }

    /// This without an organization.
    #[must_use]
    pub fn without(&self, organization: Id<Organization>) -> Self {
        let mut next = self.clone();
        if next.policy(organization).is_some() {
            next.organizations.remove(organization.uuid());
            next.keys.retain(|held| held.organization != organization);
        }
        next
    }

    /// This with an organization's policy marked as too old to decide by, or as good again.
    #[must_use]
    pub fn with_stale(&self, organization: Id<Organization>, stale: bool) -> Self {
        self.with_age(organization, if stale { Age::Stale } else { Age::Current })
    }

    pub(crate) fn with_age(&self, organization: Id<Organization>, age: Age) -> Self {
        let mut next = self.clone();
        if let Some(policy) = self.policy(organization).filter(|policy| policy.age != age) {
            next.organizations.insert(organization.uuid(), Arc::new(Policy { age, ..Policy::clone(policy) }));
        }
        next
    }

    /// How long an organization lets its calls be decided while the control plane is not heard, in seconds.
    pub(crate) fn stale_after(&self, organization: Id<Organization>) -> Option<i64> {
        self.policy(organization)?.organization().map(|record| record.stale_after.seconds().into())
    }

    /// Whether an organization's policy is too old to decide by.
    pub fn is_stale(&self, organization: Id<Organization>) -> bool {
        self.policy(organization).is_some_and(|policy| policy.age == Age::Stale)
    }

    /// Whether there is an organization of which nothing could be read so far, or not all, so that its keys are not known.
    pub(crate) fn lacks_policies(&self) -> bool {
        self.organizations.values().any(|policy| !policy.is_whole())
    }

    /// How many organizations have a policy that is too old to decide by.
    pub(crate) fn stale(&self) -> usize {
        self.organizations.values().filter(|policy| policy.age == Age::Stale).count()
    }

    /// Whether there is an organization whose calls are decided.
    pub(crate) fn decides(&self) -> bool {
        self.organizations.values().any(|policy| policy.organization.is_some() && policy.age == Age::Current)
    }

    /// How one of an organization's gateways stands there.
    pub(crate) fn gateway(&self, organization: Id<Organization>, gateway: Id<Gateway>) -> Option<GatewayState> {
        self.policy(organization)?.gateways.get(&gateway).copied()
    }

    /// This with an organization marked as keeping its last good policy until a new base comes.
    #[must_use]
    pub fn quarantine(&self, organization: Id<Organization>, problem: Unreadable) -> Self {
        let mut next = self.clone();
        let policy = Policy { quarantine: Some(problem), ..self.policy_or_new(organization) };
        next.organizations.insert(organization.uuid(), Arc::new(policy));
        next
    }

    fn policy_or_new(&self, organization: Id<Organization>) -> Policy {
        self.policy(organization).map_or_else(|| Policy::new(organization), |policy| Policy::clone(policy))
    }

    fn settle(mut self, policy: Policy) -> Result<Self, Unreadable> {
        if policy.organization.as_ref().is_none_or(|record| record.id != policy.id) {
            return Err(Unreadable::Incomplete);
        }
        self.organizations.insert(policy.id.uuid(), Arc::new(policy));
        Ok(self)
    }

    fn change(&mut self, policy: &mut Policy, seq: Seq, change: &Change, vault: &Vault) -> Result<(), Unreadable> {
        let Some(after) = &change.after else { return self.remove(policy, change) };
        let bad = |problem: String| Unreadable::Image { seq, problem };
        let record = AnyRecord::read(change.kind, after).map_err(|error| bad(error.to_string()))?;
        if record.uuid() != change.id {
            return Err(bad("it has another id than its change".to_owned()));
        }
        self.put(policy, record, vault)
    }

    fn put(&mut self, policy: &mut Policy, record: AnyRecord, vault: &Vault) -> Result<(), Unreadable> {
        match record {
            AnyRecord::Organization(record) => policy.organization = Some(Arc::new(record)),
            AnyRecord::Role(role) => {
                Arc::make_mut(&mut policy.roles).insert(role.id, RoleFacts::of(&role));
            }
            AnyRecord::Member(member) => policy.members.insert(member.id.uuid(), member),
            AnyRecord::Provider(provider) => {
                let before = policy.providers.get(&provider.id).map(AsRef::as_ref);
                let endpoint = Endpoint::new(policy.id, provider, vault, before)?;
                Arc::make_mut(&mut policy.providers).insert(endpoint.provider.id, Arc::new(endpoint));
            }
            AnyRecord::Model(model) => Arc::make_mut(&mut policy.models).put(model),
            AnyRecord::Key(key) => {
                let held = self.held(policy.id, &key)?;
                self.keys.insert(key.id.uuid(), Arc::new(held));
            }
            AnyRecord::Gateway(gateway) => {
                Arc::make_mut(&mut policy.gateways).insert(gateway.id, gateway.state);
            }
            // It decides nothing here.
            AnyRecord::Invite(_) => {}
        }
        Ok(())
    }

    fn remove(&mut self, policy: &mut Policy, change: &Change) -> Result<(), Unreadable> {
        match change.kind {
            RecordKind::Organization => policy.organization = None,
            RecordKind::Role => {
                Arc::make_mut(&mut policy.roles).remove(&Id::from_uuid(change.id));
            }
            RecordKind::Member => policy.members.remove(change.id),
            RecordKind::Provider => {
                Arc::make_mut(&mut policy.providers).remove(&Id::from_uuid(change.id));
            }
            RecordKind::Model => Arc::make_mut(&mut policy.models).remove(Id::from_uuid(change.id)),
            RecordKind::Key => {
                self.own_key(policy.id, Id::from_uuid(change.id))?;
                self.keys.remove(change.id);
            }
            RecordKind::Gateway => {
                Arc::make_mut(&mut policy.gateways).remove(&Id::from_uuid(change.id));
            }
            RecordKind::Invite => {}
        }
        Ok(())
    }

    fn held(&self, organization: Id<Organization>, key: &Key) -> Result<HeldKey, Unreadable> {
        self.own_key(organization, key.id)?;
        Ok(HeldKey::new(organization, key))
    }

    /// A key's id stands in its text and names its organization, so no organization may take another's.
    fn own_key(&self, organization: Id<Organization>, id: Id<Key>) -> Result<(), Unreadable> {
        let foreign = self.key(id).is_some_and(|held| held.organization != organization);
        if foreign { Err(Unreadable::ForeignKey(id)) } else { Ok(()) }
    }
}
