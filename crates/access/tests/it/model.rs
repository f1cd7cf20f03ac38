//! The rules of access once more, written for clarity alone and from the outside: words and sets, no bits.

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_access::ActionInfo;
use gatewarden_types::{KeyState, Level, Levels, MemberState, Powers, Reach};

use crate::situation::{Held, NOW, Situation, Thing, Who, Whose};

/// What one can forget when one writes such rules: each planted in the model to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    None,
    Standing,
    Expiry,
    Permission,
    Own,
    KeyLevel,
    Above,
    Beyond,
    KeyLimits,
    KeyTime,
    KeyRole,
    Escalate,
    Visibility,
    Foreign,
    Hidden,
}

pub const DEFECTS: [Defect; 14] = [
    Defect::Standing,
    Defect::Expiry,
    Defect::Permission,
    Defect::Own,
    Defect::KeyLevel,
    Defect::Above,
    Defect::Beyond,
    Defect::KeyLimits,
    Defect::KeyTime,
    Defect::KeyRole,
    Defect::Escalate,
    Defect::Visibility,
    Defect::Foreign,
    Defect::Hidden,
];

/// The answer: allowed with a reach, or the word for why not and whether the thing is hidden.
pub type Answer = Result<Reach, (&'static str, bool)>;

/// Words that no role can give.
const NOT_IN_ROLES: [&str; 7] = [
    "trail:follow",
    "trail:restore",
    "usage:record",
    "gateways:enroll",
    "organizations:create",
    "account:own",
    "sign-in:try",
];

pub fn decide(situation: &Situation, defect: Defect) -> Answer {
    let action = ActionInfo::ALL[situation.action];
    let powers = powers(situation, defect);
    let Some(thing) = &situation.thing else { return Err(("not_found", true)) };
    let own = is_own(situation, thing, defect);
    let seen = defect == Defect::Hidden || reaches(&powers, action.sees.word(), own, defect) == Some(true);
    why_not(situation, action, &powers, thing, defect).map_err(|reason| (reason, !seen))
}

fn why_not(
    situation: &Situation,
    action: &ActionInfo,
    powers: &Powers,
    thing: &Thing,
    defect: Defect,
) -> Result<Reach, &'static str> {
    if let Some(reason) = standing(situation, defect) {
        return Err(reason);
    }
    let needed = action.permission.word();
    match reaches(powers, needed, is_own(situation, thing, defect), defect) {
        None => return Err("permission_missing"),
        Some(false) => return Err("not_your_own"),
        Some(true) => {}
    }
    let (feature, level) = action.level;
    let key = key(situation);
    if let Some(held) = key
        && defect != Defect::KeyLevel
        && held.levels.get(&feature).copied().unwrap_or(Level::Disabled) < level
    {
        return Err("key_level");
    }
    if defect != Defect::Above && !within(&thing.holds, powers) {
        return Err("target_above_you");
    }
    if defect != Defect::Beyond && !within(&thing.confers, powers) {
        return Err("beyond_your_power");
    }
    if let Some(mine) = key {
        beyond_key(thing, mine, defect)?;
    }
    Ok(powers.get(needed).copied().unwrap_or(Reach::Own))
}

fn beyond_key(thing: &Thing, mine: &Held, defect: Defect) -> Result<(), &'static str> {
    if let Some(given) = &thing.limits {
        let within = levels_within(&given.levels, &mine.levels)
            && models_within(given.models.as_ref(), mine.models.as_ref())
            || defect == Defect::KeyLimits;
        let in_time = mine.expires.is_none_or(|mine| given.expires.is_some_and(|given| given <= mine))
            || defect == Defect::KeyTime;
        return if within && in_time { Ok(()) } else { Err("beyond_the_key") };
    }
    let calls = thing.confers.contains_key("models:invoke");
    let mut given = ActionInfo::ALL.iter().filter(|action| {
        let word = action.permission.word();
        thing.confers.contains_key(word) && !NOT_IN_ROLES.contains(&word)
    });
    let levels = given.all(|action| levels_within(&Levels::from([action.level]), &mine.levels));
    let fits = levels && !(calls && mine.models.is_some());
    if fits || defect == Defect::KeyRole { Ok(()) } else { Err("role_beyond_the_key") }
}

