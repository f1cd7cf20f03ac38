use actix_web::http::Method;
use gatewarden_control::{account, members};
use gatewarden_testkit::World;
use gatewarden_types::{Builtin, Feature, Id, Key, Level, Member};
use serde_json::{Value, json};

use crate::harness::{Reply, door, site};

/// What the rows of an answer hold under a name.
fn each(page: &Value, name: &str) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row[name].as_str().unwrap().to_owned()).collect()
}

fn refusal(reply: &Reply) -> (u16, String) {
    let (status, word, _) = reply.problem();
    (status, word)
}

async fn unchanged(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    (world.tables(world.org()).await, world.trail(world.org()).await.len())
}

async fn version(world: &World, member: Id<Member>) -> u64 {
    members::read(world.app(), &world.owner().caller(), world.org(), member).await.unwrap().member.version
}

gatewarden_testkit::on_both! {
    async fn a_member_is_read_changed_suspended_reinstated_and_removed(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let (max, viewer) = (world.member().id(), world.role(Builtin::Viewer).to_string());
        let path = format!("/members/{max}");
        let read = door.api(&key, Method::GET, &path, Value::Null).await;
        let row = read.json();
        assert_eq!((&row["name"], &row["email"]), (&json!("Max Member"), &json!("max.member@example.com")));
        assert_eq!((&row["id"], &row["state"]), (&json!(max.to_string()), &json!("active")));
        assert_eq!(read.header("etag"), format!("\"{}\"", row["version"]));

        let mut etag = read.header("etag").to_owned();
        for (method, act, body, name, value) in [
            (Method::PATCH, "", json!({"role": viewer}), "role", viewer.as_str()),
            (Method::POST, "/suspend", Value::Null, "state", "suspended"),
            (Method::POST, "/reinstate", Value::Null, "state", "active"),
        ] {
            let entries = world.trail(world.org()).await.len();
            let done = door.api_with(("if-match", &etag), &key, method, &format!("{path}{act}"), body).await;
            assert_eq!((done.code(), &done.json()[name]), (200, &json!(value)), "{act}");
            assert_eq!(world.trail(world.org()).await.len(), entries + 1);
            assert_ne!(done.header("etag"), etag);
            done.header("etag").clone_into(&mut etag);
            let now = door.api(&key, Method::GET, &path, Value::Null).await;
            assert_eq!((now.header("etag"), now.json()), (etag.as_str(), done.json()), "{act}: what is answered is what is");
        }
        let removed = door.api_with(("if-match", &etag), &key, Method::DELETE, &path, Value::Null).await;
        assert_eq!((removed.code(), removed.body.as_str()), (204, ""));
        for method in [Method::GET, Method::DELETE] {
            assert_eq!(refusal(&door.api(&key, method, &path, Value::Null).await), (404, "not_found".to_owned()));
        }
    }

    async fn if_match_is_obeyed_when_it_is_there_and_refused_when_it_cannot_be_read(world: World) {
        let (door, key, max) = (door(&site(&world)).await, world.house().master.text.clone(), world.member().id());
        let (path, viewer) = (format!("/members/{max}"), world.role(Builtin::Viewer).to_string());
        let acts = [
            (Method::PATCH, path.clone(), json!({"role": viewer})),
            (Method::POST, format!("{path}/suspend"), Value::Null),
            (Method::POST, format!("{path}/reinstate"), Value::Null),
            (Method::DELETE, path.clone(), Value::Null),
        ];
        let (before, now) = (unchanged(&world).await, version(&world, max).await);
        for (method, path, body) in &acts {
            for stale in [0, now - 1, now + 1] {
                let etag = format!("\"{stale}\"");
                let refused = door.api_with(("if-match", &etag), &key, method.clone(), path, body.clone()).await;
                assert_eq!(refusal(&refused), (409, "conflict".to_owned()), "{method} {path} {etag}");
            }
            for bad in ["17", "\"x\"", "\"\"", "W/\"17\"", "\"-1\"", "\"1\", \"2\""] {
                let refused = door.api_with(("if-match", bad), &key, method.clone(), path, body.clone()).await;
                assert_eq!(refusal(&refused), (400, "malformed".to_owned()), "{method} {path} {bad}");
                assert!(refused.says("If-Match"), "it names what is wrong");
            }
        }
        assert_eq!(unchanged(&world).await, before);
        let any = door.api_with(("if-match", "*"), &key, Method::PATCH, &path, json!({"role": viewer})).await;
        assert_eq!(any.code(), 200);
        let none = door.api(&key, Method::POST, &format!("{path}/suspend"), Value::Null).await;
        assert_eq!(none.code(), 200, "who does not say what they saw is not held to it");
    }

    async fn bad_bodies_are_refused_by_name_and_change_nothing(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let path = format!("/members/{}", world.member().id());
        let before = unchanged(&world).await;
        for (body, named) in [
            (json!({}), "role"), (json!({"role": 1}), "string"), (json!([]), "invalid"),
            (json!({"role": "viewer", "state": "active"}), "state"),
        ] {
            let refused = door.api(&key, Method::PATCH, &path, body.clone()).await;
            assert_eq!(refusal(&refused), (400, "malformed".to_owned()), "{body}");
            assert!(refused.says(named), "{body}: {}", refused.body);
        }
        for role in ["viewer", "", "mem_00000000000000000000000000"] {
            let refused = door.api(&key, Method::PATCH, &path, json!({"role": role})).await;
            assert_eq!(refused.problem(), (422, "invalid".to_owned(), vec!["role".to_owned()]), "{role}");
        }
        for absent in [world.other_house().role(Builtin::Viewer).to_string(), world.app().id::<gatewarden_types::Role>().to_string()] {
            let refused = door.api(&key, Method::PATCH, &path, json!({"role": absent})).await;
            assert!(matches!(refused.problem().0, 404 | 422), "{}", refused.body);
        }
        for query in ["after=x", "after=mem_1%3Ax", "role=viewer"] {
            let refused = door.api(&key, Method::GET, &format!("/members?{query}"), Value::Null).await;
            let (status, _, fields) = refused.problem();
            assert_eq!((status, fields), (422, vec![query.split('=').next().unwrap().to_owned()]), "{query}");
        }
        assert_eq!(door.api(&key, Method::GET, "/members?limit=many", Value::Null).await.problem().0, 400);
        assert_eq!(unchanged(&world).await, before);
    }

    async fn a_walk_by_cursor_meets_every_member_once(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let mut all: Vec<String> = [world.owner(), world.admin(), world.member(), world.viewer(), world.suspended()]
            .map(|someone| someone.id().to_string()).into();
        for (at, name) in ["Sam: Same", "Sam: Same", "Sam: Same", "SAM: SAME", "Zoë Ünal & Co", "ma+x%41"].into_iter().enumerate() {
            let mut someone = world.account(&format!("Someone {at}")).await;
            account::rename(world.app(), &someone.caller(), name.parse().unwrap()).await.unwrap();
            world.house().admit(&mut someone, Builtin::Viewer).await;
            all.push(someone.id().to_string());
        }
        all.sort();
        for limit in 1..=all.len() + 1 {
            let (mut after, mut met, mut names) = (String::new(), Vec::new(), Vec::new());
            loop {
                let query = if after.is_empty() { vec![] } else { vec![("after", after.as_str())] };
                let query = serde_urlencoded::to_string(query).unwrap();
                let page = door.api(&key, Method::GET, &format!("/members?limit={limit}&{query}"), Value::Null).await.json();
                assert_eq!(page["total"], all.len(), "{limit}");
                assert!(each(&page, "id").len() <= limit);
                met.extend(each(&page, "id"));
                names.extend(each(&page, "name").into_iter().map(|name| name.to_lowercase()));
                let Some(next) = page["next"].as_str() else { break };
                next.clone_into(&mut after);
            }
            assert!(names.is_sorted(), "{limit}: {names:?}");
            met.sort();
            assert_eq!(met, all, "{limit}");
        }
        for (limit, rows) in [("0", 1), ("201", all.len()), ("18446744073709551615", all.len())] {
            let page = door.api(&key, Method::GET, &format!("/members?limit={limit}"), Value::Null).await.json();
            assert_eq!(each(&page, "id").len(), rows, "{limit}");
        }
    }

    async fn a_list_is_searched_and_cut_to_a_role_and_to_what_the_owner_may_see(world: World) {
        let (door, key) = (door(&site(&world)).await, world.house().master.text.clone());
        let admin = world.role(Builtin::Admin);
        for (query, found) in [
            (format!("role={admin}"), vec!["Ada Admin", "Sue Suspended"]),
            (format!("role={admin}&q=SUE"), vec!["Sue Suspended"]),
            ("q=%40example.com&limit=2".to_owned(), vec!["Ada Admin", "Max Member"]),
            (format!("role={}", world.other_house().role(Builtin::Admin)), vec![]),
        ] {
            let page = door.api(&key, Method::GET, &format!("/members?{query}"), Value::Null).await.json();
            assert_eq!(each(&page, "name"), found, "{query}");
        }
        let own = world.key(Key::all_levels()).await;
        let page = door.api(&own.text, Method::GET, "/members", Value::Null).await.json();
        assert_eq!((each(&page, "name"), &page["total"]), (vec!["Max Member".to_owned()], &json!(1)));
        let hidden = door.api(&own.text, Method::GET, &format!("/members/{}", world.viewer().id()), Value::Null).await;
        assert_eq!(refusal(&hidden), (404, "not_found".to_owned()));
    }

    async fn what_stands_against_an_act_is_said(world: World) {
        let door = door(&site(&world)).await;
        let (olive, admin) = (world.owner().id(), world.role(Builtin::Admin).to_string());
        let owners = world.key_of(world.owner(), Key::all_levels()).await.text;
        let before = unchanged(&world).await;
        for (method, act, body) in [
            (Method::PATCH, "", json!({"role": admin})),
            (Method::POST, "/suspend", Value::Null),
            (Method::DELETE, "", Value::Null),
        ] {
            let path = format!("/members/{olive}{act}");
            let last = door.api(&owners, method.clone(), &path, body.clone()).await;
            assert_eq!(refusal(&last), (409, "conflict".to_owned()));
            assert!(last.says("This is the last owner. Make someone else an owner first."));
            let above = door.api(&world.house().master.text, method, &path, body).await;
            assert_eq!(refusal(&above), (403, "target_above_you".to_owned()));
            assert!(above.says("They hold roles:escalate, which you do not."), "{}", above.body);
        }
        assert_eq!(unchanged(&world).await, before);
        let reads = world.key_of(world.owner(), [(Feature::Members, Level::Read)].into()).await.text;
        let path = format!("/members/{}/suspend", world.member().id());
        assert_eq!(refusal(&door.api(&reads, Method::POST, &path, Value::Null).await), (403, "key_level".to_owned()));
        let viewers = world.house().master.text.clone();
        let owner_role = json!({"role": world.role(Builtin::Owner).to_string()});
        let beyond = door.api(&viewers, Method::PATCH, &format!("/members/{}", world.viewer().id()), owner_role).await;
        assert_eq!(refusal(&beyond), (403, "beyond_your_power".to_owned()));
    }

    // proves LL-079
    async fn who_suspends_themselves_by_a_key_is_told_that_it_is_done(world: World) {
        let door = door(&site(&world)).await;
        let otto = world.house().join("Otto Owner", Builtin::Owner).await;
        let key = world.key_of(&otto, Key::all_levels()).await.text;
        let path = format!("/members/{}/suspend", otto.id());
        let done = door.api(&key, Method::POST, &path, Value::Null).await;
        assert_eq!((done.code(), &done.json()["state"]), (200, &json!("suspended")));
        assert_eq!(done.header("etag"), format!("\"{}\"", version(&world, otto.id()).await));
        assert_eq!(refusal(&door.api(&key, Method::POST, &path, Value::Null).await), (403, "member_suspended".to_owned()));
    }
}
