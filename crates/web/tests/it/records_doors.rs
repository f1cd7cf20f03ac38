//! Setting up, signing in and out.

use std::time::Duration;

use gatewarden_testkit::{PASSWORD, on_both};
use gatewarden_web::SESSION_COOKIE;

use crate::{
    harness::{door, site},
    records_browser::{Tab, form},
};

on_both! {
    async fn signing_in_begins_a_session_and_signing_out_ends_it(world: World) {
        let door = door(&site(&world)).await;
        let mut browser = Tab::open(&door);
        let sent_away = browser.get("/o/here/members?q=ada").await;
        assert_eq!((sent_away.code(), sent_away.location()), (303, "/sign-in?next=%2Fo%2Fhere%2Fmembers%3Fq%3Dada"));
        let page = browser.get(sent_away.location()).await;
        assert!(page.code() == 200 && page.says("value=\"/o/here/members?q=ada\""));

        let email = world.owner().person.email.to_string();
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", "/o/here/members?q=ada")];
        let done = browser.post("/sign-in", &fields).await;
        assert_eq!((done.code(), done.location()), (303, "/o/here/members?q=ada"));
        let cookie = done.cookies().join("\n");
        let token = browser.cookies.get(SESSION_COOKIE).expect("a session").clone();
        assert_eq!(cookie, format!("{SESSION_COOKIE}={token}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=2592000"));
        assert!(browser.get(done.location()).await.says("Ada Admin"));
        assert_eq!(browser.get("/sign-in").await.location(), "/");

        let out = browser.post("/sign-out", &[]).await;
        assert_eq!((out.code(), out.location()), (303, "/sign-in"));
        assert!(!browser.has_session());
        browser.cookies.insert(SESSION_COOKIE.to_owned(), token);
        assert_eq!(browser.get("/account").await.location(), "/sign-in?next=%2Faccount", "the old token is dead");
    }

    async fn a_wrong_password_and_an_unknown_address_look_alike(world: World) {
        let door = door(&site(&world)).await;
        let known = world.member().person.email.to_string();
        let unknown = known.replace("max", "moe");
        let before = world.app().passwords_hashed();
        let mut seen = Vec::new();
        for email in [&known, &unknown] {
            let wrong = Tab::open(&door).post("/sign-in", &[("email", email), ("password", "not the password")]).await;
            assert_eq!((wrong.code(), wrong.says(email), wrong.cookies().len()), (403, true, 0));
            let (status, headers, body) = wrong.told();
            seen.push((status, headers, body.replace(email.as_str(), "")));
            assert!(!wrong.says("not the password"), "a secret is never sent back");
        }
        assert_eq!(seen.first(), seen.last());
        assert_eq!(world.app().passwords_hashed() - before, 2, "a comparison each");
        let malformed = Tab::open(&door).post("/sign-in", &[("email", "nobody"), ("password", "x")]).await;
        assert_eq!(malformed.code(), 403);
    }

    async fn too_many_tries_wait_and_are_told_how_long(world: World) {
        let door = door(&site(&world)).await;
        let email = world.member().person.email.to_string();
        let fields = [("email", email.as_str()), ("password", "not the password")];
        for _ in 0..5 {
            assert_eq!(Tab::open(&door).post("/sign-in", &fields).await.code(), 403);
        }
        let refused = Tab::open(&door).post("/sign-in", &fields).await;
        assert_eq!((refused.code(), refused.header("retry-after")), (429, "60"));
        assert!(refused.says("Wait 60 seconds") && refused.says("nobody is locked out"));
        world.time().pass(Duration::from_mins(1));
        Tab::signed_in(&door, world.member()).await;
    }

    async fn next_never_leads_elsewhere(world: World) {
        let door = door(&site(&world)).await;
        let email = world.viewer().person.email.to_string();
        for next in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"] {
            let fields = [("email", email.as_str()), ("password", PASSWORD), ("next", next)];
            assert_eq!(Tab::open(&door).post("/sign-in", &fields).await.location(), "/", "{next}");
        }
        let asked = Tab::open(&door).get("/sign-in?next=//evil.example").await;
        assert!(asked.code() == 200 && !asked.says("evil.example"));
    }

    async fn forms_from_elsewhere_and_of_other_sessions_are_refused(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        let other = Tab::signed_in(&door, world.owner()).await;
        let before = world.control_tables().await;
        for csrf in [other.csrf.as_str(), "", "AAAA"] {
            let refused = owner.post_with("/account", csrf, &[("name", "Mallory")]).await;
            assert!(refused.code() == 403 && refused.says("Load the page again"), "{csrf}");
        }
        for (header, value) in
            [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
        {
            for path in ["/account", "/sign-in", "/set-up", "/sign-out"] {
                let request = form(path, &owner.csrf, &[("name", "Mallory")]).insert_header((header, value));
                let refused = owner.send(request).await;
                assert!(refused.code() == 403 && refused.says("another site"), "{path} {header} {value}");
            }
        }
        assert_eq!(world.control_tables().await, before);
    }

    async fn what_is_set_up_is_not_set_up_again(world: World) {
        let door = door(&site(&world)).await;
        assert_eq!(Tab::open(&door).get("/set-up?code=x").await.location(), "/sign-in");
        let fields = [
            ("code", "x"),
            ("name", "Mallory"),
            ("email", "mallory@example.com"),
            ("password", PASSWORD),
            ("organization", "Evil"),
            ("slug", "evil"),
        ];
        let before = world.control_tables().await;
        let refused = Tab::open(&door).post("/set-up", &fields).await;
        assert!(refused.code() == 403 && refused.says("not the code that was printed") && !refused.says(PASSWORD));
        assert_eq!(world.control_tables().await, before);
    }
}
