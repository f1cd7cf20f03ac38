use std::fs;

use crate::{
    host::{Host, Running},
    load::{self, CALLERS, With},
    plane::{Holding, Plane},
};

/// How many calls each caller makes.
const CALLS: usize = 96;

/// Starts the host's gateway, which has been let in. It knows the key.
async fn start(plane: &Plane, host: &Host) -> (Running, Holding) {
    let (gateway, key) = (host.start(), plane.key("Kept").await);
    gateway.ready().await;
    plane.revoke(&plane.key("Another").await).await;
    (gateway, key)
}

gatewarden_testkit::on_both! {
    async fn without_the_control_plane_it_serves_on_and_starts_from_disk(world: World) {
        let (mut plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let ((gateway, kept), gone) = (start(&plane, &host).await, plane.key("Gone").await);
        plane.revoke(&gone).await;
        plane.stop().await;
        assert_eq!(gateway.call(&kept.text).await.0, 200);
        assert_eq!(gateway.call(&gone.text).await.1, "key_revoked");
        drop(gateway);
        let gateway = host.start();
        gateway.answering().await;
        assert_eq!(gateway.call(&kept.text).await.0, 200);
        assert_eq!(gateway.call(&gone.text).await.1, "key_revoked", "what was revoked before stays revoked");
        plane.start();
        plane.revoke(&kept).await;
        assert_eq!(gateway.call(&kept.text).await.1, "key_revoked", "it follows again");
    }

    // proves nothing is lost: what the control plane did not take in comes again, and counts once
    async fn calls_that_nobody_took_in_come_again_and_count_once(world: World) {
        let (mut plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let (gateway, key) = start(&plane, &host).await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
        plane.until_calls(1).await;
        plane.stop().await;
        for _ in 0..20 {
            assert_eq!(gateway.call(&key.text).await.0, 200);
        }
        gateway.spooled(21).await;
        drop(gateway);
        let _gateway = host.start();
        plane.start();
        plane.until_calls(21).await;
    }

    async fn a_disk_that_takes_nothing_is_told_and_holds_nothing_up(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        host.block_policies();
        let (gateway, key) = start(&plane, &host).await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
        plane.until_told("the policy cannot be kept on its disk").await;
    }

    async fn an_enrolment_that_cannot_be_used_holds_up_no_other(world: World) {
        let (plane, host) = (Plane::new(world).await, Host::new());
        let misdirected = plane.let_in_by_the_other(&host).await;
        host.misdirect(misdirected);
        host.spoil();
        let alone = host.run(&["run", "--listen", "127.0.0.1:0"]);
        let said = String::from_utf8_lossy(&alone.stderr);
        assert!(said.contains("can be used") && said.contains("https://") && said.contains("gtw_spoilt"), "{said}");
        plane.let_in(&host).await;
        let (gateway, key) = start(&plane, &host).await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
    }

    async fn a_damaged_policy_is_not_used(world: World) {
        let (mut plane, host) = (Plane::new(world).await, Host::new());
        plane.let_in(&host).await;
        let (gateway, key) = start(&plane, &host).await;
        drop(gateway);
        plane.stop().await;
        for file in host.policies() {
            let mut bytes = fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&file, bytes).unwrap();
        }
        let gateway = host.start();
        gateway.until("status", &"starting".into()).await;
        assert_eq!(gateway.call(&key.text).await.1, "not_ready", "it knows no key yet");
        plane.start();
        gateway.ready().await;
        assert_eq!(gateway.call(&key.text).await.0, 200);
    }

    // proves that an outage of the control plane is none of its gateways', also when one of them is killed meanwhile
    async fn under_load_without_the_control_plane_the_right_calls_pass_and_no_others(world: World) {
        let course = load::run(Plane::new(world).await, CALLERS * CALLS).await;
        let answered = &course.answered.calls;
        let only = |with| answered[&with].iter().map(|(said, count)| (said.as_str(), *count)).collect::<Vec<_>>();
        assert_eq!(only(With::InForce), [(load::PASSED, CALLERS * CALLS * 3 / 8)]);
        for (with, code) in [
            (With::Revoked, "key_revoked"),
            (With::Unknown, "invalid_api_key"),
            (With::Expired, "key_expired"),
            (With::OtherModel, "key_model"),
        ] {
            assert_eq!(only(with), [(code, CALLERS * CALLS / 8)], "{with:?}");
        }
        assert!(only(With::Limited).iter().all(|(said, _)| [load::PASSED, "rate_limit_exceeded"].contains(said)));
        course.assert_limited();
    }
}
