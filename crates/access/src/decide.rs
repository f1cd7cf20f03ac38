//! The decision.

use gatewarden_types::Reach;

use crate::{Action, ActionInfo, Facts, Permission, Permit, Reason, Refused, Standing, Subject};

/// Decides whether the caller of `facts` may do `A` to `subject`: the only maker of a permit.
///
/// `subject` is none when there is no such thing; the answer is then the same as for a thing one may not see.
///
/// # Errors
/// The first reason against it, in a fixed order: standing, permission, own things, key level, the target's power,
/// the power it would give, and what of that is beyond the calling key.
pub fn decide<A: Action>(facts: &Facts, subject: Option<Subject>) -> Result<Permit<A>, Refused> {
    let refuse = |subject: Option<&Subject>, reason| Refused {
        action: A::INFO,
        organization: facts.organization,
        caller: facts.caller.clone(),
        target: subject.map(|subject| subject.target.clone()),
        reason,
        hidden: !subject.is_some_and(|subject| sees(facts, A::INFO, subject)),
    };
    let Some(subject) = subject else { return Err(refuse(None, Reason::Absent)) };
    match judge(facts, A::INFO, &subject) {
        Ok(reach) => Ok(Permit::new(facts, subject.target, reach)),
        Err(reason) => Err(refuse(Some(&subject), reason)),
    }
}

fn judge(facts: &Facts, action: &ActionInfo, subject: &Subject) -> Result<Reach, Reason> {
    standing(facts.standing)?;
    let reach = facts.powers.reach(action.permission).ok_or(Reason::Missing(action.permission))?;
    if reach == Reach::Own && !subject.owner.is_own(facts.member) {
        return Err(Reason::NotOwn(action.permission));
    }
    key_level(facts, action)?;
    if let Some(permission) = facts.powers.lacks(subject.holds) {
        return Err(Reason::Above(permission));
    }
    if let Some(permission) = facts.powers.lacks(subject.confers) {
        return Err(Reason::Beyond(permission));
    }
    within_key(facts, subject)?;
    Ok(reach)
}

fn standing(standing: Standing) -> Result<(), Reason> {
    match standing {
        Standing::Good => Ok(()),
        Standing::Stranger => Err(Reason::Stranger),
        Standing::MemberSuspended => Err(Reason::MemberSuspended),
        Standing::OrganizationSuspended => Err(Reason::OrganizationSuspended),
        Standing::KeyRevoked => Err(Reason::KeyRevoked),
        Standing::KeyExpired => Err(Reason::KeyExpired),
    }
}

fn key_level(facts: &Facts, action: &ActionInfo) -> Result<(), Reason> {
    let (feature, needed) = action.level;
    let enough = facts.limits.as_ref().is_none_or(|limits| limits.reach(feature, needed));
    if enough { Ok(()) } else { Err(Reason::KeyLevel(feature, needed)) }
}

/// Whoever acts through a key gives no more than the key itself may do: to another key by its limits, to a person,
/// whom nothing bounds but the role, by all that the role allows.
fn within_key(facts: &Facts, subject: &Subject) -> Result<(), Reason> {
    let Some(mine) = &facts.limits else { return Ok(()) };
    if let Some(given) = &subject.limits {
        return if mine.cover(given) { Ok(()) } else { Err(Reason::BeyondKey) };
    }
    let allowed = |action: &ActionInfo| {
        let every_model = action.permission != Permission::ModelsInvoke || mine.every_model();
        mine.reach(action.level.0, action.level.1) && every_model
    };
    let given = ActionInfo::ALL.iter().filter(|action| subject.confers.reach(action.permission).is_some());
    let beyond = given.copied().find(|action| !allowed(action));
    beyond.map_or(Ok(()), |action| Err(Reason::RoleBeyondKey(action.permission)))
}

/// Whether the caller may know that the subject exists.
fn sees(facts: &Facts, action: &ActionInfo, subject: &Subject) -> bool {
    match facts.powers.reach(action.sees) {
        Some(Reach::All) => true,
        Some(Reach::Own) => subject.owner.is_own(facts.member),
        None => false,
    }
}
