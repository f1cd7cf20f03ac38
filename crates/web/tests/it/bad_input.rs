//! What programs send that is broken, late or sent twice at once.

use actix_web::http::Method;
use gatewarden_control::usage::{self, Observed, UsageRecord};
use gatewarden_testkit::{Holder, World};
use gatewarden_types::{Builtin, Key};
use serde_json::{Value, json};

use crate::{
    harness::{Asker, door, request, site},
    records_browser::Tab,
};

/// Every row, and how long the trail is.
async fn everything(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (world.tables(world.org()).await, world.trail(world.org()).await.len())
}

/// The operations that take JSON, and what would do for each.
fn writes(world: &World) -> Vec<(Method, String, Value)> {
    let role = world.role(Builtin::Viewer).to_string();
    vec![
        (Method::PATCH, "/organization".to_owned(), json!({"name": "Other"})),
        (Method::PATCH, format!("/members/{}", world.member().id()), json!({"role": role})),
        (Method::POST, "/invites".to_owned(), json!({"email": "farah@example.com", "role": role})),
        (Method::POST, "/keys".to_owned(), json!({"name": "Build"})),
        (Method::POST, "/gateways".to_owned(), json!({"name": "Frankfurt"})),
        (
            Method::POST,
            "/providers".to_owned(),
            json!({"name": "One", "dialect": "openai", "base_url": "http://127.0.0.1:9/v1"}),
        ),
    ]
}

/// A call by whoever holds a key.
fn call(world: &World, by: &Holder) -> Observed {
    let record = UsageRecord {
        id: world.app().id(),
        at: world.time().now(),
        key: by.key,
        member: Some(world.owner().id()),
        model: None,
        provider: None,
        status: 200,
        refused: None,
        input_tokens: 10,
        output_tokens: 5,
        latency_micros: 1000,
        upstream_micros: 900,
        decided_under: 1,
    };
    Observed { organization: world.org(), record }
}

