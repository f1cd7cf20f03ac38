use std::time::Duration;

use actix_web::http::Method;
use gatewarden_credentials::ApiKey;
use gatewarden_types::{Feature, Key, Level, Levels};
use serde_json::{Value, json};

use crate::harness::{door, site};

fn may(feature: Feature, level: Level) -> Levels {
    [(feature, level)].into()
}

gatewarden_testkit::on_both! {
    // proves RQ-083, RQ-086
    async fn a_key_is_made_read_rotated_and_revoked(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let body = json!({"name": "Build", "levels": {"completions": "write"}, "expires": "2026-06-01T00:00:00+02:00"});
        let made = door.api(&key, Method::POST, "/keys", body).await;
        assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, "no-store"));
        let (etag, made) = (made.header("etag").to_owned(), made.json());
        let id = made["id"].as_str().unwrap().to_owned();
        let secret: ApiKey = made["secret"].as_str().unwrap().parse().unwrap();
        assert_eq!(secret.id().to_string(), id);
        assert_eq!((&made["owner"], &made["models"], &made["state"]), (&json!("organization"), &Value::Null, &json!("active")));
        assert_eq!((&made["levels"], &made["expires"]), (&json!({"completions": "write"}), &json!("2026-05-31T22:00:00.000000Z")));
        assert_eq!(etag, format!("\"{}\"", made["version"]));

        let read = door.api(&key, Method::GET, &format!("/keys/{id}"), Value::Null).await;
        assert_eq!((read.status.as_u16(), read.header("etag")), (200, etag.as_str()));
        assert!(read.json().get("secret").is_none() && !read.body.contains(made["secret"].as_str().unwrap()));

        let path = format!("/keys/{id}/rotate");
        let rotated = door.api_with(("if-match", &etag), &key, Method::POST, &path, Value::Null).await;
        assert_eq!(rotated.status, 200);
        assert_ne!(rotated.json()["secret"], made["secret"]);
        let stale = door.api_with(("if-match", &etag), &key, Method::POST, &path, Value::Null).await;
        assert_eq!(stale.problem().0, 409);
        let stale = door.api_with(("if-match", &etag), &key, Method::DELETE, &format!("/keys/{id}"), Value::Null).await;
        assert_eq!(stale.problem().0, 409);
        let before = world.trail(world.org()).await.len();
        let revoked = door.api(&key, Method::DELETE, &format!("/keys/{id}"), Value::Null).await;
        let far = json!({"position": before + 1, "in_effect_on": 0, "gateways": 0, "everywhere": true, "behind": [], "behind_until": null});
        assert_eq!((revoked.code(), revoked.json()), (200, far));
        assert_eq!(world.trail(world.org()).await.len(), before + 1);
        let read = door.api(&key, Method::GET, &format!("/keys/{id}"), Value::Null).await;
        assert_eq!(read.json()["state"], "revoked");
        assert_eq!(door.api(&key, Method::POST, &path, Value::Null).await.problem().0, 409);
    }

    async fn a_key_has_limits_and_makes_none_that_lets_more_through(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let body = json!({"name": "Narrow", "levels": {"keys": "delete"}, "requests_per_minute": 60});
        let made = door.api(&key, Method::POST, "/keys", body).await.json();
        assert_eq!((&made["requests_per_minute"], &made["tokens_per_minute"]), (&json!(60), &Value::Null));
        let narrow = made["secret"].as_str().unwrap();
        let path = format!("/keys/{}/rotate", made["id"].as_str().unwrap());
        let more = json!({"name": "More", "levels": {}, "requests_per_minute": 61});
        let refused = door.api(narrow, Method::POST, "/keys", more).await;
        assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec!["requests_per_minute".to_owned()]));
        let same = json!({"name": "Same", "levels": {}, "tokens_per_minute": 5});
        let same = door.api(narrow, Method::POST, "/keys", same).await.json();
        assert_eq!((&same["requests_per_minute"], &same["tokens_per_minute"]), (&json!(60), &json!(5)));
        let rotated = door.api(&key, Method::POST, &path, Value::Null).await.json();
        assert_eq!(rotated["requests_per_minute"], 60, "a new text changes no limit");
    }

    async fn a_create_that_is_sent_twice_makes_one_key_and_shows_its_text_once(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let (word, body) = (("idempotency-key", "9f1c"), json!({"name": "Once"}));
        let first = door.api_with(word, &key, Method::POST, "/keys", body.clone()).await;
        let second = door.api_with(word, &key, Method::POST, "/keys", body).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
        let (mut first, second) = (first.json(), second.json());
        assert!(first["secret"].is_string() && second["secret"].is_null());
        assert_eq!(second["how_to_rotate"], format!("POST /api/v1/keys/{}/rotate", first["id"].as_str().unwrap()));
        first["secret"] = Value::Null;
        assert_eq!(first, second);
        let other = door.api_with(word, &key, Method::POST, "/keys", json!({"name": "Twice"})).await;
        assert_eq!(other.problem().0, 409);
        world.time().pass(Duration::from_hours(25));
        let later = door.api_with(word, &key, Method::POST, "/keys", json!({"name": "Once"})).await.json();
        assert!(later["secret"].is_string() && later["id"] != first["id"], "a day later it is another request");
        let rows = world.beneath(world.org()).await.query("SELECT word FROM idempotency").await;
        assert_eq!(rows.len(), 1, "and what was remembered is forgotten");
        let empty = door.api_with(("idempotency-key", ""), &key, Method::POST, "/keys", json!({"name": "Twice"})).await;
        assert_eq!(empty.problem().0, 400);
    }

    // proves LL-080
    async fn what_cannot_be_taken_is_named(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let before = world.tables(world.org()).await;
        let gone = format!("mod_{}", "0".repeat(26));
        for (body, field) in [
            (json!({"name": " "}), "name"),
            (json!({"name": "A", "owner": "me"}), "owner"),
            (json!({"name": "A", "models": ["gpt-4o"]}), "models"),
            (json!({"name": "A", "models": [gone]}), "models"),
            (json!({"name": "A", "models": []}), "models"),
            (json!({"name": "A", "expires": "tomorrow"}), "expires"),
            (json!({"name": "A", "requests_per_minute": 0}), "requests_per_minute"),
            (json!({"name": "A", "tokens_per_minute": 4_294_967_297_u64}), "tokens_per_minute"),
            (json!({"name": "A", "expires": "2025-12-31T00:00:00Z"}), "expires"),
        ] {
            let refused = door.api(&key, Method::POST, "/keys", body.clone()).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec![field.to_owned()]), "{body}");
        }
        for body in [
            json!({}),
            json!([]),
            json!({"name": "A", "colour": "red"}),
            json!({"name": "A", "levels": {"everything": "delete"}}),
            json!({"name": "A", "levels": {"keys": "most"}}),
        ] {
            let refused = door.api(&key, Method::POST, "/keys", body.clone()).await;
            assert_eq!(refused.problem().0, 400, "{body}");
        }
        for query in ["limit=many", "state=lost", "limit=1&limit=2"] {
            let refused = door.api(&key, Method::GET, &format!("/keys?{query}"), Value::Null).await;
            assert_eq!(refused.problem().0, 400, "{query}");
        }
        for query in ["after=x", "owner=x"] {
            let refused = door.api(&key, Method::GET, &format!("/keys?{query}"), Value::Null).await;
            assert_eq!(refused.problem().0, 422, "{query}");
        }
        let large = door.api(&key, Method::POST, "/keys", json!({"name": "A".repeat(70_000)})).await;
        assert_eq!(large.problem().0, 413);
        assert_eq!(world.tables(world.org()).await, before);
    }

    // proves RQ-082
    async fn a_list_pages_from_the_newest_and_filters(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        for name in ["One", "Two", "Three"] {
            door.api(&key, Method::POST, "/keys", json!({"name": name})).await;
        }
        world.key(Key::usual_levels()).await;
        let (mut path, mut seen) = ("/keys?limit=2".to_owned(), Vec::new());
        loop {
            let page = door.api(&key, Method::GET, &path, Value::Null).await.json();
            assert_eq!(page["total"], 5);
            seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/keys?limit=2&after={next}");
        }
        assert_eq!(seen, ["A key", "Three", "Two", "One", "Master key"]);
        let member = world.member().id();
        for (query, names) in [
            ("q=thr".to_owned(), vec!["Three"]),
            (format!("owner={member}"), vec!["A key"]),
            ("owner=organization&q=master".to_owned(), vec!["Master key"]),
            ("state=revoked".to_owned(), vec![]),
        ] {
            let page = door.api(&key, Method::GET, &format!("/keys?{query}"), Value::Null).await.json();
            let found: Vec<&str> = page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
            assert_eq!(found, names, "{query}");
        }
    }

    // proves PK-009, LL-080
    async fn what_one_may_not_see_is_not_found_and_what_one_may_not_do_is_said(world: World) {
        let door = door(&site(&world)).await;
        let foreign = world.other_house().master.key;
        let absent = format!("key_{}", "0".repeat(26));
        let admins = world.key_of(world.admin(), Key::usual_levels()).await.key.to_string();
        let mine = world.key(Key::all_levels()).await;
        for (method, act) in [(Method::GET, ""), (Method::POST, "/rotate"), (Method::DELETE, "")] {
            for id in [foreign.to_string(), absent.clone(), admins.clone(), "key_1".to_owned()] {
                let refused = door.api(&mine.text, method.clone(), &format!("/keys/{id}{act}"), Value::Null).await;
                assert_eq!(refused.problem(), (404, "not_found".to_owned(), vec![]), "{method} {id}");
            }
        }
        let reader = world.key(may(Feature::Keys, Level::Read)).await;
        let refused = door.api(&reader.text, Method::POST, "/keys", json!({"name": "A"})).await;
        assert_eq!(refused.problem().1, "key_level");
        let more = json!({"name": "A", "levels": {"trail": "read"}});
        let writer = world.key(may(Feature::Keys, Level::Write)).await;
        assert_eq!(door.api(&writer.text, Method::POST, "/keys", more).await.problem().1, "beyond_the_key");
        let shared = json!({"name": "A", "owner": "organization", "levels": {}});
        assert_eq!(door.api(&writer.text, Method::POST, "/keys", shared).await.problem().0, 403);
        let listed = door.api(&mine.text, Method::GET, "/keys", Value::Null).await.json();
        assert!(listed["data"].as_array().unwrap().iter().all(|row| row["owner"] == world.member().id().to_string()));
    }

    async fn strangers_are_told_nothing(world: World) {
        let door = door(&site(&world)).await;
        let unknown = ApiKey::generate(world.app().id(), &world.app().entropy).text().expose().clone();
        for key in ["", "gwk_1", unknown.as_str()] {
            for (method, path) in [(Method::GET, "/keys"), (Method::POST, "/keys"), (Method::DELETE, "/keys/key_1")] {
                let refused = door.api(key, method, path, Value::Null).await;
                assert_eq!((refused.problem().0, refused.header("www-authenticate")), (401, "Bearer"));
            }
        }
    }
}
