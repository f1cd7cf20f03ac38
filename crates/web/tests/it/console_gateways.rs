//! The page of gateways, as people with browsers use it, and what revoking says of them.

use std::time::Duration;

use gatewarden_testkit::on_both;
use gatewarden_types::Key;

use crate::{
    follower::Follower,
    harness::{Reply, door, site},
    records_browser::Tab,
};

/// The token that a page shows.
fn token(page: &Reply) -> String {
    assert_eq!((page.code(), page.header("cache-control")), (200, "no-store"), "{}", page.body);
    let (_, after) = page.body.split_once("<code id=\"token\"").expect("a token");
    let (_, after) = after.split_once('>').expect("a tag ends");
    after.split('<').next().expect("text").to_owned()
}

/// The version that a control of the page sends.
fn version(page: &Reply, act: &str) -> String {
    let (_, form) = page.body.split_once(&format!("action=\"{act}\"")).expect("a form for it");
    let (_, value) = form.split_once("name=\"version\" value=\"").expect("it sends a version");
    value.split('"').next().unwrap_or_default().to_owned()
}

on_both! {
    // proves KT-028
    async fn an_owner_adds_drains_and_removes_a_gateway(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let empty = owner.get("/o/here/gateways").await;
        assert!(empty.says("No gateway on another host") && empty.says("two commands"), "{}", empty.body);
        let once = empty.between("name=\"once\" value=\"", "\"").expect("a word of the page's own").to_owned();
        let fields = [("name", "Frankfurt"), ("once", once.as_str())];
        let page = owner.post("/o/here/gateways", &fields).await;
        let token = token(&page);
        let id = token.split('.').next().unwrap().to_owned();
        for command in ["gatewarden-gateway enroll --control https://gatewarden.test --token ", "gatewarden-gateway run --data ./gateway"] {
            assert!(page.says(command), "{}", page.body);
        }
        assert_eq!(owner.post("/o/here/gateways", &fields).await.code(), 303, "a form that is sent twice adds one");
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says("Frankfurt was added once.") && list.says(">Waiting<") && !list.says(&token));
        let act = |what: &str| format!("/o/here/gateways/{id}/{what}");
        assert!(!list.says(&act("drain")), "what waits is not drained");

        let follower = Follower::enroll(&world, &door, &token).await.ok().unwrap();
        assert!(owner.get("/o/here/gateways").await.says(">Away<"), "it has said nothing yet");
        follower.report(&door, 1, Some("<b>an entry</b>")).await;
        let size = world.trail(world.org()).await.len() as u64;
        world.app().took(world.org(), size);
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says("In this program") && list.says(">Needs attention<") && list.says(&format!("{} entries<", size - 1)));
        assert!(list.says("&#60;b&#62;an entry") && !list.says("<b>an entry"));
        follower.report(&door, 1, None).await;
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says(">Connected<") && !list.says("an entry<"), "{}", list.body);
        let drained = owner.post(&act("drain"), &[("version", &version(&list, &act("drain")))]).await;
        assert_eq!((drained.code(), drained.location()), (303, "/o/here/gateways"));
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says("Frankfurt drains") && list.says(">Draining<") && list.says("Undo"), "{}", list.body);
        let late = owner.post(&act("remove"), &[("version", "1")]).await;
        assert!(late.code() == 409 && late.says("Someone changed this in the meantime") && late.says(">Draining<"));
        owner.post(&act("resume"), &[("version", &version(&list, &act("resume")))]).await;
        world.time().pass(Duration::from_secs(20));
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says("Frankfurt works again.") && list.says(">Away<") && list.says("it goes on, until "), "{}", list.body);
        owner.post(&act("remove"), &[("version", &version(&list, &act("remove")))]).await;
        let list = owner.get("/o/here/gateways").await;
        assert!(list.says("The gateway is removed.") && list.says("No gateway on another host") && !list.says("id=\"gateway-"));
    }

    async fn a_name_that_cannot_be_taken_stays_with_the_reason(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        owner.get("/o/here/gateways").await;
        token(&owner.post("/o/here/gateways", &[("name", "Frankfurt")]).await);
        let before = world.tables(world.org()).await;
        for (name, why) in [("", "id=\"name-wrong\""), ("frankfurt", "Another gateway has this name already.")] {
            let refused = owner.post("/o/here/gateways", &[("name", name)]).await;
            assert!(refused.code() == 422 && refused.says(why) && refused.says(&format!("value=\"{name}\"")), "{}", refused.body);
        }
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn a_viewer_looks_and_a_member_does_not(world: World) {
        let door = door(&site(&world)).await;
        let mut viewer = Tab::signed_in(&door, world.viewer()).await;
        let page = viewer.get("/o/here/gateways").await;
        assert!(page.code() == 200 && page.says("An owner or admin can add one.") && !page.says("action=\"/o/here/gateways\""));
        assert!(viewer.get("/o/here/keys").await.says("href=\"/o/here/gateways\""));
        let mut member = Tab::signed_in(&door, world.member()).await;
        assert_eq!(member.get("/o/here/gateways").await.code(), 403);
        assert!(!member.get("/o/here/keys").await.says("href=\"/o/here/gateways\""), "nor is it in the way");
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        assert_eq!(stranger.get("/o/here/gateways").await.code(), 404);
    }

    async fn revoking_and_suspending_say_how_far_they_have_come(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        owner.get("/o/here/gateways").await;
        let shown = token(&owner.post("/o/here/gateways", &[("name", "Oslo")]).await);
        let oslo = Follower::enroll(&world, &door, &shown).await.ok().unwrap();
        let revoke = async || {
            let key = world.key_of(world.owner(), Key::usual_levels()).await.key;
            (format!("/o/here/keys/{key}/revoke"), world.trail(world.org()).await.len() as u64 + 1)
        };
        let (path, next) = revoke().await;
        assert!(owner.get("/o/here/keys").await.says("Revoke and wait"));
        owner.post(&path, &[("version", "")]).await;
        let list = owner.get("/o/here/keys").await;
        assert!(list.says("is revoked. In effect on 0 of 1 gateway. Not yet: Oslo.") && list.says("at most."), "{}", list.body);
        oslo.report(&door, next, None).await;
        let (path, next) = revoke().await;
        tokio::join!(owner.post(&path, &[("version", ""), ("wait", "true")]), oslo.report(&door, next, None));
        assert!(owner.get("/o/here/keys").await.says("is revoked. In effect on 1 of 1 gateway."));

        oslo.report(&door, next + 2, None).await;
        let member = world.member().id();
        owner.post(&format!("/o/here/members/{member}/suspend"), &[("version", "")]).await;
        assert!(owner.get("/o/here/members").await.says("and their keys with them. In effect on 1 of 1 gateway."));
        owner.post(&format!("/o/here/members/{member}/remove"), &[("version", "")]).await;
        assert!(owner.get("/o/here/members").await.says("their keys are revoked. In effect on 1 of 1 gateway."));
    }
}