fn key(situation: &Situation) -> Option<&Held> {
    match &situation.who {
        Who::Member(_, _, Some(held)) | Who::Organization(_, true, held) => Some(held),
        _ => None,
    }
}

/// Every word the caller has, and how far it reaches.
fn powers(situation: &Situation, defect: Defect) -> Powers {
    let in_roles = |powers: &Powers| -> Powers {
        let known = |word: &str| gatewarden_access::Permission::parse(word).is_some();
        let may = |word: &str| !NOT_IN_ROLES.contains(&word) || defect == Defect::Foreign;
        powers.iter().filter(|(word, _)| known(word) && may(word)).map(|(word, reach)| (word.clone(), *reach)).collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| ((*word).to_owned(), Reach::All)).collect::<BTreeMap<_, _>>();
    match &situation.who {
        Who::Member(_, role, _) => {
            let mut powers = in_roles(role);
            if situation.usage == Reach::All && defect != Defect::Visibility {
                powers.entry("usage:read".to_owned()).and_modify(|reach| *reach = Reach::All);
            }
            powers
        }
        Who::Organization(role, true, _) => {
            let mut powers = in_roles(role);
            if defect != Defect::Escalate {
                powers.remove("roles:escalate");
            }
            powers
        }
        Who::Organization(_, false, _) | Who::Stranger => Powers::new(),
        Who::Job(job) => {
            let granted = ActionInfo::ALL.iter().filter(|action| action.jobs.contains(job));
            granted.map(|action| (action.permission.word().to_owned(), Reach::All)).collect()
        }
        Who::Founder => words(&["organizations:create"]),
        Who::Account => words(&["sign-in:try", "account:own", "organizations:create"]),
        Who::Anyone => words(&["sign-in:try"]),
    }
}

/// Whether the thing is the caller's own, which a key of the organization has nothing of.
fn is_own(situation: &Situation, thing: &Thing, defect: Defect) -> bool {
    match thing.whose {
        Whose::Everyone => true,
        Whose::Mine => matches!(situation.who, Who::Member(..)),
        Whose::Nobody | Whose::Others => defect == Defect::Own,
    }
}

/// Whether the word is there (none: it is not) and reaches the thing.
fn reaches(powers: &Powers, word: &str, own: bool, defect: Defect) -> Option<bool> {
    if defect == Defect::Permission && word.starts_with("keys:") {
        return Some(true);
    }
    powers.get(word).map(|reach| *reach == Reach::All || own)
}

fn standing(situation: &Situation, defect: Defect) -> Option<&'static str> {
    if defect == Defect::Standing {
        return None;
    }
    let (held, member) = match &situation.who {
        Who::Stranger | Who::Organization(_, false, _) => return Some("not_a_member"),
        Who::Member(state, _, held) => (held.as_ref(), Some(*state)),
        Who::Organization(_, true, held) => (Some(held), None),
        _ => return None,
    };
    if let Some(held) = held {
        if held.state == KeyState::Revoked {
            return Some("key_revoked");
        }
        let over = |expires: i64| expires <= NOW.micros() && defect != Defect::Expiry;
        if held.expires.is_some_and(over) {
            return Some("key_expired");
        }
    }
    if situation.suspended {
        return Some("organization_suspended");
    }
    (member == Some(MemberState::Suspended)).then_some("member_suspended")
}

fn within(some: &Powers, all: &Powers) -> bool {
    let counts = |word: &str| gatewarden_access::Permission::parse(word).is_some() && !NOT_IN_ROLES.contains(&word);
    some.iter().filter(|(word, _)| counts(word)).all(|(word, reach)| all.get(word).is_some_and(|mine| mine >= reach))
}

fn levels_within(given: &Levels, mine: &Levels) -> bool {
    given.iter().all(|(feature, level)| mine.get(feature).copied().unwrap_or(Level::Disabled) >= *level)
}

fn models_within(given: Option<&BTreeSet<u8>>, mine: Option<&BTreeSet<u8>>) -> bool {
    match (given, mine) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(given), Some(mine)) => given.is_subset(mine),
    }
}
