//! The pages of providers, with scripts and without.

use std::time::Duration;

use actix_web::{body::MessageBody, dev::Service, dev::ServiceResponse, test::TestRequest};
use gatewarden_demo::upstream;
use gatewarden_testkit::on_both;
use tokio::net::TcpListener;

use crate::{
    harness::{Door, Reply, door, site},
    records_browser::{Tab, form},
};

const SECRET: &str = "sk-never-in-a-page";
const LIST: &str = "/o/here/providers";
const NOWHERE: &str = "http://127.0.0.1:9/v1";

/// A model server that wants [`SECRET`].
async fn model_server() -> upstream::Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let settings = upstream::Settings { secret: SECRET.to_owned(), pace: Duration::ZERO };
    upstream::spawn(listener, settings).expect("it serves")
}

/// Adds a provider and gives its path.
async fn added<S, B>(tab: &mut Tab<'_, S>, name: &str, base_url: &str, secret: &str) -> String
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let fields = [("name", name), ("kind", "openai"), ("base_url", base_url), ("secret", secret)];
    let reply = tab.post(LIST, &fields).await;
    assert_eq!(reply.code(), 303, "{}", reply.body);
    assert!(reply.location().starts_with(&format!("{LIST}/prv_")), "{}", reply.location());
    reply.location().to_owned()
}

/// The version that a page's form would send.
fn version(reply: &Reply) -> String {
    reply.between("name=\"version\" value=\"", "\"").expect("a version").to_owned()
}

/// What a page says is wrong with a field.
fn wrong<'a>(reply: &'a Reply, field: &str) -> &'a str {
    reply.between(&format!("id=\"{field}-wrong\">"), "</p>").unwrap_or_default()
}

fn value<'a>(reply: &'a Reply, field: &str) -> &'a str {
    let input = reply.between(&format!("id=\"{field}\" name=\"{field}\""), ">").unwrap_or_default();
    input.split_once("value=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value)
}

/// A form as htmx sends it.
async fn post_as_part<S, B>(door: &Door<S>, tab: &Tab<'_, S>, path: &str) -> Reply
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let cookies: Vec<String> = tab.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request: TestRequest = form(path, &tab.csrf, &[]).insert_header(("hx-request", "true"));
    door.send(request.insert_header(("cookie", cookies.join("; ")))).await
}

