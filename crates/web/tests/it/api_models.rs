use actix_web::http::Method;
use gatewarden_types::Key;
use serde_json::{Value, json};

use crate::harness::{door, site};

gatewarden_testkit::on_both! {
    async fn a_model_is_approved_listed_and_withdrawn(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let provider = json!({"name": "One", "base_url": "http://127.0.0.1:9/v1"});
        let provider = door.api(&key, Method::POST, "/providers", provider).await.json()["id"].clone();
        let mut versions = Vec::new();
        for name in ["b/fast", "a", "c"] {
            let made = door.api(&key, Method::POST, "/models", json!({"name": name, "provider": provider})).await;
            assert_eq!((made.status.as_u16(), &made.json()["upstream"]), (201, &json!(name)));
            versions.push((made.header("etag").to_owned(), made.json()["id"].as_str().unwrap().to_owned()));
        }
        let (mut path, mut seen) = ("/models?limit=2".to_owned(), Vec::new());
        loop {
            let page = door.api(&key, Method::GET, &path, Value::Null).await.json();
            seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/models?limit=2&after={next}");
        }
        assert_eq!(seen, ["a", "b/fast", "c"]);
        let (etag, id) = &versions[0];
        let path = format!("/models/{id}");
        let stale = door.api_with(("if-match", "\"1\""), &key, Method::DELETE, &path, Value::Null).await;
        assert_eq!(stale.problem().0, 409);
        let malformed = door.api_with(("if-match", "1"), &key, Method::DELETE, &path, Value::Null).await;
        assert_eq!(malformed.problem().0, 400);
        assert_eq!(door.api_with(("if-match", etag), &key, Method::DELETE, &path, Value::Null).await.status, 204);
        assert_eq!(door.api(&key, Method::GET, "/models", Value::Null).await.json()["total"], 2);
    }

    async fn a_name_is_taken_once_and_a_replay_answers_the_same(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let provider = json!({"name": "One", "base_url": "http://127.0.0.1:9/v1"});
        let provider = door.api(&key, Method::POST, "/providers", provider).await.json()["id"].clone();
        let body = json!({"name": "a", "provider": provider, "upstream": "a-2026"});
        let word = ("idempotency-key", "once");
        let first = door.api_with(word, &key, Method::POST, "/models", body.clone()).await;
        let second = door.api_with(word, &key, Method::POST, "/models", body.clone()).await;
        assert_eq!((first.status, first.json()), (second.status, second.json()));
        let taken = door.api(&key, Method::POST, "/models", body).await;
        assert_eq!(taken.problem(), (422, "invalid".to_owned(), vec!["name".to_owned()]));
        for (body, field) in [
            (json!({"name": "with space", "provider": provider}), "name"),
            (json!({"name": "b", "provider": "OpenAI"}), "provider"),
            (json!({"name": "b", "provider": format!("prv_{}", "0".repeat(26))}), "provider"),
            (json!({"name": "b", "provider": provider, "upstream": ""}), "upstream"),
        ] {
            let refused = door.api(&key, Method::POST, "/models", body.clone()).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec![field.to_owned()]), "{body}");
        }
        assert_eq!(door.api(&key, Method::POST, "/models", json!({"name": "b"})).await.problem().0, 400);
    }

    async fn members_see_models_and_approve_none(world: World) {
        let door = door(&site(&world)).await;
        let owner = world.house().master.text.clone();
        let provider = json!({"name": "One", "base_url": "http://127.0.0.1:9/v1"});
        let provider = door.api(&owner, Method::POST, "/providers", provider).await.json()["id"].clone();
        let body = json!({"name": "a", "provider": provider});
        let model = door.api(&owner, Method::POST, "/models", body.clone()).await.json()["id"].clone();
        let member = world.key(Key::all_levels()).await.text;
        assert_eq!(door.api(&member, Method::GET, "/models", Value::Null).await.json()["total"], 1);
        assert_eq!(door.api(&member, Method::POST, "/models", body.clone()).await.problem().1, "permission_missing");
        let path = format!("/models/{}", model.as_str().unwrap());
        assert_eq!(door.api(&member, Method::DELETE, &path, Value::Null).await.problem().0, 403);
        let stranger = world.other_house().master.text.clone();
        assert_eq!(door.api(&stranger, Method::DELETE, &path, Value::Null).await.problem().0, 404);
        assert_eq!(door.api(&stranger, Method::GET, "/models", Value::Null).await.json()["total"], 0);
        assert_eq!(door.api(&stranger, Method::POST, "/models", body).await.problem().2, ["provider"]);
    }
}
