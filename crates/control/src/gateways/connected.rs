use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gatewarden_types::{Gateway, Id, Organization, Seq, Timestamp};
use tokio::sync::{broadcast, watch};

/// How many removals a feed may be behind before it has to look at all of them.
const REMOVALS: usize = 64;

/// What a gateway last said of itself. Observed, so it is lost with the program and told anew within seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// When it was heard.
    pub at: Timestamp,
    /// The position of the policy that its calls are decided by; none while it has no policy.
    pub position: Option<Seq>,
    /// Its release.
    pub release: String,
    /// What it could not read, so that it keeps an older policy.
    pub problem: Option<String>,
}

/// What gateways say of themselves, here and on other hosts.
#[derive(Debug)]
pub(crate) struct Connected {
    seen: Mutex<Seen>,
    news: watch::Sender<()>,
    removals: broadcast::Sender<Id<Gateway>>,
    ending: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Seen {
    elsewhere: BTreeMap<Id<Gateway>, Sighting>,
    /// The positions of the gateway in this process; none where there is no such gateway.
    here: Option<BTreeMap<Id<Organization>, Seq>>,
}

impl Default for Connected {
    fn default() -> Self {
        let (news, removals) = (watch::Sender::new(()), broadcast::Sender::new(REMOVALS));
        Self { seen: Mutex::default(), news, removals, ending: watch::Sender::new(false) }
    }
}

impl Connected {
    pub(crate) fn saw(&self, gateway: Id<Gateway>, sighting: Sighting) {
        self.all().elsewhere.insert(gateway, sighting);
        self.news.send_replace(());
    }

    pub(crate) fn of(&self, gateway: Id<Gateway>) -> Option<Sighting> {
        self.all().elsewhere.get(&gateway).cloned()
    }

    /// The position of the gateway in this process; none where there is no such gateway.
    pub(crate) fn here(&self, organization: Id<Organization>) -> Option<Seq> {
        self.all().here.as_ref().map(|positions| positions.get(&organization).copied().unwrap_or_default())
    }

    pub(crate) fn took(&self, organization: Id<Organization>, position: Seq) {
        self.all().here.get_or_insert_default().insert(organization, position);
        self.news.send_replace(());
    }

    /// Tells whenever a gateway has said something.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Which gateways are removed from now on.
    pub(crate) fn removals(&self) -> broadcast::Receiver<Id<Gateway>> {
        self.removals.subscribe()
    }

    /// Ends what is sent to a gateway.
    pub(crate) fn expel(&self, gateway: Id<Gateway>) {
        self.all().elsewhere.remove(&gateway);
        // Nobody listens where no gateway is connected.
        drop(self.removals.send(gateway));
        self.news.send_replace(());
    }

    pub(crate) fn hang_up(&self) {
        self.ending.send_replace(true);
    }

    /// Becomes true when nothing more is to be sent.
    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    fn all(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