on_both! {
    async fn a_form_that_is_sent_twice_adds_one_provider(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let form = owner.get("/o/here/providers/new").await;
        let page = form.between("name=\"once\" value=\"", "\"").expect("a word of the page's own").to_owned();
        let fields = [("name", "One"), ("base_url", NOWHERE), ("once", page.as_str())];
        let first = owner.post("/o/here/providers", &fields).await;
        let again = owner.post("/o/here/providers", &fields).await;
        assert_eq!((first.code(), first.location()), (303, again.location()), "the same answer");
    }

    // proves RQ-089
    async fn an_owner_adds_renames_tests_and_removes_a_provider(world: World) {
        let (door, server) = (door(&site(&world)).await, model_server().await);
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let mut pages = vec![owner.get(LIST).await, owner.get("/o/here/providers/new").await];
        assert!(pages[0].says("No provider yet") && pages[0].says("href=\"/o/here/providers/new\""));
        let path = added(&mut owner, "One", &server.base_url(), SECRET).await;
        let page = owner.get(&path).await;
        assert!(page.says("One is added.") && page.says("One is stored and cannot be shown."), "{}", page.body);

        let base_url = server.base_url();
        let fields = [("name", "Uno"), ("base_url", base_url.as_str()), ("secret", ""), ("version", &version(&page))];
        let renamed = owner.post(&path, &fields).await;
        assert_eq!((renamed.code(), renamed.location()), (303, path.as_str()));
        let page = owner.get(&path).await;
        assert!(page.says("Uno is saved.") && page.says("No approved model uses it."));
        let tested = owner.post(&format!("{path}/test"), &[]).await;
        assert_eq!(tested.code(), 200);
        assert!(tested.says("<h1>Uno</h1>") && tested.says("Uno works"), "the secret was kept: {}", tested.body);
        let part = post_as_part(&door, &owner, &format!("{path}/test")).await;
        assert!(part.says("Uno works") && part.says("demo-small") && !part.says("<html"), "{}", part.body);
        let link = tested.between("<a href=\"/o/here/models?", "\"").expect("a way on").replace("&#38;", "&");
        let approval = owner.get(&format!("/o/here/models?{link}")).await;
        assert_eq!(value(&approval, "name"), value(&approval, "upstream"));
        assert!(value(&approval, "name").starts_with("demo-") && approval.says("\" selected>Uno<"), "{}", approval.body);

        let id = path.rsplit_once('/').expect("an id").1;
        owner.post("/o/here/models", &[("name", "fast"), ("provider", id), ("upstream", "")]).await;
        let (page, list) = (owner.get(&path).await, owner.get(LIST).await);
        assert!(page.says("1 approved model goes with it") && page.says("<strong>fast</strong>"));
        assert!(list.says("Sealed") && list.says("data-label=\"models\">1<") && list.says("data-label=\"changed\">now<"));
        let removed = owner.post(&format!("{path}/remove"), &[("version", &version(&page))]).await;
        assert_eq!((removed.code(), removed.location()), (303, LIST));
        let after = owner.get(LIST).await;
        assert!(after.says("The provider is removed") && after.says("No provider yet"));
        assert_eq!(owner.get(&path).await.code(), 404);
        assert!(owner.get("/o/here/models").await.says("No model is approved"));

        pages.extend([page, tested, part, approval, list, after, owner.get("/o/here/trail").await]);
        assert!(pages.iter().all(|page| !page.says(SECRET)), "no page has a secret");
    }

    async fn an_anthropic_provider_is_added_tested_and_stays_one(world: World) {
        let (door, server) = (door(&site(&world)).await, model_server().await);
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let new = owner.get("/o/here/providers/new").await;
        assert!(new.says("<option value=\"openai\" selected>") && new.says("<option value=\"anthropic\">Anthropic<"));
        let bad = [("name", ""), ("kind", "anthropic"), ("base_url", NOWHERE), ("secret", "")];
        assert!(owner.post(LIST, &bad).await.says("<option value=\"anthropic\" selected>"), "what was chosen is kept");
        let base_url = server.base_url();
        let fields = [("name", "One"), ("kind", "anthropic"), ("base_url", base_url.as_str()), ("secret", SECRET)];
        let path = owner.post(LIST, &fields).await.location().to_owned();
        let tested = owner.post(&format!("{path}/test"), &[]).await;
        assert!(tested.says("One works") && tested.says("demo-small"), "{}", tested.body);
        let fields = [("name", "Uno"), ("kind", "openai"), ("base_url", base_url.as_str()), ("version", "")];
        assert_eq!(owner.post(&path, &fields).await.code(), 303);
        assert!(owner.get(&path).await.says("<option value=\"anthropic\" selected>"));
        assert!(owner.get(LIST).await.says("<td class=\"meta\">Anthropic</td>"));
    }

    async fn another_server_takes_the_secret_again_and_nothing_else_is_lost(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let path = added(&mut owner, "One", NOWHERE, SECRET).await;
        let seen = version(&owner.get(&path).await);
        for elsewhere in ["http://127.0.0.1:10/v1", "http://127.0.0.2:9/v1", "https://127.0.0.1:9/v1"] {
            let fields = [("name", "Typed"), ("base_url", elsewhere), ("secret", ""), ("version", &seen)];
            let again = owner.post(&path, &fields).await;
            assert_eq!(again.code(), 422, "{elsewhere}");
            assert!(wrong(&again, "secret").contains("Give the secret again"), "{}", again.body);
            assert!(again.says("The address points somewhere else now"));
            assert_eq!((value(&again, "name"), value(&again, "base_url"), version(&again)), ("Typed", elsewhere, seen.clone()));
        }
        let fields = [("name", "One"), ("base_url", "http://127.0.0.1:9/v2"), ("secret", ""), ("version", &seen)];
        assert_eq!(owner.post(&path, &fields).await.code(), 303, "the same server keeps it");
        let moved = [("name", "One"), ("base_url", "http://127.0.0.1:10/v1"), ("secret", "sk-other"), ("version", "")];
        assert_eq!(owner.post(&path, &moved).await.code(), 303);
        let both = [("name", "One"), ("base_url", NOWHERE), ("secret", SECRET), ("erase", "yes"), ("version", "")];
        let both = owner.post(&path, &both).await;
        assert!(both.code() == 422 && wrong(&both, "secret").contains("not both") && !both.says(SECRET));
        let erased = [("name", "One"), ("base_url", NOWHERE), ("erase", "yes"), ("version", "")];
        assert_eq!(owner.post(&path, &erased).await.code(), 303);
        let page = owner.get(&path).await;
        assert!(!page.says("One is stored") && !page.says("name=\"erase\""), "{}", page.body);
    }

    async fn what_cannot_be_taken_is_said_at_its_field(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let path = added(&mut owner, "One", NOWHERE, "").await;
        let two = added(&mut owner, "Two", NOWHERE, "").await;
        for (name, base_url, secret, field, why) in [
            ("Three", "http://10.0.0.1/v1", "", "base_url", "not on the open internet"),
            ("Three", "http://169.254.169.254/v1", "", "base_url", "not on the open internet"),
            ("Three", "nonsense", "", "base_url", "https://"),
            ("Three", "https://me:pass@127.0.0.1/v1", "", "base_url", "has its own field"),
            ("one ", NOWHERE, "", "name", "Another provider has this name"),
            ("", NOWHERE, "", "name", "1 to 100 characters"),
            ("Three", NOWHERE, "two words", "secret", "as the provider shows it"),
        ] {
            for path in [LIST, two.as_str()] {
                let fields = [("name", name), ("base_url", base_url), ("secret", secret), ("version", "")];
                let refused = owner.post(path, &fields).await;
                assert_eq!(refused.code(), 422, "{path} {name} {base_url}");
                assert!(wrong(&refused, field).contains(why), "{field}: {}", wrong(&refused, field));
                assert_eq!((value(&refused, "name"), value(&refused, "base_url")), (name, base_url));
                assert!(secret.is_empty() || !refused.says(secret));
            }
        }
        let fields = [("name", "One"), ("base_url", NOWHERE), ("secret", SECRET)];
        let again = owner.post(LIST, &fields).await;
        assert!(wrong(&again, "secret").contains("it was not kept") && !again.says(SECRET));
        assert_eq!(owner.post(&path, &[("name", "One")]).await.code(), 400);
        assert_eq!(owner.post_with(LIST, "another's", &fields).await.code(), 403);
        let dead = owner.post(&format!("{path}/test"), &[]).await;
        assert!(dead.code() == 200 && dead.says("One does not work") && dead.says("Could not be reached"));
    }

    async fn whoever_was_slower_sees_what_is_stored(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let path = added(&mut owner, "One", NOWHERE, "").await;
        let seen = version(&owner.get(&path).await);
        let first = [("name", "First"), ("base_url", NOWHERE), ("version", seen.as_str())];
        assert_eq!(owner.post(&path, &first).await.code(), 303);
        let second = [("name", "Second"), ("base_url", NOWHERE), ("secret", SECRET), ("version", seen.as_str())];
        let stale = owner.post(&path, &second).await;
        assert_eq!((stale.code(), value(&stale, "name"), value(&stale, "base_url")), (409, "First", NOWHERE));
        assert!(wrong(&stale, "name").contains("You typed “Second”") && wrong(&stale, "base_url").is_empty());
        assert!(stale.says("Someone changed it in the meantime.") && !stale.says(SECRET));
        assert_ne!(version(&stale), seen);
        let kept = owner.post(&format!("{path}/remove"), &[("version", &seen)]).await;
        assert!(kept.code() == 409 && kept.says("Remove First?"));
        assert_eq!(owner.post(&format!("{path}/remove"), &[("version", &version(&kept))]).await.code(), 303);
        assert_eq!(owner.post(&path, &first).await.code(), 404, "it is gone");
    }

    // proves RQ-045, RL-006, RL-008, RL-046
    async fn viewers_look_and_members_see_none(world: World) {
        let door = door(&site(&world)).await;
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let path = added(&mut admin, "One", NOWHERE, SECRET).await;
        assert!(admin.get("/o/here/settings").await.says("href=\"/o/here/providers/new\""));
        let mut viewer = Tab::signed_in(&door, world.viewer()).await;
        let (list, page, new) =
            (viewer.get(LIST).await, viewer.get(&path).await, viewer.get("/o/here/providers/new").await);
        assert!(list.says(&format!("href=\"{path}\"")) && !list.says("/providers/new") && !list.says("/test"));
        assert!(page.says("You may look, but not change it") && page.says("<fieldset class=\"form\" disabled>"));
        assert!(!page.says("/test") && !page.says("/remove") && !page.says(SECRET));
        assert!(new.code() == 200 && new.says("You may not add a provider") && !new.says(">Add provider</button>"));
        let mut member = Tab::signed_in(&door, world.member()).await;
        assert!(!member.get("/o/here/models").await.says("/o/here/providers"), "there is no way for a member");
        assert_eq!((member.get(LIST).await.code(), member.get("/o/here/providers/new").await.code()), (403, 403));
        assert_eq!(member.get(&path).await.code(), 404);

        let before = world.tables(world.org()).await;
        let fields = [("name", "Mine"), ("base_url", NOWHERE), ("version", "")];
        for (tab, on_it) in [(&mut viewer, 403), (&mut member, 404)] {
            assert_eq!(tab.post(LIST, &fields).await.code(), 403);
            for act in ["", "/test", "/remove"] {
                assert_eq!(tab.post(&format!("{path}{act}"), &fields).await.code(), on_it, "{act}");
            }
        }
        assert_eq!(world.tables(world.org()).await, before);
    }

    async fn a_hostile_name_is_text_everywhere(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let attack = "\"><img src=x onerror=alert(1)>";
        let path = added(&mut owner, attack, "http://127.0.0.1:9/<b>", "").await;
        let mut pages = Vec::new();
        for page in [path.as_str(), LIST, "/o/here/models", "/o/here/trail"] {
            pages.push(owner.get(page).await);
        }
        pages.push(owner.post(&format!("{path}/test"), &[]).await);
        pages.push(owner.post(LIST, &[("name", attack), ("base_url", attack)]).await);
        pages.push(owner.post(&path, &[("name", attack), ("base_url", attack), ("version", "1")]).await);
        for page in pages {
            assert!(page.says("<main") && !page.says("<img") && !page.says("<b>"), "{}", page.body);
        }
    }
}