gatewarden_testkit::on_both! {
    async fn a_form_whose_version_is_no_number_changes_nothing(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        owner.get("/o/here/members").await;
        let before = everything(&world).await;
        let (member, role) = (world.member().id(), world.role(Builtin::Viewer).to_string());
        let forms: [(String, Vec<(&str, &str)>); 3] = [
            (format!("/o/here/members/{member}/role"), vec![("role", role.as_str()), ("version", "1x")]),
            (format!("/o/here/members/{member}/suspend"), vec![("version", "-1")]),
            ("/o/here/settings".to_owned(), vec![("name", "Other"), ("usage", "everyone"), ("version", "")]),
        ];
        for (path, form) in forms {
            assert_eq!(owner.post(&path, &form).await.code(), 400, "{path}");
        }
        assert_eq!(everything(&world).await, before);
    }

    async fn a_body_that_is_no_json_is_refused_and_what_is_wrong_is_said(world: World) {
        let door = door(&site(&world)).await;
        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        let before = everything(&world).await;
        for (method, path, would_do) in writes(&world) {
            let path = format!("/api/v1{path}");
            let good = would_do.to_string();
            let cut = good.trim_end_matches('}').to_owned();
            for (body, named) in [
                (String::new(), "line 1 column 0"),
                (cut, "EOF"),
                (format!("{good}{good}"), "trailing characters"),
                ("{\"a\": }".to_owned(), "line 1 column"),
                ("[".repeat(10_000), "line 1 column"),
                ("null".to_owned(), "line 1 column"),
            ] {
                let refused = door.ask(&key, method.clone(), &path, Some(("application/json", body.clone()))).await;
                assert_eq!((refused.problem().0, refused.problem().1.as_str()), (400, "malformed"), "{method} {path} {body:.40}");
                assert!(refused.says("The JSON cannot be taken") && refused.says(named), "{body:.40}: {}", refused.body);
            }
            for media in ["text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8", "application/jsonp", ""] {
                let refused = door.ask(&key, method.clone(), &path, Some((media, good.clone()))).await;
                assert_eq!((refused.problem().0, refused.problem().1.as_str()), (415, "unsupported_media_type"), "{method} {path} {media}");
                assert!(refused.says("Content-Type: application/json"), "{}", refused.body);
            }
            let large = format!("{{\"name\": \"{}\"}}", "x".repeat(66_000));
            let refused = door.ask(&key, method.clone(), &path, Some(("application/json", large))).await;
            assert_eq!(refused.problem().0, 413, "{method} {path}");
        }
        assert_eq!(everything(&world).await, before);
        for (at, (method, path, body)) in writes(&world).into_iter().enumerate() {
            let media = ["application/json", "Application/JSON; charset=utf-8"][at % 2];
            let done = door.ask(&key, method, &format!("/api/v1{path}"), Some((media, body.to_string()))).await;
            assert!(done.status.is_success(), "{path}: {}", done.body);
        }
    }

    async fn two_equal_creates_at_once_make_one_thing(world: World) {
        let door = door(&site(&world)).await;
        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        for (method, path, body) in writes(&world).into_iter().filter(|(method, ..)| method == Method::POST) {
            let path = format!("/api/v1{path}");
            let create = |body: &str| {
                let body = Some(("application/json", body.to_owned()));
                request(&key, method.clone(), &path, body).insert_header(("idempotency-key", format!("once {path}")))
            };
            let (body, entries) = (body.to_string(), world.trail(world.org()).await.len());
            let (one, two, three) = tokio::join!(door.send(create(&body)), door.send(create(&body)), door.send(create(&body)));
            let answers = [one, two, three];
            assert!(answers.iter().all(|answer| answer.code() == 201), "{path}: {answers:?}");
            let first = answers[0].json();
            assert!(answers.iter().all(|answer| answer.json()["id"] == first["id"]), "{path}");
            assert_eq!(world.trail(world.org()).await.len(), entries + 1, "{path}: one entry");
            let shown = answers.iter().filter(|answer| answer.json()["secret"].is_string()).count();
            assert_eq!(shown, usize::from(path != "/api/v1/providers"), "{path}: what is secret is shown once");
            let reused = door.send(create(&format!("{body} "))).await;
            assert_eq!(reused.problem().0, 409, "{path}");
            assert!(reused.says("Idempotency-Key"));
        }
        let text = world.house().master.text.clone();
        for bad in ["", &"x".repeat(256)] {
            let refused = door.api_with(("idempotency-key", bad), &text, Method::POST, "/keys", json!({"name": "A"})).await;
            assert_eq!((refused.problem().0, refused.says("Idempotency-Key")), (400, true));
        }
    }

    async fn an_invite_that_was_changed_is_not_changed_by_who_saw_it_before(world: World) {
        // An invite is a member's, so the key is one's too.
        let (door, key) = (door(&site(&world)).await, world.key_of(world.owner(), Key::all_levels()).await.text);
        let role = world.role(Builtin::Viewer).to_string();
        let made = door.api(&key, Method::POST, "/invites", json!({"email": "farah@example.com", "role": role})).await;
        let (etag, path) = (made.header("etag").to_owned(), format!("/invites/{}", made.json()["id"].as_str().unwrap()));
        let again = door.api_with(("if-match", &etag), &key, Method::POST, &format!("{path}/resend"), Value::Null).await;
        assert_eq!(again.code(), 200);
        assert_ne!(again.header("etag"), etag);
        let before = everything(&world).await;
        for (method, act) in [(Method::POST, "/resend"), (Method::DELETE, "")] {
            let late = door.api_with(("if-match", &etag), &key, method.clone(), &format!("{path}{act}"), Value::Null).await;
            assert_eq!((late.problem().0, late.problem().1.as_str()), (409, "conflict"), "{method}");
            let unread = door.api_with(("if-match", "new"), &key, method, &format!("{path}{act}"), Value::Null).await;
            assert_eq!(unread.problem().0, 400);
        }
        assert_eq!(everything(&world).await, before);
        let now = again.header("etag").to_owned();
        assert_eq!(door.api_with(("if-match", &now), &key, Method::DELETE, &path, Value::Null).await.code(), 204);
    }

    async fn of_two_changes_of_one_version_at_once_one_is_kept(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let path = format!("/members/{}", world.member().id());
        let etag = door.api(&key, Method::GET, &path, Value::Null).await.header("etag").to_owned();
        let change = |role| {
            let body = json!({"role": world.role(role).to_string()});
            door.api_with(("if-match", &etag), &key, Method::PATCH, &path, body)
        };
        let (one, two) = tokio::join!(change(Builtin::Viewer), change(Builtin::Admin));
        let mut codes = [one.code(), two.code()];
        codes.sort_unstable();
        assert_eq!(codes, [200, 409]);
        let kept = if one.code() == 200 { one } else { two };
        assert_eq!(door.api(&key, Method::GET, &path, Value::Null).await.json(), kept.json());
    }

    async fn when_a_key_was_last_used_is_listed_and_shown(world: World) {
        let door = door(&site(&world)).await;
        let used = world.key_of(world.owner(), Key::usual_levels()).await;
        let unused = world.key_of(world.owner(), Key::usual_levels()).await;
        let master = world.house().master.text.clone();
        let last_used = async |key: &Holder| {
            let one = door.api(&master, Method::GET, &format!("/keys/{}", key.key), Value::Null).await.json();
            let all = door.api(&master, Method::GET, "/keys", Value::Null).await.json();
            let row = all["data"].as_array().unwrap().iter().find(|row| row["id"] == one["id"]).unwrap().clone();
            assert_eq!(row["last_used"], one["last_used"], "list and key say the same");
            one["last_used"].clone()
        };
        assert_eq!((last_used(&used).await, last_used(&unused).await), (Value::Null, Value::Null));
        let (earlier, later) = (call(&world, &used), {
            world.time().pass(std::time::Duration::from_hours(2));
            call(&world, &used)
        });
        let at = later.record.at.rfc3339();
        usage::ingest(world.app(), vec![later]).await.unwrap();
        usage::ingest(world.app(), vec![earlier]).await.unwrap();
        assert_eq!((last_used(&used).await, last_used(&unused).await), (json!(at), Value::Null), "a late report takes nothing back");
        world.time().pass(std::time::Duration::from_mins(3));
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        let page = tab.get("/o/here/keys").await;
        let row = |key: &Holder| page.between(&format!("<tr id=\"key-{}\">", key.key), "</tr>").unwrap().to_owned();
        let cell = |key: &Holder| {
            let row = row(key);
            let (_, cell) = row.split_once("data-label=\"used\">").unwrap();
            cell.split('<').next().unwrap().to_owned()
        };
        assert_eq!((cell(&used).as_str(), cell(&unused).as_str()), ("3 min ago", "never"));
        assert!(row(&used).contains("It was last used 3 min ago.") && row(&unused).contains("It was never used."));
        let members = tab.get("/o/here/members").await;
        let own = members.between(&format!("<tr id=\"member-{}\">", world.owner().id()), "</tr>").unwrap();
        assert!(own.contains("3 min ago"), "and so does the list of members: {own}");
    }
}
