//! The pages of API keys, as people with browsers use them.

use std::time::Duration;

use actix_web::http::Method;
use gatewarden_control::{
    keys::{self, CreateKey},
    models::{self, ApproveModel},
    providers::{self, AddProvider},
};
use gatewarden_credentials::ApiKey;
use gatewarden_testkit::{Someone, World, on_both};
use gatewarden_types::Dialect;

use crate::{
    harness::{Asker, Reply, door, site},
    records_browser::Tab,
};

const NAME: &str = "<script>alert('x')</script>\" & <b>";

/// What the form sends as it is first drawn, with a name and one more field or another value for one.
fn typed<'a>(name: &'a str, other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [("name", name), ("level.completions", "write"), ("level.prompts", "read"), ("models", "all")];
    let mut fields: Vec<_> = usual.into_iter().chain([("expires", "30")]).collect();
    fields.retain(|(known, _)| other.iter().all(|(name, _)| name != known));
    fields.extend(other);
    fields
}

/// The text that a page shows, which must be that of a key.
fn secret(page: &Reply) -> ApiKey {
    assert_eq!((page.code(), page.header("cache-control")), (200, "no-store"), "{}", page.body);
    let (_, after) = page.body.split_once("<code id=\"secret\"").expect("a secret");
    let (_, after) = after.split_once('>').expect("a tag ends");
    after.split('<').next().and_then(|text| text.parse().ok()).expect("the text of a key")
}

fn text(key: &ApiKey) -> String {
    key.text().expose().clone()
}

/// The version that a control of the page sends.
fn version(page: &Reply, act: &str) -> String {
    let (_, form) = page.body.split_once(&format!("action=\"{act}\"")).expect("a form for it");
    let (_, value) = form.split_once("name=\"version\" value=\"").expect("it sends a version");
    value.split('"').next().unwrap_or_default().to_owned()
}

/// Whether what can be picked is picked.
fn picked(page: &Reply, name: &str, value: &str) -> bool {
    page.says(&format!("name=\"{name}\" value=\"{value}\" checked"))
}

fn path(key: &ApiKey, act: &str) -> String {
    format!("/o/here/keys/{}/{act}", key.id())
}

async fn make(world: &World, owner: &Someone, name: &str) -> String {
    let key = CreateKey::usual(name.parse().unwrap());
    keys::create(world.app(), &owner.caller(), world.org(), key).await.unwrap().key.value.id.to_string()
}

async fn approve(world: &World, name: &str) -> String {
    let (app, owner, org) = (world.app(), world.owner().caller(), world.org());
    let provider = AddProvider {
        name: format!("For {name}").parse().unwrap(),
        dialect: Dialect::OpenAi,
        base_url: "http://127.0.0.1:9/v1".parse().unwrap(),
        secret: None,
        once: None,
    };
    let provider = providers::add(app, &owner, org, provider).await.unwrap().value.id;
    let model = ApproveModel { name: name.parse().unwrap(), provider, upstream: name.parse().unwrap(), once: None };
    models::approve(app, &owner, org, model).await.unwrap().value.id.to_string()
}

