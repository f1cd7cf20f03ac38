//! What becomes of a call under way when it is no longer allowed.

use std::time::Duration;

use gatewarden_trail::Change;
use gatewarden_types::{
    Key, KeyOwner, KeyState, Member, MemberState, Model, ModelState, Organization, OrganizationState, Timestamp,
};
use reqwest::Response;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{NOW, World, question, refused};

/// How long a test waits for what is to happen within a second: it only has to happen at all.
const EVER: Duration = Duration::from_secs(30);

/// A stream that has begun.
async fn stream(world: &World, secret: &str, model: &str) -> Response {
    let mut response = world.chat(secret, &question(model, true)).await;
    assert_eq!(response.status(), 200);
    assert!(response.chunk().await.expect("a part").is_some());
    response
}

/// Reads a stream to its end and gives the error that it ends with.
async fn last_event(mut response: Response) -> Value {
    let read = async {
        let mut tail = Vec::new();
        while let Some(part) = response.chunk().await.expect("the stream ends by itself") {
            tail.extend_from_slice(&part);
            tail.drain(..tail.len().saturating_sub(4096));
        }
        String::from_utf8_lossy(&tail).into_owned()
    };
    let tail = timeout(EVER, read).await.expect("the stream ends");
    assert!(!tail.contains("[DONE]"), "{tail}");
    let (before, event) = tail.rsplit_once("event: error\ndata: ").expect("it ends with an error event");
    assert!(before.is_empty() || before.ends_with("\n\n"), "{before}");
    serde_json::from_str(event.strip_suffix("\n\n").expect("a whole event")).expect("JSON")
}

fn revoked(key: &Key) -> Change {
    Change::put(&Key { state: KeyState::Revoked, ..key.clone() }).expect("writes")
}

fn withdrawn(world: &World, name: &str) -> Change {
    Change::put(&Model { state: ModelState::Withdrawn, ..world.records.model(name).clone() }).expect("writes")
}

#[tokio::test]
async fn revoking_a_key_ends_its_silent_stream_and_its_busy_one_but_no_other() {
    let mut world = World::new().await;
    let other = world.add_key(KeyOwner::Organization, |_| ()).await;
    let (silent, busy) = (stream(&world, &world.secret, "stall").await, stream(&world, &world.secret, "endless").await);
    let mut others = stream(&world, &other, "endless").await;
    world.put(vec![revoked(&world.key)]).await;
    for response in [silent, busy] {
        let error = last_event(response).await;
        assert_eq!(error["error"]["code"], "key_revoked", "{error}");
        assert!(error["error"]["message"].as_str().is_some_and(|text| text.contains("'CI'") && text.contains("admin")));
    }
    // Both calls have ended at the provider as well; the other's goes on.
    assert_eq!(world.upstream.until(|counts| counts.cancelled == 2).await.open, 1);
    assert!(others.chunk().await.expect("it goes on").is_some());
    let cut = world.used(2).await;
    assert!(
        cut.iter()
            .all(|record| (record.status, record.refused.as_deref(), record.complete)
                == (200, Some("key_revoked"), false))
    );
    drop(others);
    assert_eq!(world.used(3).await[2].refused.as_deref(), None);
}

#[tokio::test]
async fn whatever_takes_the_right_away_ends_the_stream() {
    let world = World::new().await;
    let member = world.records.member.clone();
    let suspended = Member { state: MemberState::Suspended, ..member.clone() };
    let asleep = Organization { state: OrganizationState::Suspended, ..world.records.organization.clone() };
    let put = |change: Result<Change, _>| change.expect("writes");
    let takes = [
        ("member_suspended", put(Change::put(&suspended)), put(Change::put(&member))),
        ("not_a_member", Change::removed(member.id), put(Change::put(&member))),
        ("organization_suspended", put(Change::put(&asleep)), put(Change::put(&world.records.organization))),
        ("model_not_found", withdrawn(&world, "stall"), put(Change::put(world.records.model("stall")))),
        ("model_not_found", Change::removed(world.records.provider.id), put(Change::put(&world.records.provider))),
    ];
    for (code, away, back) in takes {
        let running = stream(&world, &world.secret, "stall").await;
        world.put(vec![away]).await;
        assert_eq!(last_event(running).await["error"]["code"], code);
        world.put(vec![back]).await;
    }
}

