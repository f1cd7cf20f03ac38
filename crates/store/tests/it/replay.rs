//! Folding the trail gives the policy tables, row for row, after any sequence of use cases by anybody.

use std::collections::BTreeMap;

use gatewarden_access::actions;
use gatewarden_control::{App, Caller, Error, invites, keys, members, models, organizations, providers};
use gatewarden_credentials::Secret;
use gatewarden_testkit::{Beneath, Holder, House, Someone, World};
use gatewarden_trail::{Entry, Folded, fold};
use gatewarden_types::{Builtin, Dialect, Id, Job, Key, Level, Levels, ModelName, Reach, RecordKind};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use tokio::runtime::Runtime;

/// Sequences on each back end.
const SEQUENCES: u32 = 300;
const LONGEST: usize = 16;
/// Sequences in one organization, one after the other: founding one costs more than a sequence does.
const IN_ONE: usize = 10;

/// One attempt to change something, by whoever `actor` picks.
#[derive(Debug, Clone)]
struct Step {
    actor: prop::sample::Index,
    whom: prop::sample::Index,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Role(Builtin),
    StaleRole(Builtin),
    UnknownRole,
    Suspend,
    Reinstate,
    Remove,
    Rename(u8),
    Usage(Reach),
    Join(Builtin),
    Invite(Builtin),
    Resend,
    Uninvite,
    Key(Level),
    Rotate,
    Revoke,
    Provider(Option<u8>),
    NewSecret(u8),
    NoProvider,
    Approve(u8),
    Withdraw,
}

fn step() -> impl Strategy<Value = Step> {
    let role = prop_oneof![Just(Builtin::Owner), Just(Builtin::Admin), Just(Builtin::Member), Just(Builtin::Viewer)];
    let what = prop_oneof![
        4 => role.clone().prop_map(What::Role),
        1 => role.clone().prop_map(What::StaleRole),
        1 => Just(What::UnknownRole),
        2 => Just(What::Suspend),
        2 => Just(What::Reinstate),
        1 => Just(What::Remove),
        1 => any::<u8>().prop_map(What::Rename),
        1 => prop_oneof![Just(Reach::Own), Just(Reach::All)].prop_map(What::Usage),
        2 => role.clone().prop_map(What::Join),
        2 => role.prop_map(What::Invite),
        1 => Just(What::Resend),
        1 => Just(What::Uninvite),
        1 => Just(What::Rotate),
        1 => Just(What::Revoke),
        2 => any::<Option<u8>>().prop_map(What::Provider),
        1 => any::<u8>().prop_map(What::NewSecret),
        1 => Just(What::NoProvider),
        2 => any::<u8>().prop_map(What::Approve),
        1 => Just(What::Withdraw),
        2 => prop::sample::select(Level::ALL.to_vec()).prop_map(What::Key),
    ];
    let pick = any::<prop::sample::Index>;
    (pick(), pick(), what).prop_map(|(actor, whom, what)| Step { actor, whom, what })
}

/// An organization, and everybody who may try something in it.
struct Scene<'w> {
    world: &'w World,
    house: House,
    people: Vec<Someone>,
    keys: Vec<Holder>,
    beneath: Beneath,
    /// What was played here so far.
    played: Vec<Vec<Step>>,
}

impl<'w> Scene<'w> {
    async fn new(world: &'w World, number: u32) -> Self {
        let house = world.found(&format!("scene-{number}")).await;
        let mut people = vec![house.owner.clone(), house.owner.clone()];
        for role in [Builtin::Admin, Builtin::Member] {
            people.push(house.join(&format!("{role:?} {number}"), role).await);
        }
        let beneath = world.beneath(house.id).await;
        Self { world, keys: vec![house.master.clone()], house, people, beneath, played: Vec::new() }
    }

    /// Whoever acts: mostly people of the organization and their keys, now and then someone who has no business there.
    fn caller(&self, pick: prop::sample::Index) -> Caller {
        let outsiders = [self.world.stranger().caller(), self.world.anonymous()];
        let people = self.people.iter().map(Someone::caller);
        let callers: Vec<_> = people.chain(self.keys.iter().map(Holder::caller)).chain(outsiders).collect();
        pick.get(&callers).clone()
    }

    /// Plays a sequence, and compares.
    async fn play_all(&mut self, steps: Vec<Step>) -> Result<(), TestCaseError> {
        for (number, step) in steps.iter().enumerate() {
            self.play(step, self.played.len() * LONGEST + number).await;
        }
        self.played.push(steps);
        self.compare().await
    }

