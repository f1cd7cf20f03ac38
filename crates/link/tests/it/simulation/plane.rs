//! A control plane: the trail, and what it says of it to whoever listens.

use std::{borrow::Cow, collections::BTreeMap};

use gatewarden_feed::{Asked, FeedEvent, Position};
use gatewarden_gateway::Snapshot;
use gatewarden_trail::{Change, Entry, Folded, fold, leaf_hash};
use gatewarden_types::{AnyRecord, Digest, Id, Key, Organization, RecordKind, Seq, Timestamp};
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NEIGHBOURS_KEY, follower};
use crate::given::{entry_of, key, organization};

/// The entries, and the policy that they fold to at each position.
pub struct Plane {
    organization: Organization,
    entries: Vec<(Vec<u8>, Digest)>,
    folded: Folded,
    states: BTreeMap<(u32, Seq), Snapshot>,
    keys: Vec<Id<Key>>,
    /// A key that nobody can read, or that no gateway takes.
    bad: Option<Id<Key>>,
}

impl Plane {
    pub fn new() -> Self {
        let organization = Organization { stale_after: "3600".parse().unwrap(), ..organization() };
        let mut plane = Self {
            entries: Vec::new(),
            folded: Folded::new(),
            states: BTreeMap::new(),
            keys: Vec::new(),
            bad: None,
            organization,
        };
        plane.put_organization();
        plane
    }

    /// The policy at a position of one of the trails there were.
    pub fn state(&self, epoch: u32, seq: Seq) -> Option<&Snapshot> {
        self.states.get(&(epoch, seq))
    }

    /// The policy there is now.
    pub fn now(&self) -> &Snapshot {
        self.states.get(&(self.organization.epoch, self.entries.len() as Seq)).expect("it can be read")
    }

    fn put_organization(&mut self) {
        self.append(Change::put(&self.organization).unwrap());
    }

    fn append(&mut self, change: Change) {
        let entry = sealed(self.entries.len() as Seq + 1, change);
        fold(&mut self.folded, &Entry::from_bytes(&entry.0).unwrap());
        self.entries.push(entry);
        if let Some(base) = base(&self.entries, &self.folded, false) {
            let mut follower = follower();
            if follower.step(base).is_none() {
                self.states.insert((self.organization.epoch, self.entries.len() as Seq), follower.snapshot().clone());
            }
        }
    }

