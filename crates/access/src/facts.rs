//! What a decision rests on. The store and the gateway put it together from the rows they hold; nobody else does.

use gatewarden_types::{
    Account, Actor, Builtin, Grant, Id, Invite, Job, Key, KeyOwner, KeyState, Member, MemberState, Organization,
    OrganizationState, Reach, Request, Role, Target, Timestamp, Via,
};

use crate::{ActionInfo, KeyLimits, Permission, PowerSet};

/// Who asks, as the edge of the program made them out: nothing here is a right yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who acts.
    pub actor: Actor,
    /// How they came.
    pub via: Via,
    /// The request this is.
    pub request: Id<Request>,
}

impl Caller {
    /// A part of the program that acts by itself.
    pub fn system(job: Job, request: Id<Request>) -> Self {
        Self { actor: Actor::System(job), via: Via::System, request }
    }
}

/// Whether someone may act at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They may.
    Good,
    /// They have no part in the organization.
    Stranger,
    /// The member is suspended.
    MemberSuspended,
    /// The organization is suspended.
    OrganizationSuspended,
    /// The key was revoked.
    KeyRevoked,
    /// The key's time is over.
    KeyExpired,
}

/// What a decision has to know of a key, in a form that is read fast. Whoever decides often keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// Whose power it borrows.
    pub owner: KeyOwner,
    /// Whether it was revoked.
    pub state: KeyState,
    /// What bounds that power.
    pub limits: KeyLimits,
}

impl KeyFacts {
    /// Those of a key's record.
    pub fn of(key: &Key) -> Self {
        Self { owner: key.owner, state: key.state, limits: KeyLimits::of(key) }
    }

    /// Whether it works at `now`.
    pub fn works(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.limits.expires.is_none_or(|expires| now < expires)
    }
}

/// What a decision has to know of a role, with its words read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleFacts {
    /// The role.
    pub id: Id<Role>,
    /// Which of the built-in ones it is, if it is one.
    pub builtin: Option<Builtin>,
    powers: PowerSet,
}

impl RoleFacts {
    /// Those of a role's record.
    pub fn of(role: &Role) -> Self {
        Self { id: role.id, builtin: role.builtin, powers: PowerSet::of(&role.powers) }
    }

    /// What a member with the role may do in `organization`.
    fn of_member(&self, organization: &Organization) -> PowerSet {
        match (self.powers.reach(Permission::UsageRead), organization.visibility.usage) {
            (Some(_), Reach::All) => self.powers.with(Permission::UsageRead, Reach::All),
            _ => self.powers,
        }
    }

    /// What a key of the organization may do, if this is the owner role.
    fn of_organization(&self) -> PowerSet {
        self.powers.without(Permission::RolesEscalate)
    }
}

/// What is known of a caller in one organization (or in the instance) at one moment.
#[derive(Debug, Clone)]
pub struct Facts {
    pub(crate) caller: Caller,
    pub(crate) organization: Option<Id<Organization>>,
    pub(crate) member: Option<Id<Member>>,
    pub(crate) grant: Grant,
    pub(crate) powers: PowerSet,
    pub(crate) limits: Option<KeyLimits>,
    pub(crate) standing: Standing,
    pub(crate) read_in: u64,
}

/// Whose a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A kind of thing that has no owners, or a list that is cut to what one may see: any reach will do.
    Everyone,
    /// A kind of thing that has owners, but this one belongs to the organization.
    Nobody,
    /// A member's own.
    Member(Id<Member>),
}

impl Owner {
    /// Whether a power that reaches one's own things reaches this for `member`.
    pub fn is_own(self, member: Option<Id<Member>>) -> bool {
        match self {
            Self::Everyone => true,
            Self::Nobody => false,
            Self::Member(owner) => member == Some(owner),
        }
    }
}

/// What an action is done to, as far as the decision needs to know it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The thing itself.
    pub target: Target,
    /// Whose it is.
    pub owner: Owner,
    /// The power it has: no one acts on someone above them.
    pub holds: PowerSet,
    /// The power that the action would give: no one gives what they do not hold.
    pub confers: PowerSet,
    /// What bounds that power, where the action gives it to a key; a role is conferred whole.
    pub limits: Option<KeyLimits>,
}

impl Subject {
    /// Something that is nobody's own and has no power.
    pub fn new(target: Target) -> Self {
        Self { target, owner: Owner::Everyone, holds: PowerSet::NONE, confers: PowerSet::NONE, limits: None }
    }
}

impl Facts {
    /// A member with a role. What the organization lets everyone see of usage widens the role.
    pub fn member(caller: Caller, organization: &Organization, member: &Member, role: &Role) -> Self {
        Self::with_role(caller, organization, member, &RoleFacts::of(role))
    }

    fn with_role(caller: Caller, organization: &Organization, member: &Member, role: &RoleFacts) -> Self {
        let standing = match (organization.state, member.state) {
            (OrganizationState::Suspended, _) => Standing::OrganizationSuspended,
            (_, MemberState::Suspended) => Standing::MemberSuspended,
            _ => Standing::Good,
        };
        Self {
            caller,
            organization: Some(organization.id),
            member: Some(member.id),
            grant: Grant::Role { role: role.id, member: member.id },
            powers: role.of_member(organization),
            limits: None,
            standing,
            read_in: 0,
        }
    }

