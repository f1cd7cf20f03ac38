//! A gateway: what it holds in memory, its disk, and the feed that it listens to.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use gatewarden_credentials::{FramesFor, GatewayCredential};
use gatewarden_feed::{Asked, FeedEvent, FrameReader, FrameWriter};
use gatewarden_gateway::{Follower, Snapshot, Unreadable};
use gatewarden_link::{Conduct, Disk, Effect, Generation, Happening, Standing};
use gatewarden_types::{Entropy, Seq, Timestamp};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use tempfile::TempDir;
use tokio::time::Instant;

use super::{
    BEGAN, follower,
    plane::{History, Plane},
};
use crate::given::{credential, organization};

/// How old a policy may be that it decides by, in seconds: what the organization allows.
const LATEST: i64 = 60 * 60;

pub struct Gateway {
    folder: TempDir,
    credential: Arc<GatewayCredential>,
    disk: Disk,
    conduct: Conduct,
    follower: Follower,
    feed: Option<Feed>,
    /// How it stood when that was last looked at.
    standing: Standing,
    /// For how many steps it does not reach the control plane.
    pub away: i64,
    /// How far its clock is from the true time, in seconds.
    skew: i64,
    /// What was checked last.
    checked: Option<(u32, Seq)>,
    /// What it must not fall behind any more; none where its disk may have lost that.
    held: Option<(u32, Seq)>,
    /// Whether the newest on its disk may be what it could not follow.
    doubtful: bool,
    /// When it last heard that its policy is current, and when it last kept that, by its own clock; none where that may be
    /// lost.
    heard: Option<i64>,
    noted: Option<i64>,
    /// How often bytes are changed or cut on the way.
    noise: f64,
    began: Instant,
    n: u8,
    starts: u64,
}

/// What a gateway listens to: both ends of the connection, and how far the control plane is with it.
struct Feed {
    writer: FrameWriter,
    reader: FrameReader,
    sent: Asked,
}

impl Gateway {
    pub fn new(n: u8) -> Self {
        let (folder, credential) = (tempfile::tempdir().unwrap(), credential(n));
        let kept_in = folder.path().join("kept");
        fs::create_dir(&kept_in).unwrap();
        let (disk, _) = Disk::open(&kept_in, Arc::clone(&credential), organization().id, salts(n.into()));
        Self {
            folder,
            credential,
            disk,
            conduct: Conduct::new(organization().id),
            follower: follower().elsewhere(),
            feed: None,
            standing: Standing::default(),
            away: 0,
            skew: 0,
            checked: None,
            held: None,
            doubtful: false,
            heard: None,
            noted: None,
            noise: 0.02,
            began: Instant::now(),
            n,
            starts: 0,
        }
    }

    /// The program dies, sometimes in the midst of writing, and starts again by whatever its clock says then.
    pub fn die(&mut self, plane: &Plane, rng: &mut StdRng, now: i64) {
        let is_well = self.stands().problem.is_none();
        if !self.kept_in().exists() || is_well && !self.disk.is_writing() {
            self.expect_nothing();
        }
        if rng.random_bool(0.3) {
            self.cut_a_file(rng);
            self.expect_nothing();
        }
        if rng.random_bool(0.3) {
            self.skew = rng.random_range(-2 * 86_400..2 * 86_400);
        }
        let noted = self.noted.filter(|_| !self.doubtful);
        self.restart(now);
        // What is still to come by this clock says nothing.
        self.noted = noted.map(|noted| if noted > self.seconds(now) + 300 { 0 } else { noted.min(self.seconds(now)) });
        self.heard = self.noted;
        self.follower.tick(self.clock(now));
        self.check(plane, now);
        assert!(self.doubtful || at(self.follower.snapshot()) >= self.held, "what was in force is kept");
    }

    /// The program ends, and starts again from what is on its disk.
    pub fn restart(&mut self, now: i64) {
        let organization = organization().id;
        self.starts += 1;
        let salts = salts(self.starts << 8 | u64::from(self.n));
        let (disk, start) = Disk::open(&self.kept_in(), Arc::clone(&self.credential), organization, salts);
        (self.disk, self.conduct, self.follower) = (disk, Conduct::new(organization), follower().elsewhere());
        (self.feed, self.standing, self.checked) = (None, Standing::default(), None);
        if let Some(recovered) = start.recovered {
            let effect = self.conduct.recover(recovered, self.clock(now));
            assert!(self.carry_out(effect, now), "what was kept is put into force");
        }
    }

