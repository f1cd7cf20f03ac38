use std::io;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use gatewarden_gateway::{FeedEvent, Follower, SealingKeys, Unreadable};
use gatewarden_trail::Change;
use gatewarden_types::{KeyOwner, KeyState, Timestamp};
use serde_json::Value;
use tokio::time::Instant;

use crate::world::{HEAD, PROMPT, PROVIDER_SECRET, Records, World, key, question, refused, root};

async fn readiness(world: &World) -> (u16, Value) {
    let response = world.client.get(world.url("/readyz")).send().await.expect("answers");
    (response.status().as_u16(), response.json().await.expect("JSON"))
}

async fn quarantined(world: &World) -> Vec<gatewarden_gateway::Alarm> {
    // A later event of another organization is taken in after the bad one.
    let other = Records::new(&world.upstream.base_url());
    world.tell(other.base(1)).await;
    world.gateway.reached(other.organization.id, 1).await;
    world.gateway.status().alarms
}

#[tokio::test]
async fn what_cannot_be_read_keeps_the_last_good_policy_until_a_base_comes() {
    let mut world = World::new().await;
    let organization = world.records.organization.id;
    let bytes = b"{\"v\":99}".to_vec();
    world.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
    let alarms = quarantined(&world).await;
    assert!(matches!(alarms.as_slice(), [one] if one.organization == organization), "{alarms:?}");
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    // What comes behind it is not taken in: it may rest on what was not read.
    let mut revoked = world.key.clone();
    revoked.state = KeyState::Revoked;
    let entry = world.records.entry(world.next_seq(), vec![Change::put(&revoked).expect("writes")]);
    let bytes = entry.to_bytes().expect("writes");
    world.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
    assert_eq!(quarantined(&world).await.len(), 1);
    assert_eq!(world.gateway.position(organization), Some(2));
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    let (status, body) = readiness(&world).await;
    assert_eq!((status, &body["status"], &body["organizations_behind"]), (200, &"degraded".into(), &1.into()));
    assert_eq!(world.wishes.recv().await, Some(organization), "it asks for one");
    world.tell(world.records.base(9)).await;
    world.gateway.reached(organization, 9).await;
    assert_eq!(world.gateway.status().alarms, []);
    assert_eq!(refused(world.chat(&world.secret, &question("fast", false)).await).await.1, "invalid_api_key");
}

#[tokio::test]
async fn a_key_is_not_called_bad_while_an_organization_whose_it_may_be_could_not_be_read() {
    let world = World::new().await;
    let (unknown, _) = key(KeyOwner::Organization);
    let unread = Records::new(&world.upstream.base_url());
    let (organization, problem) = (unread.organization.id, "it is too large".to_owned());
    world.tell(FeedEvent::Behind { organization, problem }).await;
    // Once this is in force, that was taken in.
    world.put(vec![Change::put(&world.records.organization).expect("writes")]).await;
    let (status, code, _) = refused(world.chat(unknown.text().expose(), &question("fast", false)).await).await;
    assert_eq!((status, code.as_str()), (503, "not_ready"));
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200, "others go on");
    world.tell(unread.base(1)).await;
    world.gateway.reached(organization, 1).await;
    let (status, code, _) = refused(world.chat(unknown.text().expose(), &question("fast", false)).await).await;
    assert_eq!((status, code.as_str()), (401, "invalid_api_key"));
}

pub fn follower() -> Follower {
    Follower::new(SealingKeys::One(root().sealing()))
}

