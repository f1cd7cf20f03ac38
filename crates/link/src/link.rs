use std::{io, sync::Arc, time::Duration};

use futures::StreamExt;
use gatewarden_credentials::{FramesFor, GatewayCredential};
use gatewarden_feed::{Astray, BadFrame, Course, FeedEvent, FrameReader};
use gatewarden_types::{Clock, Digest, Entropy, Id, Organization, Seq, Timestamp};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::{Instant, interval, sleep},
};

use crate::{ControlPlane, Disk, Recovered, Standing, Trouble};

/// How often it is looked whether the disk wants a base.
const LOOKING: Duration = Duration::from_secs(1);
/// How often it is kept that the policy is current.
const NOTING: Duration = Duration::from_secs(10);
/// How long a feed goes on before the disk has a base asked for: at first, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(10));
/// By how many seconds a clock may have been set back since.
const SKEW_SECONDS: i64 = 300;
/// The first wait before the feed is asked for again, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));

/// What a link is wired to.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// Takes the events.
    pub events: mpsc::Sender<FeedEvent>,
    /// Told when a base is wanted anew.
    pub wish: Arc<Notify>,
    /// Where it is said how the disk does.
    pub standing: watch::Sender<Standing>,
    /// A clock that is never set: how old a policy is must not depend on what time somebody thinks it is.
    pub clock: Clock,
    /// Where salts come from.
    pub entropy: Entropy,
}

/// Follows one organization for as long as its gateway runs.
#[derive(Debug)]
pub struct Link {
    organization: Id<Organization>,
    credential: Arc<GatewayCredential>,
    control: ControlPlane,
    wiring: Wiring,
    disk: Disk,
    course: Course,
    noted: Option<Timestamp>,
    /// What the control plane cannot send; it says so again and again.
    behind: Option<String>,
    wait: Duration,
    patience: Duration,
}

/// Why listening ended.
enum Ended {
    /// The gateway was removed.
    Removed,
    /// Nobody takes the events any more.
    Gone,
    /// A base is wanted.
    Wish,
    /// There is no feed now.
    Trouble(Trouble),
    /// What came is not taken.
    Refused(Refused),
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<BadFrame> for Ended {
    fn from(bad: BadFrame) -> Self {
        Self::Refused(Refused::Unreadable(bad))
    }
}

impl From<Astray> for Ended {
    fn from(astray: Astray) -> Self {
        Self::Refused(Refused::Astray(astray))
    }
}

/// What is not taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Unreadable(BadFrame),
    #[error(transparent)]
    Astray(Astray),
}

impl Link {
    /// The link of an enrolment, with what was on disk.
    pub fn new(
        organization: Id<Organization>,
        credential: Arc<GatewayCredential>,
        control: ControlPlane,
        wiring: Wiring,
        disk: Disk,
    ) -> Self {
        let course = Course::new(organization);
        Self {
            organization,
            credential,
            control,
            wiring,
            disk,
            course,
            noted: None,
            behind: None,
            wait: WAITS.0,
            patience: PATIENCE.0,
        }
    }

    /// Goes on from what was on disk: it is followed as if it came now, and written once more, so that what is written
    /// next never stands behind a frame that was cut short. False when nobody takes it.
    pub async fn recover(&mut self, recovered: Recovered) -> bool {
        let Recovered { events, course, heard, torn: _ } = recovered;
        self.course = course;
        let organization = self.organization;
        let heard = FeedEvent::Current { organization, at: believed(heard, self.wiring.clock.now()) };
        let kept = self.disk.renew(events.iter().chain([&heard]));
        self.told(kept);
        for event in events.into_iter().chain([heard]) {
            if self.wiring.events.send(event).await.is_err() {
                return false;
            }
        }
        true
    }

    /// Listens until the gateway is removed or nobody takes the events any more.
    pub async fn run(mut self) {
        loop {
            match self.listen().await {
                Ended::Gone => return,
                Ended::Removed => return self.leave().await,
                Ended::Wish => continue,
                Ended::Trouble(trouble) => {
                    tracing::warn!(organization = %self.organization, error = %trouble, "no feed; the gateway goes on with the policy it has");
                }
                Ended::Refused(problem) => {
                    if !self.refuse(problem).await {
                        return;
                    }
                }
            }
            sleep(self.wait).await;
            self.wait = WAITS.1.min(self.wait * 2);
        }
    }

    /// Says that something is not taken. A base heals it, but for another history: from the entry that it has, the gateway
    /// goes on asking. False when nobody takes the events any more.
    async fn refuse(&mut self, refused: Refused) -> bool {
        let (organization, problem) = (self.organization, refused.to_string());
        tracing::error!(%organization, %problem, "the feed is refused; the gateway goes on with the policy it has");
        if !matches!(refused, Refused::Astray(Astray::Older { .. } | Astray::Forked(_))) {
            self.course.want_base();
        }
        self.wiring.events.send(FeedEvent::Behind { organization, problem }).await.is_ok()
    }

    async fn listen(&mut self) -> Ended {
        match self.follow().await {
            Ok(never) => match never {},
            Err(ended) => ended,
        }
    }

