//! Random situations to decide on.

use std::collections::BTreeSet;

use gatewarden_access::{
    Caller, Facts, KeyFacts, KeyLimits, Owner, Permission, PowerSet, RoleFacts, Subject, builtin_powers,
};
use gatewarden_types::{
    Actor, Builtin, Clock, Digest, Entropy, Feature, Id, Job, Key, KeyOwner, KeyState, Kind, Level, Levels, Member,
    MemberState, Model, ModelSet, Organization, OrganizationState, Powers, Reach, Role, Target, Timestamp, Via,
    Visibility,
};
use proptest::{collection::btree_map, prelude::*, sample::select};

/// Now, in every situation.
pub const NOW: Timestamp = Timestamp::from_micros(1_000_000);

/// Who asks.
#[derive(Debug, Clone)]
pub enum Who {
    /// A member, or a key of theirs.
    Member(MemberState, Powers, Option<Held>),
    /// A key of the organization, whose owner role has these powers, and whether that is the built-in one.
    Organization(Powers, bool, Held),
    Stranger,
    Job(Job),
    Founder,
    Account,
    Anyone,
}

/// A key in the caller's hand.
#[derive(Debug, Clone)]
pub struct Held {
    pub state: KeyState,
    pub expires: Option<i64>,
    pub levels: Levels,
    pub models: Option<BTreeSet<u8>>,
}

/// Whose the thing is that something is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Everyone,
    Nobody,
    Mine,
    Others,
}

/// What something is done to.
#[derive(Debug, Clone)]
pub struct Thing {
    pub whose: Whose,
    pub holds: Powers,
    pub confers: Powers,
    pub limits: Option<Limits>,
}

/// What a key that would be given is bounded to.
#[derive(Debug, Clone)]
pub struct Limits {
    pub levels: Levels,
    pub models: Option<BTreeSet<u8>>,
    pub expires: Option<i64>,
}

#[derive(Debug, Clone)]
pub struct Situation {
    pub who: Who,
    pub suspended: bool,
    pub usage: Reach,
    pub thing: Option<Thing>,
    pub action: usize,
}

/// An id that `number` names.
fn id<K: Kind>(number: u8) -> Id<K> {
    Id::new(NOW, &Entropy::new(move |bytes| bytes.fill(number)))
}

fn models(set: Option<&BTreeSet<u8>>) -> ModelSet {
    set.map_or(ModelSet::All, |set| ModelSet::Only(set.iter().map(|number| id::<Model>(*number)).collect()))
}

fn role(powers: &Powers, builtin: Option<Builtin>) -> Role {
    Role { id: id(3), name: "A role".parse().unwrap(), builtin, powers: powers.clone() }
}

fn key(held: &Held, owner: KeyOwner) -> Key {
    Key {
        id: id(4),
        name: "A key".parse().unwrap(),
        owner,
        levels: held.levels.clone(),
        models: models(held.models.as_ref()),
        limits: gatewarden_types::Limits::default(),
        expires: held.expires.map(Timestamp::from_micros),
        verifier: Digest([0; 32]),
        state: held.state,
    }
}

impl Situation {
    /// The facts, put together by the constructors that the store uses.
    pub fn facts(&self) -> Facts {
        let clock = Clock::new(|| NOW);
        let organization = Organization {
            id: id(1),
            slug: "acme".parse().unwrap(),
            name: "Acme".parse().unwrap(),
            state: if self.suspended { OrganizationState::Suspended } else { OrganizationState::Active },
            visibility: Visibility { usage: self.usage },
            limits: gatewarden_types::Limits::default(),
            epoch: 1,
            stale_after: gatewarden_types::StaleAfter::default(),
        };
        let by = |actor| Caller { actor, via: Via::Nothing, request: id(5) };
        let account = by(Actor::Account(id(6)));
        match &self.who {
            Who::Member(state, powers, held) => {
                let member = Member { id: id(2), account: id(6), role: id(3), state: *state };
                let role = role(powers, None);
                match held {
                    None => Facts::member(account, &organization, &member, &role),
                    Some(held) => {
                        let key = key(held, KeyOwner::Member(member.id));
                        let (key, role) = (KeyFacts::of(&key), RoleFacts::of(&role));
                        Facts::key(account, &organization, &key, Some((&member, &role)), &role, clock.now())
                    }
                }
            }
            Who::Organization(powers, builtin, held) => {
                let role = role(powers, builtin.then_some(Builtin::Owner));
                let key = key(held, KeyOwner::Organization);
                let (key, role) = (KeyFacts::of(&key), RoleFacts::of(&role));
                Facts::key(by(Actor::Organization), &organization, &key, None, &role, clock.now())
            }
            Who::Stranger => Facts::stranger(account, organization.id),
            Who::Job(job) => Facts::system(by(Actor::System(*job)), organization.id, *job),
            Who::Founder => Facts::founding(account, organization.id),
            Who::Account => Facts::instance(account),
            Who::Anyone => Facts::instance(by(Actor::Anyone)),
        }
    }

