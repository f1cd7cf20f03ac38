use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gatewarden_feed::{Asked, BEAT, FeedEvent, Position};
use gatewarden_store::Moved;
use gatewarden_types::{Backoff, Id, Organization};
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use super::{base, entries_after};
use crate::{App, Error};

/// How long to wait before organizations that could not be listed are listed again.
const PAUSE: Duration = Duration::from_secs(1);

/// Nobody takes the events any more.
struct Gone;

/// Why a turn of following ended early.
enum Stopped {
    Gone,
    Later(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}

impl From<Gone> for Stopped {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Sends every organization's policy and what becomes of it, until nobody takes it any more. An organization that
/// cannot be read is tried again, ever more rarely; the others do not wait for it. One that is named in `wishes` begins
/// anew with a base.
pub async fn run(app: App, events: mpsc::Sender<FeedEvent>, wishes: mpsc::Receiver<Id<Organization>>) {
    // Listening begins before reading, so that nothing falls in between.
    let moves = app.store.moves();
    let mut feed = Feed::new(app, events, Whom::Everyone);
    // That nobody listens is how this ends.
    drop(feed.follow(moves, wishes).await);
}

/// Sends one organization's policy and what becomes of it: the entries after the known position where its trail still has
/// that one, and else, or where that is wanted, a base. Every few seconds it says that this was all.
pub(crate) async fn run_one(app: App, organization: Id<Organization>, asked: Asked, events: mpsc::Sender<FeedEvent>) {
    let moves = app.store.moves();
    let (_never, no_wishes) = mpsc::channel(1);
    let mut feed = Feed::new(app, events, Whom::One(organization));
    feed.sent.extend(asked.known.map(|known| (organization, known)));
    feed.anew.extend(asked.wants_base.then_some(organization));
    drop(feed.follow(moves, no_wishes).await);
}

/// Whose trails a feed follows.
#[derive(Clone, Copy)]
enum Whom {
    Everyone,
    One(Id<Organization>),
}

struct Feed {
    app: App,
    events: mpsc::Sender<FeedEvent>,
    whom: Whom,
    /// Where the events lead that were sent, or were known before.
    sent: BTreeMap<Id<Organization>, Position>,
    /// Begin anew with a base, whatever was sent.
    anew: BTreeSet<Id<Organization>>,
    /// May have something new.
    behind: BTreeSet<Id<Organization>>,
    /// Could not be read.
    failed: BTreeMap<Id<Organization>, Failed>,
    caught_up: bool,
}

/// When it is tried again.
struct Failed {
    due: Instant,
    backoff: Backoff,
}

impl Feed {
    fn new(app: App, events: mpsc::Sender<FeedEvent>, whom: Whom) -> Self {
        let (sent, failed) = (BTreeMap::new(), BTreeMap::new());
        let (anew, behind) = (BTreeSet::new(), BTreeSet::new());
        Self { app, events, whom, sent, anew, behind, failed, caught_up: false }
    }

    async fn follow(
        &mut self,
        mut moves: Receiver<Moved>,
        mut wishes: mpsc::Receiver<Id<Organization>>,
    ) -> Result<(), Gone> {
        let mut lost = true;
        let events = self.events.clone();
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if lost {
                lost = !self.everyone().await;
            }
            let news = self.turn().await?;
            if !lost && news {
                self.say_that_this_was_all().await?;
            }
            let due = self.failed.values().map(|failed| failed.due).min();
            tokio::select! {
                moved = moves.recv() => match moved {
                    Ok(moved) if self.follows(moved.organization) => drop(self.behind.insert(moved.organization)),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => lost = true,
                    Err(RecvError::Closed) => return Ok(()),
                },
                Some(organization) = wishes.recv() => {
                    self.anew.insert(organization);
                    self.behind.insert(organization);
                }
                () = sleep(PAUSE), if lost => {}
                () = at(due) => {}
                _ = beat.tick() => self.look_again(),
                () = events.closed() => return Ok(()),
            }
        }
    }

