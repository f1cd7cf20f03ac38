//! Organizations in the console: making one, changing it, and going from one to another.

use gatewarden_control::organizations;
use gatewarden_testkit::{World, on_both};
use gatewarden_types::{Builtin, Reach};

use crate::{
    harness::{Asker, Reply, door, site},
    records_browser::{Tab, form},
};

/// What the switcher offers: where each choice leads, and the role there.
fn switcher(page: &Reply) -> Vec<(String, String)> {
    let menu = page.between("id=\"switcher\"", "All organizations").expect("a switcher");
    let choices = menu.split("<a href=\"/o/").skip(1);
    choices
        .map(|choice| {
            let slug = choice.split('"').next().unwrap_or_default().to_owned();
            let role = choice.split_once("<small>").and_then(|(_, rest)| rest.split_once('<')).expect("a role").0;
            (slug, role.to_owned())
        })
        .collect()
}

fn version(page: &Reply) -> String {
    page.between("name=\"version\" value=\"", "\"").expect("a version").to_owned()
}

/// Everything that making an organization could leave behind.
async fn everything(world: &World) -> impl PartialEq + std::fmt::Debug + use<> {
    let folders = world.folder().map(|folder| std::fs::read_dir(folder.join("organizations")).unwrap().count());
    let places = world.app().store.places().await.unwrap().len();
    let mut control = world.control_tables().await;
    // That someone looks is kept; what they are in and may do is not touched by it.
    control.remove("sessions");
    (folders, places, control, world.tables(world.org()).await)
}

