use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    host::{Host, Running},
    plane::{Holding, Plane},
};

/// How many gateways share limits: two on other hosts, and the control plane's own, which nobody calls here.
const GATEWAYS: u64 = 3;
const LIMIT: u64 = 90;

/// Calls until so many passed, with a pause where one was refused. How many were refused.
async fn call_until(gateway: &Running, key: &Holding, due: u64) -> u64 {
    let late = Instant::now() + Duration::from_mins(1);
    let (mut passed, mut refused) = (0, 0);
    while passed < due {
        assert!(Instant::now() < late, "{passed} of {due} calls passed, {refused} were refused");
        if gateway.call(&key.text).await.0 == 200 {
            passed += 1;
        } else {
            refused += 1;
            sleep(Duration::from_millis(20)).await;
        }
    }
    refused
}

/// Calls until one is refused. How many passed.
async fn call_through(gateway: &Running, key: &Holding) -> u64 {
    let mut passed = 0;
    loop {
        let (status, code) = gateway.call(&key.text).await;
        if status != 200 {
            assert_eq!((status.as_u16(), code.as_str()), (429, "rate_limit_exceeded"));
            return passed;
        }
        passed += 1;
    }
}

gatewarden_testkit::on_both! {
    // proves limits across gateways
    async fn gateways_share_a_limit_and_have_a_part_each_while_nobody_can_be_asked(world: World) {
        let (mut plane, hosts) = (Plane::new(world).await, [Host::new(), Host::new()]);
        let [frankfurt, oslo] = &plane.gateways(&hosts).await[..] else { panic!("as many as hosts") };
        let (key, other) = (plane.limited_key(LIMIT).await, plane.limited_key(LIMIT).await);
        plane.revoke(&plane.key("Another").await).await;

        call_until(frankfurt, &key, LIMIT).await;
        let (part, began) = (LIMIT / GATEWAYS, Instant::now());
        let back = |began: Instant| began.elapsed().as_secs() * LIMIT / 60 + 1;
        // Until Oslo has heard of Frankfurt, it has its part, and no more.
        let passed = call_through(oslo, &key).await;
        assert!(passed <= part + 1 + back(began), "{passed} passed in Oslo after Frankfurt had used the limit");

        plane.stop().await;
        let began = Instant::now();
        let passed = [call_through(frankfurt, &other).await, call_through(oslo, &other).await];
        for passed in passed {
            assert!((part..=part + 1 + back(began)).contains(&passed), "{passed} of {part} passed alone");
        }
    }
}
