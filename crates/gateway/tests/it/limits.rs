//! How much is let through in a minute. The clock stands still unless a test moves it.

use std::sync::atomic::Ordering::SeqCst;

use gatewarden_feed::{Filled, Spender, Spending, Spent, Tallied, Tally};
use gatewarden_gateway::Telling;
use gatewarden_trail::Change;
use gatewarden_types::{Digest, Gateway, GatewayState, Id, Key, KeyOwner, Limits, Organization, Timestamp};
use reqwest::Response;
use serde_json::Value;
use uuid::Uuid;

use crate::world::{NOW, World, question, refused};

const SECOND: i64 = 1_000_000;
/// A second of draining, in nanoseconds.
const SECONDS: i64 = 1_000_000_000;

fn limits(requests: Option<u64>, tokens: Option<u64>) -> Limits {
    let limit = |number: u64| number.try_into().expect("a limit");
    Limits { requests: requests.map(limit), tokens: tokens.map(limit) }
}

/// A key of the organization with limits of its own.
async fn limited(world: &World, of: Limits) -> String {
    world.add_key(KeyOwner::Organization, |key: &mut Key| key.limits = of).await
}

async fn limit_organization(world: &World, of: Limits) {
    let organization = Organization { limits: of, ..world.records.organization.clone() };
    world.put(vec![Change::put(&organization).expect("writes")]).await;
}

/// What the headers say of `what`: the limit, what is left, and when all of it is back.
fn told(response: &Response, what: &str) -> [String; 3] {
    ["limit", "remaining", "reset"].map(|name| {
        let value = response.headers().get(format!("x-ratelimit-{name}-{what}"));
        value.map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
    })
}

fn at_most(tokens: u64, stream: bool, model: &str) -> Value {
    let mut body = question(model, stream);
    body["max_tokens"] = tokens.into();
    body
}

// proves LL-109
#[tokio::test]
async fn a_key_makes_so_many_calls_a_minute_and_is_told_when_the_next_passes() {
    let mut world = World::new().await;
    let secret = limited(&world, limits(Some(2), None)).await;
    for (left, reset) in [("1", "30s"), ("0", "1m0s")] {
        let response = world.chat(&secret, &question("fast", false)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(told(&response, "requests"), ["2", left, reset]);
        assert_eq!(told(&response, "tokens"), ["", "", ""], "there is no such limit");
    }
    let over = world.chat(&secret, &question("fast", false)).await;
    assert_eq!(
        (told(&over, "requests"), &over.headers()["retry-after"]),
        (["2", "0", "1m0s"].map(str::to_owned), &"30".parse().expect("a value"))
    );
    let (status, code, message) = refused(over).await;
    assert_eq!((status, code.as_str()), (429, "rate_limit_exceeded"));
    assert_eq!(
        message,
        "Key 'CI' has used its limit of 2 requests a minute. Try again in 30 seconds. An admin can make a key with another limit."
    );
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200, "others go on");
    assert_eq!(world.used(4).await[2].refused.as_deref(), Some("rate_limit_exceeded"));
    world.now.store(NOW + 30 * SECOND, SeqCst);
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 429);
}

#[tokio::test]
async fn the_keys_of_an_organization_share_its_limit() {
    let world = World::new().await;
    limit_organization(&world, limits(Some(1), None)).await;
    let other = limited(&world, Limits::default()).await;
    assert_eq!(world.chat(&other, &question("fast", false)).await.status(), 200);
    let (status, _, message) = refused(world.chat(&world.secret, &question("fast", false)).await).await;
    assert_eq!(status, 429);
    assert!(message.starts_with("Organization 'Acme' has used its limit of 1 requests a minute."), "{message}");
    assert!(message.contains("60 seconds") && message.contains("Settings"), "{message}");
}

#[tokio::test]
async fn what_one_limit_refuses_the_others_do_not_count() {
    let world = World::new().await;
    limit_organization(&world, limits(Some(1), None)).await;
    let secret = limited(&world, limits(Some(2), Some(100_000))).await;
    let first = world.chat(&secret, &question("fast", false)).await;
    // The headers tell of the tightest.
    assert_eq!(told(&first, "requests"), ["1", "0", "1m0s"]);
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 429);
    limit_organization(&world, Limits::default()).await;
    let second = world.chat(&secret, &question("fast", false)).await;
    assert_eq!((second.status().as_u16(), told(&second, "requests")), (200, ["2", "0", "1m0s"].map(str::to_owned)));
}

#[tokio::test]
async fn tokens_are_reserved_while_a_call_runs_and_settled_by_what_it_used() {
    let mut world = World::new().await;
    let secret = limited(&world, limits(None, Some(1000))).await;
    // It could take 900 and takes a few: once it is over, there is room for another like it.
    for turn in 1..=2 {
        assert_eq!(world.chat(&secret, &at_most(900, false, "fast")).await.status(), 200);
        let tokens = world.used(turn).await[turn - 1].tokens.expect("counted");
        assert!(tokens.read + tokens.written < 100, "{tokens:?}");
    }
    let running = world.chat(&secret, &at_most(700, true, "stall")).await;
    assert_eq!(running.status(), 200);
    let over = world.chat(&secret, &at_most(700, false, "fast")).await;
    assert_eq!(told(&over, "tokens")[0], "1000");
    let body: Value = over.json().await.expect("JSON");
    assert_eq!((&body["error"]["type"], &body["error"]["code"]), (&"tokens".into(), &"rate_limit_exceeded".into()));
    let message = body["error"]["message"].as_str().expect("text");
    assert!(
        message.contains("left of its limit of 1000 tokens a minute") && message.contains("'max_tokens'"),
        "{body}"
    );
    assert_eq!(world.chat(&secret, &at_most(10, false, "fast")).await.status(), 200, "a small one has room");
    drop(running);
}

