//! The ledger against a disk that fails, a program that dies and a receiver that answers or not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::spool::given::organization;

/// Whose it is, and its number.
type Call = (u128, u64);

/// How long a call is on the disk.
const CALL: u64 = 100;

#[derive(Debug, Clone)]
enum Happens {
    /// So many calls of an organization come; they are written, or not, or nobody knows.
    Calls(u128, u64, Disk),
    /// The receiver answers and could not keep what these organizations sent.
    Answers(BTreeSet<u128>),
    /// It is gone; whether it had kept the records.
    Silence(bool),
    /// What was to be sent could not be read.
    Unread,
    /// Seconds.
    Time(u64),
    /// The program dies and starts again.
    Crash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Writes,
    Fails,
    /// The frame lies there and fsync has failed.
    Doubts,
}

fn happens() -> impl Strategy<Value = Happens> {
    let disk = prop_oneof![6 => Just(Disk::Writes), 1 => Just(Disk::Fails), 1 => Just(Disk::Doubts)];
    prop_oneof![
        6 => (1..4u128, 1..30u64, disk).prop_map(|(of, count, disk)| Happens::Calls(of, count, disk)),
        6 => prop::collection::btree_set(1..4u128, 0..2).prop_map(Happens::Answers),
        2 => any::<bool>().prop_map(Happens::Silence),
        1 => Just(Happens::Unread),
        2 => (0..90u64).prop_map(Happens::Time),
        1 => Just(Happens::Crash),
    ]
}

struct World {
    ledger: Ledger,
    most_bytes: u64,
    now: Instant,
    next: u64,
    disk: BTreeMap<u64, Vec<Vec<Call>>>,
    disk_does: Disk,
    offered: Vec<Call>,
    kept: BTreeSet<Call>,
    lost: u64,
    on_its_way: Option<Vec<Call>>,
    received: BTreeMap<u128, Vec<u64>>,
}

impl World {
    fn new(most_bytes: u64, now: Instant) -> Self {
        Self {
            ledger: Ledger::new(most_bytes, BTreeMap::new()),
            most_bytes,
            now,
            next: 0,
            disk: BTreeMap::new(),
            disk_does: Disk::Writes,
            offered: Vec::new(),
            kept: BTreeSet::new(),
            lost: 0,
            on_its_way: None,
            received: BTreeMap::new(),
        }
    }

    fn happen(&mut self, what: Happens) {
        match what {
            Happens::Calls(of, count, disk) => {
                self.disk_does = disk;
                self.offered = (0..count).map(|n| (of, self.next + n)).collect();
                self.next += count;
                let records = [(organization(of), count)].into();
                self.step(Event::Offered { bytes: count * CALL, records });
            }
            Happens::Answers(except) => self.answer(&except),
            Happens::Silence(kept) => {
                if let Some(calls) = self.on_its_way.take() {
                    if kept {
                        self.receive(&calls);
                    }
                    self.step(Event::Unanswered);
                }
            }
            Happens::Unread => {
                if self.on_its_way.take().is_some() {
                    self.step(Event::Unread);
                }
            }
            Happens::Time(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.step(Event::Tick);
            }
            Happens::Crash => self.crash(),
        }
    }

    fn crash(&mut self) {
        let count = |frame: &Vec<Call>| {
            let mut tally = Tally::new();
            for (of, _) in frame {
                *tally.entry(organization(*of)).or_default() += 1;
            }
            (frame.len() as u64 * CALL, tally)
        };
        let found = self.disk.iter().map(|(number, frames)| {
            let frames: Vec<_> = frames.iter().map(count).collect();
            let bytes = frames.iter().map(|(bytes, _)| bytes).sum();
            (*number, Segment::found(frames, bytes, false))
        });
        self.ledger = Ledger::new(self.most_bytes, found.collect());
        self.on_its_way = None;
        self.step(Event::Tick);
    }

    fn answer(&mut self, except: &BTreeSet<u128>) {
        let Some(mut calls) = self.on_its_way.take() else { return };
        calls.retain(|(of, _)| !except.contains(of));
        self.receive(&calls);
        self.step(Event::Answered(except.iter().map(|of| organization(*of)).collect()));
    }

    /// As the control plane does: what came before is passed over.
    fn receive(&mut self, calls: &[Call]) {
        for (of, number) in calls {
            let received = self.received.entry(*of).or_default();
            if !received.contains(number) {
                received.push(*number);
            }
        }
    }

    fn step(&mut self, event: Event) {
        let effects = self.ledger.step(event, self.now);
        assert!(self.ledger.bytes() <= self.most_bytes);
        for effect in effects {
            match effect {
                Effect::Write(segment) => self.write(segment),
                Effect::Delete(segment) => drop(self.disk.remove(&segment)),
                Effect::Lost(calls) => self.lost += calls,
                Effect::LostUnread(segment) => panic!("segment {segment} is of this release"),
                Effect::Ship { segment, at, bytes, whose } => {
                    assert!(self.on_its_way.is_none(), "one at a time");
                    let calls = self.disk[&segment].iter().flatten();
                    let calls = calls.skip((at / CALL) as usize).take((bytes / CALL) as usize);
                    let calls = calls.filter(|(of, _)| whose.contains(&organization(*of)));
                    self.on_its_way = Some(calls.copied().collect());
                }
            }
        }
    }