    async fn follow(&mut self) -> Result<std::convert::Infallible, Ended> {
        let salt = Digest(self.wiring.entropy.bytes());
        let mut reader = FrameReader::new(self.credential.frames(FramesFor::Feed, &salt.0));
        let mut feed = self.control.feed(&self.credential, salt, self.course.resumes_from()).await?;
        let (mut looking, wish) = (interval(LOOKING), Arc::clone(&self.wiring.wish));
        let since = Instant::now();
        loop {
            tokio::select! {
                piece = feed.next() => match piece {
                    Some(piece) => {
                        reader.push(&piece?);
                        while let Some(event) = reader.next()? {
                            self.take(event).await?;
                        }
                        self.sync();
                    }
                    None => return Err(Trouble::Unreachable("the feed has ended".to_owned()).into()),
                },
                () = wish.notified() => {
                    let doubted = self.disk.doubt(self.followed());
                    self.told(doubted);
                    self.course.want_base();
                    return Err(Ended::Wish);
                }
                _ = looking.tick() => self.settle(since)?,
            }
        }
    }

    async fn take(&mut self, event: FeedEvent) -> Result<(), Ended> {
        self.course.take(&event)?;
        let event = match event {
            FeedEvent::Removed(_) => return Err(Ended::Removed),
            // By the clock here, which is the one that its age is told by.
            FeedEvent::Current { organization, .. } => FeedEvent::Current { organization, at: self.wiring.clock.now() },
            event => event,
        };
        self.wait = WAITS.0;
        let behind = if let FeedEvent::Behind { problem, .. } = &event { Some(problem.clone()) } else { None };
        if behind.is_some() && behind == self.behind {
            return Ok(());
        }
        self.behind = behind;
        if let FeedEvent::Base { organization, .. } = event {
            // A base is current when it comes. Both are kept together, so that none is ever found without its age.
            let at = self.wiring.clock.now();
            let current = FeedEvent::Current { organization, at };
            self.noted = Some(at);
            let kept = self.disk.begin([&event, &current].into_iter());
            if kept.is_ok() {
                self.patience = PATIENCE.0;
            }
            self.told(kept);
            self.pass(event).await?;
            return self.pass(current).await;
        }
        // First into force, then to the disk: a slow disk must not hold up a revocation.
        self.pass(event.clone()).await?;
        self.keep(&event);
        Ok(())
    }

    async fn pass(&self, event: FeedEvent) -> Result<(), Ended> {
        self.wiring.events.send(event).await.map_err(|_| Ended::Gone)
    }

    /// What cannot be kept is followed all the same: a full disk must not hold up a revocation.
    fn keep(&mut self, event: &FeedEvent) {
        if let FeedEvent::Current { at, .. } = event {
            // The policy that a start finds here is as old as what could not be followed, which shows a moment after it was
            // passed on. The next beat comes soon.
            let passed = self.course.position().map(|at| at.seq);
            if self.wiring.standing.borrow().problem.is_some() || self.followed() < passed {
                return;
            }
            let lately = |noted: Timestamp| *at < noted.plus_seconds(NOTING.as_secs().cast_signed());
            if self.noted.is_some_and(lately) {
                return;
            }
            self.noted = Some(*at);
        }
        if matches!(event, FeedEvent::Behind { .. } | FeedEvent::CaughtUp) {
            return;
        }
        let kept = self.disk.keep(event);
        self.told(kept);
    }

    /// How far calls are decided by the trail that is passed on.
    fn followed(&self) -> Option<Seq> {
        let standing = self.wiring.standing.borrow();
        standing.position.filter(|_| standing.epoch == self.course.epoch())
    }

    fn sync(&mut self) {
        let synced = self.disk.sync();
        self.told(synced);
    }

    fn told(&self, kept: io::Result<()>) {
        let trouble = kept.err().map(|bad| bad.to_string());
        if let Some(error) = &trouble {
            tracing::error!(organization = %self.organization, error, "the policy cannot be kept on disk");
        }
        // Once something failed, only a new generation is whole again.
        let trouble =
            trouble.or_else(|| self.wiring.standing.borrow().disk.clone().filter(|_| !self.disk.is_writing()));
        self.wiring.standing.send_if_modified(|standing| {
            let news = standing.disk != trouble;
            standing.disk = trouble;
            news
        });
    }

    /// Asks for a base when the disk wants one, but not of a feed that has just begun, and ever more rarely while the disk
    /// takes none.
    fn settle(&mut self, since: Instant) -> Result<(), Ended> {
        // While the control plane cannot give one, asking has it read everything in vain; it sends one as soon as it can.
        let in_vain = self.behind.is_some();
        if !in_vain && self.disk.wants_base() && since.elapsed() > self.patience {
            self.patience = PATIENCE.1.min(self.patience * 2);
            self.course.want_base();
            return Err(Ended::Wish);
        }
        Ok(())
    }

    async fn leave(mut self) {
        let organization = self.organization;
        tracing::warn!(%organization, "this gateway was removed; it drops the organization's policy");
        if let Err(bad) = self.disk.forget() {
            tracing::error!(%organization, error = %bad, "the policy that it kept on disk cannot be removed; delete the files policy-1 and policy-2 in its folder");
        }
        self.wiring.standing.send_modify(|standing| standing.removed = true);
        // Nobody takes it where the gateway ends as well.
        drop(self.wiring.events.send(FeedEvent::Removed(organization)).await);
    }
}

/// When the control plane was last heard, as far as the clock of this start can be believed. A moment that is still to come
/// was noted by a clock that was wrong, or is: then nothing is known, and the policy counts as too old.
fn believed(heard: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let heard = heard.filter(|at| *at <= now.plus_seconds(SKEW_SECONDS));
    heard.map_or_else(Timestamp::default, |at| at.min(now))
}