    /// What it is done to.
    pub fn subject(&self) -> Option<Subject> {
        let thing = self.thing.as_ref()?;
        let owner = match thing.whose {
            Whose::Everyone => Owner::Everyone,
            Whose::Nobody => Owner::Nobody,
            Whose::Mine => Owner::Member(id(2)),
            Whose::Others => Owner::Member(id(9)),
        };
        let limits = thing.limits.as_ref().map(|given| {
            let expires = given.expires.map(Timestamp::from_micros);
            KeyLimits::new(&given.levels, &models(given.models.as_ref()), expires)
        });
        let (holds, confers) = (PowerSet::of(&thing.holds), PowerSet::of(&thing.confers));
        Some(Subject { target: Target::of(id::<Member>(9)), owner, holds, confers, limits })
    }
}

impl Situation {
    /// The key in the caller's hand.
    pub fn key(&self) -> Option<&Held> {
        match &self.who {
            Who::Member(_, _, held) => held.as_ref(),
            Who::Organization(_, _, held) => Some(held),
            _ => None,
        }
    }
}

impl Thing {
    /// Whoever has what is conferred: a person with the role, or the holder of the key that is made.
    pub fn receiver(&self) -> Facts {
        let key = self.limits.clone().map(|Limits { levels, models, .. }| Held {
            state: KeyState::Active,
            expires: None,
            levels,
            models,
        });
        let who = Who::Member(MemberState::Active, self.confers.clone(), key);
        Situation { who, suspended: false, usage: Reach::Own, thing: None, action: 0 }.facts()
    }
}

fn reach() -> impl Strategy<Value = Reach> + Clone {
    prop_oneof![Just(Reach::Own), Just(Reach::All)]
}

/// What a role may say: the built-in ones, any words of this release, and words of another.
pub fn powers() -> impl Strategy<Value = Powers> {
    let words: Vec<String> =
        Permission::ALL.iter().map(|permission| permission.word().to_owned()).chain(["made:up".to_owned()]).collect();
    let builtin = select(vec![Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer]);
    prop_oneof![
        2 => builtin.prop_map(builtin_powers),
        1 => btree_map(select(words.clone()), reach(), 0..words.len()),
        1 => btree_map(select(words), reach(), 0..4),
    ]
}

fn levels() -> impl Strategy<Value = Levels> {
    let some = btree_map(select(Feature::ALL.to_vec()), select(Level::ALL.to_vec()), 0..Feature::ALL.len());
    prop_oneof![some, Just(Key::all_levels()), Just(Key::usual_levels())]
}

fn model_set() -> impl Strategy<Value = Option<BTreeSet<u8>>> {
    prop_oneof![Just(None), proptest::collection::btree_set(10u8..14, 0..4).prop_map(Some)]
}

fn held() -> impl Strategy<Value = Held> {
    let state = prop_oneof![4 => Just(KeyState::Active), 1 => Just(KeyState::Revoked)];
    let expires = prop_oneof![1 => Just(None), 1 => (999_998i64..1_000_008).prop_map(Some)];
    (state, expires, levels(), model_set()).prop_map(|(state, expires, levels, models)| Held {
        state,
        expires,
        levels,
        models,
    })
}

fn who() -> impl Strategy<Value = Who> {
    let state = prop_oneof![5 => Just(MemberState::Active), 1 => Just(MemberState::Suspended)];
    prop_oneof![
        10 => (state, powers(), proptest::option::of(held())).prop_map(|(state, powers, key)| Who::Member(state, powers, key)),
        4 => (powers(), prop::bool::weighted(0.9), held()).prop_map(|(powers, is, key)| Who::Organization(powers, is, key)),
        1 => Just(Who::Stranger),
        2 => select(vec![Job::Follower, Job::Ingest, Job::Verify, Job::Export, Job::AddGateway, Job::Enroll, Job::Restore]).prop_map(Who::Job),
        1 => Just(Who::Founder),
        1 => Just(Who::Account),
        1 => Just(Who::Anyone),
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    let whose = select(vec![Whose::Everyone, Whose::Nobody, Whose::Mine, Whose::Others]);
    let power = || prop_oneof![2 => Just(Powers::new()), 1 => powers()];
    let expires = prop_oneof![1 => Just(None), 1 => (1_000_000i64..1_000_012).prop_map(Some)];
    // Often few, so that a key which is alike in the rest is met often enough.
    let levels = prop_oneof![1 => levels(), 1 => Just(Levels::new())];
    let limits = (levels, model_set(), expires);
    let limits = limits.prop_map(|(levels, models, expires)| Limits { levels, models, expires });
    let limits = proptest::option::weighted(0.3, limits);
    (whose, power(), power(), limits).prop_map(|(whose, holds, confers, limits)| Thing {
        whose,
        holds,
        confers,
        limits,
    })
}

pub fn situation() -> impl Strategy<Value = Situation> {
    let thing = proptest::option::weighted(0.9, thing());
    let action = 0..gatewarden_access::ActionInfo::ALL.len();
    (who(), prop::bool::weighted(0.1), reach(), thing, action)
        .prop_map(|(who, suspended, usage, thing, action)| Situation { who, suspended, usage, thing, action })
}
