//! What holds of every decision.

use gatewarden_access::ActionInfo;
use gatewarden_types::{Level, Powers, Reach};
use proptest::prelude::*;

use crate::{
    oracle::decided,
    situation::{Situation, Who, powers, situation},
};

/// The caller's role, where they have one.
fn role(situation: &mut Situation) -> Option<&mut Powers> {
    match &mut situation.who {
        Who::Member(_, powers, _) | Who::Organization(powers, _, _) => Some(powers),
        _ => None,
    }
}

fn widen(mine: &mut Powers, more: Powers) {
    for (word, reach) in more {
        let wider = mine.get(&word).copied().unwrap_or(reach).max(reach);
        let _before = mine.insert(word, wider);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..Default::default() })]

    #[test]
    fn more_power_never_allows_less(situation in situation(), more in powers()) {
        let mut wider = situation.clone();
        if let Some(role) = role(&mut wider) {
            widen(role, more);
        }
        if let Ok(reach) = decided(&situation) {
            prop_assert!(decided(&wider).is_ok_and(|wider| wider >= reach), "{wider:?}");
        }
    }

    #[test]
    fn a_wider_key_never_allows_less(situation in situation()) {
        let mut wider = situation.clone();
        if let Who::Member(_, _, Some(held)) | Who::Organization(_, _, held) = &mut wider.who {
            held.levels = gatewarden_types::Feature::ALL.iter().map(|feature| (*feature, Level::Delete)).collect();
            held.models = None;
            held.expires = None;
        }
        if let Ok(reach) = decided(&situation) {
            prop_assert_eq!(decided(&wider), Ok(reach));
        }
    }

    #[test]
    fn a_key_never_does_what_its_owner_may_not(situation in situation()) {
        let mut owner = situation.clone();
        let Who::Member(_, _, key) = &mut owner.who else { return Ok(()) };
        if key.take().is_some() && let Ok(reach) = decided(&situation) {
            prop_assert_eq!(decided(&owner), Ok(reach));
        }
    }

    #[test]
    fn a_key_never_confers_more_than_it_holds(situation in situation()) {
        let (Some(thing), Some(key)) = (&situation.thing, situation.key()) else { return Ok(()) };
        if decided(&situation).is_ok() {
            let (mine, theirs) = (situation.facts(), thing.receiver());
            for action in ActionInfo::ALL {
                prop_assert!(theirs.allows(action) <= mine.allows(action), "{} is beyond the key", action.name);
            }
            let calls = thing.confers.contains_key("models:invoke");
            let models = thing.limits.as_ref().and_then(|given| given.models.as_ref());
            let every = |mine: &std::collections::BTreeSet<u8>| models.is_some_and(|given| given.is_subset(mine));
            prop_assert!(!calls || key.models.as_ref().is_none_or(every));
            if let (Some(mine), Some(given)) = (key.expires, &thing.limits) {
                prop_assert!(given.expires.is_some_and(|given| given <= mine), "it outlives the key");
            }
        }
    }

    #[test]
    fn a_key_of_the_organization_makes_no_owners(situation in situation()) {
        let Who::Organization(..) = &situation.who else { return Ok(()) };
        let escalates = |powers: &Powers| powers.contains_key("roles:escalate");
        if let Some(thing) = &situation.thing && (escalates(&thing.holds) || escalates(&thing.confers)) {
            prop_assert!(decided(&situation).is_err());
        }
    }

    #[test]
    fn what_is_not_there_looks_like_what_may_not_be_seen(mut situation in situation()) {
        situation.thing = None;
        prop_assert_eq!(decided(&situation), Err(("not_found", true)));
    }

    #[test]
    fn someone_suspended_or_outside_may_nothing(mut situation in situation(), reach in prop_oneof![Just(Reach::Own), Just(Reach::All)]) {
        situation.usage = reach;
        let out = match &mut situation.who {
            Who::Member(state, _, _) => { *state = gatewarden_types::MemberState::Suspended; true }
            Who::Organization(_, builtin, _) => { *builtin = false; true }
            Who::Stranger => true,
            _ => false,
        };
        let name = ActionInfo::ALL[situation.action].name;
        prop_assert!(!out || decided(&situation).is_err(), "{}", name);
    }
}