on_both! {
    // proves RQ-008, RQ-010, PK-055, PK-058, PK-061
    async fn people_make_keys_for_themselves_and_see_the_text_once(world: World) {
        let door = door(&site(&world)).await;
        for (someone, name) in [(world.owner(), "Owner's laptop"), (world.member(), "Member's laptop")] {
            let mut tab = Tab::signed_in(&door, someone).await;
            let form = tab.get("/o/here/keys/new").await;
            assert!(form.code() == 200 && form.says(&format!("{} (you)", someone.person.name)), "{}", form.body);
            assert_eq!(form.says("value=\"organization\""), someone.account == world.owner().account);
            for (feature, level) in [("completions", "write"), ("prompts", "read"), ("metrics", "disabled")] {
                assert!(picked(&form, &format!("level.{feature}"), level), "{feature}");
            }
            let owner = someone.id().to_string();
            let made = tab.post("/o/here/keys", &typed(name, &[("owner", &owner)])).await;
            let key = secret(&made);
            assert!(made.says("curl http://localhost:8081/v1/models") && made.says("http://localhost:8081/v1&#34;"));
            let whole = text(&key);
            assert_eq!(made.body.matches(&whole).count(), 3, "by itself and in the lines to paste");
            assert_ne!(door.get(&Asker::Key(whole.clone()), "/api/v1/keys").await.code(), 401);
            for page in ["/o/here", "/o/here/keys", "/o/here/keys?q=laptop", "/o/here/keys/new", "/o/here/trail"] {
                assert!(!tab.get(page).await.says(&whole), "{page}");
            }
            let list = tab.get("/o/here/keys").await;
            assert!(list.says(&ApiKey::beginning(key.id())) && list.says("model calls"));
            assert!(list.says("31 Jan 2026") && list.says("laptop"));
        }
        let mut member = Tab::signed_in(&door, world.member()).await;
        let list = member.get("/o/here/keys").await;
        assert!(list.says("1 key<") && !list.says("Olive Owner") && !list.says("Master key"), "{}", list.body);
    }

    async fn a_form_that_is_sent_twice_makes_one_key(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let form = owner.get("/o/here/keys/new").await;
        let page = form.between("name=\"once\" value=\"", "\"").expect("a word of the page's own").to_owned();
        let fields = typed("Only one", &[("once", &page)]);
        let first = text(&secret(&owner.post("/o/here/keys", &fields).await));
        let again = owner.post("/o/here/keys", &fields).await;
        assert_eq!((again.code(), again.location()), (303, "/o/here/keys"));
        let list = owner.get("/o/here/keys").await;
        assert!(list.says("Only one was made once.") && list.says("rotate the key") && !list.says(&first), "{}", list.body);
        let caller = world.owner().caller();
        let listed = keys::list(world.app(), &caller, world.org(), keys::ListKeys {
            filter: keys::KeyFilter { search: Some("Only one".to_owned()), ..Default::default() }, from: None, limit: 9,
        });
        assert_eq!(listed.await.unwrap().total, 1);
        secret(&owner.post("/o/here/keys", &typed("Another", &[("once", &page)])).await);
    }

    // proves PK-089
    async fn a_key_has_the_levels_the_models_and_the_span_that_were_chosen(world: World) {
        let door = door(&site(&world)).await;
        let (fast, _) = (approve(&world, "team/fast").await, approve(&world, "team/large").await);
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        assert!(admin.get("/o/here/keys/new").await.says("team/large"));
        let fields = [
            ("owner", "organization"), ("level.trail", "read"), ("level.completions", "write"),
            ("models", "only"), ("model", fast.as_str()), ("expires", "7"), ("requests_per_minute", "60"),
        ];
        let made = admin.post("/o/here/keys", &typed("Pipeline", &fields)).await;
        let key = world.house().master.text.clone();
        let path = format!("/keys/{}", secret(&made).id());
        let read = door.api(&key, actix_web::http::Method::GET, &path, serde_json::Value::Null).await.json();
        assert_eq!((&read["requests_per_minute"], &read["tokens_per_minute"]), (&60.into(), &serde_json::Value::Null));
        assert!(made.says("team/fast") && !made.says("team/large"), "{}", made.body);
        let list = admin.get("/o/here/keys?q=pipeline").await;
        assert!(list.says("in 7 days") && list.says("the organization") && list.says("prompts read, trail read; 60 calls a minute"));
        assert!(list.says("team/fast") && !list.says("team/large"));
        world.time().pass(Duration::from_hours(8 * 24));
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let list = admin.get("/o/here/keys?state=expired").await;
        assert!(list.says("Pipeline") && list.says("1 key<") && !list.says("Rotate…"), "{}", list.body);
    }

    // proves LL-004
    async fn a_key_is_rotated_and_revoked(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.member()).await;
        let first = secret(&tab.post("/o/here/keys", &typed("Laptop", &[])).await);
        let (rotate, revoke) = (path(&first, "rotate"), path(&first, "revoke"));
        let list = tab.get("/o/here/keys").await;
        let rotated = tab.post(&rotate, &[("version", &version(&list, &rotate))]).await;
        let second = secret(&rotated);
        assert!(rotated.says("Laptop has a new secret") && first.id() == second.id() && !rotated.says(&text(&first)));
        assert_eq!(door.get(&Asker::Key(text(&first)), "/api/v1/keys").await.code(), 401);
        assert_ne!(door.get(&Asker::Key(text(&second)), "/api/v1/keys").await.code(), 401);
        let list = tab.get("/o/here/keys").await;
        assert!(!list.says(&text(&second)));
        let before = world.trail(world.org()).await.len();
        let revoked = tab.post(&revoke, &[("version", &version(&list, &revoke))]).await;
        assert_eq!((revoked.code(), revoked.location()), (303, "/o/here/keys"));
        let list = tab.get("/o/here/keys").await;
        assert!(list.says("Laptop is revoked. No gateway has enrolled yet.") && list.says(">Revoked</span>"));
        assert!(!list.says(&rotate) && !list.says(&revoke), "nothing is left to do to it");
        assert!(!tab.get("/o/here/keys").await.says("Laptop is revoked."), "it is said once");
        assert_ne!(door.get(&Asker::Key(text(&second)), "/api/v1/keys").await.code(), 200);
        tab.post(&revoke, &[("version", "1")]).await;
        assert_eq!(world.trail(world.org()).await.len(), before + 1, "what is revoked already stays so");
    }

    async fn who_comes_too_late_sees_the_key_as_it_is_now(world: World) {
        let door = door(&site(&world)).await;
        let mut early = Tab::signed_in(&door, world.member()).await;
        let mut late = Tab::signed_in(&door, world.member()).await;
        let key = secret(&early.post("/o/here/keys", &typed("Laptop", &[])).await);
        make(&world, world.member(), "Another").await;
        let (rotate, revoke) = (path(&key, "rotate"), path(&key, "revoke"));
        let stale = version(&late.get("/o/here/keys").await, &rotate);
        secret(&early.post(&rotate, &[("version", &stale)]).await);
        let before = world.tables(world.org()).await;
        for act in [&rotate, &revoke] {
            let refused = late.post(act, &[("version", &stale)]).await;
            assert!(refused.code() == 409 && refused.says("Someone changed this in the meantime"), "{}", refused.body);
            assert!(refused.says("Laptop") && !refused.says("Another"), "it shows the key that was meant");
            assert_ne!(version(&refused, act), stale, "and its version now");
        }
        assert_eq!(world.tables(world.org()).await, before);
        let now = version(&late.get("/o/here/keys").await, &revoke);
        assert_eq!(early.post(&revoke, &[("version", &now)]).await.code(), 303);
        let refused = late.post(&rotate, &[("version", &now)]).await;
        assert!(refused.code() == 409 && refused.says(">Revoked</span>") && !refused.says("id=\"secret\""));
        let current = early.post(&rotate, &[("version", "")]).await;
        assert!(current.code() == 409 && current.says("This key was revoked and stays so."), "{}", current.body);
    }

    // proves RQ-034, RL-046
    async fn who_may_not_is_refused_and_is_shown_no_control(world: World) {
        let door = door(&site(&world)).await;
        let key = make(&world, world.owner(), "Laptop").await;
        let acts = [format!("/o/here/keys/{key}/rotate"), format!("/o/here/keys/{key}/revoke")];
        let before = world.tables(world.org()).await;
        let mut viewer = Tab::signed_in(&door, world.viewer()).await;
        let list = viewer.get("/o/here/keys").await;
        assert!(list.code() == 200 && list.says("Laptop") && list.says("href=\"/o/here/keys\""));
        assert!(!list.says("/keys/new") && !list.says("Rotate…") && !list.says("Revoke…"), "{}", list.body);
        assert!(!viewer.get("/o/here").await.says("/keys/new"));
        let form = viewer.get("/o/here/keys/new").await;
        assert!(form.code() == 403 && form.says("That is not yours to do."));
        assert_eq!(viewer.post("/o/here/keys", &typed("Mine", &[])).await.code(), 403);
        assert_eq!(viewer.post("/o/here/keys", &typed("", &[])).await.code(), 403, "and is not told what is wrong");
        let mut member = Tab::signed_in(&door, world.member()).await;
        let shared = member.post("/o/here/keys", &typed("Shared", &[("owner", "organization")])).await;
        assert_eq!(shared.code(), 403);
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        for page in ["/o/here/keys", "/o/here/keys/new"] {
            assert_eq!(stranger.get(page).await.code(), 404, "{page}");
            assert_eq!(Tab::open(&door).get(page).await.code(), 303, "{page}");
        }
        assert_eq!(stranger.post("/o/here/keys", &typed("Mine", &[])).await.code(), 404);
        for act in acts {
            let mut admin = Tab::signed_in(&door, world.admin()).await;
            assert_eq!(viewer.post(&act, &[("version", "")]).await.code(), 403, "{act}");
            assert_eq!(member.post(&act, &[("version", "")]).await.code(), 404, "{act}");
            assert_eq!(stranger.post(&act, &[("version", "")]).await.code(), 404, "{act}");
            assert_eq!(admin.post_with(&act, "another's", &[("version", "")]).await.code(), 403, "{act}");
            assert_eq!(door.ask(&Asker::Nobody, Method::POST, &act, None).await.code(), 401, "{act}");
        }
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn what_cannot_be_taken_stays_in_the_form(world: World) {
        let door = door(&site(&world)).await;
        let (model, gone) = (approve(&world, "team/fast").await, format!("mdl_{}", "0".repeat(26)));
        let mut member = Tab::signed_in(&door, world.member()).await;
        let before = world.tables(world.org()).await;
        let kept = [("model", model.as_str()), ("level.models", "read")];
        for (other, said) in [
            (("name", " "), "Use 1 to 100 characters."),
            (("name", "a\u{202e}b"), "Leave out control and invisible characters."),
            (("expires", "tomorrow"), "Choose when it expires, or never."),
            (("expires", "-1"), "Choose when it expires, or never."),
            (("expires", "0"), "This instant is over."),
            (("expires", "4000000000"), "A key lives at most five years."),
            (("level.trail", "read"), "Trail: Disabled is the most that you can give."),
            (("level.usage", "most"), "Usage: choose one of the four levels."),
            (("models", ""), "Choose all approved models, or only some."),
            (("requests_per_minute", "many"), "Give a whole number from 1 to 1000000000"),
            (("tokens_per_minute", "0"), "Give a whole number from 1 to 1000000000"),
            (("owner", "me"), "Choose who owns it."),
        ] {
            let refused = member.post("/o/here/keys", &typed("My laptop", &[kept[0], kept[1], other])).await;
            assert!(refused.code() == 422 && refused.says(said), "{other:?}: {}", refused.body);
            assert!(other.0 == "name" || refused.says("value=\"My laptop\""), "{other:?}");
            assert!(picked(&refused, "level.models", "read") && picked(&refused, "level.prompts", "read"));
            assert!(picked(&refused, "model", &model) && !refused.says("gwk_"), "{other:?}");
        }
        for (models, said) in [
            (vec![], "Name at least one model"),
            (vec![("model", gone.as_str())], "is not an approved model"),
            (vec![("model", "gpt-4o")], "Choose among the approved models."),
        ] {
            let other: Vec<_> = models.into_iter().chain([("models", "only")]).collect();
            let refused = member.post("/o/here/keys", &typed("My laptop", &other)).await;
            assert!(refused.code() == 422 && refused.says(said), "{said}: {}", refused.body);
            assert!(refused.says("id=\"models-only\" checked"), "{said}");
        }
        let all = [("name", ""), ("expires", "x"), ("level.trail", "delete"), ("models", "")];
        let refused = member.post("/o/here/keys", &typed("", &all)).await;
        let wrong = ["name-wrong", "expires-wrong", "levels-wrong", "models-wrong"];
        assert!(wrong.iter().all(|id| refused.says(&format!("id=\"{id}\""))), "everything is said at once");
        assert_eq!(world.tables(world.org()).await, before);
    }

    // proves RQ-052
    async fn the_list_is_searched_filtered_and_paged(world: World) {
        let door = door(&site(&world)).await;
        let mut member = Tab::signed_in(&door, world.member()).await;
        let empty = member.get("/o/here/keys").await;
        assert!(empty.says("No keys here") && empty.says("0 keys"), "{}", empty.body);
        let mut made = Vec::new();
        for at in 0..52 {
            made.push(make(&world, world.member(), &format!("Key {at:02}")).await);
        }
        let (first, last) = (format!("id=\"key-{}\"", made[0]), format!("id=\"key-{}\"", made[51]));
        let page = member.get("/o/here/keys").await;
        assert!(page.says(&last) && !page.says(&first) && page.says("52 keys") && page.says("50 of 52"));
        let next = page.between("href=\"/o/here/keys?after=", "\"").expect("an older page").to_owned();
        let page = member.get(&format!("/o/here/keys?after={next}")).await;
        assert!(page.says(&first) && !page.says(&last) && page.says("2 of 52") && !page.says("rel=\"next\""));
        let before = page.between("href=\"/o/here/keys?before=", "\"").expect("a newer page").to_owned();
        let page = member.get(&format!("/o/here/keys?before={before}")).await;
        assert!(page.says(&last) && !page.says(&first) && !page.says("rel=\"prev\""));
        assert_eq!(member.get("/o/here/keys?after=first").await.code(), 400);

        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let begins = ApiKey::beginning(made[7].parse().unwrap());
        for query in ["q=key+07", "q=KEY+07&state=active", &format!("q={begins}")] {
            let page = owner.get(&format!("/o/here/keys?{query}")).await;
            assert!(page.says("1 key<") && page.says(&made[7]), "{query}: {}", page.body);
        }
        assert!(owner.get("/o/here/keys?q=max+member").await.says("52 keys"), "by the owner's name");
        assert!(owner.get("/o/here/keys").await.says("53 keys"), "and the master key");
        for query in ["q=nothing", "state=revoked", "q=key+07&state=expired"] {
            let page = owner.get(&format!("/o/here/keys?{query}")).await;
            assert!(page.says("No key matches") && page.says("Show every key"), "{query}");
        }
        let part = owner.part("/o/here/keys?q=key+07").await;
        assert!(part.says("id=\"list\"") && part.says("Key 07") && !part.says("<html"), "{}", part.body);
    }

    async fn a_name_is_text_and_nothing_else(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.member()).await;
        let wrong = tab.post("/o/here/keys", &typed(NAME, &[("expires", "x")])).await;
        let made = tab.post("/o/here/keys", &typed(NAME, &[])).await;
        let key = secret(&made);
        let list = tab.get("/o/here/keys").await;
        let sought = tab.get(&format!("/o/here/keys?{}", serde_urlencoded::to_string([("q", NAME)]).unwrap())).await;
        let rotated = tab.post(&path(&key, "rotate"), &[("version", "")]).await;
        tab.post(&path(&key, "revoke"), &[("version", "")]).await;
        let told = tab.get("/o/here/keys").await;
        for page in [wrong, made, list, sought, rotated, told] {
            assert!(page.says("&#60;script&#62;alert(") && !page.says("<script>alert") && !page.says("& <b>"));
        }
    }
}
