use std::time::Duration;

use actix_web::http::Method;
use gatewarden_types::{Feature, Key, Level};
use serde_json::{Value, json};

use crate::{
    follower::Follower,
    harness::{Asker, door, site},
};

gatewarden_testkit::on_both! {
    // proves KT-028
    async fn a_gateway_is_added_enrolled_drained_and_removed(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let added = door.api(&key, Method::POST, "/gateways", json!({"name": "Frankfurt"})).await;
        assert_eq!((added.code(), added.header("cache-control")), (201, "no-store"));
        let (etag, added) = (added.header("etag").to_owned(), added.json());
        let (id, token) = (added["id"].as_str().unwrap().to_owned(), added["secret"].as_str().unwrap().to_owned());
        assert!(token.starts_with(&format!("{id}.")), "{token}");
        let enroll = added["commands"][0].as_str().unwrap();
        assert!(enroll.starts_with("gatewarden-gateway enroll --control https://gatewarden.test ") && enroll.contains(&token));
        assert_eq!(added["commands"][1], "gatewarden-gateway run --data ./gateway");
        assert_eq!((&added["state"], &added["connected"], &added["position"]), (&json!("waiting"), &json!(false), &Value::Null));
        let (drain, resume) = (format!("/gateways/{id}/drain"), format!("/gateways/{id}/resume"));
        assert_eq!(door.api(&key, Method::POST, &drain, Value::Null).await.problem().0, 409, "it waits");

        let follower = Follower::enroll(&world, &door, &token).await.ok().unwrap();
        assert_eq!(Follower::enroll(&world, &door, &token).await.err().unwrap().problem().0, 403, "once");
        let size = world.trail(world.org()).await.len() as u64;
        assert_eq!(follower.report(&door, size - 1, Some("an entry could not be read")).await.code(), 204);
        let listed = door.api(&key, Method::GET, "/gateways", Value::Null).await;
        let text = listed.body.clone();
        let row = listed.json()["data"][0].clone();
        assert_eq!((&row["state"], &row["connected"], &row["token_expires"]), (&json!("enrolled"), &json!(true), &Value::Null));
        assert_eq!((&row["position"], &row["lag"], &row["release"]), (&json!(size - 1), &json!(1), &json!("0.1.0")));
        assert_eq!(row["problem"], "an entry could not be read");
        assert!(row["last_seen"].is_string() && !text.contains(&token) && !text.contains("verifier"));

        let stale = door.api_with(("if-match", &etag), &key, Method::POST, &drain, Value::Null).await;
        assert_eq!(stale.problem().0, 409);
        let drained = door.api(&key, Method::POST, &drain, Value::Null).await;
        assert_eq!((drained.code(), &drained.json()["state"], &drained.json()["connected"]), (200, &json!("draining"), &json!(true)));
        let now = drained.header("etag").to_owned();
        let resumed = door.api_with(("if-match", &now), &key, Method::POST, &resume, Value::Null).await;
        assert_eq!((resumed.code(), &resumed.json()["state"]), (200, &json!("enrolled")));
        let path = format!("/gateways/{id}");
        assert_eq!(door.api_with(("if-match", &now), &key, Method::DELETE, &path, Value::Null).await.problem().0, 409);
        assert_eq!(door.api(&key, Method::DELETE, &path, Value::Null).await.code(), 204);
        assert_eq!(door.api(&key, Method::GET, "/gateways", Value::Null).await.json()["total"], 0);
        assert_eq!(door.api(&key, Method::POST, &drain, Value::Null).await.problem().0, 404);
        let last = Asker::Key(follower.credential.text().expose().clone());
        let told = door.get(&last, &format!("/api/gateway/v1/feed?salt={}", json!(follower.credential.verifier()).as_str().unwrap())).await;
        assert_eq!(told.code(), 200, "it is told that it was removed, and the feed ends");
    }

    async fn what_cannot_be_taken_is_named(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        assert_eq!(door.api(&key, Method::POST, "/gateways", json!({"name": "Frankfurt"})).await.code(), 201);
        let before = world.tables(world.org()).await;
        for name in ["", "FRANKFURT", "a\u{202e}b"] {
            let refused = door.api(&key, Method::POST, "/gateways", json!({"name": name})).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec!["name".to_owned()]), "{name}");
        }
        for body in [json!({}), json!({"name": "A", "state": "enrolled"})] {
            assert_eq!(door.api(&key, Method::POST, "/gateways", body).await.problem().0, 400);
        }
        for wait in ["yes", "1"] {
            let path = format!("/keys/{}?wait={wait}", world.house().master.key);
            assert_eq!(door.api(&key, Method::DELETE, &path, Value::Null).await.problem().0, 400, "{wait}");
        }
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn a_key_needs_the_level_and_its_owner_the_permission(world: World) {
        let door = door(&site(&world)).await;
        let levels = |level| [(Feature::Organization, level)].into();
        let reads = world.key_of(world.owner(), levels(Level::Read)).await.text;
        let members = world.key(Key::all_levels()).await.text;
        for (key, read) in [(&reads, 200), (&members, 403)] {
            assert_eq!(door.api(key, Method::GET, "/gateways", Value::Null).await.code(), read);
            assert_eq!(door.api(key, Method::POST, "/gateways", json!({"name": "Mine"})).await.code(), 403);
        }
        let there = world.other_house().master.text.clone();
        let theirs = door.api(&there, Method::POST, "/gateways", json!({"name": "Theirs"})).await.json();
        let (id, master) = (theirs["id"].as_str().unwrap(), world.house().master.text.clone());
        assert_eq!(door.api(&master, Method::DELETE, &format!("/gateways/{id}"), Value::Null).await.problem().0, 404);
        assert_eq!(door.api(&master, Method::GET, "/gateways", Value::Null).await.json()["total"], 0);
    }

    async fn gateways_are_told_what_the_others_of_their_organization_have_let_through(world: World) {
        let (door, mut followers) = (door(&site(&world)).await, Vec::new());
        for house in [world.house(), world.house(), world.other_house()] {
            let name = json!({ "name": format!("Gateway {}", followers.len()) });
            let added = door.api(&house.master.text, Method::POST, "/gateways", name).await.json();
            followers.push(Follower::enroll(&world, &door, added["secret"].as_str().unwrap()).await.ok().unwrap());
        }
        let limited = "00000000-0000-7000-8000-000000000007";
        let spent = |round: u64, nanos: i64| {
            let spent = json!([{"change": nanos, "full": nanos.max(0)}, {"change": 0, "full": 0}]);
            json!({"round": round, "age": 0, "by": [{"id": limited, "heard": null, "spent": spent}]})
        };
        // The world's clock runs, so a little has drained.
        let seconds = |told: Value| {
            assert_eq!(told["filled"][0]["id"], limited);
            told["filled"][0]["drains_in"][0].as_u64().unwrap().div_ceil(1_000_000_000)
        };
        let minute = 60_000_000_000;
        assert_eq!(seconds(followers[0].spent(&door, spent(1, minute)).await.json()), 60);
        assert_eq!(seconds(followers[0].spent(&door, spent(1, minute)).await.json()), 60, "told again, counted once");
        assert_eq!(seconds(followers[1].spent(&door, spent(1, minute)).await.json()), 120);
        let elsewhere = seconds(followers[2].spent(&door, spent(1, 5)).await.json());
        assert_eq!(elsewhere, 1, "another organization's is another");
        assert_eq!(followers[0].spent(&door, json!({"round": 2})).await.problem().0, 400);
        let id = followers[1].credential.gateway();
        door.api(&world.house().master.text, Method::DELETE, &format!("/gateways/{id}"), Value::Null).await;
        assert_eq!(followers[1].spent(&door, spent(2, minute)).await.json()["filled"], json!([]), "removed, it counts no more");
        assert_eq!(seconds(followers[0].spent(&door, spent(2, 0)).await.json()), 120);
    }

    async fn a_revocation_says_on_how_many_gateways_it_is_in_effect(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let mut followers = Vec::new();
        for name in ["Frankfurt", "Oslo"] {
            let added = door.api(&key, Method::POST, "/gateways", json!({ "name": name })).await.json();
            followers.push(Follower::enroll(&world, &door, added["secret"].as_str().unwrap()).await.ok().unwrap());
        }
        let made = async || {
            let made = door.api(&key, Method::POST, "/keys", json!({"name": "Short", "levels": {}})).await.json();
            format!("/keys/{}", made["id"].as_str().unwrap())
        };
        let path = made().await;
        let next = world.trail(world.org()).await.len() as u64 + 1;
        followers[0].report(&door, next, None).await;
        let some = door.api(&key, Method::DELETE, &path, Value::Null).await.json();
        assert_eq!((&some["position"], &some["in_effect_on"], &some["gateways"]), (&json!(next), &json!(1), &json!(2)));
        assert_eq!((&some["everywhere"], &some["behind"]), (&json!(false), &json!(["Oslo"])));
        assert!(some["behind_until"].is_string());
        followers[1].report(&door, next, None).await;
        let again = door.api(&key, Method::DELETE, &path, Value::Null).await.json();
        assert_eq!((&again["everywhere"], &again["position"]), (&json!(true), &json!(next)), "asked again, it is told again");

        let path = format!("{}?wait=true", made().await);
        let (waited, ()) = tokio::join!(door.api(&key, Method::DELETE, &path, Value::Null), async {
            for follower in &followers {
                follower.report(&door, next + 2, None).await;
            }
        });
        assert_eq!((&waited.json()["everywhere"], &waited.json()["in_effect_on"]), (&json!(true), &json!(2)));

        let mine = world.key(Key::all_levels()).await;
        let hidden = door.api(&mine.text, Method::DELETE, &format!("/keys/{}", mine.key), Value::Null).await.json();
        assert_eq!((&hidden["in_effect_on"], &hidden["gateways"], &hidden["behind"]), (&json!(0), &json!(2), &json!([])), "gateways are not a member's to see");
    }

    async fn one_that_is_silent_is_away(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let added = door.api(&key, Method::POST, "/gateways", json!({"name": "Frankfurt"})).await.json();
        let follower = Follower::enroll(&world, &door, added["secret"].as_str().unwrap()).await.ok().unwrap();
        follower.report(&door, 1, None).await;
        world.time().pass(Duration::from_secs(16));
        let row = door.api(&key, Method::GET, "/gateways", Value::Null).await.json()["data"][0].clone();
        assert_eq!((&row["connected"], &row["position"]), (&json!(false), &json!(1)), "what it said last still shows");
    }
}
