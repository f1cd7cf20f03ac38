//! An organization's feed, as a control plane sends it.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering::Relaxed},
};

use gatewarden_credentials::{ApiKey, GatewayCredential, Token};
use gatewarden_feed::FeedEvent;
use gatewarden_trail::{Change, Entry, leaf_hash};
use gatewarden_types::{
    Actor, AnyRecord, Digest, Entropy, Grant, Id, Job, Key, KeyOwner, KeyState, Limits, ModelSet, Organization,
    OrganizationState, Reach, Seq, Target, Timestamp, Via, Visibility,
};
use uuid::Uuid;

/// Bytes that are never the same twice.
pub fn entropy() -> Entropy {
    let count = AtomicU8::new(0);
    Entropy::new(move |bytes| bytes.fill(count.fetch_add(1, Relaxed)))
}

/// What a gateway shows.
pub fn credential(byte: u8) -> Arc<GatewayCredential> {
    let token = Token::generate(&Entropy::new(move |bytes| bytes.fill(byte)));
    Arc::new(GatewayCredential::new(Id::from_uuid(Uuid::from_u128(9)), token))
}

/// The organization whose trail it is.
pub fn organization() -> Organization {
    Organization {
        id: Id::from_uuid(Uuid::from_u128(1)),
        slug: "northwind".parse().unwrap(),
        name: "Northwind".parse().unwrap(),
        state: OrganizationState::Active,
        visibility: Visibility { usage: Reach::Own },
        limits: Limits::default(),
        epoch: 1,
        stale_after: gatewarden_types::StaleAfter::default(),
    }
}

/// Its policy at a position, of a history that nothing is known of.
pub fn base(seq: Seq) -> FeedEvent {
    base_of(organization(), seq, false)
}

/// Its policy at a position, for whoever has an entry of the same history.
pub fn continued(seq: Seq) -> FeedEvent {
    base_of(organization(), seq, true)
}

pub fn base_of(record: Organization, seq: Seq, continues: bool) -> FeedEvent {
    let head = Digest([u8::try_from(seq).unwrap(); 32]);
    FeedEvent::Base {
        organization: record.id,
        seq,
        head,
        continues,
        records: vec![AnyRecord::Organization(record)],
        bodies: vec![],
    }
}

/// An entry that gives it another name, and its leaf hash.
pub fn entry(seq: Seq, name: &str) -> (FeedEvent, Digest) {
    let record = Organization { name: name.parse().unwrap(), ..organization() };
    let bytes = entry_of(seq, vec![Change::put(&record).unwrap()]).to_bytes().unwrap();
    let head = Digest(leaf_hash(&bytes));
    (FeedEvent::Entry { organization: record.id, bytes, bodies: vec![] }, head)
}

/// A key of the organization.
pub fn key(n: u128) -> Key {
    let secret = ApiKey::generate(Id::from_uuid(Uuid::from_u128(n)), &Entropy::new(|bytes| bytes.fill(1)));
    Key {
        id: secret.id(),
        name: "CI".parse().unwrap(),
        owner: KeyOwner::Organization,
        levels: Key::usual_levels(),
        models: ModelSet::All,
        limits: Limits::default(),
        expires: None,
        verifier: secret.verifier(),
        state: KeyState::Active,
    }
}

/// An entry with these changes.
pub fn entry_of(seq: Seq, changes: Vec<Change>) -> Entry {
    Entry {
        v: Entry::version(),
        organization: Some(organization().id),
        seq,
        at: Timestamp::from_micros(1),
        actor: Actor::System(Job::Follower),
        via: Via::System,
        request: Id::from_uuid(Uuid::from_u128(seq.into())),
        action: "organization.update".to_owned(),
        target: Target::of(organization().id),
        grant: Grant::System { job: Job::Follower },
        changes,
    }
}
