//! Three days of a control plane and its gateways in seconds: broken connections, changed bytes, restarts, cut files and
//! clocks that are set. Everything follows from a seed, which a failure names; `GATEWARDEN_SIMULATION` plays one again.

use std::{collections::BTreeMap, fs, sync::Arc};

use gatewarden_credentials::{FramesFor, GatewayCredential, RootKey};
use gatewarden_feed::{Course, FeedEvent, FrameReader, FrameWriter, Position};
use gatewarden_gateway::{Follower, SealingKeys, Snapshot};
use gatewarden_link::Disk;
use gatewarden_trail::{Change, Entry, Folded, fold, leaf_hash};
use gatewarden_types::{AnyRecord, Digest, Entropy, Id, Organization, Seq, Timestamp};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use crate::given::{credential, entry_of, key, organization};

/// How long a step is, in seconds. The control plane's beat is shorter; what matters happens at far longer distances.
const STEP: i64 = 30;
/// 72 hours.
const STEPS: i64 = 72 * 60 * 60 / STEP;
const GATEWAYS: usize = 3;
const BEGAN: i64 = 1_800_000_000;

/// What the control plane has: the entries, and the state that they fold to at each position.
struct Plane {
    entries: Vec<(Vec<u8>, Digest)>,
    folded: Folded,
    states: BTreeMap<Seq, Snapshot>,
    keys: Vec<Id<gatewarden_types::Key>>,
}

impl Plane {
    fn new() -> Self {
        let mut plane = Self { entries: Vec::new(), folded: Folded::new(), states: BTreeMap::new(), keys: Vec::new() };
        plane.append(vec![Change::put(&organization()).unwrap()]);
        plane
    }

    fn append(&mut self, changes: Vec<Change>) {
        let seq = self.entries.len() as Seq + 1;
        let entry = entry_of(seq, changes);
        let bytes = entry.to_bytes().unwrap();
        fold(&mut self.folded, &Entry::from_bytes(&bytes).unwrap());
        let head = Digest(leaf_hash(&bytes));
        self.entries.push((bytes, head));
        let mut follower = Follower::new(sealing());
        assert_eq!(follower.step(self.base()), None);
        self.states.insert(seq, follower.snapshot().clone());
    }

    /// Somebody changes something.
    fn change(&mut self, rng: &mut StdRng) {
        let change = match rng.random_range(0..3) {
            0 if !self.keys.is_empty() => {
                let at = rng.random_range(0..self.keys.len());
                Change::removed(self.keys.swap_remove(at))
            }
            1 => {
                let name = format!("Northwind {}", rng.random_range(0..1000));
                Change::put(&Organization { name: name.parse().unwrap(), ..organization() }).unwrap()
            }
            _ => {
                let key = key(rng.random());
                self.keys.push(key.id);
                Change::put(&key).unwrap()
            }
        };
        self.append(vec![change]);
    }

    fn base(&self) -> FeedEvent {
        let record = |((kind, _), (_, image)): (&(_, _), &(Seq, _))| AnyRecord::read(*kind, image).unwrap();
        let records = self.folded.iter().map(record).collect();
        let (seq, head) = (self.entries.len() as Seq, self.entries.last().unwrap().1);
        FeedEvent::Base { organization: organization().id, seq, head, records, bodies: Vec::new() }
    }

    /// What a feed says that goes on from a position, and that this was all.
    fn feed(&self, from: Option<Position>) -> Vec<FeedEvent> {
        let organization = organization().id;
        let known = from.filter(|at| self.entries.get(after(*at) - 1).is_some_and(|(_, head)| *head == at.head));
        let mut events = match known {
            None => vec![self.base()],
            Some(at) => self.entries[after(at)..]
                .iter()
                .map(|(bytes, _)| FeedEvent::Entry { organization, bytes: bytes.clone(), bodies: Vec::new() })
                .collect(),
        };
        events.push(FeedEvent::Current { organization, at: Timestamp::default() });
        events
    }
}

/// A gateway: what it holds in memory, and its disk.
struct Gateway {
    folder: TempDir,
    credential: Arc<GatewayCredential>,
    disk: Disk,
    course: Course,
    follower: Follower,
    /// For how many steps it does not reach the control plane.
    away: i64,
    /// How far its clock is from the true time, in seconds.
    skew: i64,
    /// What was checked last.
    checked: Option<Seq>,
    /// When it was last kept that the policy is current.
    noted: i64,
}

impl Gateway {
    fn new(n: usize) -> Self {
        let (folder, credential) = (tempfile::tempdir().unwrap(), credential(u8::try_from(n).unwrap()));
        let (disk, _) = Disk::open(folder.path(), Arc::clone(&credential), organization().id, salts(n as u64));
        let (course, follower) = (Course::new(organization().id), Follower::new(sealing()).elsewhere());
        Self { folder, credential, disk, course, follower, away: 0, skew: 0, checked: None, noted: 0 }
    }