on_both! {
    // proves PK-001
    async fn an_organization_is_made_and_its_key_is_shown_once(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.viewer()).await;
        let made = tab.post("/organizations", &[("name", "Acme & Söhne"), ("slug", "acme")]).await;
        assert_eq!((made.code(), made.header("cache-control")), (200, "no-store"), "{}", made.body);
        let key = made.between("gwk_", "<").map(|rest| format!("gwk_{rest}")).expect("the master key");
        let key = key.trim().to_owned();
        assert!(made.says("Acme &#38; Söhne"));
        let read = door.get(&Asker::Key(key.clone()), "/api/v1/organization").await;
        assert_eq!((read.code(), read.json()["slug"].as_str()), (200, Some("acme")));
        for page in ["/organizations", "/o/acme", "/o/acme/keys", "/o/acme/settings", "/o/acme/trail"] {
            let page = tab.get(page).await;
            assert!(page.code() == 200 && !page.says(&key));
        }
        let list = tab.get("/organizations").await;
        assert_eq!(switcher(&list), [("acme".to_owned(), "Owner".to_owned()), ("here".to_owned(), "Viewer".to_owned())]);
        assert_eq!(Tab::signed_in(&door, world.owner()).await.get("/o/acme").await.code(), 404, "it is theirs alone");
    }

    async fn what_cannot_be_made_is_said_at_its_field_and_leaves_nothing(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        let before = everything(&world).await;
        let long = "a".repeat(65);
        for (name, slug, wrong) in [
            ("Acme", "here", "slug-wrong"),
            ("Acme", "there", "slug-wrong"),
            ("Acme", "", "slug-wrong"),
            ("Acme", "Acme Inc", "slug-wrong"),
            ("Acme", "../etc", "slug-wrong"),
            ("Acme", long.as_str(), "slug-wrong"),
            ("", "acme", "name-wrong"),
            ("a\u{202e}b", "acme", "name-wrong"),
        ] {
            let refused = tab.post("/organizations", &[("name", name), ("slug", slug)]).await;
            assert!(refused.code() == 422 && refused.says(&format!("id=\"{wrong}\"")), "{name} {slug}: {}", refused.body);
            assert!(refused.says(&format!("value=\"{name}\"")) && refused.says(&format!("value=\"{slug}\"")), "nothing typed is lost");
        }
        let taken = tab.post("/organizations", &[("name", "Acme"), ("slug", "there")]).await;
        assert!(taken.says("Another organization has this address already. Choose another."));
        for fields in [&[("name", "Acme")][..], &[("slug", "acme")]] {
            assert_eq!(tab.post("/organizations", fields).await.code(), 400);
        }
        assert_eq!(everything(&world).await, before);
        assert_eq!(tab.post("/organizations", &[("name", "Acme"), ("slug", "acme")]).await.code(), 200);
    }

    async fn limits_are_set_and_stay_where_a_form_does_not_have_them(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let plain = [("name", "Here & Now"), ("usage", "all"), ("version", "")];
        let with = |limits: &[(&'static str, &'static str)]| [&plain[..], limits].concat();
        let set = with(&[("requests_per_minute", "600"), ("tokens_per_minute", "")]);
        assert_eq!(owner.post("/o/here/settings", &set).await.code(), 303);
        let stored = "name=\"requests_per_minute\" type=\"number\" value=\"600\"";
        assert!(owner.get("/o/here/settings").await.says(stored));
        let unread = owner.post("/o/here/settings", &with(&[("tokens_per_minute", "0")])).await;
        assert!(unread.code() == 422 && unread.says("Give a whole number from 1 to 1000000000"), "{}", unread.body);
        assert_eq!(owner.post("/o/here/settings", &plain).await.code(), 303);
        assert!(owner.get("/o/here/settings").await.says(stored));
        assert_eq!(owner.post("/o/here/settings", &with(&[("requests_per_minute", "")])).await.code(), 303);
        assert!(!owner.get("/o/here/settings").await.says(stored));
    }

    async fn how_long_gateways_go_on_alone_is_chosen_and_kept(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let chosen = |page: &Reply, value: &str, label: &str| page.says(&format!("<option value=\"{value}\" selected>{label}<"));
        assert!(chosen(&owner.get("/o/here/settings").await, "86400", "1 day"));
        let plain = [("name", "Here"), ("usage", "own"), ("version", "")];
        let with = |seconds: &'static str| [&plain[..], &[("stale_after", seconds)]].concat();
        assert_eq!(owner.post("/o/here/settings", &with("300")).await.code(), 303);
        assert!(chosen(&owner.get("/o/here/settings").await, "300", "5 minutes"));
        assert_eq!(owner.post("/o/here/settings", &with("5400")).await.code(), 303, "also what is not offered");
        assert_eq!(owner.post("/o/here/settings", &plain).await.code(), 303);
        assert!(chosen(&owner.get("/o/here/settings").await, "5400", "90 minutes"), "a form without it leaves it");
        for bad in ["59", "2592001", "a day"] {
            let refused = owner.post("/o/here/settings", &with(bad)).await;
            assert!(refused.code() == 422 && refused.says("id=\"stale_after-wrong\""), "{bad}: {}", refused.body);
        }
    }

    // proves RQ-032, KT-026
    async fn settings_are_saved_by_who_may_and_a_stale_form_changes_nothing(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let mut admin = Tab::signed_in(&door, world.admin()).await;
        let (seen, also) = (version(&owner.get("/o/here/settings").await), version(&admin.get("/o/here/settings").await));
        let saved = owner.post("/o/here/settings", &[("name", "Here & Now"), ("usage", "all"), ("version", &seen)]).await;
        assert_eq!((saved.code(), saved.location()), (303, "/o/here/settings"));
        let page = owner.get("/o/here/settings").await;
        assert!(page.says("The settings are saved.") && page.says("value=\"Here &#38; Now\""), "{}", page.body);
        let before = (world.tables(world.org()).await, world.trail(world.org()).await.len());
        let stale = admin.post("/o/here/settings", &[("name", "Late"), ("usage", "own"), ("version", &also)]).await;
        assert!(stale.code() == 409 && stale.says("Someone changed this in the meantime"), "{}", stale.body);
        let wrong = admin.post("/o/here/settings", &[("name", ""), ("usage", "own"), ("version", &also)]).await;
        assert!(wrong.code() == 422 && wrong.says("id=\"name-wrong\""));
        for someone in [world.viewer(), world.member()] {
            let mut tab = Tab::signed_in(&door, someone).await;
            let page = tab.get("/o/here/settings").await;
            assert!(page.code() == 200 && page.says("You may look, but not change anything"));
            let refused = tab.post("/o/here/settings", &[("name", "Mine"), ("usage", "own"), ("version", "")]).await;
            assert!(refused.code() == 403 && refused.says("organization:update"), "{}", refused.body);
        }
        assert_eq!((world.tables(world.org()).await, world.trail(world.org()).await.len()), before);
        let now = organizations::read(world.app(), &world.viewer().caller(), world.org()).await.unwrap().record;
        assert_eq!((now.name.as_str(), now.slug.as_str(), now.visibility.usage), ("Here & Now", "here", Reach::All));
    }

    // proves PK-011, PK-012, RL-010, RL-040
    async fn the_switcher_shows_another_role_in_each_organization(world: World) {
        let door = door(&site(&world)).await;
        let mut max = world.member().clone();
        world.other_house().admit(&mut max, Builtin::Admin).await;
        let mut tab = Tab::signed_in(&door, &max).await;
        assert_eq!(tab.get("/").await.location(), "/organizations");
        let both = [("here".to_owned(), "Member".to_owned()), ("there".to_owned(), "Admin".to_owned())];
        for (slug, invites) in [("here", false), ("there", true)] {
            let page = tab.get(&format!("/o/{slug}/members")).await;
            assert_eq!(switcher(&page), both);
            assert!(page.says(&format!("<a href=\"/o/{slug}\" aria-current=\"true\">")), "{slug}");
            assert_eq!(page.says("/invites/new\""), invites, "what one may do is another thing in each");
        }
        let list = tab.get("/organizations").await;
        assert!(list.says("aria-label=\"Open here\"") && list.says("aria-label=\"Open there\""));
        let mut ada = Tab::signed_in(&door, world.admin()).await;
        assert_eq!(ada.get("/").await.location(), "/o/here", "who is in one is taken there");
        assert_eq!(switcher(&ada.get("/o/here").await), [("here".to_owned(), "Admin".to_owned())]);
        let mut sue = Tab::signed_in(&door, world.suspended()).await;
        assert!(sue.get("/organizations").await.says("You are not a member of an organization"));
    }

    async fn a_form_that_is_too_large_or_no_form_is_refused_and_does_nothing(world: World) {
        let door = door(&site(&world)).await;
        let mut tab = Tab::signed_in(&door, world.owner()).await;
        let (max, role) = (world.member().id(), world.role(Builtin::Viewer).to_string());
        let large = "x".repeat(66_000);
        let before = everything(&world).await;
        for (path, fields) in [
            (format!("/o/here/members/{max}/role"), vec![("role", role.as_str()), ("version", ""), ("more", &large)]),
            (format!("/o/here/members/{max}/remove"), vec![("version", large.as_str())]),
            ("/o/here/settings".to_owned(), vec![("name", large.as_str()), ("usage", "own"), ("version", "")]),
            ("/o/here/invites".to_owned(), vec![("addresses", large.as_str()), ("role", &role)]),
            ("/organizations".to_owned(), vec![("name", "Acme"), ("slug", large.as_str())]),
            ("/account".to_owned(), vec![("name", large.as_str())]),
        ] {
            let refused = tab.post(&path, &fields).await;
            assert!(refused.code() == 413 && refused.says("A form may be 64 kB at most."), "{path}: {}", refused.body);
            let csrf = tab.csrf.clone();
            let part = tab.send(form(&path, &csrf, &fields).insert_header(("hx-request", "true"))).await;
            assert!(part.code() == 413 && part.says("The request is too large."), "{path}: {}", part.body);
            let json = form(&path, &csrf, &[]).insert_header(("content-type", "application/json")).set_payload("{\"name\":\"x\"}");
            assert!(matches!(tab.send(json).await.code(), 400 | 403), "{path}");
        }
        assert_eq!(everything(&world).await, before);
    }
}