    async fn play(&mut self, step: &Step, number: usize) {
        let (app, org) = (self.world.app(), self.house.id);
        let (caller, whom) = (self.caller(step.actor), step.whom.get(&self.people).id());
        let role = |role, seen| members::ChangeMemberRole { member: whom, role, seen };
        let done = match step.what {
            What::Role(to) => members::change_role(app, &caller, org, role(self.house.role(to), None)).await.map(drop),
            What::StaleRole(to) => {
                members::change_role(app, &caller, org, role(self.house.role(to), Some(1))).await.map(drop)
            }
            What::UnknownRole => members::change_role(app, &caller, org, role(app.id(), None)).await.map(drop),
            What::Suspend => members::suspend(app, &caller, org, whom, None).await.map(drop),
            What::Reinstate => members::reinstate(app, &caller, org, whom, None).await.map(drop),
            What::Remove => members::remove(app, &caller, org, whom, None).await.map(drop),
            What::Rename(to) => update(app, &caller, &self.house, Some(to), None).await,
            What::Usage(reach) => update(app, &caller, &self.house, None, Some(reach)).await,
            What::Join(to) => self.join(&caller, to, number).await,
            What::Key(level) => self.key(step.actor, level).await,
            _ => self.play_on_things(step, &caller, number).await,
        };
        if let Err(other @ (Error::Store(_) | Error::Internal(_))) = done {
            panic!("{step:?}: {other}");
        }
    }

    async fn join(&mut self, caller: &Caller, role: Builtin, number: usize) -> Result<(), Error> {
        let mut someone = self.world.account(&format!("Joiner {number} of {}", self.house.slug)).await;
        self.house.try_admit(caller, &mut someone, role).await?;
        self.people.push(someone);
        Ok(())
    }

    async fn key(&mut self, pick: prop::sample::Index, level: Level) -> Result<(), Error> {
        let owner = pick.get(&self.people).clone();
        let levels: Levels = gatewarden_types::Feature::ALL.iter().map(|feature| (*feature, level)).collect();
        let key = Holder::try_new(self.world.app(), self.house.id, &owner, levels).await?;
        self.keys.push(key);
        Ok(())
    }

    /// Steps on invites, keys, providers and models, some of which are not there.
    async fn play_on_things(&self, step: &Step, caller: &Caller, number: usize) -> Result<(), Error> {
        let (app, org) = (self.world.app(), self.house.id);
        let secret = |text: u8| Secret::new(format!("secret-{text}"));
        match step.what {
            What::Invite(to) => {
                let email = format!("guest{number}@example.com").parse().unwrap();
                let command = invites::InviteMember { email, role: self.house.role(to), once: None };
                invites::create(app, caller, org, command).await.map(drop)
            }
            What::Resend => invites::resend(app, caller, org, self.some("invites", step).await, None).await.map(drop),
            What::Uninvite => invites::revoke(app, caller, org, self.some("invites", step).await, None).await.map(drop),
            What::Rotate => keys::rotate(app, caller, org, self.some_key(step), None).await.map(drop),
            What::Revoke => keys::revoke(app, caller, org, self.some_key(step), None).await.map(drop),
            What::Provider(with) => {
                let command = providers::AddProvider {
                    name: format!("Provider {number}").parse().unwrap(),
                    dialect: Dialect::OpenAi,
                    base_url: "http://127.0.0.1:9/v1".parse().unwrap(),
                    secret: with.map(secret),
                    once: None,
                };
                providers::add(app, caller, org, command).await.map(drop)
            }
            What::NewSecret(text) => {
                let command = providers::UpdateProvider {
                    provider: self.some("providers", step).await,
                    name: None,
                    base_url: None,
                    secret: providers::SecretChange::Replace(secret(text)),
                    seen: None,
                };
                providers::update(app, caller, org, command).await.map(drop)
            }
            What::NoProvider => providers::remove(app, caller, org, self.some("providers", step).await, None).await,
            What::Approve(name) => {
                let name: ModelName = format!("model-{}", name % 4).parse().unwrap();
                let provider = self.some("providers", step).await;
                let command = models::ApproveModel { provider, upstream: name.clone(), name, once: None };
                models::approve(app, caller, org, command).await.map(drop)
            }
            What::Withdraw => models::withdraw(app, caller, org, self.some("models", step).await, None).await.map(drop),
            _ => Ok(()),
        }
    }