#[test]
fn a_base_is_asked_for_ever_more_rarely_until_one_can_be_read() {
    let records = Records::new("https://api.example.com/v1");
    let organization = records.organization.id;
    let mut follower = follower();
    assert_eq!(follower.step(records.base(1)), None);
    let mut now = Instant::now();
    assert_eq!(follower.wishes(now), []);
    let unreadable = || FeedEvent::Entry { organization, bytes: b"{}".to_vec(), bodies: Vec::new() };
    assert!(follower.step(unreadable()).is_some());
    for wait in [1, 2, 4, 8] {
        assert_eq!(follower.wishes(now), [organization]);
        // Neither another entry nor a base that cannot be read makes it ask sooner.
        assert!(follower.step(unreadable()).is_some());
        let empty = FeedEvent::Base {
            organization,
            seq: 2,
            head: HEAD,
            continues: false,
            records: Vec::new(),
            bodies: Vec::new(),
        };
        assert!(follower.step(empty).is_some());
        assert_eq!(follower.wishes(now + Duration::from_secs(wait) - Duration::from_micros(1)), []);
        now += Duration::from_secs(wait);
    }
    assert_eq!(follower.step(records.base(3)), None);
    assert_eq!(follower.wishes(now + Duration::from_hours(1)), []);
    assert_eq!((follower.snapshot().position(organization), follower.snapshot().quarantined().count()), (Some(3), 0));
    let entry = records.entry(4, Vec::new()).to_bytes().expect("writes");
    assert_eq!(follower.step(FeedEvent::Entry { organization, bytes: entry, bodies: Vec::new() }), None);
}

#[test]
fn an_organization_that_the_control_plane_cannot_read_is_behind_until_its_base_comes() {
    let records = Records::new("https://api.example.com/v1");
    let organization = records.organization.id;
    let mut follower = follower();
    let alarm = follower.step(FeedEvent::Behind { organization, problem: "it is corrupt".to_owned() });
    assert!(
        alarm.is_some_and(|alarm| alarm.organization == organization && alarm.problem.to_string().contains("corrupt"))
    );
    assert_eq!(follower.wishes(Instant::now()), [], "it comes without being asked for");
    follower.step(FeedEvent::CaughtUp);
    assert!(follower.caught_up() && follower.snapshot().quarantined().count() == 1);
    assert_eq!(follower.step(records.base(3)), None);
    assert_eq!(follower.snapshot().quarantined().count(), 0);
}

#[test]
fn entries_after_something_that_was_refused_bring_a_base() {
    let records = Records::new("https://api.example.com/v1");
    let organization = records.organization.id;
    let mut follower = follower();
    assert_eq!(follower.step(records.base(3)), None);
    follower.step(FeedEvent::Behind { organization, problem: "another history".to_owned() });
    let entry = records.entry(4, Vec::new()).to_bytes().expect("writes");
    assert!(follower.step(FeedEvent::Entry { organization, bytes: entry, bodies: Vec::new() }).is_some());
    assert_eq!(follower.wishes(Instant::now()), [organization], "nothing else would heal it");
    assert_eq!(follower.snapshot().position(organization), Some(3));
}

#[test]
fn what_is_kept_from_before_something_unreadable_grows_old() {
    let records = Records::new("https://api.example.com/v1");
    let organization = records.organization.id;
    let mut follower = follower();
    assert_eq!(follower.step(records.base(3)), None);
    let heard = |seconds| FeedEvent::Current { organization, at: Timestamp::default().plus_seconds(seconds) };
    follower.step(heard(0));
    follower.step(FeedEvent::Behind { organization, problem: "another history".to_owned() });
    follower.step(heard(80_000));
    assert!(
        follower.tick(Timestamp::default().plus_seconds(86_400)),
        "that it is connected says nothing of its policy"
    );
}

#[tokio::test]
async fn a_missing_entry_and_another_trails_entry_are_noticed() {
    let world = World::new().await;
    let organization = world.records.organization.id;
    let bytes = world.records.entry(7, Vec::new()).to_bytes().expect("writes");
    world.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
    assert_eq!(quarantined(&world).await[0].problem, Unreadable::Gap { expected: 3, found: 7 });
    let world = World::new().await;
    let organization = world.records.organization.id;
    let other = Records::new(&world.upstream.base_url());
    let bytes = other.entry(3, Vec::new()).to_bytes().expect("writes");
    world.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
    assert_eq!(quarantined(&world).await[0].problem, Unreadable::OtherTrail);
}