    /// The program dies, sometimes in the midst of writing, and starts again by whatever its clock says then.
    fn restart(&mut self, rng: &mut StdRng, seed: u64) {
        if rng.random_bool(0.3) {
            self.cut_a_file(rng);
        }
        if rng.random_bool(0.3) {
            self.skew = rng.random_range(-2 * 86_400..2 * 86_400);
        }
        let (folder, organization) = (self.folder.path(), organization().id);
        let (disk, start) = Disk::open(folder, Arc::clone(&self.credential), organization, salts(seed));
        self.checked = None;
        (self.disk, self.course, self.follower) =
            (disk, Course::new(organization), Follower::new(sealing()).elsewhere());
        let Some(recovered) = start.recovered else { return };
        let heard = recovered.heard.map(|at| FeedEvent::Current { organization, at });
        self.disk.begin(recovered.events.iter().chain(&heard)).unwrap();
        self.course = recovered.course;
        for event in recovered.events.into_iter().chain(heard) {
            assert_eq!(self.follower.step(event), None, "what was kept can be followed");
        }
    }

    fn cut_a_file(&self, rng: &mut StdRng) {
        let files: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        if let Some(file) = files.get(rng.random_range(0..2)) {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..rng.random_range(0..=bytes.len())]).unwrap();
        }
    }

    /// Listens for a step: what the control plane says arrives as frames, sometimes changed or cut on the way.
    fn listen(&mut self, plane: &Plane, rng: &mut StdRng, now: i64) {
        let salt: [u8; 32] = rng.random();
        let mut writer = FrameWriter::new(self.credential.frames(FramesFor::Feed, &salt));
        let events = plane.feed(self.course.resumes_from());
        let mut sent: Vec<u8> = events.iter().flat_map(|event| writer.event(event).unwrap()).collect();
        if rng.random_bool(0.02) {
            let at = rng.random_range(0..sent.len());
            sent[at] ^= 1 << rng.random_range(0..8);
        }
        if rng.random_bool(0.02) {
            sent.truncate(rng.random_range(0..sent.len()));
        }
        let mut reader = FrameReader::new(self.credential.frames(FramesFor::Feed, &salt));
        reader.push(&sent);
        loop {
            match reader.next() {
                Ok(Some(event)) => self.take(event, now),
                Ok(None) => return,
                Err(bad) => return self.refuse(bad.to_string()),
            }
        }
    }

    fn take(&mut self, event: FeedEvent, now: i64) {
        self.course.take(&event).expect("an honest control plane is followed");
        let at = Timestamp::from_micros((now + self.skew) * 1_000_000);
        let event = match event {
            FeedEvent::Current { organization, .. } => FeedEvent::Current { organization, at },
            event => event,
        };
        let is_beat = matches!(event, FeedEvent::Current { .. });
        if !is_beat || now - self.noted >= 60 {
            self.disk.keep(&event).unwrap();
            self.noted = if is_beat { now } else { self.noted };
        }
        assert_eq!(self.follower.step(event), None);
    }

    fn refuse(&mut self, problem: String) {
        self.course.want_base();
        let alarm = self.follower.step(FeedEvent::Behind { organization: organization().id, problem });
        assert!(alarm.is_some(), "it is told");
    }

    /// Whatever happened, it decides by what was once the policy, or by nothing.
    fn check(&mut self, plane: &Plane) {
        let policy = self.follower.snapshot();
        let position = policy.position(organization().id);
        if position == self.checked {
            return;
        }
        self.checked = position;
        if let (Some(at), 0) = (position, policy.quarantined().count()) {
            let fresh = policy.with_stale(organization().id, false);
            assert!(plane.states.get(&at) == Some(&fresh), "the state at {at} is another");
        }
    }
}

/// How many entries there are up to a position.
fn after(at: Position) -> usize {
    usize::try_from(at.seq).unwrap()
}

fn sealing() -> SealingKeys {
    SealingKeys::One(RootKey::generate(&Entropy::new(|bytes| bytes.fill(7))).sealing())
}

fn salts(seed: u64) -> Entropy {
    let rng = std::sync::Mutex::new(StdRng::seed_from_u64(seed));
    Entropy::new(move |bytes| rng.lock().unwrap().fill_bytes(bytes))
}

fn three_days(seed: u64) {
    println!("simulation {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut plane = Plane::new();
    let mut gateways: Vec<Gateway> = (0..GATEWAYS).map(Gateway::new).collect();
    for step in 0..STEPS {
        let now = BEGAN + step * STEP;
        if rng.random_bool(0.03) {
            plane.change(&mut rng);
        }
        for gateway in &mut gateways {
            gateway.away = (gateway.away - 1).max(0);
            if rng.random_bool(0.003) {
                // From half a minute to a day and a half.
                gateway.away = 1 << rng.random_range(0..13);
            }
            if rng.random_bool(0.003) {
                gateway.restart(&mut rng, seed ^ step.cast_unsigned());
            }
            if gateway.away == 0 {
                gateway.listen(&plane, &mut rng, now);
            }
            gateway.follower.tick(Timestamp::from_micros((now + gateway.skew) * 1_000_000));
            gateway.check(&plane);
        }
    }
    let now = BEGAN + STEPS * STEP;
    for gateway in &mut gateways {
        // Whatever is still changed or cut on the way, some of these come whole.
        for step in 0..100 {
            gateway.listen(&plane, &mut rng, now + step);
        }
        assert!(plane.states.last_key_value().unwrap().1 == gateway.follower.snapshot(), "simulation {seed} converges");
    }
}

#[test]
fn three_days_of_trouble_end_in_the_same_state_everywhere() {
    match std::env::var("GATEWARDEN_SIMULATION") {
        Ok(seed) => three_days(seed.parse().unwrap()),
        Err(_) => (1..=5).for_each(three_days),
    }
}