    fn cut_a_file(&self, rng: &mut StdRng) {
        let files = fs::read_dir(self.kept_in()).into_iter().flatten().map(|entry| entry.unwrap().path());
        let files: Vec<_> = files.collect();
        if let Some(file) = files.get(rng.random_range(0..2)) {
            let bytes = fs::read(file).unwrap();
            fs::write(file, &bytes[..rng.random_range(0..=bytes.len())]).unwrap();
        }
    }

    /// Lets the time be `now`: it hears what there is to hear, unless it is out of reach.
    pub fn live(&mut self, plane: &Plane, rng: &mut StdRng, now: i64) {
        self.follower.tick(self.clock(now));
        self.wish(rng, now);
        if self.away > 0 {
            if self.feed.take().is_some() {
                self.conduct.lost();
            }
            return;
        }
        if self.feed.is_some() {
            self.happens(Happening::Looked(self.disk.wants_base()), rng, now);
        }
        self.listen(plane, rng, now);
        self.wish(rng, now);
    }

    /// What could not be followed is told, also where there is no feed.
    fn wish(&mut self, rng: &mut StdRng, now: i64) {
        let since_began = Duration::from_secs(u64::try_from(now - BEGAN).unwrap());
        if !self.follower.wishes(self.began + since_began).is_empty() {
            // How it stands was told before.
            self.standing = self.stands();
            self.happens(Happening::Wished, rng, now);
            self.doubtful = false;
        }
    }

