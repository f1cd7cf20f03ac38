//! The decision.

use gatewarden_types::{Level, ModelSet, Reach};

use crate::{Action, ActionInfo, Facts, Permit, Reason, Refused, Standing, Subject};

/// Decides whether the caller of `facts` may do `A` to `subject`: the only maker of a permit.
///
/// `subject` is none when there is no such thing; the answer is then the same as for a thing one may not see.
///
/// # Errors
/// The first reason against it, in a fixed order: standing, permission, own things, key level, the target's power,
/// the power it would give, the limits it would give a key.
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
    if within_limits(facts, subject) { Ok(reach) } else { Err(Reason::BeyondKey) }
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
    let enough = facts
        .limits
        .as_ref()
        .is_none_or(|(levels, _)| levels.get(&feature).copied().unwrap_or(Level::Disabled) >= needed);
    if enough { Ok(()) } else { Err(Reason::KeyLevel(feature, needed)) }
}

fn within_limits(facts: &Facts, subject: &Subject) -> bool {
    let (Some((mine, my_models)), Some((levels, models))) = (&facts.limits, &subject.limits) else { return true };
    let levels_fit = levels.iter().all(|(feature, level)| mine.get(feature).copied().unwrap_or_default() >= *level);
    let models_fit = match (my_models, models) {
        (ModelSet::All, _) => true,
        (ModelSet::Only(_), ModelSet::All) => false,
        (ModelSet::Only(mine), ModelSet::Only(given)) => given.is_subset(mine),
    };
    levels_fit && models_fit
}

/// Whether the caller may know that the subject exists.
fn sees(facts: &Facts, action: &ActionInfo, subject: &Subject) -> bool {
    match facts.powers.reach(action.sees) {
        Some(Reach::All) => true,
        Some(Reach::Own) => subject.owner.is_own(facts.member),
        None => false,
    }
}
