//! Inviting, looking and accepting.

use std::time::Duration;

use gatewarden_testkit::{PASSWORD, World, on_both};
use gatewarden_types::Builtin;

use crate::{
    harness::{Asker, door, request, site},
    records_browser::Tab,
};

/// The path of a link, wherever the site is reached.
fn path(link: &str) -> String {
    let (_, token) = link.split_once("/invites/").expect("a link of an invite");
    format!("/invites/{token}")
}

/// The links that a page shows, in the order in which it does.
fn links(body: &str) -> Vec<String> {
    let parts = body.split("/invites/inv_").skip(1);
    let tokens = parts.filter_map(|part| part.split_once('<')).map(|(token, _)| token);
    tokens
        .filter(|token| token.contains('.') && !token.contains('"'))
        .map(|token| format!("/invites/inv_{token}"))
        .collect()
}

async fn entries(world: &World) -> usize {
    world.trail(world.org()).await.len()
}

on_both! {
    // proves PK-017
    async fn an_invite_is_sent_looked_at_and_accepted_once(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        assert!(owner.get("/o/here/invites").await.says("No one is waiting"));
        let role = world.role(Builtin::Member).to_string();
        assert!(owner.get("/o/here/invites/new").await.says(&role));
        let typed = [("addresses", "farah@example.com\r\n max.member@example.com "), ("role", role.as_str())];
        let sent = owner.post("/o/here/invites", &typed).await;
        assert_eq!(sent.code(), 422, "{}", sent.body);
        assert!(sent.says("1 invite made") && sent.says("max.member@example.com is a member already."));
        let [link] = links(&sent.body).try_into().expect("one link");
        let list = owner.get("/o/here/invites").await;
        assert!(list.says("farah@example.com") && list.says("Ends in 7 days") && list.says("Olive Owner"));
        assert!(links(&list.body).is_empty(), "the link is shown once");

        let before = (entries(&world).await, world.control_tables().await);
        let mut farah = Tab::open(&door);
        for _ in 0..2 {
            let page = farah.get(&link).await;
            assert!(page.code() == 200 && page.says("Join here") && page.says("Member"), "{}", page.body);
        }
        assert_eq!((entries(&world).await, world.control_tables().await), before, "a look consumes nothing");

        let short = farah.post(&link, &[("name", "Farah Fresh"), ("password", "short")]).await;
        assert!(short.code() == 422 && short.says("Use at least 12 characters") && short.says("Farah Fresh"));
        let joined = farah.post(&link, &[("name", "Farah Fresh"), ("password", PASSWORD)]).await;
        assert_eq!((joined.code(), joined.location()), (303, "/o/here"));
        assert!(farah.has_session() && farah.get("/account").await.says("You are a member now."));
        assert_eq!(entries(&world).await, before.0 + 1);
        assert!(owner.get("/o/here/members").await.says("Farah Fresh"));

        let again = Tab::open(&door).get(&link).await;
        assert!(again.code() == 404 && again.says("This invite cannot be used"));
    }

    async fn a_form_of_invites_that_is_sent_twice_invites_once(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let role = world.role(Builtin::Viewer).to_string();
        let form = owner.get("/o/here/invites/new").await;
        let page = form.between("name=\"once\" value=\"", "\"").expect("a word of the page's own").to_owned();
        let fields = [("addresses", "a@example.com\nb@example.com"), ("role", role.as_str()), ("once", page.as_str())];
        let first = owner.post("/o/here/invites", &fields).await;
        assert_eq!((first.code(), links(&first.body).len()), (200, 2));
        let before = entries(&world).await;
        let again = owner.post("/o/here/invites", &fields).await;
        assert_eq!((again.code(), links(&again.body).len()), (422, 0));
        assert!(again.says("b@example.com: Invited once, by the same form."), "{}", again.body);
        assert_eq!(entries(&world).await, before);
    }

    async fn used_revoked_ended_and_unknown_invites_look_alike(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let role = world.role(Builtin::Viewer).to_string();
        let typed = "used@example.com\nrevoked@example.com\nended@example.com";
        let sent = owner.post("/o/here/invites", &[("addresses", typed), ("role", &role)]).await;
        let [used, revoked, ended] = links(&sent.body).try_into().expect("three links");
        let fields = [("name", "Una Used"), ("password", PASSWORD)];
        assert_eq!(Tab::open(&door).post(&used, &fields).await.code(), 303);
        let (id, _) = revoked.trim_start_matches("/invites/").split_once('.').expect("an id");
        let fields = [("version", "")];
        assert_eq!(owner.post(&format!("/o/here/invites/{id}/revoke"), &fields).await.code(), 303);
        world.time().pass(Duration::from_hours(8 * 24));
        let (_, secret) = ended.split_once('.').expect("a secret");
        let absent = format!("/invites/inv_00000000000000000000000000.{secret}");
        let first = Tab::open(&door).get("/invites/x").await;
        assert_eq!(first.code(), 404);
        for link in [used, revoked, ended.clone(), absent, ended.replace(secret, "AAAA")] {
            assert_eq!(Tab::open(&door).get(&link).await.told(), first.told(), "{link}");
            let tried = Tab::open(&door).post(&link, &[("name", "Eve"), ("password", PASSWORD)]).await;
            assert_eq!(tried.told(), first.told(), "{link}");
        }
    }

    // proves PK-010
    async fn someone_with_an_account_signs_in_and_joins_with_one_click(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let role = world.role(Builtin::Viewer).to_string();
        let fields = [("addresses", world.stranger().person.email.as_str()), ("role", role.as_str())];
        let sent = owner.post("/o/here/invites", &fields).await;
        let [link] = links(&sent.body).try_into().expect("one link");
        assert!(Tab::open(&door).get(&link).await.says("Sign in with that address to accept."));
        let mut viewer = Tab::signed_in(&door, world.viewer()).await;
        assert!(viewer.get(&link).await.says("Sign in with that address to accept."));
        assert_eq!(viewer.post(&link, &[]).await.code(), 409, "it went to somebody else");
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        assert_eq!(stranger.get("/o/here/members").await.code(), 404);
        stranger.get(&link).await;
        assert_eq!(stranger.post_with(&link, "another's", &[]).await.code(), 403);
        assert_eq!(stranger.post(&link, &[]).await.location(), "/o/here");
        assert_eq!(stranger.get("/o/here/members").await.code(), 200);
    }

    async fn an_invite_sent_again_has_a_new_link(world: World) {
        let door = door(&site(&world)).await;
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let role = world.role(Builtin::Viewer).to_string();
        let sent = admin.post("/o/here/invites", &[("addresses", "farah@example.com"), ("role", &role)]).await;
        let [old] = links(&sent.body).try_into().expect("one link");
        let (id, _) = old.trim_start_matches("/invites/").split_once('.').expect("an id");
        let resent = admin.post(&format!("/o/here/invites/{id}/resend"), &[("version", "")]).await;
        let [new] = links(&resent.body).try_into().expect("one link");
        assert_eq!(Tab::open(&door).get(&old).await.code(), 404);
        assert_eq!(Tab::open(&door).get(&new).await.code(), 200);
        let stale = admin.post(&format!("/o/here/invites/{id}/revoke"), &[("version", "1")]).await;
        assert_eq!(stale.code(), 409);
        let mut viewer = Tab::signed_in(&door, world.viewer()).await;
        assert_eq!(viewer.get("/o/here/invites").await.code(), 403);
    }

    async fn nobody_offers_more_than_they_hold(world: World) {
        let door = door(&site(&world)).await;
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let owner_role = world.role(Builtin::Owner).to_string();
        let form = admin.get("/o/here/invites/new").await;
        assert!(!form.says(&owner_role) && form.says(&world.role(Builtin::Admin).to_string()));
        let before = world.tables(world.org()).await;
        let refused = admin.post("/o/here/invites", &[("addresses", "eve@example.com"), ("role", &owner_role)]).await;
        assert_eq!(refused.code(), 403);
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn programs_invite_once_however_often_they_send_it(world: World) {
        let door = door(&site(&world)).await;
        let key = Asker::Key(world.key_of(world.owner(), gatewarden_types::Key::all_levels()).await.text);
        let role = world.role(Builtin::Viewer).to_string();
        let send = |body: serde_json::Value, word: &'static str| {
            let body = Some(("application/json", body.to_string()));
            let request = request(&key, actix_web::http::Method::POST, "/api/v1/invites", body);
            door.send(request.insert_header(("idempotency-key", word)))
        };
        let body = serde_json::json!({ "email": "farah@example.com", "role": role });
        let first = send(body.clone(), "one").await;
        assert_eq!(first.code(), 201, "{}", first.body);
        let link = first.json()["secret"].as_str().expect("a link").to_owned();
        assert_eq!(door.get(&Asker::Nobody, &path(&link)).await.code(), 200);
        let second = send(body.clone(), "one").await;
        assert_eq!((second.code(), &second.json()["id"]), (201, &first.json()["id"]));
        assert!(second.json()["secret"].is_null() && second.json()["delivery"].is_null());
        let other = send(serde_json::json!({ "email": "grace@example.com", "role": role }), "one").await;
        assert_eq!(other.code(), 409);
        let unknown = send(serde_json::json!({ "email": "grace@example.com", "role": role, "admin": true }), "two").await;
        assert!(unknown.code() == 400 && unknown.says("admin"));

        let list = door.get(&key, "/api/v1/invites?limit=1").await.json();
        assert_eq!((&list["data"][0]["email"], &list["next"]), (&"farah@example.com".into(), &serde_json::Value::Null));
        assert!(!list.to_string().contains("secret"));
        let roles = door.get(&key, "/api/v1/roles").await.json();
        assert_eq!(roles["data"].as_array().map(Vec::len), Some(4));
        assert_eq!(roles["data"][3]["permissions"]["members:read"], "all");
    }
}
