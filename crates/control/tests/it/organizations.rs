use gatewarden_control::{
    Error, members,
    organizations::{self, CreateOrganization, Own, UpdateOrganization},
};
use gatewarden_credentials::ApiKey;
use gatewarden_testkit::{Someone, on_both};
use gatewarden_types::{Builtin, Id, Key, KeyOwner, Organization, Reach, Target};

use crate::{
    actors::{
        Actors, Answer,
        Answer::{Done, No, NotFound},
        FOR_ADMINS, Who, but, change, read,
    },
    given::field,
};

fn called(slug: &str, founder: &Someone) -> CreateOrganization {
    let name = format!("The {slug}").parse().unwrap();
    CreateOrganization { name, slug: slug.parse().unwrap(), founder: founder.person.clone() }
}

fn renamed(name: &str) -> UpdateOrganization {
    UpdateOrganization { name: Some(name.parse().unwrap()), ..UpdateOrganization::default() }
}

fn told(own: &[Own]) -> Vec<(&str, &str)> {
    own.iter().map(|own| (own.slug.as_str(), own.role.as_str())).collect()
}

on_both! {
    // proves KT-010, KT-011, KT-012, KT-013, PK-001, PK-087
    async fn whoever_has_an_account_founds_an_organization_and_owns_it(world: World) {
        let app = world.app();
        let people = [world.owner(), world.admin(), world.member(), world.viewer(), world.suspended(), world.stranger()];
        let mut before = world.control_tables().await["organizations"].len();
        for (at, someone) in people.into_iter().enumerate() {
            let made = organizations::create(app, &someone.caller(), called(&format!("new-{at}"), someone)).await.unwrap();
            before += 1;
            assert_eq!(world.control_tables().await["organizations"].len(), before);
            let trail = world.trail(made.organization).await;
            let entry = gatewarden_trail::Entry::from_bytes(&trail[0].bytes).unwrap();
            assert_eq!((trail.len(), entry.action.as_str(), entry.target), (1, "organization.create", Target::of(made.organization)));
            assert_eq!(entry.actor, someone.caller().actor);
            let owner = members::read(app, &someone.caller(), made.organization, made.owner).await.unwrap();
            assert_eq!((owner.person.as_ref(), owner.role.unwrap().builtin), (Some(&someone.person), Some(Builtin::Owner)));
            let roles = gatewarden_control::roles::list(app, &someone.caller(), made.organization).await.unwrap();
            let builtin: Vec<_> = roles.iter().filter_map(|role| role.record.builtin).collect();
            assert_eq!(builtin, [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer]);
            let text: ApiKey = made.master_key.expose().parse().unwrap();
            let key = gatewarden_control::keys::read(app, &someone.caller(), made.organization, made.key).await.unwrap().0.key.record;
            assert_eq!((text.id(), key.owner, key.levels), (key.id, KeyOwner::Organization, Key::all_levels()));
        }
        let others = organizations::read(app, &world.owner().caller(), world.other_org()).await;
        assert_eq!(Answer::of(&others), NotFound);
    }

    async fn keys_and_nobody_found_nothing(world: World) {
        let (app, actors) = (world.app(), Actors::of(&world).await);
        let before = (world.control_tables().await, app.store.places().await.unwrap().len());
        for who in [Who::Anonymous, Who::OwnersKey, Who::ReadingKey, Who::UsualKey, Who::MasterKey] {
            let made = organizations::create(app, &actors.caller(who), called("new", world.owner())).await;
            assert!(matches!(made, Err(Error::Refused(_))), "{who:?}: {made:?}");
        }
        assert_eq!((world.control_tables().await, app.store.places().await.unwrap().len()), before);
    }

    async fn an_address_is_one_organizations_alone(world: World) {
        let (app, owner) = (world.app(), world.owner());
        let before = (world.control_tables().await, world.tables(world.org()).await);
        for slug in ["here", "there"] {
            let made = organizations::create(app, &owner.caller(), called(slug, owner)).await;
            assert_eq!(field(made), "slug");
        }
        assert_eq!((world.control_tables().await, world.tables(world.org()).await), before, "nothing is half done");
        let (first, second) = (owner.caller(), world.stranger().caller());
        let (one, two) = tokio::join!(
            organizations::create(app, &first, called("wanted", owner)),
            organizations::create(app, &second, called("wanted", world.stranger())),
        );
        assert_eq!([one.is_ok(), two.is_ok()].into_iter().filter(|made| *made).count(), 1, "{one:?} {two:?}");
        let bearing = app.store.places().await.unwrap().into_iter().filter(|place| place.slug.as_str() == "wanted").count();
        assert_eq!(bearing, 1);
        let lost = if one.is_ok() { field(two) } else { field(one) };
        assert_eq!(lost, "slug");
    }

    // proves RQ-032, PK-047, PK-098
    async fn owners_and_admins_change_the_organization_and_nobody_else(world: World) {
        let (app, org) = (world.app(), world.org());
        let answers = but(FOR_ADMINS, [(Who::Member, No("permission_missing"))]);
        let done = change(&world, "organization.update", &answers, async |who| who, async |by, who| {
            let before = organizations::read(app, &world.owner().caller(), org).await.unwrap();
            let command = UpdateOrganization { seen: Some(before.version), ..renamed(&format!("Named by {who:?}")) };
            let changed = organizations::update(app, &by, org, command).await?;
            assert_eq!(changed.value, Organization { name: changed.value.name.clone(), ..before.record });
            let again = organizations::update(app, &by, org, renamed(&format!("Named by {who:?}"))).await?;
            assert_eq!(again.version, changed.version, "no change is no entry");
            Ok(())
        }).await;
        assert!(done.iter().all(|(_, _, entry)| entry.target == Target::of(org)));
        let (last, _, entry) = done.last().unwrap();
        let now = organizations::read(app, &world.viewer().caller(), org).await.unwrap();
        assert_eq!((now.record.name.as_str(), now.version), (format!("Named by {last:?}").as_str(), entry.seq));
    }

    async fn a_change_leaves_what_it_does_not_name_and_tells_of_another(world: World) {
        let (app, org, by) = (world.app(), world.org(), world.owner().caller());
        let first = organizations::read(app, &by, org).await.unwrap();
        let wide = UpdateOrganization { usage: Some(Reach::All), seen: Some(first.version), ..UpdateOrganization::default() };
        let second = organizations::update(app, &by, org, wide).await.unwrap();
        assert_eq!((second.value.name, second.value.slug), (first.record.name, first.record.slug));
        let stale = UpdateOrganization { seen: Some(first.version), ..renamed("Late") };
        let told = organizations::update(app, &world.admin().caller(), org, stale).await;
        assert!(matches!(told, Err(Error::Conflict { version }) if version == second.version), "{told:?}");
        let third = organizations::update(app, &by, org, renamed("Here and now")).await.unwrap();
        assert_eq!(third.value.visibility.usage, Reach::All);
    }

    async fn the_organization_is_read_by_who_is_in_it(world: World) {
        let (app, org) = (world.app(), world.org());
        let answers = but(FOR_ADMINS, [(Who::Member, Done), (Who::Viewer, Done)]);
        let rows = read(&world, &answers, async |by| organizations::read(app, &by, org).await).await;
        assert!(rows.iter().all(|(_, row)| row.record.slug.as_str() == "here"));
    }

    // proves RL-010, RL-043, PK-012
    async fn one_account_holds_another_role_in_each_organization(world: World) {
        let (app, mut max) = (world.app(), world.member().clone());
        world.other_house().admit(&mut max, Builtin::Admin).await;
        let own = organizations::list_own(app, &max.caller()).await.unwrap();
        assert_eq!(told(&own), [("here", "Member"), ("there", "Admin")]);
        let up = members::ChangeMemberRole { member: world.member().id(), role: world.role(Builtin::Viewer), seen: None };
        members::change_role(app, &world.owner().caller(), world.org(), up).await.unwrap();
        let own = organizations::list_own(app, &max.caller()).await.unwrap();
        assert_eq!(told(&own), [("here", "Viewer"), ("there", "Admin")], "a change here is none there");
        let frame = organizations::frame(app, &max.caller(), Some(world.other_org())).await.unwrap();
        assert_eq!((frame.here.unwrap().id, told(&frame.own)), (world.other_org(), told(&own)));
        assert_eq!(frame.person, max.person);
        members::suspend(app, &world.stranger().caller(), world.other_org(), max.id(), None).await.unwrap();
        let own = organizations::list_own(app, &max.caller()).await.unwrap();
        assert_eq!(told(&own), [("here", "Viewer")], "where one is suspended is left out");
        members::remove(app, &world.owner().caller(), world.org(), world.member().id(), None).await.unwrap();
        assert_eq!(told(&organizations::list_own(app, &max.caller()).await.unwrap()), []);
    }

    async fn a_list_of_ones_own_is_for_accounts(world: World) {
        let (app, actors) = (world.app(), Actors::of(&world).await);
        let here = |role| vec![("here", role)];
        let lists = [
            (Who::Owner, here("Owner")), (Who::Admin, here("Admin")), (Who::Member, here("Member")),
            (Who::Viewer, here("Viewer")), (Who::Suspended, vec![]), (Who::Stranger, vec![("there", "Owner")]),
            (Who::Anonymous, vec![]), (Who::MasterKey, vec![]),
        ];
        for (who, expected) in lists {
            let own = organizations::list_own(app, &actors.caller(who)).await.unwrap();
            assert_eq!(told(&own), expected, "{who:?}");
        }
        for who in [Who::OwnersKey, Who::ReadingKey, Who::UsualKey] {
            let own = organizations::list_own(app, &actors.caller(who)).await;
            assert!(matches!(own, Err(Error::Refused(_))), "a key does not speak for its owner's account: {own:?}");
        }
    }

    async fn a_frame_tells_who_looks_where_they_are_and_what_they_may(world: World) {
        let (app, org, actors) = (world.app(), world.org(), Actors::of(&world).await);
        let frame = async |who: Who, at: Option<Id<Organization>>| organizations::frame(app, &actors.caller(who), at).await;
        for who in [Who::Owner, Who::Admin, Who::Member, Who::Viewer] {
            let frame = frame(who, Some(org)).await.unwrap();
            assert_eq!(frame.here.unwrap().id, org, "{who:?}");
            let update = gatewarden_access::ActionInfo::named("organization.update").unwrap();
            let may = frame.facts.unwrap().allows(update).is_some();
            assert_eq!(may, matches!(who, Who::Owner | Who::Admin), "{who:?}");
        }
        for who in [Who::Suspended, Who::Stranger] {
            assert!(frame(who, Some(org)).await.unwrap().here.is_none(), "{who:?} is told nothing of it");
        }
        let outside = frame(Who::Suspended, None).await.unwrap();
        assert_eq!((outside.person, outside.own), (world.suspended().person.clone(), vec![]));
        for who in [Who::Anonymous, Who::OwnersKey, Who::ReadingKey, Who::UsualKey, Who::MasterKey] {
            assert!(frame(who, None).await.is_err() && frame(who, Some(org)).await.is_err(), "{who:?}");
        }
    }

    // proves PK-010
    async fn an_address_leads_only_those_who_are_in_it(world: World) {
        let (app, org) = (world.app(), world.org());
        for someone in [world.owner(), world.admin(), world.member(), world.viewer()] {
            assert_eq!(organizations::locate(app, "here", someone.account).await.unwrap(), Some(org));
            for slug in ["there", "nowhere", "", "HERE"] {
                assert_eq!(organizations::locate(app, slug, someone.account).await.unwrap(), None, "{slug}");
            }
        }
        assert_eq!(organizations::locate(app, "here", world.stranger().account).await.unwrap(), None);
    }
}
