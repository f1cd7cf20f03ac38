use std::time::Duration;

use gatewarden_control::{
    Error, Once,
    gateways::{self, AddGateway, Admitted, InEffect, Report},
    keys,
    members::suspend,
    organizations::{self, UpdateOrganization},
};
use gatewarden_credentials::{FramesFor, GatewayCredential, Token};
use gatewarden_feed::{Asked, FeedEvent, FrameReader, Position};
use gatewarden_testkit::{House, World};
use gatewarden_trail::{Entry, leaf_hash};
use gatewarden_types::{Actor, Digest, Gateway, GatewayState, Id, Job, Key, Via};

use crate::{
    actors::{
        Answer::{No, NotFound},
        FOR_ADMINS, Told,
        Who::Member,
        but, change,
    },
    given::{field, outsiders, refused},
};

fn named(name: &str) -> AddGateway {
    AddGateway { name: name.parse().unwrap(), once: None }
}

/// A gateway of a house that waits, and its token.
async fn waiting(world: &World, house: &House, name: &str) -> (Id<Gateway>, GatewayCredential) {
    let added = gateways::add(world.app(), &house.owner.caller(), house.id, named(name)).await.unwrap();
    (added.gateway.value.id, added.token.unwrap().expose().parse().unwrap())
}

/// A gateway of a house that has enrolled, and what it shows.
async fn enrolled(world: &World, house: &House, name: &str) -> (Id<Gateway>, GatewayCredential) {
    let (app, (id, token)) = (world.app(), waiting(world, house, name).await);
    let own = GatewayCredential::new(id, Token::generate(&app.entropy));
    assert_eq!(gateways::enroll(app, app.id(), &token, own.verifier()).await.unwrap(), house.id);
    (id, own)
}

/// A gateway of the house, which has enrolled but for the one that waits.
async fn enrolled_or_not(world: &World, name: &str) -> (Id<Gateway>, GatewayCredential) {
    let house = world.house();
    if name == "Waits" { waiting(world, house, name).await } else { enrolled(world, house, name).await }
}

async fn admitted(world: &World, shown: &GatewayCredential) -> Option<Admitted> {
    gateways::admit(world.app(), world.app().id(), shown.text().expose()).await.unwrap()
}

const SALT: [u8; 32] = [3; 32];

/// The first event of the feed that a gateway asks for.
async fn first(world: &World, shown: &GatewayCredential, asked: Asked) -> FeedEvent {
    let mut sent = gateways::feed(world.app(), admitted(world, shown).await.unwrap(), &SALT, asked);
    let mut read = FrameReader::new(shown.frames(FramesFor::Feed, &SALT));
    loop {
        read.push(&sent.recv().await.unwrap());
        if let Some(event) = read.next().unwrap() {
            return event;
        }
    }
}

/// What a gateway says of itself.
async fn report(world: &World, shown: &GatewayCredential, position: u64) {
    let report = Report { position: Some(position), ..nothing() };
    gateways::report(world.app(), &admitted(world, shown).await.unwrap(), report);
}

/// What a gateway says that follows the first trail and has no policy of it yet.
fn nothing() -> Report {
    Report { position: None, epoch: Some(1), release: "0.1.0".to_owned(), problem: None }
}

/// Gateways are not a member's to see.
fn told() -> Told {
    but(FOR_ADMINS, [(Member, NotFound)])
}

