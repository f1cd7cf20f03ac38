//! The thread beside the edge: it follows the trails and puts in force what they say.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use gatewarden_feed::FeedEvent;
use gatewarden_types::{Clock, Gateway as GatewayRecord, GatewayState, Id, Organization};
use tokio::{
    sync::mpsc,
    time::{Instant, interval},
};

use crate::{
    follower::Follower,
    limits::{Limiter, PERIOD, Telling},
    snapshot::Snapshot,
    status::{Counters, Current},
};

/// How often it is looked whether a base has to be asked for, and what the time has done to the policy.
const LOOKING: Duration = Duration::from_millis(20);

/// Told of each organization whose policy has become another, or could not: which, and all the policy there is now.
#[derive(Clone)]
pub struct Witness(Arc<Told>);

type Told = dyn Fn(Id<Organization>, &Snapshot) + Send + Sync;

impl Witness {
    /// One that calls `told`, which must not wait for anything.
    pub fn new(told: impl Fn(Id<Organization>, &Snapshot) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    fn tell(&self, organization: Id<Organization>, policy: &Snapshot) {
        (self.0)(organization, policy);
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

pub(crate) struct Steward {
    pub(crate) current: Arc<Current>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) wishes: mpsc::Sender<Id<Organization>>,
    pub(crate) limiter: Arc<Limiter>,
    pub(crate) limits: mpsc::UnboundedSender<Telling>,
    pub(crate) witness: Witness,
    pub(crate) enrolled: Vec<(Id<Organization>, Id<GatewayRecord>)>,
    pub(crate) steady: Clock,
}

impl Steward {
    /// Follows until the last worker has ended.
    pub(crate) async fn serve(
        self,
        mut follower: Follower,
        mut feed: mpsc::Receiver<FeedEvent>,
        mut workers: mpsc::Receiver<()>,
    ) {
        let (mut looking, mut telling) = (interval(LOOKING), interval(Duration::from_nanos(PERIOD)));
        let mut following = true;
        loop {
            tokio::select! {
                biased;
                event = feed.recv(), if following => if let Some(event) = event {
                    self.follow(&mut follower, event);
                } else {
                    following = false;
                    self.publish(&follower, following);
                    tracing::warn!("the feed has ended; the gateway goes on with the policy it has");
                },
                _ = looking.tick() => {
                    self.age(&mut follower, following);
                    self.ask(&mut follower);
                    if self.limiter.hurries() {
                        self.tell(false);
                    }
                },
                _ = telling.tick() => self.tell(true),
                _ = workers.recv() => return,
            }
        }
    }

    fn follow(&self, follower: &mut Follower, event: FeedEvent) {
        Counters::add(&self.counters.entries);
        let about = event.about();
        if let Some(alarm) = follower.step(event) {
            Counters::add(&self.counters.alarms);
            tracing::error!(organization = %alarm.organization, problem = %alarm.problem, "the organization's last good policy stays in force");
        }
        // Of what is too old already, nothing is decided by even for a moment.
        follower.tick(self.steady.now());
        self.publish(follower, true);
        if let Some(organization) = about {
            self.witness.tell(organization, follower.snapshot());
        }
    }

    /// Lets the time have its effect.
    fn age(&self, follower: &mut Follower, following: bool) {
        let now = self.steady.now();
        if follower.tick(now) || self.current.orphaned.load(Relaxed) != (!following || follower.is_cut_off(now)) {
            self.publish(follower, following);
        }
    }

    /// Has other gateways told what was let through.
    fn tell(&self, again: bool) {
        for telling in self.limiter.tell(&self.steady, again) {
            // Where nobody takes it, it is told the next time.
            drop(self.limits.send(telling));
        }
    }

    /// Puts in force what the follower has now.
    fn publish(&self, follower: &Follower, following: bool) {
        let policy = follower.snapshot();
        // One that was removed has no policy there any more, and takes no calls either.
        let drains = |(organization, gateway): &(_, _)| match policy.policy(*organization) {
            Some(_) => policy.gateway(*organization, *gateway) == Some(GatewayState::Draining),
            None => follower.caught_up(),
        };
        let drained = !self.enrolled.is_empty() && self.enrolled.iter().all(drains);
        self.current.drained.store(drained, Relaxed);
        self.current.orphaned.store(!following || follower.is_cut_off(self.steady.now()), Relaxed);
        self.current.snapshot.store(Arc::new(policy.clone()));
        self.current.caught_up.store(follower.caught_up() && self.can_answer(policy), Relaxed);
        self.current.news.send_replace(());
    }

    /// Whether there is a policy, or none to come: not where all that is known of those that are still to come is why they do
    /// not.
    fn can_answer(&self, policy: &Snapshot) -> bool {
        let mut organizations = self.enrolled.iter().map(|(organization, _)| *organization);
        let lacks = |organization| policy.policy(organization).is_some() && policy.position(organization).is_none();
        organizations.clone().any(|organization| policy.position(organization).is_some()) || !organizations.any(lacks)
    }

    /// Asks for the bases that are wanted. One for which there is no room is asked for again when it is due.
    fn ask(&self, follower: &mut Follower) {
        for organization in follower.wishes(Instant::now()) {
            if self.wishes.try_send(organization).is_err() {
                tracing::warn!(%organization, "its policy could not be asked for anew; it is tried again");
            }
        }
    }
}