    /// Somebody changes something.
    pub fn change(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..24) {
            0 => self.restore(rng),
            1 if self.bad.is_none() => {
                let key = key(rng.random());
                self.bad = Some(key.id);
                let after = Some(json!({"of": "a later release"}));
                self.append(Change { after, ..Change::put(&key).unwrap() });
            }
            2 if self.bad.is_none() => {
                let key = key(NEIGHBOURS_KEY);
                self.bad = Some(key.id);
                self.append(Change::put(&key).unwrap());
            }
            3..10 if !self.keys.is_empty() => {
                let at = rng.random_range(0..self.keys.len());
                let gone = self.keys.swap_remove(at);
                self.append(Change::removed(gone));
            }
            10..16 => self.rename(rng),
            _ => {
                let key = key(rng.random());
                self.keys.push(key.id);
                self.append(Change::put(&key).unwrap());
            }
        }
    }

    pub fn rename(&mut self, rng: &mut StdRng) {
        self.organization.name = format!("Northwind {}", rng.random_range(0..1000)).parse().unwrap();
        self.put_organization();
    }

    /// What could not be read or taken goes.
    pub fn mend(&mut self) {
        if let Some(key) = self.bad.take() {
            self.append(Change::removed(key));
        }
    }

    /// A backup is restored: the last entries are lost, and the operator begins a new epoch.
    fn restore(&mut self, rng: &mut StdRng) {
        let lost = rng.random_range(0..self.entries.len().min(6));
        self.entries.truncate(self.entries.len() - lost);
        self.folded = folded(&self.entries);
        let is_good = |((kind, id), (_, image)): &(&(RecordKind, Uuid), &(Seq, Value))| {
            *id != Uuid::from_u128(NEIGHBOURS_KEY) && AnyRecord::read(*kind, image).is_ok()
        };
        let keys = self.folded.iter().filter(|((kind, _), _)| *kind == RecordKind::Key);
        let (good, bad): (Vec<_>, Vec<_>) = keys.partition(is_good);
        let id = |((_, id), _): (&(_, Uuid), &_)| Id::from_uuid(*id);
        (self.keys, self.bad) = (good.into_iter().map(id).collect(), bad.into_iter().map(id).next());
        self.organization.epoch += 1;
        self.put_organization();
    }

    /// What a feed says that was asked for so, and what it would be asked for then.
    pub fn feed(&self, asked: Asked, history: History) -> (Vec<FeedEvent>, Asked) {
        let organization = self.organization.id;
        let entries = self.entries_of(history, asked.known);
        let known = asked.known.filter(|at| entries.get(after(*at) - 1).is_some_and(|(_, head)| *head == at.head));
        let mut events = Vec::new();
        if let Some(at) = known.filter(|_| !asked.wants_base) {
            let entry =
                |(bytes, _): &(Vec<u8>, _)| FeedEvent::Entry { organization, bytes: bytes.clone(), bodies: Vec::new() };
            events.extend(entries[after(at)..].iter().map(entry));
        } else {
            let folded = match &entries {
                Cow::Borrowed(_) => Cow::Borrowed(&self.folded),
                Cow::Owned(entries) => Cow::Owned(folded(entries)),
            };
            let Some(base) = base(&entries, &folded, known.is_some()) else {
                let problem = "a record cannot be read".to_owned();
                return (vec![FeedEvent::Behind { organization, problem }], Asked { wants_base: true, ..asked });
            };
            events.push(base);
        }
        events.push(FeedEvent::Current { organization, at: Timestamp::default() });
        (events, Asked { known: Some(end(&entries)), wants_base: false })
    }

    /// The entries of a history, for whoever knows this one to a position.
    fn entries_of(&self, history: History, known: Option<Position>) -> Cow<'_, Entries> {
        let kept = match (history, known) {
            (History::Backup, _) => self.entries.len().saturating_sub(2).max(1),
            // Who knows nothing would take it, and then refuse the right one: as it should.
            (History::Another, Some(known)) if after(known) <= self.entries.len() => after(known) - 1,
            _ => return Cow::Borrowed(&self.entries),
        };
        let mut entries = self.entries[..kept].to_vec();
        if matches!(history, History::Another) {
            for n in 0..3 {
                let name = format!("Elsewhere {n}").parse().unwrap();
                let change = Change::put(&Organization { name, ..self.organization.clone() }).unwrap();
                entries.push(sealed(entries.len() as Seq + 1, change));
            }
        }
        Cow::Owned(entries)
    }
}

/// What a control plane may have.
#[derive(Debug, Clone, Copy)]
pub enum History {
    Right,
    /// It was restored from a backup that lacks the last entries, and goes on in the same epoch.
    Backup,
    /// The same, and others were added since.
    Another,
}

impl History {
    pub fn drawn(rng: &mut StdRng) -> Self {
        if rng.random_bool(0.5) { Self::Backup } else { Self::Another }
    }
}

type Entries = [(Vec<u8>, Digest)];

/// An entry with its leaf hash.
fn sealed(seq: Seq, change: Change) -> (Vec<u8>, Digest) {
    let bytes = entry_of(seq, vec![change]).to_bytes().unwrap();
    let head = Digest(leaf_hash(&bytes));
    (bytes, head)
}

fn folded(entries: &Entries) -> Folded {
    let mut folded = Folded::new();
    for (bytes, _) in entries {
        fold(&mut folded, &Entry::from_bytes(bytes).unwrap());
    }
    folded
}

/// All of the policy; none where something of it cannot be read.
fn base(entries: &Entries, folded: &Folded, continues: bool) -> Option<FeedEvent> {
    let record = |((kind, _), (_, image)): (&(_, _), &(Seq, _))| AnyRecord::read(*kind, image).ok();
    let records = folded.iter().map(record).collect::<Option<_>>()?;
    let Position { seq, head } = end(entries);
    Some(FeedEvent::Base { organization: organization().id, seq, head, continues, records, bodies: Vec::new() })
}

fn end(entries: &Entries) -> Position {
    Position { seq: entries.len() as Seq, head: entries.last().unwrap().1 }
}

/// How many entries there are up to a position.
fn after(at: Position) -> usize {
    usize::try_from(at.seq).unwrap()
}
