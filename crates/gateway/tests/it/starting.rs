//! A start from what is on disk, event by event: what a gateway on another host decides before it has heard of its control
//! plane.

use gatewarden_credentials::ApiKey;
use gatewarden_gateway::{Alarm, Decision, FeedEvent, Follower, Unreadable};
use gatewarden_trail::Change;
use gatewarden_types::{AnyRecord, Key, KeyOwner, KeyState, Timestamp};
use hyper::header::{AUTHORIZATION, HeaderMap};
use serde_json::json;

use crate::{
    following::follower,
    world::{NOW, Records, id, key},
};

/// A gateway that starts, and the organization whose policy lies on its disk.
struct Start {
    records: Records,
    secret: ApiKey,
    key: Key,
    follower: Follower,
}

impl Start {
    fn new() -> Self {
        let records = Records::new("https://api.example.com/v1");
        let (secret, key) = key(KeyOwner::Organization);
        Self { records, secret, key, follower: follower().elsewhere() }
    }

    /// The base that it begins with.
    fn base(&mut self) {
        let FeedEvent::Base { organization, seq, head, continues, mut records, bodies } = self.records.base(1) else {
            panic!()
        };
        records.push(AnyRecord::Key(self.key.clone()));
        assert_eq!(self.follower.step(FeedEvent::Base { organization, seq, head, continues, records, bodies }), None);
    }

    /// The entry after it, by which the key is revoked.
    fn revocation(&self) -> FeedEvent {
        let revoked = Key { state: KeyState::Revoked, ..self.key.clone() };
        self.entry(self.records.entry(2, vec![Change::put(&revoked).expect("writes")]).to_bytes().expect("writes"))
    }

    fn entry(&self, bytes: Vec<u8>) -> FeedEvent {
        FeedEvent::Entry { organization: self.records.organization.id, bytes, bodies: Vec::new() }
    }

    /// An entry with a record of a later release.
    fn later_record(&self) -> FeedEvent {
        let after = Some(json!({"later": true}));
        let change = Change { after, ..Change::put(&self.key).expect("writes") };
        self.entry(self.records.entry(2, vec![change]).to_bytes().expect("writes"))
    }

    /// That this was all, so many seconds ago; and the time that has passed, as the gateway takes both in together.
    fn current(&mut self, seconds_ago: i64) {
        let at = Timestamp::from_micros(NOW).plus_seconds(-seconds_ago);
        self.follower.step(FeedEvent::Current { organization: self.records.organization.id, at });
        self.follower.tick(Timestamp::from_micros(NOW));
    }

    /// What becomes of a call with the key now.
    fn call(&self) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", self.secret.text().expose());
        headers.insert(AUTHORIZATION, bearer.parse().expect("a header"));
        let decision = Decision::by(self.follower.snapshot().clone());
        decision.of(&headers, "fast", 10, (id(), Timestamp::from_micros(NOW)))
    }
}

#[test]
fn nothing_is_decided_by_half_of_what_is_on_disk() {
    let mut start = Start::new();
    start.base();
    assert_eq!(start.call(), Err("not_ready"), "an entry to come may have revoked the key");
    let revocation = start.revocation();
    assert_eq!(start.follower.step(revocation), None);
    start.current(60);
    assert_eq!(start.call(), Err("key_revoked"));
}

#[test]
fn what_was_on_disk_decides_once_all_of_it_came() {
    let mut start = Start::new();
    start.base();
    start.current(60);
    assert_eq!(start.call(), Ok(()));
    start.current(100_000);
    assert_eq!(start.call(), Err("policy_stale"), "the organization lets it serve for a day");
}

#[test]
fn an_entry_on_disk_that_cannot_be_followed_leaves_the_policy_before_it() {
    for (age, outcome) in [(60, Ok(())), (100_000, Err("policy_stale"))] {
        let mut start = Start::new();
        start.base();
        let unreadable = start.later_record();
        assert!(matches!(start.follower.step(unreadable), Some(Alarm { problem: Unreadable::Image { .. }, .. })));
        start.current(age);
        assert_eq!(start.call(), outcome, "{age} seconds");
        // That its feed is alive says nothing of what could not be read.
        start.current(0);
        assert_eq!(start.call(), outcome, "{age} seconds");
    }
}
