use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gatewarden_store::Moved;
use gatewarden_types::{Backoff, Id, Organization, Seq};
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::{Instant, sleep, sleep_until},
};

use super::{Base, FollowedEntry, base, entries_after};
use crate::{App, Error};

/// How long to wait before organizations that could not be listed are listed again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is sent to one gateway, in this order: a base for each organization, that this was all, then every entry. What
/// was behind begins anew with a base.
#[derive(Debug)]
pub enum FeedEvent {
    /// The policy of an organization, where following it begins.
    Base(Base),
    /// The next entry of an organization.
    Entry(FollowedEntry),
    /// An organization that cannot be read now; its base follows as soon as it can.
    Behind {
        /// The organization.
        organization: Id<Organization>,
        /// Why, for whoever runs this.
        problem: String,
    },
    /// Everything that could be read has been sent.
    CaughtUp,
}

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
    let (sent, behind, failed) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    let mut feed = Feed { app, events, sent, behind, failed, caught_up: false };
    // That nobody listens is how this ends.
    drop(feed.follow(moves, wishes).await);
}

struct Feed {
    app: App,
    events: mpsc::Sender<FeedEvent>,
    sent: BTreeMap<Id<Organization>, Seq>,
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
    async fn follow(
        &mut self,
        mut moves: Receiver<Moved>,
        mut wishes: mpsc::Receiver<Id<Organization>>,
    ) -> Result<(), Gone> {
        let mut lost = true;
        let events = self.events.clone();
        loop {
            if lost {
                lost = !self.everyone().await;
            }
            self.turn().await?;
            if !lost && !self.caught_up {
                self.send(FeedEvent::CaughtUp).await?;
                self.caught_up = true;
            }
            let due = self.failed.values().map(|failed| failed.due).min();
            tokio::select! {
                moved = moves.recv() => match moved {
                    Ok(moved) => drop(self.behind.insert(moved.organization)),
                    Err(RecvError::Lagged(_)) => lost = true,
                    Err(RecvError::Closed) => return Ok(()),
                },
                Some(organization) = wishes.recv() => {
                    self.sent.remove(&organization);
                    self.behind.insert(organization);
                }
                () = sleep(PAUSE), if lost => {}
                () = at(due) => {}
                () = events.closed() => return Ok(()),
            }
        }
    }

    /// Looks at every organization; false when they cannot be listed now.
    async fn everyone(&mut self) -> bool {
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

    /// Sends what is new of each organization that may have something new, and tries again what is due.
    async fn turn(&mut self) -> Result<(), Gone> {
        let now = Instant::now();
        self.behind.extend(self.failed.iter().filter(|(_, failed)| failed.due <= now).map(|(id, _)| *id));
        for organization in std::mem::take(&mut self.behind) {
            match self.catch_up(organization).await {
                Ok(()) => drop(self.failed.remove(&organization)),
                Err(Stopped::Gone) => return Err(Gone),
                Err(Stopped::Later(bad)) => self.set_aside(organization, &bad).await?,
            }
        }
        Ok(())
    }

    /// Leaves an organization for later. It begins with a base then, and its follower is told once that it is behind.
    async fn set_aside(&mut self, organization: Id<Organization>, bad: &Error) -> Result<(), Gone> {
        tracing::error!(%organization, error = %bad, "its trail cannot be followed; it is tried again");
        self.sent.remove(&organization);
        if !self.failed.contains_key(&organization) {
            self.send(FeedEvent::Behind { organization, problem: bad.to_string() }).await?;
        }
        let now = Instant::now();
        let failed = self.failed.entry(organization).or_insert(Failed { due: now, backoff: Backoff::default() });
        failed.due = now + failed.backoff.failed();
        Ok(())
    }

    async fn catch_up(&mut self, organization: Id<Organization>) -> Result<(), Stopped> {
        let Some(mut seq) = self.sent.get(&organization).copied() else {
            let base = base(&self.app, organization).await?;
            self.sent.insert(organization, base.seq);
            return Ok(self.send(FeedEvent::Base(base)).await?);
        };
        loop {
            let entries = entries_after(&self.app, organization, seq).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                seq = entry.seq;
                self.send(FeedEvent::Entry(entry)).await?;
                self.sent.insert(organization, seq);
            }
        }
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