    /// A key. `owner` is the member it belongs to and their role, or none for a key of the organization, whose
    /// power is that of `owner_role` less `roles:escalate`.
    pub fn key(
        caller: Caller,
        organization: &Organization,
        key: &KeyFacts,
        owner: Option<(&Member, &RoleFacts)>,
        owner_role: &RoleFacts,
        now: Timestamp,
    ) -> Self {
        let mut facts = match (key.owner, owner) {
            (KeyOwner::Member(id), Some((member, role))) if id == member.id => {
                Self::with_role(caller, organization, member, role)
            }
            (KeyOwner::Organization, _) if owner_role.builtin == Some(Builtin::Owner) => {
                Self::organization(caller, organization, owner_role)
            }
            _ => return Self::stranger(caller, organization.id),
        };
        if key.state == KeyState::Revoked {
            facts.standing = Standing::KeyRevoked;
        } else if !key.works(now) {
            facts.standing = Standing::KeyExpired;
        }
        facts.limits = Some(key.limits.clone());
        facts
    }

    fn organization(caller: Caller, organization: &Organization, owner_role: &RoleFacts) -> Self {
        let suspended = organization.state == OrganizationState::Suspended;
        Self {
            caller,
            organization: Some(organization.id),
            member: None,
            grant: Grant::Organization { role: owner_role.id },
            powers: owner_role.of_organization(),
            limits: None,
            standing: if suspended { Standing::OrganizationSuspended } else { Standing::Good },
            read_in: 0,
        }
    }

    /// Someone without any part in the organization.
    pub fn stranger(caller: Caller, organization: Id<Organization>) -> Self {
        let standing = Standing::Stranger;
        Self { standing, ..Self::bare(caller, Some(organization), Grant::Anyone, PowerSet::NONE) }
    }

    /// Whoever founds an organization that has no entry yet.
    pub fn founding(caller: Caller, organization: Id<Organization>) -> Self {
        let powers = PowerSet::NONE.with(Permission::OrganizationsCreate, Reach::All);
        Self::bare(caller, Some(organization), Grant::Founding, powers)
    }

    /// An account that holds the link of an invite: bounded by what its sender may give now.
    pub fn invited(caller: Caller, invite: &Invite, organization: &Organization, sender: &Member, role: &Role) -> Self {
        let sender_facts = Self::member(caller, organization, sender, role);
        Self { grant: Grant::Invite { invite: invite.id, member: sender.id }, member: None, ..sender_facts }
    }

    /// A part of the program in an organization, with the fixed grants of the table of actions.
    pub fn system(caller: Caller, organization: Id<Organization>, job: Job) -> Self {
        let allowed = ActionInfo::ALL.iter().filter(|action| action.jobs.contains(&job));
        let powers = allowed.fold(PowerSet::NONE, |powers, action| powers.with(action.permission, Reach::All));
        Self::bare(caller, Some(organization), Grant::System { job }, powers)
    }

    /// Someone in the instance, outside any organization: an account for itself, or anyone at the door.
    pub fn instance(caller: Caller) -> Self {
        let try_door = PowerSet::NONE.with(Permission::SignIn, Reach::All);
        match caller.actor {
            // A key speaks for its owner in one organization and never for their account.
            Actor::Account(_) if !matches!(caller.via, Via::Key(_)) => {
                let powers =
                    try_door.with(Permission::AccountOwn, Reach::All).with(Permission::OrganizationsCreate, Reach::All);
                Self::bare(caller, None, Grant::Account, powers)
            }
            _ => Self::bare(caller, None, Grant::Anyone, try_door),
        }
    }

    fn bare(caller: Caller, organization: Option<Id<Organization>>, grant: Grant, powers: PowerSet) -> Self {
        Self { caller, organization, member: None, grant, powers, limits: None, standing: Standing::Good, read_in: 0 }
    }

    /// These facts as they were read in one transaction. A permit that is decided on them is good there and nowhere else.
    #[must_use]
    pub fn read_in(self, transaction: u64) -> Self {
        Self { read_in: transaction, ..self }
    }

    /// The transaction they were read in; 0 outside of any.
    pub fn transaction(&self) -> u64 {
        self.read_in
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The member who asks, if it is one.
    pub fn asking_member(&self) -> Option<Id<Member>> {
        self.member
    }

    /// The role that the caller's power comes from, if it comes from one.
    pub fn role(&self) -> Option<Id<Role>> {
        match self.grant {
            Grant::Role { role, .. } | Grant::Organization { role } => Some(role),
            _ => None,
        }
    }

    /// The account that asks, if it is one.
    pub fn asking_account(&self) -> Option<Id<Account>> {
        match self.caller.actor {
            Actor::Account(account) => Some(account),
            _ => None,
        }
    }

    /// Whether the action would be allowed on something that is one's own, so that a page can draw its control.
    pub fn allows(&self, action: &ActionInfo) -> Option<Reach> {
        let by_key = self.limits.as_ref().is_none_or(|limits| limits.reach(action.level.0, action.level.1));
        if self.standing == Standing::Good && by_key { self.powers.reach(action.permission) } else { None }
    }

    /// What the caller may do, for comparing with what somebody else may do.
    pub fn powers(&self) -> PowerSet {
        self.powers
    }

    /// What bounds the caller besides, where they act through a key.
    pub fn limits(&self) -> Option<&KeyLimits> {
        self.limits.as_ref()
    }

    /// Whether the caller may act at all.
    pub fn standing(&self) -> Standing {
        self.standing
    }
}

/// What a member with `role` may do in `organization`.
pub fn member_powers(organization: &Organization, role: &Role) -> PowerSet {
    RoleFacts::of(role).of_member(organization)
}

/// What a key of the organization may do.
pub fn organization_powers(owner_role: &Role) -> PowerSet {
    RoleFacts::of(owner_role).of_organization()
}
