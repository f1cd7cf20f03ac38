//! Reading the trail, as a page, below a row, and as JSON.

use actix_web::http::Method;
use gatewarden_control::members::{self, ChangeMemberRole};
use gatewarden_testkit::{World, on_both};
use gatewarden_trail::Proof;
use gatewarden_types::{Builtin, Key, Seq};

use crate::{
    harness::{Asker, door, site},
    records_browser::Tab,
};

/// Makes the viewer a member and says which entry tells of it.
async fn promoted(world: &World) -> Seq {
    let command = ChangeMemberRole { member: world.viewer().id(), role: world.role(Builtin::Member), seen: None };
    let done = members::change_role(world.app(), &world.owner().caller(), world.org(), command).await;
    done.expect("an owner changes roles").version
}

on_both! {
    // proves LL-096
    async fn an_entry_tells_who_did_what_and_what_it_was(world: World) {
        let door = door(&site(&world)).await;
        let seq = promoted(&world).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let list = owner.get("/o/here/trail").await;
        assert!(list.says("changed a role") && list.says("Vera Viewer") && list.says("created the organization"));
        let page = owner.get(&format!("/o/here/trail/{seq}")).await;
        for part in ["Olive Owner", "changed a role", "<dt>role</dt>", "</span>Viewer</del>", "</span>Member</ins>", "Owner, organization-wide"] {
            assert!(page.says(part), "{part}: {}", page.body);
        }
        let below = owner.part(&format!("/o/here/trail/{seq}")).await;
        assert!(below.says("</span>Member</ins>") && !below.says("<html"));

        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        let entry = door.get(&key, &format!("/api/v1/trail/{seq}")).await.json();
        assert_eq!(entry["action"], "member.change_role");
        assert_eq!(entry["actor"]["id"], world.owner().account.to_string());
        assert_eq!(entry["target"], world.viewer().id().to_string());
        let field = &entry["changes"][0]["fields"][0];
        let roles = [world.role(Builtin::Viewer).to_string(), world.role(Builtin::Member).to_string()];
        assert_eq!((&field["was"], &field["is"]), (&roles[0].as_str().into(), &roles[1].as_str().into()));
        assert!(entry["leaf"].as_str().is_some_and(|leaf| leaf.len() == 64));
    }

    // proves PK-101
    async fn the_trail_is_searched_filtered_and_paged(world: World) {
        let door = door(&site(&world)).await;
        let seq = promoted(&world).await.to_string();
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let link = format!("href=\"/o/here/trail/{seq}\"");
        let viewer = world.viewer().id();
        for query in ["q=vera", "action=member.change_role", &format!("q={viewer}"), "when=24h"] {
            assert!(owner.get(&format!("/o/here/trail?{query}")).await.says(&link), "{query}");
        }
        for query in ["q=nobody+is+called+so", "action=key.revoke", &format!("by={}", world.stranger().account)] {
            let page = owner.get(&format!("/o/here/trail?{query}")).await;
            assert!(page.code() == 200 && page.says("No entry matches"), "{query}");
        }
        assert_eq!(owner.get("/o/here/trail?by=x").await.code(), 400);
        let part = owner.part("/o/here/trail?q=vera").await;
        assert!(part.says(&link) && !part.says("<html"));

        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = door.get(&key, &format!("/api/v1/trail?limit=3{after}")).await.json();
            seen.extend(page["data"].as_array().expect("entries").iter().map(|entry| entry["seq"].as_u64()));
            let Some(next) = page["next"].as_u64() else { break };
            after = format!("&after={next}");
        }
        let size = world.trail(world.org()).await.len() as u64;
        assert_eq!(seen, (1..=size).rev().map(Some).collect::<Vec<_>>(), "each once, newest first");
        assert_eq!(door.get(&key, "/api/v1/trail?limit=x").await.code(), 400);
    }

    // proves KT-046
    async fn the_proof_of_an_entry_is_downloaded(world: World) {
        let door = door(&site(&world)).await;
        let seq = promoted(&world).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let link = format!("/o/here/trail/{seq}/proof");
        assert!(owner.get(&format!("/o/here/trail/{seq}")).await.says(&format!("href=\"{link}\"")));
        let page = owner.get(&link).await;
        assert_eq!(page.header("content-disposition"), format!("attachment; filename=\"here-{seq}.tlog-proof\""));
        let store = &world.app().store;
        let (log, origin) = (store.verifying_key(world.org()).unwrap(), store.log(world.org()).unwrap().origin(1));
        let entry = Proof::parse(&page.body).unwrap().verify(log, &origin).unwrap();
        assert_eq!((entry.seq, entry.action.as_str()), (seq, "member.change_role"));
        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        let sent = door.get(&key, &format!("/api/v1/trail/{seq}/proof")).await;
        assert_eq!((sent.code(), &sent.body, sent.header("content-type")), (200, &page.body, "text/plain; charset=utf-8"));
        for absent in ["0", "999999", "x"] {
            assert_eq!(door.get(&key, &format!("/api/v1/trail/{absent}/proof")).await.code(), 404);
            assert_eq!(owner.get(&format!("/o/here/trail/{absent}/proof")).await.code(), 404);
        }
    }

    // proves KT-046
    async fn a_trail_is_exported_in_each_format(world: World) {
        let door = door(&site(&world)).await;
        let key = Asker::Key(world.key_of(world.owner(), Key::all_levels()).await.text);
        let before = world.trail(world.org()).await.len();
        let sent = door.get(&key, "/api/v1/trail/export").await;
        assert_eq!((sent.code(), sent.header("content-type")), (200, "application/jsonl"));
        let stored = world.trail(world.org()).await;
        assert_eq!(stored.len(), before + 1, "the export is an entry, and the last that is exported");
        let lines: Vec<&[u8]> = sent.body.lines().map(str::as_bytes).collect();
        assert_eq!(lines, stored.iter().map(|stored| stored.bytes.as_slice()).collect::<Vec<_>>());
        let last = door.get(&key, "/api/v1/trail?limit=1").await.json();
        assert_eq!(last["data"][0]["action"], "trail.export");

        let csv = door.get(&key, "/api/v1/trail/export?format=csv").await;
        assert_eq!((csv.header("content-type"), csv.body.lines().count()), ("text/csv", stored.len() + 2));
        assert!(csv.body.starts_with("\"seq\",\"at\",\"actor\"") && csv.says("\"member.suspend\"") && csv.body.ends_with("\"\r\n"));

        let ocsf = door.get(&key, "/api/v1/trail/export?format=ocsf").await;
        let events: Vec<serde_json::Value> = ocsf.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.len(), stored.len() + 2);
        let of = |action: &str| events.iter().rfind(|event| event["metadata"]["event_code"] == action).unwrap();
        let activity = |action: &str| (of(action)["activity_id"].as_u64(), of(action)["entity"]["type"].as_str().unwrap().to_owned());
        assert_eq!(activity("organization.create"), (Some(1), "organization".to_owned()));
        assert_eq!(activity("member.suspend"), (Some(3), "member".to_owned()));
        assert_eq!(activity("key.create"), (Some(1), "key".to_owned()));
        assert_eq!(activity("trail.export"), (Some(2), "organization".to_owned()));
        for event in &events {
            for field in ["activity_id", "category_uid", "class_uid", "severity_id", "time", "type_uid"] {
                assert!(event[field].is_i64(), "OCSF asks for {field}: {event}");
            }
            assert_eq!(event["type_uid"], 300_400 + event["activity_id"].as_u64().unwrap());
            assert_eq!(event["metadata"]["version"], "1.6.0");
            assert!(event["metadata"]["product"]["name"].is_string() && event["entity"]["uid"].is_string(), "{event}");
            let actor = &event["actor"]["user"];
            assert!(actor["uid"].is_string() || actor["name"].is_string(), "{event}");
        }

        let wrong = door.get(&key, "/api/v1/trail/export?format=xml").await.problem();
        assert_eq!((wrong.0, wrong.2), (422, vec!["format".to_owned()]));
        let member = Asker::Key(world.key_of(world.member(), Key::all_levels()).await.text);
        assert_eq!(door.get(&member, "/api/v1/trail/export").await.code(), 403);
    }

    async fn only_who_may_reads_the_trail(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let absent = owner.get("/o/here/trail/999999").await;
        assert_eq!((absent.code(), owner.get("/o/here/trail/x").await.told()), (404, absent.told()));
        let mut member = Tab::signed_in(&door, world.member()).await;
        assert_eq!(member.get("/o/here/trail").await.code(), 403);
        assert_eq!(member.get("/o/here/trail/1").await.code(), 403);
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        let foreign = stranger.get("/o/here/trail/1").await;
        let nowhere = stranger.get("/o/here/trail/999999").await;
        assert_eq!((foreign.code(), foreign.told()), (404, nowhere.told()));
        let unknown = door.ask(&Asker::Nobody, Method::GET, "/api/v1/trail/1", None).await;
        assert_eq!(unknown.code(), 401);
    }
}