// proves PK-009
#[tokio::test]
async fn no_organization_takes_anothers_key() {
    let world = World::new().await;
    let mut thief = Records::new(&world.upstream.base_url());
    thief.models.clear();
    world.tell(thief.base(1)).await;
    let (_, mut stolen) = key(KeyOwner::Organization);
    stolen.id = world.key.id;
    stolen.verifier = world.key.verifier;
    let entry = thief.entry(2, vec![Change::put(&stolen).expect("writes")]);
    let (organization, bytes) = (thief.organization.id, entry.to_bytes().expect("writes"));
    world.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
    assert_eq!(quarantined(&world).await[0].problem, Unreadable::ForeignKey(world.key.id));
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
}

#[tokio::test]
async fn a_provider_keeps_its_secret_until_it_names_another() {
    let world = World::new().await;
    let mut provider = world.records.provider.clone();
    provider.name = "Renamed".parse().expect("a name");
    world.put(vec![Change::put(&provider).expect("writes")]).await;
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    // A name without its body: the secret of before is not sent in its place.
    provider.credential = Some(gatewarden_credentials::Sealed::from_bytes(vec![1]).reference());
    world.put(vec![Change::put(&provider).expect("writes")]).await;
    let (_, code, message) = refused(world.chat(&world.secret, &question("fast", false)).await).await;
    assert!(code == "credential_missing" && message.contains("'Renamed'"), "{message}");
    assert_eq!(world.upstream.calls(), 1);
}

#[tokio::test]
async fn the_gateway_goes_on_when_the_feed_ends() {
    let mut world = World::new().await;
    let (feed, _) = tokio::sync::mpsc::channel(1);
    drop(std::mem::replace(&mut world.feed, feed));
    while !world.gateway.status().orphaned {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    let (status, body) = readiness(&world).await;
    assert_eq!((status, &body["status"], &body["feed_lost"]), (200, &"degraded".into(), &true.into()));
}

#[tokio::test]
async fn a_removed_organization_and_its_keys_are_gone() {
    let world = World::new().await;
    world.tell(FeedEvent::Removed(world.records.organization.id)).await;
    quarantined(&world).await;
    assert_eq!(refused(world.chat(&world.secret, &question("fast", false)).await).await.1, "invalid_api_key");
    assert_eq!(world.gateway.status().keys, 0);
}

#[tokio::test]
async fn it_says_how_it_is_doing() {
    let world = World::new().await;
    let (status, body) = readiness(&world).await;
    assert_eq!((status, &body["status"], &body["organizations"]), (200, &"ready".into(), &1.into()));
    assert_eq!(world.client.get(world.url("/healthz")).send().await.expect("answers").status(), 200);
    drop(refused(world.chat("gwk_x", &question("fast", false)).await).await);
    let metrics = world.client.get(world.url("/metrics")).send().await.expect("answers");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("gatewarden_refusals_total{code=\"invalid_api_key\"} 1\n"), "{metrics}");
    assert!(metrics.contains("gatewarden_keys 1\n") && metrics.contains("gatewarden_ready 1\n"), "{metrics}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that this whole process logs, whichever test makes it.
fn log() -> Log {
    static START: Once = Once::new();
    static LOG: Mutex<Option<Log>> = Mutex::new(None);
    START.call_once(|| {
        let log = Log::default();
        *LOG.lock().expect("not poisoned") = Some(log.clone());
        let writer = move || log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(writer)
            .init();
    });
    LOG.lock().expect("not poisoned").clone().expect("started")
}

// incident 10
#[tokio::test]
async fn neither_secrets_nor_prompts_are_logged() {
    let log = log();
    let world = World::new().await;
    assert_eq!(world.chat(&world.secret, &question("fast", false)).await.status(), 200);
    assert_eq!(world.chat(&world.secret, &question("gpt-4o", false)).await.status(), 404);
    assert_eq!(world.chat("gwk_wrong", &question("fast", true)).await.status(), 401);
    let text = String::from_utf8_lossy(&log.0.lock().expect("not poisoned")).into_owned();
    assert!(text.contains("model_not_found"), "the log is read at all");
    for hidden in ["gwk_", PROVIDER_SECRET, PROMPT] {
        assert!(!text.contains(hidden), "{hidden} was logged");
    }
}
