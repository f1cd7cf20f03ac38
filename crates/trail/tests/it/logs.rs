//! Random trails.

use gatewarden_trail::{Change, Checkpoint, Entry, Finding, Frontier, Signer, Stored, Verified, Verifier, leaf_hash};
use gatewarden_types::{
    Account, Actor, Grant, Id, Job, Member, Organization, RecordKind, Request, Role, Target, Timestamp, Via,
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;
use uuid::Uuid;

pub const ORIGIN: &str = "gatewarden.test/trail/1";

/// The largest whole number that canonical JSON can tell from its neighbours.
const EXACT: i64 = (1 << 53) - 1;

pub fn organization() -> Id<Organization> {
    Id::from_uuid(Uuid::from_u128(1))
}

pub fn signer() -> Signer {
    Signer::from_seed(&[7; 32]).unwrap()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-EXACT..=EXACT).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|fields| fields.into_iter().collect::<Value>()),
        ]
    })
}

/// A record is an object, whatever is in it.
fn record() -> impl Strategy<Value = Value> {
    json().prop_map(|value| serde_json::json!({ "value": value }))
}

/// A change of one of few records, so that they are changed again and removed.
fn change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![
        Just(RecordKind::Member),
        Just(RecordKind::Role),
        Just(RecordKind::Key),
        Just(RecordKind::Provider)
    ];
    (kind, 0u128..6, proptest::option::weighted(0.7, record())).prop_map(|(kind, id, after)| Change {
        kind,
        id: Uuid::from_u128(id),
        after,
    })
}

fn id<K>() -> impl Strategy<Value = Id<K>>
where
    K: gatewarden_types::Kind,
{
    any::<u128>().prop_map(|bits| Id::from_uuid(Uuid::from_u128(bits)))
}

fn grant() -> impl Strategy<Value = Grant> {
    prop_oneof![
        (id::<Role>(), id::<Member>()).prop_map(|(role, member)| Grant::Role { role, member }),
        id::<Role>().prop_map(|role| Grant::Organization { role }),
        Just(Grant::Founding),
        Just(Grant::System { job: Job::Verify }),
    ]
}

/// An entry whose position is filled in later.
pub fn entry() -> impl Strategy<Value = Entry> {
    let actor = prop_oneof![
        id::<Account>().prop_map(Actor::Account),
        Just(Actor::Organization),
        Just(Actor::System(Job::Follower)),
        Just(Actor::Anyone)
    ];
    let via =
        prop_oneof![id().prop_map(Via::Session), id().prop_map(Via::Key), Just(Via::System), Just(Via::CommandLine)];
    let parts = (actor, via, id::<Request>(), 0..EXACT, any::<String>(), id::<Member>(), grant(), vec(change(), 0..4));
    parts.prop_map(|(actor, via, request, at, action, target, grant, changes)| Entry {
        v: Entry::version(),
        organization: Some(organization()),
        seq: 0,
        at: Timestamp::from_micros(at),
        actor,
        via,
        request,
        action,
        target: Target::of(target),
        grant,
        changes,
    })
}

/// Entries in a row.
pub fn entries() -> impl Strategy<Value = Vec<Entry>> {
    vec(entry(), 1..12).prop_map(|mut entries| {
        entries.iter_mut().zip(1..).for_each(|(entry, seq)| entry.seq = seq);
        entries
    })
}

pub fn stored(entry: &Entry) -> Stored {
    let bytes = entry.to_bytes().unwrap();
    Stored { seq: entry.seq, leaf: Some(leaf_hash(&bytes)), bytes }
}

/// A trail as it is kept, and the note of a checkpoint over its first entries.
#[derive(Debug, Clone)]
pub struct Log {
    pub rows: Vec<Stored>,
    pub note: String,
    pub signed: usize,
}

pub fn log() -> impl Strategy<Value = Log> {
    (entries(), any::<prop::sample::Index>()).prop_map(|(entries, signed)| {
        let rows: Vec<Stored> = entries.iter().map(stored).collect();
        let signed = signed.index(rows.len()) + 1;
        let mut frontier = Frontier::default();
        rows.iter().take(signed).for_each(|row| frontier.push(leaf_hash(&row.bytes)));
        let head = Checkpoint { origin: ORIGIN.to_owned(), size: frontier.size(), root: frontier.root() };
        Log { note: signer().sign(&head), rows, signed }
    })
}

pub fn verify(log: &Log) -> Result<Verified, Finding> {
    let key = signer().verifying_key();
    let mut verifier = Verifier::new(
        Some(organization()),
        std::slice::from_ref(&log.note),
        &gatewarden_trail::Log::of_origin(ORIGIN, key).unwrap().0,
    )?;
    log.rows.iter().try_for_each(|row| verifier.push(row))?;
    verifier.finish()
}
