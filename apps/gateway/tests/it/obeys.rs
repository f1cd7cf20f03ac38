use std::time::Duration;

use gatewarden_control::gateways::{self, AddGateway};

use crate::{
    host::{Host, Running},
    plane::Plane,
};

gatewarden_testkit::on_both! {
    async fn a_gateway_elsewhere_answers_and_obeys(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        let (_, token) = plane.add("Frankfurt").await;
        let enrolled = host.enroll(&plane.url(), &token);
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        let gateway = host.start();
        gateway.ready().await;
        let (kept, key) = (plane.key("Kept").await, plane.key("Short-lived").await);
        plane.revoke(&plane.key("Another").await).await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
        plane.revoke(&key).await;
        assert_eq!(gateway.call(&key.text).await, (reqwest::StatusCode::UNAUTHORIZED, "key_revoked".to_owned()));
        assert_eq!(gateway.call(&kept.text).await.0, 200);
        let listed = gateways::list(plane.world.app(), &plane.world.owner().caller(), plane.world.org()).await.unwrap();
        let seen = listed.rows[0].sighting.clone().unwrap();
        assert_eq!((seen.problem, listed.rows[0].progress.map(|progress| progress.lag)), (None, Some(0)));
    }

    async fn a_token_lets_in_one_gateway_once(world: World) {
        let plane = Plane::new(world).await;
        let (_, token) = plane.add("Frankfurt").await;
        let (first, second) = (Host::new(), Host::new());
        assert!(first.enroll(&plane.url(), &token).status.success());
        let again = second.enroll(&plane.url(), &token);
        assert!(!again.status.success());
        let said = String::from_utf8_lossy(&again.stderr);
        assert!(said.contains("was not let in") && said.contains("it was used already"), "{said}");
        let nobody = second.run(&["run", "--listen", "127.0.0.1:0"]);
        assert!(String::from_utf8_lossy(&nobody.stderr).contains("no organization has let this gateway in"));
        let plain = second.enroll("http://gatewarden.example", &token);
        assert!(String::from_utf8_lossy(&plain.stderr).contains("https://"), "a token is not sent in the clear");
    }

    async fn a_drained_gateway_says_so_and_a_removed_one_refuses(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        let id = plane.let_in(&host).await;
        let (gateway, key) = (host.start(), plane.key("Kept").await);
        gateway.ready().await;
        let (app, owner, org) = (plane.world.app(), plane.world.owner().caller(), plane.world.org());
        gateways::drain(app, &owner, org, id, true, None).await.unwrap();
        gateway.until("status", &"draining".into()).await;
        assert_eq!(gateway.readiness().await.0, 503);
        assert_eq!(gateway.call(&key.text).await.0, 200, "what still comes is answered");
        gateways::drain(app, &owner, org, id, false, None).await.unwrap();
        gateway.ready().await;
        plane.remove(plane.world.house(), id).await;
        gateway.until("organizations", &0.into()).await;
        assert_eq!(gateway.call(&key.text).await.1, "invalid_api_key");
        assert_eq!(gateway.readiness().await.0, 503, "no calls are to come to it");
        host.until_no_policies().await;
        host.until_enrolments(0).await;
        // It says so, and no revocation waits for it.
        let at = gateways::add(app, &owner, org, AddGateway { name: "Oslo".parse().unwrap(), once: None }).await.unwrap();
        let effect = gateways::in_effect(app, org, at.gateway.version, Duration::from_secs(20)).await.unwrap();
        assert!(effect.everywhere(), "{effect:?}");
    }

    async fn one_that_is_told_to_end_says_so_and_answers_on_until_it_is_told_again(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        plane.offer("silent", "silent").await;
        let key = plane.key("Kept").await;
        let mut gateway = host.start_with(&["--linger", "3600"]);
        gateway.ready().await;
        gateway.until_answered(&key.text).await;
        gateway.signal("-TERM");
        gateway.until("status", &"draining".into()).await;
        assert_eq!(gateway.readiness().await.0, 503);
        let answer = gateway.answer(&key.text).await;
        assert!(answer.status == 200 && answer.closes, "{}", answer.code);
        // The last waits for a call that does not end.
        let open = tokio::spawn(gateway.calling("silent", &key.text));
        plane.upstream.until(|counts| counts.open > 0).await;
        assert!(!gateway.ended_by("-TERM").await.success(), "calls were cut off");
        assert!(gateway.log().contains("asked again"), "{}", gateway.log());
        assert!(open.await.unwrap().is_none());
    }

    async fn one_that_is_told_to_end_ends_in_time_and_hands_over_its_usage(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let key = plane.key("Kept").await;
        let mut commands = [host.serving(), host.serving()];
        commands[0].env("GATEWARDEN_LINGER", "1");
        commands[1].args(["--linger", "3600"]);
        for (n, (command, signal)) in commands.into_iter().zip(["-TERM", "-INT"]).enumerate() {
            let mut gateway = Running::begin(command);
            gateway.ready().await;
            gateway.until_answered(&key.text).await;
            gateway.signal(signal);
            assert!(gateway.ended().await.success(), "{}", gateway.log());
            assert_eq!(gateway.log().contains("go elsewhere"), signal == "-TERM", "someone at a terminal does not wait");
            plane.until_calls(n + 1).await;
        }
    }

    // proves that a gateway waits for the organizations that it serves, and for no other
    async fn one_that_was_removed_before_its_start_serves_the_others(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let removed = plane.let_in_by_the_other(&host).await;
        plane.remove(plane.world.other_house(), removed).await;
        let gateway = host.start();
        gateway.ready().await;
        let key = plane.key("Kept").await;
        plane.revoke(&plane.key("Another").await).await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
        host.until_enrolments(1).await;
    }

    // proves that a removal loses no usage
    async fn one_that_was_removed_hands_over_what_it_has_also_after_a_restart(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        let id = plane.let_in(&host).await;
        let (gateway, key) = (host.start(), plane.key("Kept").await);
        gateway.ready().await;
        plane.revoke(&plane.key("Another").await).await;
        let beneath = plane.world.beneath_observed(plane.world.org()).await;
        beneath.run("ALTER TABLE usage RENAME TO usage_away").await.unwrap();
        assert_eq!(gateway.call(&key.text).await.0, 200);
        gateway.spooled(1).await;
        plane.remove(plane.world.house(), id).await;
        gateway.until("organizations", &0.into()).await;
        host.until_no_policies().await;
        drop(gateway);
        assert_eq!(host.enrolments().len(), 1);
        let gateway = host.start();
        gateway.until("status", &"draining".into()).await;
        assert_eq!(gateway.call(&key.text).await.1, "invalid_api_key");
        beneath.run("ALTER TABLE usage_away RENAME TO usage").await.unwrap();
        plane.until_calls(1).await;
        host.until_enrolments(0).await;
    }
}
