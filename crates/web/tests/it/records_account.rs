//! One's own account: its name and its sessions.

use gatewarden_testkit::{PASSWORD, on_both};

use crate::{
    harness::{door, site},
    records_browser::Tab,
};

on_both! {
    async fn a_name_is_changed_and_said_once(world: World) {
        let door = door(&site(&world)).await;
        let mut browser = Tab::signed_in(&door, world.member()).await;
        let done = browser.post("/account", &[("name", "  Maxine Member ")]).await;
        assert_eq!((done.code(), done.location()), (303, "/account"));
        let page = browser.get("/account").await;
        assert!(page.says("Your name is saved.") && page.says("value=\"Maxine Member\""));
        assert!(!browser.get("/account").await.says("Your name is saved."), "a notice is shown once");
        let wrong = browser.post("/account", &[("name", "a\u{202e}b")]).await;
        assert!(wrong.code() == 422 && wrong.says("Leave out control and invisible characters."));
        assert!(browser.get("/account").await.says("value=\"Maxine Member\""));
    }

    async fn sessions_are_listed_and_ended(world: World) {
        let door = door(&site(&world)).await;
        let mut here = Tab::signed_in(&door, world.member()).await;
        let mut there = Tab::signed_in(&door, world.member()).await;
        let mut elsewhere = Tab::signed_in(&door, world.member()).await;
        let page = here.get("/account").await;
        let session = page.between("/account/sessions/ses_", "/revoke").expect("another session").to_owned();
        let ended = here.post(&format!("/account/sessions/ses_{session}/revoke"), &[]).await;
        assert_eq!(ended.code(), 303);
        let live = [there.get("/account").await.code(), elsewhere.get("/account").await.code()];
        assert_eq!(live.iter().filter(|status| **status == 200).count(), 1, "{live:?}");
        let again = here.post(&format!("/account/sessions/ses_{session}/revoke"), &[]).await;
        assert_eq!(again.code(), 404);

        assert_eq!(here.post("/account/sessions/revoke-others", &[]).await.code(), 303);
        assert!(here.get("/account").await.says("1 other browser is signed out."));
        assert_eq!(there.get("/account").await.code() + elsewhere.get("/account").await.code(), 606);
    }

    async fn another_password_signs_every_other_browser_out(world: World) {
        let door = door(&site(&world)).await;
        let mut here = Tab::signed_in(&door, world.member()).await;
        let mut there = Tab::signed_in(&door, world.member()).await;
        let new = "a kettle on the moon";
        for (current, password, said) in [("not that one", new, "This is not your password."), (PASSWORD, "short", "12")] {
            let wrong = here.post("/account/password", &[("current", current), ("password", password)]).await;
            assert!(wrong.code() == 422 && wrong.says(said), "{current}, {password}");
            assert!(!wrong.says(current) && !wrong.says(password), "a password is never sent back");
        }
        assert_eq!(there.get("/account").await.code(), 200);
        let done = here.post("/account/password", &[("current", PASSWORD), ("password", new)]).await;
        assert_eq!((done.code(), done.location()), (303, "/account"));
        assert!(here.get("/account").await.says("Your password is changed. 1 other browser is signed out."));
        assert_eq!(there.get("/account").await.code(), 303);

        let email = world.member().person.email.as_str();
        let mut again = Tab::open(&door);
        assert_eq!(again.post("/sign-in", &[("email", email), ("password", PASSWORD)]).await.code(), 403);
        assert_eq!(again.post("/sign-in", &[("email", email), ("password", new)]).await.code(), 303);
    }

    async fn nobody_ends_the_session_of_another(world: World) {
        let door = door(&site(&world)).await;
        let mut owner = Tab::signed_in(&door, world.owner()).await;
        Tab::signed_in(&door, world.owner()).await;
        let page = owner.get("/account").await;
        let session = page.between("/account/sessions/ses_", "/revoke").expect("another session").to_owned();
        let mut stranger = Tab::signed_in(&door, world.stranger()).await;
        let foreign = stranger.post(&format!("/account/sessions/ses_{session}/revoke"), &[]).await;
        let absent = stranger.post("/account/sessions/ses_00000000000000000000000000/revoke", &[]).await;
        let malformed = stranger.post("/account/sessions/mem_x/revoke", &[]).await;
        assert_eq!((foreign.code(), absent.code(), malformed.code()), (404, 404, 404));
        assert_eq!(foreign.told(), absent.told());
        assert!(owner.get("/account").await.says(&session));
    }
}