#[tokio::test]
async fn a_call_that_failed_at_its_provider_uses_no_tokens() {
    let mut world = World::new().await;
    let secret = limited(&world, limits(None, Some(1000))).await;
    for turn in 1..=3 {
        assert_eq!(world.chat(&secret, &at_most(900, false, "error-500")).await.status(), 500);
        assert_eq!(world.used(turn).await.len(), turn);
    }
}

#[tokio::test]
async fn a_call_that_its_provider_may_have_worked_on_keeps_its_estimate() {
    let mut world = World::with(|config| config.patience.provider = 0).await;
    let secret = limited(&world, limits(None, Some(1000))).await;
    assert_eq!(world.chat(&secret, &at_most(900, false, "silent")).await.status(), 504);
    assert_eq!(world.used(1).await[0].refused.as_deref(), Some("provider_timed_out"));
    assert_eq!(world.chat(&secret, &at_most(900, false, "silent")).await.status(), 429);
}

#[tokio::test]
async fn a_call_that_is_larger_than_a_minutes_worth_passes_when_all_of_it_is_there() {
    let mut world = World::new().await;
    let secret = limited(&world, limits(None, Some(10))).await;
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    let tokens = world.used(1).await[0].tokens.expect("counted");
    let used = i64::try_from(tokens.read + tokens.written).expect("a few");
    assert!(used > 10, "{tokens:?}");
    // What it used beyond the limit has to come back first.
    world.now.store(NOW + 60 * SECOND, SeqCst);
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 429);
    world.now.store(NOW + (used * 6 + 1) * SECOND, SeqCst);
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
}

/// What is told of one key's requests.
fn requests(telling: &Telling) -> Spent {
    let [Spender { spent: [requests, _], .. }] = telling.spending.by[..] else { panic!("{:?}", telling.spending) };
    requests
}

/// Another gateway of the organization was let in.
async fn one_more_gateway(world: &World) {
    let (id, name) = (Id::from_uuid(Uuid::from_u128(9)), "Frankfurt".parse().expect("a name"));
    let (state, verifier, expires) = (GatewayState::Enrolled, Digest([9; 32]), Timestamp::from_micros(NOW));
    let gateway = Gateway { id, name, state, verifier, expires };
    world.put(vec![Change::put(&gateway).expect("writes")]).await;
}

#[tokio::test]
async fn what_others_have_let_through_counts_here() {
    let mut world = World::new().await;
    one_more_gateway(&world).await;
    let secret = limited(&world, limits(Some(60), None)).await;
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    let telling = world.tellings.recv().await.expect("told");
    assert_eq!(telling.organization, world.records.organization.id);
    let id = telling.spending.by[0].id;
    assert_eq!(
        requests(&telling),
        Spent { change: SECONDS, full: SECONDS.unsigned_abs() },
        "one call of sixty, and nothing else so far"
    );

    // The other has used the rest of it by now.
    let mut tally = Tally::new(1);
    let there = Spending {
        round: 1,
        age: 0,
        by: vec![Spender {
            id,
            heard: None,
            spent: [Spent { change: 59 * SECONDS, full: 59 * SECONDS.unsigned_abs() }, Spent::default()],
        }],
    };
    let nanos = u64::try_from(NOW).expect("after 1970") * 1000;
    tally.add(telling.organization, Some(Id::from_uuid(Uuid::from_u128(9))), &there, nanos);
    let tallied = tally.add(telling.organization, None, &telling.spending, nanos);
    telling.answered(&tallied);
    let over = world.chat(&secret, &question("fast", false)).await;
    assert_eq!((over.status().as_u16(), told(&over, "requests")), (429, ["60", "0", "1m0s"].map(str::to_owned)));
    // What was refused is asked about as well, and so is noticed when the others give something back.
    let again = world.tellings.recv().await.expect("told");
    assert_eq!(requests(&again).change, 0, "a call that was refused used nothing");
    again.answered(&Tallied { tally: 1, filled: vec![Filled { id, drains_in: [0, 0] }] });
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
}

#[tokio::test]
async fn while_nobody_can_be_told_it_lets_its_part_through() {
    let mut world = World::new().await;
    one_more_gateway(&world).await;
    let secret = limited(&world, limits(Some(10), None)).await;
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    let first = world.tellings.recv().await.expect("told");
    for status in [200, 200, 200, 200, 429, 429] {
        assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), status, "half of ten");
    }
    let again_in = async || {
        let over = world.chat(&secret, &question("fast", false)).await;
        over.headers()["retry-after"].to_str().expect("text").parse::<u32>().expect("seconds")
    };
    assert_eq!(again_in().await, 1, "the others are just being asked");
    world.now.store(NOW + 3 * SECOND, SeqCst);
    assert!(again_in().await > 1, "and do not answer");
    let told = first.spending.clone();
    drop(first);
    let again = world.tellings.recv().await.expect("told");
    assert_eq!(
        (again.spending.round, &again.spending.by),
        (told.round, &told.by),
        "nobody has answered, so it is told again"
    );
}

#[tokio::test]
async fn alone_it_tells_nobody() {
    let mut world = World::new().await;
    let secret = limited(&world, limits(Some(60), None)).await;
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    one_more_gateway(&world).await;
    assert_eq!(world.chat(&secret, &question("fast", false)).await.status(), 200);
    let telling = world.tellings.recv().await.expect("told");
    assert_eq!(
        requests(&telling),
        Spent { change: SECONDS, full: 2 * SECONDS.unsigned_abs() },
        "the first call was between it and nobody"
    );
}
