//! What a link does with what happens to it.

use std::{error::Error, time::Duration};

use gatewarden_feed::{Asked, BadFrame, Course, FeedEvent};
use gatewarden_types::{Id, Organization, Seq, Timestamp};

use crate::{Recovered, Standing};

/// How often it is kept that the policy is current.
const NOTING: Duration = Duration::from_secs(10);
/// How long the disk wants a base before one is asked for: at first, and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_mins(10));
/// By how many seconds a clock may have been set back since.
const SKEW_SECONDS: i64 = 300;
/// The first wait before the feed is asked for again, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));

/// How far a link is, and what it does next. A state machine without I/O: [`Link`](crate::Link) tells it what happens, and
/// carries out what it says.
#[derive(Debug)]
pub struct Conduct {
    organization: Id<Organization>,
    course: Course,
    /// When it was last kept that the policy is current.
    noted: Option<Timestamp>,
    /// What the control plane cannot send; it says so again and again.
    behind: Option<String>,
    /// Since when the disk wants a base, or when one was last asked for because of that.
    wanting: Option<Timestamp>,
    wait: Duration,
    patience: Duration,
}

/// What happens to a link.
#[derive(Debug)]
pub enum Happening {
    /// The feed says something.
    Came(FeedEvent),
    /// For now the feed says no more.
    Paused,
    /// What the feed says cannot be read.
    Unreadable(BadFrame),
    /// Something that was put into force could not be followed.
    Wished,
    /// It was looked at the disk, which wants a base or does not.
    Looked(bool),
}

impl From<Result<Option<FeedEvent>, BadFrame>> for Happening {
    fn from(read: Result<Option<FeedEvent>, BadFrame>) -> Self {
        match read {
            Ok(Some(event)) => Self::Came(event),
            Ok(None) => Self::Paused,
            Err(bad) => Self::Unreadable(bad),
        }
    }
}

/// What a link is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put into force.
    Pass(FeedEvent),
    /// Put into force, and keep as a new generation beside the best one.
    Begin(Vec<FeedEvent>),
    /// Put into force, and keep in the place of the best generation.
    Renew(Vec<FeedEvent>),
    /// Keep in the generation that is being written.
    Keep(FeedEvent),
    /// Make what was kept outlast a loss of power.
    Sync,
    /// Rely on nothing on disk that begins beyond this position of this epoch.
    Doubt(Option<(u32, Seq)>),
    /// Do not rely on what the disk began with, and [fall back](Conduct::fall_back) on what is left there.
    FallBack,
    /// Leave the feed, and ask for it again after this time.
    AskAgain(Duration),
    /// Leave the feed for good: the gateway was removed. Nothing of the policy stays in force or on disk.
    Leave,
}

impl Conduct {
    /// That of a link that knows nothing yet.
    pub fn new(organization: Id<Organization>) -> Self {
        Self {
            organization,
            course: Course::new(organization),
            noted: None,
            behind: None,
            wanting: None,
            wait: WAITS.0,
            patience: PATIENCE.0,
        }
    }

    /// Goes on from what was on disk: it is followed as if it came now, and written once more, so that what is written next
    /// never stands behind a frame that was cut short.
    pub fn recover(&mut self, recovered: Recovered, now: Timestamp) -> Effect {
        self.course = recovered.course.clone();
        self.fall_back(recovered, now)
    }

    /// The same for what is left there when what it began with cannot be followed. That stays known: a base of its history is
    /// asked for.
    pub fn fall_back(&self, recovered: Recovered, now: Timestamp) -> Effect {
        let Recovered { mut events, heard, .. } = recovered;
        events.push(self.current(believed(heard, now)));
        Effect::Renew(events)
    }

    /// What a feed that begins now is asked for.
    pub fn asks(&self) -> Asked {
        self.course.asks()
    }

    /// What to do about what happens `now`, in this order. The gateway's `standing` with the organization may be that of a
    /// moment ago: what was to be put into force may not be in it yet.
    pub fn step(&mut self, happening: Happening, standing: &Standing, now: Timestamp) -> Vec<Effect> {
        match happening {
            Happening::Came(event) => self.came(event, standing, now),
            Happening::Paused => vec![Effect::Sync],
            Happening::Unreadable(bad) => self.refuse(&bad),
            Happening::Wished => {
                let doubt = standing.at().map_or(Effect::FallBack, |followed| Effect::Doubt(Some(followed)));
                vec![doubt, self.ask_for_base()]
            }
            Happening::Looked(wants_base) => self.looked(wants_base, now),
        }
    }

