use actix_web::http::Method;
use gatewarden_types::{Feature, Key, Level};
use serde_json::{Value, json};

use crate::harness::{door, site};

gatewarden_testkit::on_both! {
    // proves RQ-087
    async fn it_is_read_and_changed_by_what_was_seen(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let read = door.api(&key, Method::GET, "/organization", Value::Null).await;
        let (etag, was) = (read.header("etag").to_owned(), read.json());
        assert_eq!(etag, format!("\"{}\"", was["version"]));
        assert_eq!((&was["id"], &was["slug"]), (&json!(world.org().to_string()), &json!("here")));
        assert_eq!((&was["name"], &was["usage_visibility"]), (&json!("here"), &json!("own")));

        let change = json!({"name": "Here & Now"});
        let done = door.api_with(("if-match", &etag), &key, Method::PATCH, "/organization", change).await;
        assert_eq!((done.code(), &done.json()["name"]), (200, &json!("Here & Now")));
        assert_eq!(done.json()["usage_visibility"], "own", "what is left out stays");
        let wide = door.api_with(("if-match", done.header("etag")), &key, Method::PATCH, "/organization", json!({"usage_visibility": "all"})).await;
        assert_eq!((&wide.json()["name"], &wide.json()["usage_visibility"]), (&json!("Here & Now"), &json!("all")));
        let limits = json!({"requests_per_minute": 600, "tokens_per_minute": 90_000});
        let limited = door.api(&key, Method::PATCH, "/organization", limits).await.json();
        assert_eq!((&limited["requests_per_minute"], &limited["tokens_per_minute"]), (&json!(600), &json!(90_000)));
        let wide = door.api(&key, Method::PATCH, "/organization", json!({"requests_per_minute": null})).await;
        let (requests, tokens) = (&wide.json()["requests_per_minute"], &wide.json()["tokens_per_minute"]);
        assert_eq!((requests, tokens), (&Value::Null, &json!(90_000)), "what is left out stays");
        assert_eq!(wide.json()["gateway_stale_after_seconds"], 86_400, "a day, unless somebody says otherwise");
        let brief = json!({"gateway_stale_after_seconds": 300});
        let wide = door.api(&key, Method::PATCH, "/organization", brief).await;
        assert_eq!((wide.code(), &wide.json()["gateway_stale_after_seconds"]), (200, &json!(300)));
        let entries = world.trail(world.org()).await.len();
        let nothing = door.api(&key, Method::PATCH, "/organization", json!({})).await;
        assert_eq!((nothing.code(), nothing.json()), (200, wide.json()));
        for stale in [etag.as_str(), "\"0\"", "\"99999\""] {
            let late = door.api_with(("if-match", stale), &key, Method::PATCH, "/organization", json!({"name": "Late"})).await;
            assert_eq!((late.problem().0, late.problem().1.as_str()), (409, "conflict"), "{stale}");
            assert!(late.says("Someone changed this in the meantime"));
        }
        for bad in ["", "3", "\"three\"", "W/\"3\""] {
            let unread = door.api_with(("if-match", bad), &key, Method::PATCH, "/organization", json!({"name": "Late"})).await;
            assert_eq!((unread.problem().0, unread.says("If-Match")), (400, true), "{bad}");
        }
        assert_eq!(world.trail(world.org()).await.len(), entries);
        let now = door.api(&key, Method::GET, "/organization", Value::Null).await;
        assert_eq!((now.header("etag"), now.json()), (wide.header("etag"), wide.json()));
    }

    async fn what_cannot_be_taken_is_named(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let before = world.tables(world.org()).await;
        for (body, field) in [
            (json!({"name": ""}), "name"),
            (json!({"name": "a\u{202e}b"}), "name"),
            (json!({"name": "x".repeat(300)}), "name"),
            (json!({"usage_visibility": "some"}), "usage_visibility"),
            (json!({"requests_per_minute": 0}), "requests_per_minute"),
            (json!({"tokens_per_minute": 1_000_000_001}), "tokens_per_minute"),
            (json!({"gateway_stale_after_seconds": 59}), "gateway_stale_after_seconds"),
            (json!({"gateway_stale_after_seconds": 2_592_001}), "gateway_stale_after_seconds"),
        ] {
            let refused = door.api(&key, Method::PATCH, "/organization", body.clone()).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec![field.to_owned()]), "{body}");
        }
        for (body, named) in [(json!({"slug": "elsewhere"}), "slug"), (json!({"name": 7}), "string"), (json!("name"), "UpdateBody")] {
            let refused = door.api(&key, Method::PATCH, "/organization", body.clone()).await;
            assert!(refused.problem().0 == 400 && refused.says(named), "{body}: {}", refused.body);
        }
        assert_eq!(world.tables(world.org()).await, before);
    }

    // proves RQ-051, PK-009, PK-054
    async fn a_key_changes_it_with_the_level_and_the_owner_for_it(world: World) {
        let door = door(&site(&world)).await;
        let levels = |level| [(Feature::Organization, level)].into();
        let reads = world.key_of(world.owner(), levels(Level::Read)).await.text;
        let writes = world.key_of(world.owner(), levels(Level::Write)).await.text;
        let members = world.key(Key::all_levels()).await.text;
        let usual = world.key_of(world.owner(), Key::usual_levels()).await.text;
        for (key, read, change) in [(&reads, 200, 403), (&writes, 200, 200), (&members, 200, 403), (&usual, 403, 403)] {
            assert_eq!(door.api(key, Method::GET, "/organization", Value::Null).await.code(), read);
            assert_eq!(door.api(key, Method::PATCH, "/organization", json!({"name": "Other"})).await.code(), change);
        }
        let there = door.api(&world.other_house().master.text, Method::GET, "/organization", Value::Null).await;
        assert_eq!((there.code(), &there.json()["slug"]), (200, &json!("there")), "a key's organization is its own");
    }
}
