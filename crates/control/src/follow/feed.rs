use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use gatewarden_store::Moved;
use gatewarden_types::{Id, Organization, Seq};
use tokio::{
    sync::{
        broadcast::{Receiver, error::RecvError},
        mpsc,
    },
    time::sleep,
};

use super::{Base, FollowedEntry, base, entries_after};
use crate::{App, Error};

/// How long to wait before what could not be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is sent to one gateway, in this order: a base for each organization, that this was all, then every entry.
#[derive(Debug)]
pub enum FeedEvent {
    /// The policy of an organization, where following it begins.
    Base(Base),
    /// The next entry of an organization.
    Entry(FollowedEntry),
    /// Everything there was has been sent.
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
/// cannot be read is tried again; the others do not wait for it.
pub async fn run(app: App, events: mpsc::Sender<FeedEvent>) {
    // Listening begins before reading, so that nothing falls in between.
    let moves = app.store.moves();
    let mut feed = Feed { app, events, sent: BTreeMap::new(), behind: BTreeSet::new(), caught_up: false };
    // That nobody listens is how this ends.
    drop(feed.follow(moves).await);
}

struct Feed {
    app: App,
    events: mpsc::Sender<FeedEvent>,
    sent: BTreeMap<Id<Organization>, Seq>,
    behind: BTreeSet<Id<Organization>>,
    caught_up: bool,
}

impl Feed {
    async fn follow(&mut self, mut moves: Receiver<Moved>) -> Result<(), Gone> {
        let mut lost = true;
        let events = self.events.clone();
        loop {
            if lost {
                lost = !self.everyone().await;
            }
            self.turn().await?;
            if !lost && self.behind.is_empty() && !self.caught_up {
                self.send(FeedEvent::CaughtUp).await?;
                self.caught_up = true;
            }
            tokio::select! {
                moved = moves.recv() => match moved {
                    Ok(moved) => drop(self.behind.insert(moved.organization)),
                    Err(RecvError::Lagged(_)) => lost = true,
                    Err(RecvError::Closed) => return Ok(()),
                },
                () = sleep(PAUSE), if lost || !self.behind.is_empty() => {}
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

    /// Sends what is new of each organization that may have something new.
    async fn turn(&mut self) -> Result<(), Gone> {
        for organization in std::mem::take(&mut self.behind) {
            match self.catch_up(organization).await {
                Ok(()) => {}
                Err(Stopped::Gone) => return Err(Gone),
                Err(Stopped::Later(bad)) => {
                    tracing::warn!(%organization, error = %bad, "a trail could not be followed; it is tried again");
                    self.behind.insert(organization);
                }
            }
        }
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