    fn came(&mut self, event: FeedEvent, standing: &Standing, now: Timestamp) -> Vec<Effect> {
        match self.course.take(&event) {
            Ok(()) => self.taken(event, standing, now),
            Err(astray) => self.refuse(&astray),
        }
    }

    /// There is no feed, or it has ended. How long to wait before it is asked for again: ever longer.
    pub fn lost(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = WAITS.1.min(wait * 2);
        wait
    }

    fn taken(&mut self, event: FeedEvent, standing: &Standing, now: Timestamp) -> Vec<Effect> {
        self.wait = WAITS.0;
        let behind = if let FeedEvent::Behind { problem, .. } = &event { Some(problem.clone()) } else { None };
        let news = behind.is_none() || behind != self.behind;
        self.behind = behind;
        match event {
            FeedEvent::Removed(_) => vec![Effect::Leave],
            FeedEvent::Behind { .. } if news => vec![Effect::Pass(event)],
            // Whether a gateway has everything is for itself to say.
            FeedEvent::Behind { .. } | FeedEvent::CaughtUp => Vec::new(),
            FeedEvent::Base { .. } => {
                // A base is current when it comes. Both are kept together, so that none is ever found without its age.
                self.noted = Some(now);
                let begin = Effect::Begin(vec![event, self.current(now)]);
                // The one before may be what could not be followed; then it is not what this one is written beside.
                let doubt = standing.problem.is_some().then(|| Effect::Doubt(standing.at()));
                doubt.into_iter().chain([begin]).collect()
            }
            // First into force, then to the disk: a slow disk must not hold up a revocation.
            FeedEvent::Entry { .. } => vec![Effect::Pass(event.clone()), Effect::Keep(event)],
            FeedEvent::Current { .. } => self.heard(standing, now),
        }
    }

    /// The policy is current, by the clock here, which is the one that its age is told by.
    fn heard(&mut self, standing: &Standing, now: Timestamp) -> Vec<Effect> {
        let current = self.current(now);
        // The policy that a start finds on disk is as old as what could not be followed, which shows a moment after it was
        // passed on. The next beat comes soon.
        let whole = standing.problem.is_none() && standing.at() >= self.course.at();
        let lately = self.noted.is_some_and(|noted| now < later_by(noted, NOTING));
        if !whole || lately {
            return vec![Effect::Pass(current)];
        }
        self.noted = Some(now);
        vec![Effect::Pass(current.clone()), Effect::Keep(current)]
    }

    /// Says that something is not taken. A base of the history that is known here heals it.
    fn refuse(&mut self, problem: &dyn Error) -> Vec<Effect> {
        self.course.want_base();
        self.behind = None;
        let (organization, problem) = (self.organization, problem.to_string());
        let behind = FeedEvent::Behind { organization, problem };
        vec![Effect::Sync, Effect::Pass(behind), Effect::AskAgain(self.lost())]
    }

    /// Asks for a base when the disk has wanted one for a while, and ever more rarely while it takes none.
    fn looked(&mut self, wants_base: bool, now: Timestamp) -> Vec<Effect> {
        if !wants_base {
            (self.wanting, self.patience) = (None, PATIENCE.0);
            return Vec::new();
        }
        let since = *self.wanting.get_or_insert(now);
        // While the control plane cannot give one, asking has it read everything in vain; it sends one as soon as it can.
        if self.behind.is_some() || now <= later_by(since, self.patience) {
            return Vec::new();
        }
        self.wanting = Some(now);
        self.patience = PATIENCE.1.min(self.patience * 2);
        vec![self.ask_for_base()]
    }

    fn ask_for_base(&mut self) -> Effect {
        self.course.want_base();
        Effect::AskAgain(Duration::ZERO)
    }

    fn current(&self, at: Timestamp) -> FeedEvent {
        FeedEvent::Current { organization: self.organization, at }
    }
}

fn later_by(at: Timestamp, span: Duration) -> Timestamp {
    at.plus_seconds(span.as_secs().cast_signed())
}

/// When the control plane was last heard, as far as the clock of this start can be believed. A moment that is still to come
/// was noted by a clock that was wrong, or is: then nothing is known, and the policy counts as too old.
fn believed(heard: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let heard = heard.filter(|at| *at <= now.plus_seconds(SKEW_SECONDS));
    heard.map_or_else(Timestamp::default, |at| at.min(now))
}
