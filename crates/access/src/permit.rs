//! Permission as a value.

use std::{fmt, marker::PhantomData};

use gatewarden_types::{Grant, Id, Kind, Member, Organization, Reach, Target};

use crate::{Action, Caller, Facts};

/// Proof that a caller may do `A` to one target, made by [`crate::decide`] alone.
///
/// It carries everything its entry needs to say who, what and by what right, and for lists how far they reach.
pub struct Permit<A: Action> {
    caller: Caller,
    organization: Option<Id<Organization>>,
    member: Option<Id<Member>>,
    target: Target,
    grant: Grant,
    reach: Reach,
    transaction: u64,
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Permit<A> {
    pub(crate) fn new(facts: &Facts, target: Target, reach: Reach) -> Self {
        let Facts { caller, organization, member, grant, .. } = facts;
        let (caller, organization, member, grant) = (caller.clone(), *organization, *member, *grant);
        Self { caller, organization, member, target, grant, reach, transaction: facts.read_in, action: PhantomData }
    }

    /// Who was allowed.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The organization it holds in; none in the instance.
    pub fn organization(&self) -> Option<Id<Organization>> {
        self.organization
    }

    /// The member who was allowed, if it was one.
    pub fn member(&self) -> Option<Id<Member>> {
        self.member
    }

    /// What it was allowed on.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The id of what it was allowed on.
    pub fn target_id(&self) -> Id<A::Target>
    where
        A::Target: Kind,
    {
        Id::from_uuid(self.target.id)
    }

    /// What allowed it.
    pub fn grant(&self) -> Grant {
        self.grant
    }

    /// The transaction in which it was decided, and is good; 0 outside of any.
    pub fn transaction(&self) -> u64 {
        self.transaction
    }

    /// How far it goes: everything, or what is the caller's own.
    pub fn reach(&self) -> Reach {
        self.reach
    }
}

impl<A: Action> fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit<{}>({})", A::INFO.name, self.target.text())
    }
}
