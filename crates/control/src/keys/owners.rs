use std::collections::BTreeMap;

use gatewarden_access::{
    Facts, KeyLimits, Owner, PowerSet, Subject, actions, actions::ListMembers, decide, member_powers,
    organization_powers,
};
use gatewarden_store::{OrgRead, StoreError};
use gatewarden_types::{
    Builtin, Id, Key, KeyOwner, KeyState, Member, MemberState, Organization, Role, Target, Timestamp,
};

/// What a viewer may do to a key, so that a page draws those controls and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MayOn {
    /// Give it a new text.
    pub rotate: bool,
    /// Revoke it.
    pub revoke: bool,
}

/// Who owns keys and what they may do, as far as the reader may know.
#[derive(Debug, Default)]
pub(super) struct Owners {
    organization: Option<Organization>,
    roles: BTreeMap<Id<Role>, Role>,
    members: BTreeMap<Id<Member>, Member>,
}

impl Owners {
    pub(super) async fn load(read: &OrgRead) -> Result<Self, StoreError> {
        let Ok(permit) = read.permit::<ListMembers>() else { return Ok(Self::default()) };
        let organization = read.get::<_, Organization>(&permit, permit.target_id()).await?.map(|row| row.record);
        let roles = read.list::<_, Role>(&permit).await?.into_iter().map(|row| (row.record.id, row.record)).collect();
        let members = read.list::<_, Member>(&permit).await?;
        let members = members.into_iter().map(|row| (row.record.id, row.record)).collect();
        Ok(Self { organization, roles, members })
    }

    pub(super) fn suspended(&self, member: Id<Member>) -> bool {
        self.members.get(&member).is_some_and(|member| member.state == MemberState::Suspended)
    }

    /// Asks the same decision as the acts themselves.
    pub(super) fn may_on(&self, facts: &Facts, key: &Key, now: Timestamp) -> MayOn {
        let owner = match key.owner {
            KeyOwner::Member(member) => Owner::Member(member),
            KeyOwner::Organization => Owner::Nobody,
        };
        let subject = Subject { owner, ..Subject::new(Target::of(key.id)) };
        let limits = Some(KeyLimits::of(key));
        let with_power = self.power(key.owner).map(|confers| Subject { confers, limits, ..subject.clone() });
        MayOn {
            rotate: key.works(now) && decide::<actions::RotateKey>(facts, with_power).is_ok(),
            revoke: key.state == KeyState::Active && decide::<actions::RevokeKey>(facts, Some(subject)).is_ok(),
        }
    }

    fn power(&self, owner: KeyOwner) -> Option<PowerSet> {
        match owner {
            KeyOwner::Organization => {
                self.roles.values().find(|role| role.builtin == Some(Builtin::Owner)).map(organization_powers)
            }
            KeyOwner::Member(member) => {
                let role = self.roles.get(&self.members.get(&member)?.role)?;
                Some(member_powers(self.organization.as_ref()?, role))
            }
        }
    }
}
