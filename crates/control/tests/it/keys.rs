use std::time::Duration;

use gatewarden_control::{
    Caller, Error, Once,
    invites::{self, InviteMember},
    keys::{self, CreateKey, KeyFilter, KeyStanding, KeysFrom, ListKeys},
    members::{self, ChangeMemberRole},
    models,
};
use gatewarden_credentials::ApiKey;
use gatewarden_testkit::{Someone, World};
use gatewarden_types::{Builtin, Feature, Key, KeyOwner, KeyState, Level, ModelSet, Via};

use crate::given::{field, model, outsiders, provider, refused};

fn own(name: &str) -> CreateKey {
    CreateKey::usual(name.parse().unwrap())
}

fn owned_by(someone: &Someone) -> CreateKey {
    CreateKey { owner: Some(KeyOwner::Member(someone.id())), ..own("Given") }
}

fn of_organization() -> CreateKey {
    CreateKey { owner: Some(KeyOwner::Organization), ..own("Shared") }
}

async fn listed(world: &World, caller: &Caller, filter: KeyFilter) -> Vec<String> {
    let command = ListKeys { filter, from: None, limit: 50 };
    let page = keys::list(world.app(), caller, world.org(), command).await.unwrap();
    page.rows.into_iter().map(|row| row.key.record.name.to_string()).collect()
}

/// Whether the program makes out who has this text.
async fn opens(world: &World, text: &str) -> bool {
    let key: ApiKey = text.parse().unwrap();
    world.app().store.key_caller(key.id(), key.verifier(), world.app().id()).await.unwrap().is_some()
}