    fn follows(&self, organization: Id<Organization>) -> bool {
        match self.whom {
            Whom::Everyone => true,
            Whom::One(one) => one == organization,
        }
    }

    /// Makes sure, for whoever is told so, that an organization's policy is current: what it hears in between is no proof.
    fn look_again(&mut self) {
        if let Whom::One(organization) = self.whom {
            self.behind.insert(organization);
        }
    }

    /// Whether everyone's feed has not said yet that this was all, which it says also where there is nobody.
    fn is_first(&self) -> bool {
        matches!(self.whom, Whom::Everyone) && !self.caught_up
    }

    async fn say_that_this_was_all(&mut self) -> Result<(), Gone> {
        match self.whom {
            Whom::Everyone if !self.caught_up => {
                self.caught_up = true;
                self.send(FeedEvent::CaughtUp).await
            }
            Whom::One(organization) if self.failed.is_empty() => {
                let at = self.app.clock.now();
                self.send(FeedEvent::Current { organization, at }).await
            }
            _ => Ok(()),
        }
    }

    /// Looks at every organization that is followed; false when they cannot be listed now.
    async fn everyone(&mut self) -> bool {
        if let Whom::One(organization) = self.whom {
            self.behind.insert(organization);
            return true;
        }
        match self.app.store.places().await {
            Ok(places) => {
                self.behind.extend(places.into_iter().map(|place| place.id));
                true
            }
            Err(bad) => {
                tracing::warn!(error = %bad, "the organizations could not be listed; it is tried again");
                false
            }
        }
    }

    /// Sends what is new of each organization that may have something new, and tries again what is due. Whether there was
    /// something to do.
    async fn turn(&mut self) -> Result<bool, Gone> {
        let now = Instant::now();
        self.behind.extend(self.failed.iter().filter(|(_, failed)| failed.due <= now).map(|(id, _)| *id));
        let behind = std::mem::take(&mut self.behind);
        let news = !behind.is_empty() || self.is_first();
        for organization in behind {
            match self.catch_up(organization).await {
                Ok(()) => drop(self.failed.remove(&organization)),
                Err(Stopped::Gone) => return Err(Gone),
                Err(Stopped::Later(bad)) => self.set_aside(organization, &bad).await?,
            }
        }
        Ok(news)
    }

    /// Leaves an organization for later. It begins with a base then, and its follower is told that it is behind: once, and over a
    /// network each time that it is tried, so that the feed is never silent.
    async fn set_aside(&mut self, organization: Id<Organization>, bad: &Error) -> Result<(), Gone> {
        tracing::error!(%organization, error = %bad, "its trail cannot be followed; it is tried again");
        self.anew.insert(organization);
        if matches!(self.whom, Whom::One(_)) || !self.failed.contains_key(&organization) {
            self.send(FeedEvent::Behind { organization, problem: bad.to_string() }).await?;
        }
        let now = Instant::now();
        let failed = self.failed.entry(organization).or_insert(Failed { due: now, backoff: Backoff::default() });
        failed.due = now + failed.backoff.failed();
        Ok(())
    }

    /// Sends what is new since the known position, or a base: where none is known, one is wanted, or the trail does not have it.
    async fn catch_up(&mut self, organization: Id<Organization>) -> Result<(), Stopped> {
        let mut next = self.sent.get(&organization).copied().filter(|_| !self.anew.contains(&organization));
        while let Some(at) = next {
            let Some(entries) = entries_after(&self.app, organization, at).await? else { break };
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                next = Some(entry.at);
                self.sent.insert(organization, entry.at);
                self.send(entry.into()).await?;
            }
        }
        let base = base(&self.app, organization, self.sent.get(&organization).copied()).await?;
        self.sent.insert(organization, Position { seq: base.seq, head: base.head });
        self.anew.remove(&organization);
        Ok(self.send(base.into()).await?)
    }

    async fn send(&self, event: FeedEvent) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }
}

/// Waits for a moment; for ever where there is none.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
