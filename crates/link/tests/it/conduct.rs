use gatewarden_feed::{Asked, Astray, BadFrame, FeedEvent};
use gatewarden_link::{Conduct, Effect, Happening, Standing};
use gatewarden_types::{Seq, Timestamp};

use crate::given::{base, continued, entry, organization};

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// One that follows from a base at 3 on, which the gateway has put into force.
fn following() -> (Conduct, Standing) {
    let mut conduct = Conduct::new(organization().id);
    assert_eq!(conduct.asks(), Asked { known: None, wants_base: true });
    let effects = came(&mut conduct, &Standing::default(), base(3));
    assert_eq!(effects, [Effect::Begin(vec![base(3), current()])], "a base is kept with its age");
    (conduct, Standing { position: Some(3), epoch: Some(1), ..Standing::default() })
}

fn came(conduct: &mut Conduct, standing: &Standing, event: FeedEvent) -> Vec<Effect> {
    conduct.step(Happening::Came(event), standing, NOW)
}

fn current() -> FeedEvent {
    FeedEvent::Current { organization: organization().id, at: NOW }
}

/// From where the feed is asked for, and whether a base is wanted all the same.
fn asked(conduct: &Conduct) -> (Option<Seq>, bool) {
    let Asked { known, wants_base } = conduct.asks();
    (known.map(|at| at.seq), wants_base)
}

#[test]
fn an_entry_is_put_into_force_before_it_is_kept() {
    let (mut conduct, standing) = following();
    let entry = entry(4, "Four").0;
    let effects = came(&mut conduct, &standing, entry.clone());
    assert_eq!(effects, [Effect::Pass(entry.clone()), Effect::Keep(entry)]);
    assert_eq!(asked(&conduct), (Some(4), false));
}

#[test]
fn no_control_plane_says_that_a_gateway_of_several_organizations_has_everything() {
    let (mut conduct, standing) = following();
    assert_eq!(came(&mut conduct, &standing, FeedEvent::CaughtUp), []);
}

#[test]
fn another_history_is_refused_until_the_control_plane_has_the_known_one_again() {
    let (mut conduct, standing) = following();
    let refused = |conduct: &mut Conduct, happening| {
        let effects = conduct.step(happening, &standing, NOW);
        let [Effect::Sync, Effect::Pass(FeedEvent::Behind { problem, .. }), Effect::AskAgain(_)] = effects.as_slice()
        else {
            panic!("{effects:?}")
        };
        problem.clone()
    };
    let older = refused(&mut conduct, Happening::Came(base(2)));
    assert_eq!(older, Astray::Older { theirs: 2, ours: 3 }.to_string());
    assert_eq!(asked(&conduct), (Some(3), true), "it says what it knows");
    refused(&mut conduct, Happening::Unreadable(BadFrame::Shut(0)));
    assert_eq!(asked(&conduct), (Some(3), true), "whatever else goes wrong");
    let forked = refused(&mut conduct, Happening::Came(base(9)));
    assert_eq!(forked, Astray::Forked(3).to_string(), "that it leads further does not make it the known history");
    let effects = came(&mut conduct, &standing, continued(3));
    assert_eq!(effects, [Effect::Begin(vec![continued(3), current()])], "without an entry that may never come");
    assert_eq!(asked(&conduct), (Some(3), false));
}

#[test]
fn that_the_policy_is_current_is_kept_only_of_what_is_in_force() {
    let (mut conduct, standing) = following();
    let later = NOW.plus_seconds(60);
    let heard = |conduct: &mut Conduct, standing: &Standing| {
        let effects = conduct.step(Happening::Came(current()), standing, later);
        effects.iter().any(|effect| matches!(effect, Effect::Keep(_)))
    };
    let ill = Standing { problem: Some("a key: no such field".to_owned()), ..standing.clone() };
    let before = Standing { position: Some(2), ..standing.clone() };
    assert!(!heard(&mut conduct, &ill) && !heard(&mut conduct, &before));
    assert!(heard(&mut conduct, &standing) && !heard(&mut conduct, &standing), "once in ten seconds");
}
