use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use gatewarden_types::{Gateway, Id, Organization, Seq, Timestamp};
use tokio::sync::watch;

/// What a gateway last said of itself. Observed, so it is lost with the program and told anew within seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// When it was heard.
    pub at: Timestamp,
    /// The position of the policy that its calls are decided by; none while it has no policy.
    pub position: Option<Seq>,
    /// Which of the organization's trails that is a position of.
    pub epoch: Option<u32>,
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
    ending: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Seen {
    elsewhere: BTreeMap<Id<Gateway>, Sighting>,
    /// The positions of the gateway in this process; none where there is no such gateway.
    here: Option<BTreeMap<Id<Organization>, Seq>>,
    /// The gateways that were removed and have dropped their policy.
    gone: BTreeSet<Id<Gateway>>,
    /// The one feed of each gateway. Dropping it ends the feed.
    feeds: BTreeMap<Id<Gateway>, watch::Sender<()>>,
}

impl Default for Connected {
    fn default() -> Self {
        Self { seen: Mutex::default(), news: watch::Sender::new(()), ending: watch::Sender::new(false) }
    }
}

impl Connected {
    pub(crate) fn saw(&self, gateway: Id<Gateway>, sighting: Sighting) {
        self.all().elsewhere.insert(gateway, sighting);
        self.news.send_replace(());
    }

    /// A gateway that was removed says that it has dropped its policy.
    pub(crate) fn dropped(&self, gateway: Id<Gateway>) {
        self.all().gone.insert(gateway);
        self.news.send_replace(());
    }

    /// A gateway that was removed says that it has its policy still, or once more.
    pub(crate) fn holds_on(&self, gateway: Id<Gateway>) {
        self.all().gone.remove(&gateway);
        self.news.send_replace(());
    }

    pub(crate) fn has_dropped(&self, gateway: Id<Gateway>) -> bool {
        self.all().gone.contains(&gateway)
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

    /// Begins a gateway's feed, which ends the one before. Closes when this one has to end.
    pub(crate) fn begin_feed(&self, gateway: Id<Gateway>) -> watch::Receiver<()> {
        let feed = watch::Sender::new(());
        let open = feed.subscribe();
        self.all().feeds.insert(gateway, feed);
        open
    }

    /// Ends what is sent to a gateway.
    pub(crate) fn expel(&self, gateway: Id<Gateway>) {
        let mut seen = self.all();
        seen.elsewhere.remove(&gateway);
        seen.feeds.remove(&gateway);
        drop(seen);
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
