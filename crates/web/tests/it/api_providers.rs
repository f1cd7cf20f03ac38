use actix_web::http::Method;
use gatewarden_types::Key;
use serde_json::{Value, json};

use crate::harness::{door, site};

const SECRET: &str = "sk-never-shown-again";

fn one() -> Value {
    json!({"name": "One", "dialect": "openai", "base_url": "http://127.0.0.1:9/v1/", "secret": SECRET})
}

gatewarden_testkit::on_both! {
    async fn a_provider_is_added_read_changed_and_removed(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let added = door.api(&key, Method::POST, "/providers", one()).await;
        assert_eq!(added.status, 201);
        assert!(!added.body.contains(SECRET));
        let (etag, added) = (added.header("etag").to_owned(), added.json());
        assert_eq!((&added["has_secret"], &added["base_url"]), (&json!(true), &json!("http://127.0.0.1:9/v1")));
        let path = format!("/providers/{}", added["id"].as_str().unwrap());
        assert_eq!(door.api(&key, Method::GET, &path, Value::Null).await.json(), added);
        assert_eq!(door.api(&key, Method::GET, "/providers", Value::Null).await.json()["data"], json!([added]));

        let renamed = door.api_with(("if-match", &etag), &key, Method::PATCH, &path, json!({"name": "Two"})).await;
        assert_eq!((renamed.status.as_u16(), &renamed.json()["name"]), (200, &json!("Two")));
        assert_eq!(renamed.json()["has_secret"], true);
        let stale = door.api_with(("if-match", &etag), &key, Method::PATCH, &path, json!({"name": "Three"})).await;
        assert_eq!(stale.problem().0, 409);
        let moved = json!({"base_url": "http://127.0.0.1:10/v1"});
        let moved = door.api(&key, Method::PATCH, &path, moved).await;
        assert_eq!(moved.problem(), (422, "invalid".to_owned(), vec!["secret".to_owned()]));
        let erased = door.api(&key, Method::PATCH, &path, json!({"secret": null})).await;
        assert_eq!(erased.json()["has_secret"], false);
        let stale = door.api_with(("if-match", &etag), &key, Method::DELETE, &path, Value::Null).await;
        assert_eq!(stale.problem().0, 409);
        assert_eq!(door.api(&key, Method::DELETE, &path, Value::Null).await.status, 204);
        assert_eq!(door.api(&key, Method::DELETE, &path, Value::Null).await.problem().0, 404);
    }

    async fn a_provider_speaks_the_api_it_was_added_with(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let mut body = one();
        body["dialect"] = json!("anthropic");
        let added = door.api(&key, Method::POST, "/providers", body.clone()).await.json();
        assert_eq!(added["dialect"], "anthropic");
        let path = format!("/providers/{}", added["id"].as_str().unwrap());
        let renamed = door.api(&key, Method::PATCH, &path, json!({"name": "Two"})).await;
        assert_eq!(renamed.json()["dialect"], "anthropic");
        body["dialect"] = json!("smalltalk");
        assert_eq!(door.api(&key, Method::POST, "/providers", body).await.problem().0, 400);
    }

    async fn a_test_says_what_was_found(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let added = door.api(&key, Method::POST, "/providers", one()).await.json();
        let path = format!("/providers/{}/test", added["id"].as_str().unwrap());
        let tested = door.api(&key, Method::POST, &path, Value::Null).await;
        assert_eq!((tested.status.as_u16(), &tested.json()["works"]), (200, &json!(false)));
        assert!(tested.json()["helps"].is_string() && tested.json()["latency_ms"].is_null());
        assert!(!tested.body.contains(SECRET));
    }

    async fn what_cannot_be_taken_is_named(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let word = ("idempotency-key", "once");
        let first = door.api_with(word, &key, Method::POST, "/providers", one()).await;
        let second = door.api_with(word, &key, Method::POST, "/providers", one()).await;
        assert_eq!((first.status, first.json()), (second.status, second.json()));
        for (name, value, field) in [
            ("name", "ONE", "name"),
            ("name", "", "name"),
            ("base_url", "not a url", "base_url"),
            ("base_url", "https://user:pass@example.com", "base_url"),
            ("base_url", "http://169.254.169.254/v1", "base_url"),
            ("secret", "with space", "secret"),
        ] {
            let mut body = one();
            body["name"] = json!("Two");
            body[name] = json!(value);
            let refused = door.api(&key, Method::POST, "/providers", body).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec![field.to_owned()]), "{name} {value}");
            assert!(!refused.body.contains("with space"));
        }
        for body in [json!({"name": "A"}), json!({"name": "A", "base_url": "https://a.example", "kind": "x"}), json!(1)] {
            assert_eq!(door.api(&key, Method::POST, "/providers", body).await.problem().0, 400);
        }
        let large = json!({"name": "A", "base_url": "https://a.example", "secret": "x".repeat(70_000)});
        assert_eq!(door.api(&key, Method::POST, "/providers", large).await.problem().0, 413);
    }

    async fn only_who_may_sees_and_changes_them(world: World) {
        let (door, owner) = (door(&site(&world)).await, world.house().master.text.clone());
        let added = door.api(&owner, Method::POST, "/providers", one()).await.json();
        let path = format!("/providers/{}", added["id"].as_str().unwrap());
        let absent = format!("/providers/prv_{}", "0".repeat(26));
        let stranger = world.other_house().master.text.clone();
        let member = world.key(Key::all_levels()).await.text;
        for (method, act) in [(Method::GET, ""), (Method::PATCH, ""), (Method::POST, "/test"), (Method::DELETE, "")] {
            let body = if method == Method::PATCH { json!({"name": "Mine"}) } else { Value::Null };
            for (key, path) in [(&stranger, &path), (&owner, &absent), (&member, &path)] {
                let refused = door.api(key, method.clone(), &format!("{path}{act}"), body.clone()).await;
                assert_eq!(refused.problem(), (404, "not_found".to_owned(), vec![]), "{method} {path}{act}");
            }
        }
        assert_eq!(door.api(&member, Method::GET, "/providers", Value::Null).await.problem().0, 403);
        assert_eq!(door.api(&member, Method::POST, "/providers", one()).await.problem().1, "permission_missing");
    }
}
