use std::collections::{BTreeMap, BTreeSet};

use gatewarden_access::{Action, Facts, Owner, PowerSet, Subject, actions, decide, member_powers};
use gatewarden_types::{Id, Member, Organization, Role, Target};

/// What a viewer may do to a member, so that a page draws those controls and no others.
#[derive(Debug, Clone, Default)]
pub struct MayOn {
    /// The roles they may give; empty where the role cannot be changed.
    pub roles: BTreeSet<Id<Role>>,
    /// Why the role cannot be changed, in a few words.
    pub fixed_because: &'static str,
    /// Suspend and reinstate.
    pub suspend: bool,
    /// Remove.
    pub remove: bool,
}

/// Asks the same decision as the acts themselves.
pub fn may_on(facts: &Facts, organization: &Organization, roles: &BTreeMap<Id<Role>, Role>, member: &Member) -> MayOn {
    let powers = |role: &Role| member_powers(organization, role);
    let holds = roles.get(&member.role).map_or(PowerSet::NONE, powers);
    let subject =
        |confers| Subject { owner: Owner::Member(member.id), holds, confers, ..Subject::new(Target::of(member.id)) };
    let allowed = roles.values().filter(|role| may::<actions::ChangeMemberRole>(facts, subject(powers(role))));
    let roles: BTreeSet<Id<Role>> = allowed.map(|role| role.id).collect();
    let above = !facts.powers().covers(holds) && facts.allows(actions::ChangeMemberRole::INFO).is_some();
    MayOn {
        fixed_because: if above { "above you" } else { "" },
        roles,
        suspend: may::<actions::SuspendMember>(facts, subject(PowerSet::NONE)),
        remove: may::<actions::RemoveMember>(facts, subject(PowerSet::NONE)),
    }
}

fn may<A: Action>(facts: &Facts, subject: Subject) -> bool {
    decide::<A>(facts, Some(subject)).is_ok()
}