    /// The id of a row of a table, or of nothing when there is none.
    async fn some<K: gatewarden_types::Kind>(&self, table: &str, step: &Step) -> Id<K> {
        let rows = self.beneath.query(&format!("SELECT id FROM {table} ORDER BY id")).await;
        if rows.is_empty() {
            return self.world.app().id();
        }
        Id::from_uuid(step.whom.get(&rows).try_get_by_index(0).unwrap())
    }

    /// A key that somebody made here; the master key stays, for looking at the tables with.
    fn some_key(&self, step: &Step) -> Id<Key> {
        let keys: Vec<_> = self.keys.iter().skip(1).map(|holder| holder.key).collect();
        if keys.is_empty() { self.world.app().id() } else { *step.whom.get(&keys) }
    }

    /// The trail folded, and the tables as they are.
    async fn compare(&self) -> Result<(), TestCaseError> {
        let mut folded = Folded::new();
        for stored in self.world.trail(self.house.id).await {
            fold(&mut folded, &Entry::from_bytes(&stored.bytes).unwrap());
        }
        let store = &self.world.app().store;
        let read = store.read(&Caller::system(Job::Follower, store.request_id()), self.house.id).await.unwrap();
        let permit = read.permit::<actions::FollowTrail>().unwrap();
        let tables = read.tables(&permit).await.unwrap();
        prop_assert_eq!(&folded, &tables, "world {:x}, after {:?}", self.world.seed(), self.played);
        self.count(&folded).await
    }

    /// The rows are counted underneath the program too, which cannot hide one there.
    async fn count(&self, folded: &Folded) -> Result<(), TestCaseError> {
        let mut counts: BTreeMap<RecordKind, usize> = BTreeMap::new();
        for (kind, _) in folded.keys() {
            *counts.entry(*kind).or_default() += 1;
        }
        for (kind, table) in [
            (RecordKind::Organization, "organization"),
            (RecordKind::Role, "roles"),
            (RecordKind::Member, "members"),
            (RecordKind::Invite, "invites"),
            (RecordKind::Provider, "providers"),
            (RecordKind::Model, "models"),
            (RecordKind::Key, "keys"),
        ] {
            let rows = self.beneath.rows(table).await.len();
            prop_assert_eq!(counts.get(&kind).copied().unwrap_or_default(), rows, "{}", table);
        }
        let (people, members) = (self.beneath.rows("people").await.len(), self.beneath.rows("members").await.len());
        prop_assert_eq!(people, members, "who is removed is forgotten");
        Ok(())
    }
}

async fn update(app: &App, by: &Caller, house: &House, to: Option<u8>, usage: Option<Reach>) -> Result<(), Error> {
    let name = to.map(|to| format!("Name {to}").parse().unwrap());
    let limit = |usage: Reach| u64::from(usage == Reach::All).try_into().ok();
    let requests = usage.map_or(organizations::LimitChange::Keep, |usage| limit(usage).into());
    let command = organizations::UpdateOrganization {
        name,
        usage,
        requests,
        stale_after: to.map(|to| (60 + u64::from(to)).try_into().unwrap()),
        ..Default::default()
    };
    organizations::update(app, by, house.id, command).await.map(drop)
}

fn replay(world: &World, runtime: &Runtime) {
    let config =
        ProptestConfig { cases: SEQUENCES, failure_persistence: None, max_shrink_iters: 100, ..Default::default() };
    let founded = std::cell::Cell::new(0);
    // Empty after a failure, so that what is shrunk begins with a fresh organization.
    let kept = std::cell::RefCell::new(None);
    let played = TestRunner::new(config).run(&vec(step(), 1..LONGEST), |steps| {
        let scene: Option<Scene> = kept.take().filter(|scene: &Scene| scene.played.len() < IN_ONE);
        runtime.block_on(async {
            let mut scene = match scene {
                Some(scene) => scene,
                None => Scene::new(world, founded.replace(founded.get() + 1)).await,
            };
            scene.play_all(steps).await?;
            kept.replace(Some(scene));
            Ok(())
        })
    });
    if let Err(difference) = played {
        panic!("{difference}");
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

// proves PK-092, PK-097, PK-098, PK-099, LL-081
#[test]
fn the_trail_folds_to_the_tables_on_sqlite() {
    let runtime = runtime();
    let world = runtime.block_on(World::sqlite());
    replay(&world, &runtime);
}

// proves PK-092, PK-097, PK-098, PK-099, LL-081
#[test]
fn the_trail_folds_to_the_tables_on_postgres() {
    let runtime = runtime();
    if let Some(world) = runtime.block_on(World::postgres()) {
        replay(&world, &runtime);
    }
}