gatewarden_testkit::on_both! {
    // proves KT-028
    async fn owners_and_admins_add_drain_and_remove_gateways(world: World) {
        let (app, org) = (world.app(), world.org());
        let of_their_own = async |who| enrolled(&world, world.house(), &format!("Of {who:?}")).await.0;
        let added = but(FOR_ADMINS, [(Member, No("permission_missing"))]);
        change(&world, "gateway.add", &added, async |who| who, async |by, who| {
            gateways::add(app, &by, org, named(&format!("By {who:?}"))).await.map(drop)
        }).await;
        let drained = change(&world, "gateway.drain", &told(), of_their_own, async |by, id| {
            gateways::drain(app, &by, org, id, true, None).await.map(drop)
        }).await;
        let listed = gateways::list(app, &world.viewer().caller(), org).await.unwrap();
        let state = |id| listed.rows.iter().find(|row| row.gateway.record.id == id).unwrap().gateway.record.state;
        assert!(drained.iter().all(|(_, id, _)| state(*id) == GatewayState::Draining));
        let again = async |who| enrolled(&world, world.house(), &format!("Again of {who:?}")).await.0;
        let gone = change(&world, "gateway.remove", &told(), again, async |by, id| {
            gateways::remove(app, &by, org, id, None).await
        }).await;
        let left = gateways::list(app, &world.owner().caller(), org).await.unwrap().rows;
        assert!(gone.iter().all(|(_, id, _)| left.iter().all(|row| row.gateway.record.id != *id)));
        for outsider in outsiders(&world) {
            assert!(refused(&gateways::list(app, &outsider, org).await));
        }
        assert!(refused(&gateways::list(app, &world.member().caller(), org).await));
    }

    async fn a_token_lets_one_gateway_in_once_and_for_an_hour(world: World) {
        let (app, house) = (world.app(), world.house());
        let (id, token) = waiting(&world, house, "Frankfurt").await;
        assert!(admitted(&world, &token).await.is_none(), "it is let in by enrolling alone");
        let forged = GatewayCredential::new(id, Token::generate(&app.entropy));
        let none = GatewayCredential::new(app.id(), Token::generate(&app.entropy));
        let own = GatewayCredential::new(id, Token::generate(&app.entropy));
        let enroll = async |token: &GatewayCredential| gateways::enroll(app, app.id(), token, own.verifier()).await;
        for wrong in [&forged, &none] {
            assert!(matches!(enroll(wrong).await, Err(Error::NotRecognized(_))));
        }
        assert_eq!(enroll(&token).await.unwrap(), house.id);
        assert!(matches!(enroll(&token).await, Err(Error::NotRecognized(_))), "it was used");
        assert!(admitted(&world, &token).await.is_none() && admitted(&world, &own).await.is_some());
        let (_, late) = waiting(&world, house, "Oslo").await;
        let (removed, early) = waiting(&world, house, "Lisbon").await;
        gateways::remove(app, &world.owner().caller(), house.id, removed, None).await.unwrap();
        assert!(matches!(enroll(&early).await, Err(Error::NotRecognized(_))), "its gateway was removed");
        world.time().pass(Duration::from_mins(61));
        assert!(matches!(enroll(&late).await, Err(Error::NotRecognized(_))), "it has expired");
    }

    async fn a_name_is_free_again_once_its_gateway_is_removed(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let (id, _) = waiting(&world, world.house(), "Frankfurt").await;
        assert_eq!(field(gateways::add(app, &owner, org, named("frankfurt")).await), "name");
        gateways::remove(app, &owner, org, id, None).await.unwrap();
        let before = world.trail(org).await.len();
        gateways::remove(app, &owner, org, id, None).await.unwrap();
        assert_eq!(world.trail(org).await.len(), before, "what is removed stays so");
        assert!(matches!(gateways::drain(app, &owner, org, id, true, None).await, Err(Error::Gone)));
        let (waits, _) = waiting(&world, world.house(), "Frankfurt").await;
        assert!(matches!(gateways::drain(app, &owner, org, waits, true, None).await, Err(Error::Rule(_))));
        let once = Some(Once { word: "one".to_owned(), request: [1; 32] });
        let add = async || gateways::add(app, &owner, org, AddGateway { once: once.clone(), ..named("Oslo") }).await.unwrap();
        let (first, second) = (add().await, add().await);
        assert_eq!(first.gateway.version, second.gateway.version);
        assert!(first.token.is_some() && second.token.is_none(), "a request that is sent twice shows its token once");
    }

    async fn the_program_adds_a_gateway_for_its_operator(world: World) {
        let (app, org) = (world.app(), world.org());
        let operator = gateways::operator(app);
        let added = gateways::add(app, &operator, org, named("Frankfurt")).await.unwrap();
        let entry = Entry::from_bytes(&world.trail(org).await.last().unwrap().bytes).unwrap();
        assert_eq!(entry.seq, added.gateway.version);
        assert_eq!((entry.actor, entry.via), (Actor::System(Job::AddGateway), Via::CommandLine));
        assert!(refused(&gateways::list(app, &operator, org).await), "and reads nothing");
        assert!(refused(&organizations::read(app, &operator, org).await));
    }

    async fn a_gateway_goes_on_from_what_it_knows_and_learns_whether_the_trail_has_it(world: World) {
        let (_, shown) = enrolled(&world, world.house(), "Frankfurt").await;
        let entries = world.trail(world.org()).await;
        let (seq, head) = (entries.len() as u64 - 1, Digest(leaf_hash(&entries[entries.len() - 2].bytes)));
        let (here, elsewhere) = (Position { seq, head }, Position { seq, head: Digest([9; 32]) });
        for (known, wants_base, due) in [
            (Some(here), false, None),
            (Some(here), true, Some(true)),
            (Some(elsewhere), false, Some(false)),
            (Some(elsewhere), true, Some(false)),
            (None, false, Some(false)),
        ] {
            match (first(&world, &shown, Asked { known, wants_base }).await, due) {
                (FeedEvent::Base { continues, .. }, Some(due)) => assert_eq!(continues, due, "{known:?}"),
                (event @ FeedEvent::Entry { .. }, None) => assert_eq!(event.leads_to().unwrap().seq, seq + 1),
                (event, _) => panic!("{event:?} for {known:?}, {wants_base}"),
            }
        }
    }

    async fn a_gateway_is_sent_its_own_organization_and_no_other(world: World) {
        let app = world.app();
        let (_, here) = enrolled(&world, world.house(), "Frankfurt").await;
        let (there_id, there) = enrolled(&world, world.other_house(), "Frankfurt").await;
        let (salt, nothing) = (SALT, Asked { known: None, wants_base: true });
        for (shown, house) in [(&here, world.house()), (&there, world.other_house())] {
            let base = first(&world, shown, nothing).await;
            assert!(matches!(base, FeedEvent::Base { organization, .. } if organization == house.id), "{base:?}");
        }
        let mut sent = gateways::feed(app, admitted(&world, &there).await.unwrap(), &salt, nothing);
        let frame = sent.recv().await.unwrap();
        let mut others = FrameReader::new(here.frames(FramesFor::Feed, &salt));
        others.push(&frame);
        assert!(others.next().is_err(), "and what another is sent does not open");
        let (org, stranger) = (world.other_org(), world.stranger().caller());
        gateways::remove(app, &stranger, org, there_id, None).await.unwrap();
        assert!(admitted(&world, &there).await.unwrap().removed);
        let mut told = gateways::feed(app, admitted(&world, &there).await.unwrap(), &salt, nothing);
        let mut read = FrameReader::new(there.frames(FramesFor::Feed, &salt));
        read.push(&told.recv().await.unwrap());
        assert!(matches!(read.next().unwrap(), Some(FeedEvent::Removed(gone)) if gone == org));
        assert!(told.recv().await.is_none(), "and nothing else");
    }

    async fn a_revocation_is_in_effect_where_gateways_have_come_to_it(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let key = world.key_of(world.owner(), Key::usual_levels()).await.key;
        let at = keys::revoke(app, &owner, org, key, None).await.unwrap().version;
        let far = async |at| gateways::in_effect(app, org, at, Duration::ZERO).await.unwrap();
        let nowhere = far(at).await;
        assert_eq!((nowhere.on, nowhere.of(), nowhere.everywhere()), (0, 0, true));
        let (_, oslo) = enrolled(&world, world.house(), "Oslo").await;
        let (_, bonn) = enrolled(&world, world.house(), "Bonn").await;
        enrolled(&world, world.other_house(), "Not ours").await;
        waiting(&world, world.house(), "Waits").await;
        app.took(org, at - 1);
        report(&world, &oslo, at).await;
        report(&world, &bonn, at - 1).await;
        let some = far(at).await;
        assert_eq!((some.on, some.of(), some.behind_here), (1, 3, true));
        assert_eq!(some.behind.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Bonn"]);
        let goes_on = |far: InEffect| far.stale_at.unwrap().seconds() - world.time().now().seconds();
        assert!((86_390..=86_400).contains(&goes_on(some)), "a day unless said otherwise");
        let brief = UpdateOrganization { stale_after: "300".parse().ok(), ..UpdateOrganization::default() };
        organizations::update(app, &owner, org, brief).await.unwrap();
        assert!((86_390..=86_400).contains(&goes_on(far(at).await)), "who was out of reach has not heard of it");
        world.time().pass(Duration::from_hours(24));
        report(&world, &oslo, at).await;
        assert!((290..=300).contains(&goes_on(far(at).await)), "by now whoever has not would be too old");
        let waits = gateways::in_effect(app, org, at, Duration::from_mins(1));
        let (all, ()) = tokio::join!(waits, async {
            report(&world, &bonn, at).await;
            app.took(org, at);
        });
        assert!(all.unwrap().everywhere(), "whoever waits is answered when the last has come to it");
        let foreign = Report { position: Some(at + 5), epoch: Some(2), ..nothing() };
        gateways::report(app, &admitted(&world, &bonn).await.unwrap(), foreign);
        assert_eq!(far(at).await.behind.len(), 1, "a position of another trail says nothing");
        report(&world, &bonn, at).await;
    }

    async fn one_that_was_removed_counts_until_it_has_dropped_its_policy(world: World) {
        let (app, org, owner) = (world.app(), world.org(), world.owner().caller());
        let [oslo, bonn, waits] = ["Oslo", "Bonn", "Waits"].map(|name| enrolled_or_not(&world, name));
        let ((oslo_id, oslo), (bonn_id, bonn), (waits_id, _)) = (oslo.await, bonn.await, waits.await);
        // They have not heard of it, and go by the day that it was before.
        let brief = UpdateOrganization { stale_after: "60".parse().ok(), ..UpdateOrganization::default() };
        organizations::update(app, &owner, org, brief).await.unwrap();
        for gateway in [oslo_id, bonn_id, waits_id] {
            gateways::remove(app, &owner, org, gateway, None).await.unwrap();
        }
        let at = suspend(app, &owner, org, world.member().id(), None).await.unwrap().version;
        let behind = async || {
            let far = gateways::in_effect(app, org, at, Duration::ZERO).await.unwrap();
            far.behind.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(behind().await, ["Oslo", "Bonn"], "they may answer by what they had; who never enrolled cannot");
        report(&world, &oslo, at + 1).await;
        assert_eq!(behind().await.len(), 2, "a policy that it says it has is not dropped");
        gateways::report(app, &admitted(&world, &oslo).await.unwrap(), nothing());
        assert_eq!(behind().await, ["Bonn"]);
        world.time().pass(Duration::from_hours(1));
        assert_eq!(behind().await, ["Bonn"]);
        world.time().pass(Duration::from_hours(24));
        assert!(behind().await.is_empty(), "what Bonn has is too old by now");
        assert!(admitted(&world, &bonn).await.unwrap().removed);
    }

    async fn the_list_says_how_far_each_has_come_and_who_is_away(world: World) {
        let (app, org) = (world.app(), world.org());
        let (_, oslo) = enrolled(&world, world.house(), "Oslo").await;
        let size = world.trail(org).await.len() as u64;
        let list = async || gateways::list(app, &world.viewer().caller(), org).await.unwrap();
        let fresh = list().await;
        assert!(fresh.here.is_none() && fresh.rows[0].progress.is_none() && !fresh.rows[0].connected(world.time().now()));
        report(&world, &oslo, size - 1).await;
        app.took(org, size);
        let seen = list().await;
        let (here, there) = (seen.here.unwrap(), seen.rows[0].progress.unwrap());
        assert_eq!((here.position, here.lag, there.position, there.lag), (size, 0, size - 1, 1));
        assert!(seen.rows[0].connected(world.time().now()));
        world.time().pass(Duration::from_secs(16));
        assert!(!list().await.rows[0].connected(world.time().now()));
    }
}
