//! What a decision rests on, read in the transaction it is made in.

use gatewarden_access::{
    Caller, Facts, KeyFacts, KeyLimits, Owner, PowerSet, RoleFacts, Subject, member_powers, organization_powers,
};
use gatewarden_types::{
    Actor, Builtin, Id, Invite, Key, KeyOwner, Member, Model, Organization, Provider, Record, Role, Target, Timestamp,
    Versioned, Via,
};
use sea_orm::{ColumnTrait, DatabaseTransaction};

use crate::{
    OrgRead, StoreError, entity,
    org_read::{find, find_by, owner},
};

/// The power that an act would give away.
#[derive(Debug, Clone)]
pub enum Giving {
    /// None.
    Nothing,
    /// Whatever a role holds.
    Role(Id<Role>),
    /// Whatever a key of this owner may do, within these limits.
    Key(KeyOwner, KeyLimits),
}

impl Giving {
    /// What whoever has this key may do.
    pub fn of_key(key: &Key) -> Self {
        Self::Key(key.owner, KeyLimits::of(key))
    }
}

/// The facts about `caller` in `organization` at `now`.
pub(crate) async fn load(
    tx: &DatabaseTransaction,
    caller: &Caller,
    organization: &Organization,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let facts = match (caller.actor, caller.via) {
        (Actor::System(job), _) => Some(Facts::system(caller.clone(), organization.id, job)),
        (_, Via::Key(id)) => of_key(tx, caller, organization, id, now).await?,
        (Actor::Account(account), _) => {
            let by_account = entity::members::Column::Account.eq(account.uuid());
            of_member(tx, caller, organization, find_by(tx, by_account).await?).await?
        }
        _ => None,
    };
    Ok(facts.unwrap_or_else(|| Facts::stranger(caller.clone(), organization.id)))
}

async fn of_member(
    tx: &DatabaseTransaction,
    caller: &Caller,
    organization: &Organization,
    member: Option<Versioned<Member>>,
) -> Result<Option<Facts>, StoreError> {
    let Some(Versioned { record: member, .. }) = member else { return Ok(None) };
    let role = find::<Role>(tx, member.role).await?;
    Ok(role.map(|role| Facts::member(caller.clone(), organization, &member, &role.record)))
}

async fn of_key(
    tx: &DatabaseTransaction,
    caller: &Caller,
    organization: &Organization,
    id: Id<Key>,
    now: Timestamp,
) -> Result<Option<Facts>, StoreError> {
    let Some(Versioned { record: key, .. }) = find::<Key>(tx, id).await? else { return Ok(None) };
    let Some(owner_role) = owner_role(tx).await? else { return Ok(None) };
    let owner = match key.owner {
        KeyOwner::Organization => None,
        KeyOwner::Member(member) => match find::<Member>(tx, member).await? {
            None => None,
            Some(member) => {
                find::<Role>(tx, member.record.role).await?.map(|role| (member.record, RoleFacts::of(&role.record)))
            }
        },
    };
    let owner = owner.as_ref().map(|(member, role)| (member, role));
    let (key, owner_role) = (KeyFacts::of(&key), RoleFacts::of(&owner_role));
    Ok(Some(Facts::key(caller.clone(), organization, &key, owner, &owner_role, now)))
}

/// The built-in owner role.
async fn owner_role(tx: &DatabaseTransaction) -> Result<Option<Role>, StoreError> {
    let is_owner = entity::roles::Column::Builtin.eq("owner");
    let role: Option<Versioned<Role>> = find_by(tx, is_owner).await?;
    Ok(role.map(|role| role.record).filter(|role| role.builtin == Some(Builtin::Owner)))
}

impl OrgRead {
    /// Adds to `subject` the power that `giving` gives away; false when it names something that is not there.
    pub(crate) async fn give(&self, subject: &mut Subject, giving: &Giving) -> Result<bool, StoreError> {
        match giving {
            Giving::Nothing => Ok(true),
            Giving::Role(role) => match self.role_powers(*role).await? {
                Some(powers) => {
                    subject.confers = powers;
                    Ok(true)
                }
                None => Ok(false),
            },
            Giving::Key(key_owner, limits) => {
                subject.limits = Some(limits.clone());
                self.give_key(subject, *key_owner).await
            }
        }
    }

    async fn give_key(&self, subject: &mut Subject, key_owner: KeyOwner) -> Result<bool, StoreError> {
        let powers = match key_owner {
            KeyOwner::Organization => {
                subject.owner = Owner::Nobody;
                owner_role(&self.tx).await?.map(|role| organization_powers(&role))
            }
            KeyOwner::Member(member) => {
                subject.owner = Owner::Member(member);
                self.member_holds(member).await?
            }
        };
        subject.confers = powers.unwrap_or(PowerSet::NONE);
        Ok(powers.is_some())
    }

    pub(crate) async fn role_powers(&self, role: Id<Role>) -> Result<Option<PowerSet>, StoreError> {
        let role: Option<Versioned<Role>> = find(&self.tx, role).await?;
        Ok(role.zip(self.organization.as_ref()).map(|(role, here)| member_powers(&here.record, &role.record)))
    }

    async fn member_holds(&self, member: Id<Member>) -> Result<Option<PowerSet>, StoreError> {
        match find::<Member>(&self.tx, member).await? {
            Some(member) => self.role_powers(member.record.role).await,
            None => Ok(None),
        }
    }
}

/// A record that actions are decided on.
pub trait Subjected: Record {
    /// What the decision needs to know of it.
    fn subject(&self, read: &OrgRead) -> impl Future<Output = Result<Subject, StoreError>> + Send;
}

impl Subjected for Member {
    async fn subject(&self, read: &OrgRead) -> Result<Subject, StoreError> {
        let holds = read.role_powers(self.role).await?.unwrap_or(PowerSet::NONE);
        Ok(Subject { owner: Owner::Member(self.id), holds, ..Subject::new(Target::of(self.id)) })
    }
}

impl Subjected for Key {
    async fn subject(&self, _read: &OrgRead) -> Result<Subject, StoreError> {
        let member = match self.owner {
            KeyOwner::Member(member) => Some(member),
            KeyOwner::Organization => None,
        };
        Ok(Subject { owner: owner(member), ..Subject::new(Target::of(self.id)) })
    }
}

macro_rules! plain {
    ($($record:ty),+) => {$(
        impl Subjected for $record {
            async fn subject(&self, _read: &OrgRead) -> Result<Subject, StoreError> {
                Ok(Subject::new(Target::of(self.id())))
            }
        }
    )+};
}

plain!(Organization, Invite, Provider, Model);