    /// What the control plane says arrives as frames, sometimes changed or cut on the way.
    fn listen(&mut self, plane: &Plane, rng: &mut StdRng, now: i64) {
        let mut feed = self.feed.take().unwrap_or_else(|| {
            let salt: [u8; 32] = rng.random();
            let frames = || self.credential.frames(FramesFor::Feed, &salt);
            let sent = self.conduct.asks();
            Feed { writer: FrameWriter::new(frames()), reader: FrameReader::new(frames()), sent }
        });
        let history = if rng.random_bool(self.noise / 4.0) { History::drawn(rng) } else { History::Right };
        let (events, sent) = plane.feed(feed.sent, history);
        feed.sent = sent;
        let mut bytes: Vec<u8> = events.iter().flat_map(|event| feed.writer.event(event).unwrap()).collect();
        if rng.random_bool(self.noise) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << rng.random_range(0..8);
        }
        let whole = !rng.random_bool(self.noise);
        if !whole {
            bytes.truncate(rng.random_range(0..bytes.len()));
        }
        feed.reader.push(&bytes);
        loop {
            let happening = Happening::from(feed.reader.next());
            let pauses = matches!(happening, Happening::Paused);
            if !self.happens(happening, rng, now) {
                return;
            }
            if pauses && whole {
                self.feed = Some(feed);
                return;
            }
            if pauses {
                self.conduct.lost();
                return;
            }
        }
    }

    /// False when the feed is left.
    fn happens(&mut self, happening: Happening, rng: &mut StdRng, now: i64) -> bool {
        if rng.random_bool(0.7) {
            self.standing = self.stands();
        }
        for effect in self.conduct.step(happening, &self.standing, self.clock(now)) {
            if rng.random_bool(self.noise / 40.0) {
                // It dies in between.
                self.restart(now);
                (self.heard, self.noted) = (None, None);
                return false;
            }
            if !self.carry_out(effect, now) {
                self.feed = None;
                return false;
            }
        }
        true
    }

    fn carry_out(&mut self, effect: Effect, now: i64) -> bool {
        let kept = match effect {
            Effect::Pass(event) => {
                self.heard = self.current(&event).or(self.heard);
                self.pass(event, now);
                Ok(())
            }
            Effect::Begin(events) => self.replace(events, Disk::begin, now),
            Effect::Renew(events) => self.replace(events, Disk::renew, now),
            Effect::Keep(event) => {
                self.noted = self.current(&event).filter(|_| self.disk.is_writing()).or(self.noted);
                self.disk.keep(&event)
            }
            Effect::Sync => self.disk.sync(),
            Effect::Doubt(followed) => self.disk.doubt(followed).map(drop),
            Effect::FallBack => self.disk.doubt(None).map(|left| {
                if let Some(left) = left {
                    let effect = self.conduct.fall_back(left, self.clock(now));
                    assert!(self.carry_out(effect, now), "what is left is put into force");
                }
            }),
            Effect::AskAgain(_) => return false,
            Effect::Leave => panic!("it was not removed"),
        };
        assert!(kept.is_ok() || !self.kept_in().exists(), "{kept:?}");
        true
    }

    fn replace(
        &mut self,
        events: Vec<FeedEvent>,
        put: fn(&mut Disk, Generation) -> io::Result<()>,
        now: i64,
    ) -> io::Result<()> {
        let generation = self.disk.compose(&events).unwrap();
        for event in events {
            self.pass(event.clone(), now);
            let current = self.current(&event);
            (self.heard, self.noted) = (current.or(self.heard), current.or(self.noted));
        }
        self.doubtful = self.stands().problem.is_some();
        put(&mut self.disk, generation)
    }

    /// Puts an event into force, as of the time that it is.
    fn pass(&mut self, event: FeedEvent, now: i64) {
        self.follower.step(event);
        self.follower.tick(self.clock(now));
    }

    /// When the policy was current, where the event says so and there is nothing that could not be followed.
    fn current(&self, event: &FeedEvent) -> Option<i64> {
        match (event, self.stands().problem) {
            (FeedEvent::Current { at, .. }, None) => Some(at.micros() / 1_000_000),
            _ => None,
        }
    }

    fn expect_nothing(&mut self) {
        (self.held, self.heard, self.noted) = (None, None, None);
    }

    fn stands(&self) -> Standing {
        let (policy, organization) = (self.follower.snapshot(), organization().id);
        Standing {
            position: policy.position(organization),
            epoch: policy.epoch(organization),
            problem: policy.problem(organization).map(Unreadable::to_string),
            ..Standing::default()
        }
    }

    /// Whatever happened, it decides by what was once the policy and is not too old, or by nothing.
    pub fn check(&mut self, plane: &Plane, now: i64) {
        let (policy, organization) = (self.follower.snapshot(), organization().id);
        let (at, is_well) = (at(policy), policy.problem(organization).is_none());
        assert!(at >= self.held || self.doubtful, "it fell back from {:?} to {at:?}", self.held);
        if let (Some((epoch, seq)), true, true) = (at, at != self.checked, is_well) {
            let fresh = policy.with_stale(organization, false);
            assert!(plane.state(epoch, seq) == Some(&fresh), "the policy at {seq} of trail {epoch} is another");
        }
        self.checked = at;
        // What was not kept of the last minutes is not held against it.
        let age = self.heard.filter(|_| at.is_some()).map(|heard| self.seconds(now) - heard);
        if let Some(age) = age.filter(|age| (age - LATEST).abs() > 600 && (is_well || *age > LATEST)) {
            assert_eq!(policy.is_stale(organization), age > LATEST, "a policy that is {age} s old");
        }
        if is_well {
            let kept = self.disk.is_writing() && self.kept_in().exists();
            self.held = at.filter(|_| kept);
        }
    }

    /// Whether calls are decided by the policy that there is now.
    pub fn follows(&self, plane: &Plane) -> bool {
        plane.now() == self.follower.snapshot()
    }

    /// Takes the disk away, or gives it back.
    pub fn lose_or_find_disk(&mut self) {
        self.expect_nothing();
        let (there, away) = (self.kept_in(), self.folder.path().join("away"));
        if there.exists() { fs::rename(there, away) } else { fs::rename(away, there) }.unwrap();
    }

    /// Ends what goes wrong.
    pub fn settle_down(&mut self) {
        (self.away, self.noise) = (0, 0.0);
        if !self.kept_in().exists() {
            self.lose_or_find_disk();
        }
    }

    fn kept_in(&self) -> PathBuf {
        self.folder.path().join("kept")
    }

    fn clock(&self, now: i64) -> Timestamp {
        Timestamp::from_micros(self.seconds(now) * 1_000_000)
    }

    /// What its clock says, in seconds.
    fn seconds(&self, now: i64) -> i64 {
        now + self.skew
    }
}

/// Where a policy stands, and in which of the trails.
fn at(policy: &Snapshot) -> Option<(u32, Seq)> {
    policy.epoch(organization().id).zip(policy.position(organization().id))
}

fn salts(seed: u64) -> Entropy {
    let rng = Mutex::new(StdRng::seed_from_u64(seed));
    Entropy::new(move |bytes| rng.lock().unwrap().fill_bytes(bytes))
}
