use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use gatewarden_gateway::{FeedEvent, UsageRecord};
use gatewarden_trail::Change;
use gatewarden_types::{Organization, Timestamp};
use tokio::time::{Instant, sleep};

use crate::world::{Records, World, question, refused};

const DAY: i64 = 24 * 60 * 60;

/// The control plane says that the policy is current.
async fn hear(world: &World) {
    let at = Timestamp::from_micros(world.now.load(SeqCst));
    world.tell(FeedEvent::Current { organization: world.records.organization.id, at }).await;
}

fn pass(world: &World, seconds: i64) {
    world.now.fetch_add(seconds * 1_000_000, SeqCst);
}

/// Waits until the gateway says of itself whether it has lost the control plane.
async fn until_lost(world: &World, lost: bool) {
    let late = Instant::now() + Duration::from_secs(20);
    while world.gateway.status().orphaned != lost {
        assert!(Instant::now() < late, "{:?}", world.gateway.status());
        sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until calls are answered with this status, and says with which code.
async fn until_answered(world: &World, status: u16) -> String {
    let late = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = world.chat(&world.secret, &question("fast", false)).await;
        if answer.status() == status {
            return if status == 200 { String::new() } else { refused(answer).await.1 };
        }
        assert!(Instant::now() < late, "{}", answer.status());
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_the_control_plane_calls_are_answered_for_as_long_as_the_organization_lets_them() {
    let world = World::new().await;
    hear(&world).await;
    until_lost(&world, false).await;
    pass(&world, DAY - 60);
    until_lost(&world, true).await;
    until_answered(&world, 200).await;
    pass(&world, 61);
    assert_eq!(until_answered(&world, 503).await, "policy_stale");
    let ready = world.get(&world.secret, "/readyz").await;
    assert_eq!(ready.status(), 503, "calls are to go elsewhere");
    let ready = ready.text().await.expect("text");
    assert!(ready.contains("\"status\":\"stale\"") && ready.contains("\"organizations_stale\":1"), "{ready}");
    let metrics = world.get(&world.secret, "/metrics").await.text().await.expect("text");
    for figure in ["gatewarden_ready 0", "gatewarden_feed_lost 1", "gatewarden_organizations_stale 1"] {
        assert!(metrics.contains(figure), "{figure}: {metrics}");
    }
    hear(&world).await;
    until_answered(&world, 200).await;
    until_lost(&world, false).await;
    assert_eq!(world.get(&world.secret, "/readyz").await.status(), 200);
    let stale = |record: &UsageRecord| record.refused.as_deref() == Some("policy_stale");
    assert!(world.all_usage().await.iter().any(stale), "whose key is proven is recorded");
}

#[tokio::test]
async fn what_is_too_old_when_it_comes_decides_not_even_once() {
    let world = World::new().await;
    let at = Timestamp::from_micros(world.now.load(SeqCst)).plus_seconds(-2 * DAY);
    world.tell(FeedEvent::Current { organization: world.records.organization.id, at }).await;
    // Another organization's policy comes after it.
    let other = Records::new(&world.upstream.base_url());
    world.tell(other.base(1)).await;
    world.gateway.reached(other.organization.id, 1).await;
    let answer = world.chat(&world.secret, &question("fast", false)).await;
    assert_eq!(refused(answer).await.1, "policy_stale");
}

#[tokio::test]
async fn an_organization_says_how_long_that_is() {
    let world = World::new().await;
    let organization =
        Organization { stale_after: "60".parse().expect("a minute"), ..world.records.organization.clone() };
    world.put(vec![Change::put(&organization).expect("writes")]).await;
    hear(&world).await;
    until_lost(&world, false).await;
    pass(&world, 61);
    assert_eq!(until_answered(&world, 503).await, "policy_stale");
}

#[tokio::test]
async fn in_the_control_planes_own_process_no_policy_grows_old() {
    let world = World::new().await;
    pass(&world, 40 * DAY);
    until_answered(&world, 200).await;
    assert!(!world.gateway.status().orphaned);
}