    fn write(&mut self, segment: u64) {
        let calls = std::mem::take(&mut self.offered);
        let frames = self.disk.entry(segment).or_default();
        match self.disk_does {
            Disk::Writes => {
                self.kept.extend(&calls);
                frames.push(calls);
                self.step(Event::Kept);
            }
            Disk::Fails => self.step(Event::NotKept),
            Disk::Doubts => {
                frames.push(calls);
                self.step(Event::NotKept);
            }
        }
    }

    /// Everything works again until nothing is left to do.
    fn heal(&mut self) {
        for _ in 0..10_000 {
            self.now += Duration::from_secs(64);
            self.step(Event::Tick);
            while self.on_its_way.is_some() {
                self.answer(&BTreeSet::new());
            }
            if self.ledger.records() == 0 {
                return self.step(Event::Closing);
            }
        }
        panic!("it never ends: {:?}", self.ledger);
    }

    fn missing(&self) -> Vec<Call> {
        let came = |(of, number): &&Call| self.received.get(of).is_some_and(|calls| calls.contains(number));
        self.kept.iter().filter(|call| !came(call)).copied().collect()
    }
}

proptest! {
    #[test]
    fn what_was_kept_comes_in_its_order_or_is_told_as_lost(
        most in 8_000..60_000u64,
        happened in prop::collection::vec(happens(), 1..200),
    ) {
        let mut world = World::new(most, Instant::now());
        // What lies behind a file that cannot be read goes before it.
        let ordered = !happened.iter().any(|what| matches!(what, Happens::Unread));
        for what in happened {
            world.happen(what);
        }
        world.heal();
        let missing = world.missing();
        prop_assert!(missing.len() as u64 <= world.lost, "{missing:?} is missing and {} are told as lost", world.lost);
        for (of, calls) in &world.received {
            let kept: Vec<_> = calls.iter().filter(|call| world.kept.contains(&(*of, **call))).collect();
            prop_assert!(!ordered || kept.is_sorted(), "oldest first: {kept:?}");
        }
        prop_assert!(world.disk.is_empty(), "acknowledged files go: {:?}", world.disk);
    }

    #[test]
    fn where_there_is_room_nothing_is_lost(happened in prop::collection::vec(happens(), 1..200)) {
        let mut world = World::new(1 << 40, Instant::now());
        for what in happened {
            world.happen(what);
        }
        world.heal();
        prop_assert_eq!((world.missing(), world.lost), (Vec::new(), 0));
    }
}

#[test]
fn an_organization_that_cannot_be_kept_holds_up_nobody() {
    let mut world = World::new(1 << 20, Instant::now());
    world.happen(Happens::Calls(1, 3, Disk::Writes));
    world.happen(Happens::Answers([1].into()));
    for _ in 0..100 {
        world.happen(Happens::Calls(1, 1, Disk::Writes));
        world.happen(Happens::Calls(2, 1, Disk::Writes));
        world.happen(Happens::Answers([1].into()));
    }
    assert_eq!(world.received[&2].len(), 100);
    assert_eq!(world.ledger.records(), 103);
    world.heal();
    assert_eq!(world.received[&1].len(), 103);
}

#[test]
fn a_file_that_cannot_be_read_holds_up_no_other_and_is_read_again_when_it_is_due() {
    let mut world = World::new(1 << 20, Instant::now());
    world.happen(Happens::Calls(1, 3, Disk::Writes));
    // What comes next goes into another file.
    world.happen(Happens::Calls(1, 1, Disk::Fails));
    world.happen(Happens::Unread);
    world.happen(Happens::Calls(1, 2, Disk::Writes));
    world.happen(Happens::Answers(BTreeSet::new()));
    assert_eq!(world.received[&1], [4, 5]);
    world.happen(Happens::Time(64));
    world.happen(Happens::Answers(BTreeSet::new()));
    assert_eq!(world.received[&1], [4, 5, 0, 1, 2]);
}

#[test]
fn a_full_spool_loses_its_oldest_and_says_how_many() {
    let mut world = World::new(16_000, Instant::now());
    world.happen(Happens::Calls(1, 1, Disk::Writes));
    world.happen(Happens::Silence(false));
    for _ in 0..40 {
        world.happen(Happens::Calls(1, 10, Disk::Writes));
    }
    assert!(world.lost > 200, "{}", world.lost);
    world.heal();
    assert_eq!(world.missing().len() as u64, world.lost);
    assert_eq!(world.received[&1].last(), Some(&400), "the newest is there");
}

#[test]
fn what_another_release_wrote_makes_room_and_is_told() {
    let found = BTreeMap::from([(3, Segment::found(Vec::new(), 90, true))]);
    let mut ledger = Ledger::new(100, found);
    let effects = ledger.step(Event::Offered { bytes: 50, records: Tally::new() }, Instant::now());
    assert_eq!(effects, [Effect::Delete(3), Effect::Lost(0), Effect::LostUnread(3), Effect::Write(4)]);
}