#[tokio::test]
async fn a_key_that_expires_ends_its_stream() {
    let world = World::new().await;
    let lapses = |key: &mut Key| key.expires = Some(Timestamp::from_micros(NOW + 1));
    let secret = world.add_key(KeyOwner::Organization, lapses).await;
    let running = stream(&world, &secret, "stall").await;
    world.now.store(NOW + 1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(last_event(running).await["error"]["code"], "key_expired");
}

#[tokio::test]
async fn a_plain_call_is_refused_while_nothing_was_sent_and_else_closed() {
    let mut world = World::new().await;
    let waiting = tokio::spawn(world.post(&question("silent", false)).bearer_auth(&world.secret).send());
    let half = world.chat(&world.secret, &question("stall", false)).await;
    assert_eq!(world.upstream.until(|counts| counts.open == 2).await.open, 2);
    world.put(vec![revoked(&world.key)]).await;
    let waiting = timeout(EVER, waiting).await.expect("it ends").expect("runs").expect("answers");
    assert_eq!(refused(waiting).await.1, "key_revoked");
    assert!(timeout(EVER, half.bytes()).await.expect("it ends").is_err(), "what is not whole does not look whole");
    assert_eq!(world.upstream.until(|counts| counts.open == 0).await.cancelled, 2);
    let mut ends: Vec<_> =
        world.used(2).await.iter().map(|record| (record.status, record.refused.as_deref())).collect();
    ends.sort_unstable();
    assert_eq!(ends, [(200, Some("key_revoked")), (401, Some("key_revoked"))]);
}

#[tokio::test]
async fn a_caller_who_takes_nothing_does_not_keep_a_call_that_is_over() {
    let mut world = World::new().await;
    let body = question("endless", true).to_string();
    let mut caller = TcpStream::connect(world.gateway.addr()).await.expect("connects");
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\ncontent-length: {}\r\n\r\n{body}",
        world.secret,
        body.len()
    );
    caller.write_all(head.as_bytes()).await.expect("writes");
    caller.read_exact(&mut [0; 1]).await.expect("an answer begins");
    world.put(vec![revoked(&world.key)]).await;
    assert_eq!(world.upstream.until(|counts| counts.cancelled == 1).await.open, 0);
    let record = &world.used(1).await[0];
    assert_eq!((record.status, record.refused.as_deref(), record.complete), (200, Some("key_revoked"), false));
}

#[tokio::test]
async fn other_changes_leave_calls_under_way_alone() {
    let world = World::new().await;
    let mut running = stream(&world, &world.secret, "endless").await;
    world.put(vec![withdrawn(&world, "team/large")]).await;
    // A call that is over is noticed by the next look at all of them, and so would this one be.
    let over = stream(&world, &world.add_key(KeyOwner::Organization, |_| ()).await, "stall").await;
    world.put(vec![withdrawn(&world, "stall")]).await;
    assert_eq!(last_event(over).await["error"]["code"], "model_not_found");
    assert!(running.chunk().await.expect("it goes on").is_some());
}

#[tokio::test]
async fn a_stream_whose_provider_falls_silent_ends_with_an_error() {
    let mut world = World::with(|config| config.patience.between = 0).await;
    let error = last_event(stream(&world, &world.secret, "stall").await).await;
    assert_eq!(error["error"]["code"], "provider_timed_out", "{error}");
    assert_eq!(world.used(1).await[0].refused.as_deref(), Some("provider_timed_out"));
}