gatewarden_testkit::on_both! {
    // proves RQ-008, RQ-026, RQ-049
    async fn members_make_keys_for_themselves_and_admins_for_the_organization(world: World) {
        let (app, org) = (world.app(), world.org());
        for someone in [world.owner(), world.admin(), world.member()] {
            let made = keys::create(app, &someone.caller(), org, own("Mine")).await.unwrap();
            assert_eq!(made.key.value.owner, KeyOwner::Member(someone.id()));
            assert!(opens(&world, made.secret.unwrap().expose()).await, "it works at once");
        }
        for someone in [world.owner(), world.admin()] {
            keys::create(app, &someone.caller(), org, of_organization()).await.unwrap();
        }
        keys::create(app, &world.admin().caller(), org, owned_by(world.member())).await.unwrap();
        let member = world.member().caller();
        assert!(refused(&keys::create(app, &member, org, of_organization()).await));
        assert!(refused(&keys::create(app, &member, org, owned_by(world.admin())).await));
        assert!(refused(&keys::create(app, &world.admin().caller(), org, owned_by(world.owner())).await));
        assert!(refused(&keys::create(app, &world.viewer().caller(), org, own("Mine")).await));
        for caller in outsiders(&world) {
            assert!(refused(&keys::create(app, &caller, org, own("Mine")).await), "{caller:?}");
        }
    }

    // proves PK-086, LL-088
    async fn a_key_gives_no_key_more_than_it_has(world: World) {
        let (app, org) = (world.app(), world.org());
        let holder = world.key([(Feature::Keys, Level::Write), (Feature::Completions, Level::Read)].into()).await;
        assert!(refused(&keys::create(app, &holder.caller(), org, own("More")).await));
        let less = CreateKey { levels: [(Feature::Completions, Level::Read)].into(), ..own("Less") };
        let made = keys::create(app, &holder.caller(), org, less).await.unwrap();
        assert_eq!(made.key.value.owner, KeyOwner::Member(world.member().id()));
        let weak = world.key(Key::usual_levels()).await;
        assert!(refused(&keys::create(app, &weak.caller(), org, own("None")).await));
    }

    async fn a_key_confers_a_role_only_where_it_may_do_all_of_it(world: World) {
        let (app, org) = (world.app(), world.org());
        let narrow = world.key_of(world.owner(), [(Feature::Members, Level::Write)].into()).await.caller();
        let before = world.tables(org).await;
        for builtin in [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer] {
            let role = world.role(builtin);
            let invite = InviteMember { email: "n@example.com".parse().unwrap(), role, once: None };
            assert!(refused(&invites::create(app, &narrow, org, invite).await), "{builtin:?}");
            let member = world.person(if builtin == Builtin::Viewer { Builtin::Member } else { Builtin::Viewer }).id();
            let change = ChangeMemberRole { member, role, seen: None };
            assert!(refused(&members::change_role(app, &narrow, org, change).await), "{builtin:?}");
        }
        assert_eq!(world.tables(org).await, before);
        let admin = world.person(Builtin::Admin).id();
        members::suspend(app, &narrow, org, admin, None).await.unwrap();
        assert!(refused(&members::reinstate(app, &narrow, org, admin, None).await), "it would give an admin's power");

        let whole = world.key_of(world.owner(), Key::all_levels()).await.caller();
        members::reinstate(app, &whole, org, admin, None).await.unwrap();
        let promote = ChangeMemberRole { member: world.viewer().id(), role: world.role(Builtin::Owner), seen: None };
        members::change_role(app, &whole, org, promote).await.unwrap();
    }

    async fn a_key_makes_and_rotates_no_key_that_outlives_it(world: World) {
        let (app, org, member) = (world.app(), world.org(), world.member());
        let (now, levels) = (world.time().now(), Key::all_levels());
        let ends = |days: i64| Some(now.plus_seconds(days * 86_400));
        let command = |name, expires| CreateKey { expires, levels: levels.clone(), ..own(name) };
        let made = keys::create(app, &member.caller(), org, command("Parent", ends(7))).await.unwrap();
        let via = Via::Key(made.key.value.id);
        let parent = || Caller { via, ..member.caller() };
        let child = keys::create(app, &parent(), org, command("Child", None)).await.unwrap();
        assert_eq!(child.key.value.expires, ends(7), "it ends with its parent unless it says less");
        let brief = keys::create(app, &parent(), org, command("Brief", ends(1))).await.unwrap();
        assert_eq!(brief.key.value.expires, ends(1));
        assert_eq!(field(keys::create(app, &parent(), org, command("Long", ends(8))).await), "expires");
        let lasting = keys::create(app, &member.caller(), org, own("Lasting")).await.unwrap().key.value.id;
        assert!(refused(&keys::rotate(app, &parent(), org, lasting, None).await), "its text would outlive the parent");
        assert!(keys::rotate(app, &parent(), org, made.key.value.id, None).await.is_ok());
    }

    async fn models_and_expiry_are_checked(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let one = provider(&world, "One").await.value.id;
        let fast = model(&world, "fast", one).await.value.id;
        let only = |ids: &[_]| CreateKey { models: ModelSet::Only(ids.iter().copied().collect()), ..own("Only") };
        keys::create(app, &owner, org, only(&[fast])).await.unwrap();
        assert_eq!(models::list(app, &owner, org).await.unwrap().0[0].keys, 1, "it names this model alone");
        assert_eq!(field(keys::create(app, &owner, org, only(&[])).await), "models");
        assert_eq!(field(keys::create(app, &owner, org, only(&[fast, app.id()])).await), "models");
        models::withdraw(app, &owner, org, fast, None).await.unwrap();
        assert_eq!(field(keys::create(app, &owner, org, only(&[fast])).await), "models");
        for days in [-1, 6 * 366] {
            let expires = Some(world.time().now().plus_seconds(days * 86_400));
            assert_eq!(field(keys::create(app, &owner, org, CreateKey { expires, ..own("Time") }).await), "expires");
        }
    }

    async fn a_repeated_request_makes_one_key_and_shows_it_once(world: World) {
        let (app, org, member) = (world.app(), world.org(), world.member().caller());
        let once = |request| Some(Once { word: "w".to_owned(), request: [request; 32] });
        let command = |request| CreateKey { once: once(request), ..own("Mine") };
        let first = keys::create(app, &member, org, command(1)).await.unwrap();
        let again = keys::create(app, &member, org, command(1)).await.unwrap();
        assert!(first.secret.is_some() && again.secret.is_none());
        assert_eq!(first.key.value, again.key.value);
        assert!(matches!(keys::create(app, &member, org, command(2)).await, Err(Error::Reused)));
        let other = keys::create(app, &world.admin().caller(), org, command(2)).await.unwrap();
        assert!(other.secret.is_some(), "another caller's word is another word");
    }

    // proves RQ-049
    async fn rotating_replaces_the_text_and_takes_the_power_to_make_it(world: World) {
        let (app, org, member) = (world.app(), world.org(), world.member().caller());
        let made = keys::create(app, &member, org, own("Mine")).await.unwrap();
        let (id, old) = (made.key.value.id, made.secret.unwrap());
        let stale = keys::rotate(app, &member, org, id, Some(1)).await;
        assert!(matches!(stale, Err(Error::Conflict { .. })));
        let rotated = keys::rotate(app, &member, org, id, Some(made.key.version)).await.unwrap();
        assert!(!opens(&world, old.expose()).await && opens(&world, rotated.secret.expose()).await);
        let owners = keys::create(app, &world.owner().caller(), org, own("Owner's")).await.unwrap().key.value.id;
        for caller in [world.admin().caller(), member, world.viewer().caller()] {
            assert!(refused(&keys::rotate(app, &caller, org, owners, None).await), "{caller:?}");
        }
        keys::revoke(app, &world.admin().caller(), org, id, None).await.unwrap();
        assert!(matches!(keys::rotate(app, &world.owner().caller(), org, id, None).await, Err(Error::Rule(_))));
    }

    // proves RQ-049
    async fn revoking_twice_is_revoking_once(world: World) {
        let (app, org, member) = (world.app(), world.org(), world.member().caller());
        let made = keys::create(app, &member, org, own("Mine")).await.unwrap().key;
        for caller in outsiders(&world) {
            assert!(refused(&keys::revoke(app, &caller, org, made.value.id, None).await), "{caller:?}");
        }
        assert!(refused(&keys::revoke(app, &world.viewer().caller(), org, made.value.id, None).await));
        let first = keys::revoke(app, &member, org, made.value.id, Some(made.version)).await.unwrap();
        let second = keys::revoke(app, &member, org, made.value.id, Some(made.version)).await.unwrap();
        assert_eq!((first.version, second.value.state), (second.version, KeyState::Revoked));
        let others = keys::create(app, &world.admin().caller(), org, own("Admin's")).await.unwrap().key.value.id;
        assert!(refused(&keys::revoke(app, &member, org, others, None).await));
    }

    // proves RQ-010, RQ-039
    async fn lists_show_what_one_may_see_and_where_it_stands(world: World) {
        let (app, org) = (world.app(), world.org());
        keys::create(app, &world.admin().caller(), org, own("Admin's")).await.unwrap();
        let mine = keys::create(app, &world.member().caller(), org, own("Mine")).await.unwrap().key.value;
        let soon = Some(world.time().now().plus_seconds(60));
        keys::create(app, &world.member().caller(), org, CreateKey { expires: soon, ..own("Brief") }).await.unwrap();
        world.time().pass(Duration::from_secs(61));
        assert_eq!(listed(&world, &world.member().caller(), KeyFilter::default()).await, ["Brief", "Mine"]);
        let viewer = world.viewer().caller();
        assert_eq!(listed(&world, &viewer, KeyFilter::default()).await, ["Brief", "Mine", "Admin's", "Master key"]);
        let max = KeyFilter { search: Some("max mem".to_owned()), ..KeyFilter::default() };
        assert_eq!(listed(&world, &viewer, max).await, ["Brief", "Mine"]);
        let shared = KeyFilter { owner: Some(KeyOwner::Organization), ..KeyFilter::default() };
        assert_eq!(listed(&world, &viewer, shared).await, ["Master key"]);
        let standing = |standing| KeyFilter { standing: Some(standing), ..KeyFilter::default() };
        assert_eq!(listed(&world, &viewer, standing(KeyStanding::Expired)).await, ["Brief"]);
        members::suspend(app, &world.owner().caller(), org, world.member().id(), None).await.unwrap();
        assert_eq!(listed(&world, &viewer, standing(KeyStanding::OwnerSuspended)).await, ["Mine"]);
        let page = ListKeys { filter: KeyFilter::default(), from: Some(KeysFrom::OlderThan(mine.id)), limit: 1 };
        let page = keys::list(app, &viewer, org, page).await.unwrap();
        assert_eq!((page.rows.len(), page.total, page.more), (1, 4, true));
        assert_eq!(page.rows[0].key.record.name.as_str(), "Admin's");
        let back = Some(KeysFrom::NewerThan(page.rows[0].key.record.id));
        let page = ListKeys { filter: KeyFilter::default(), from: back, limit: 1 };
        let page = keys::list(app, &viewer, org, page).await.unwrap();
        assert_eq!((page.rows[0].key.record.id, page.earlier, page.more), (mine.id, true, true));
        let begins = KeyFilter { search: Some(ApiKey::beginning(mine.id)), ..KeyFilter::default() };
        assert_eq!(listed(&world, &viewer, begins).await, ["Mine"]);
        for caller in outsiders(&world) {
            let command = ListKeys { filter: KeyFilter::default(), from: None, limit: 1 };
            assert!(refused(&keys::list(app, &caller, org, command).await));
            assert!(refused(&keys::read(app, &caller, org, mine.id).await));
        }
    }
}
