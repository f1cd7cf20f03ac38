//! What use cases work with.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gatewarden_credentials::{Password, PasswordHash, SealingKey};
use gatewarden_feed::Tally;
use gatewarden_mail::Mailer;
use gatewarden_store::Store;
use gatewarden_types::{Clock, Entropy, Id, Kind, Organization, Seq};
use tokio::time::Instant;
use url::Url;

use crate::{Error, gateways::Connected, hashing::Hashing, providers::Upstreams, set_up::Offer, sign_in::Throttle};

/// Everything a use case needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: AppParts,
    throttle: Throttle,
    offer: Offer,
    hashing: Hashing,
    connected: Connected,
    tally: Mutex<Tally>,
    began: Instant,
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct AppParts {
    /// Where everything is kept.
    pub store: Store,
    /// What the time is.
    pub clock: Clock,
    /// Where ids and secrets come from.
    pub entropy: Entropy,
    /// Seals providers' secrets.
    pub sealing: SealingKey,
    /// Speaks to providers, where the operator allows it.
    pub upstreams: Upstreams,
    /// How many passwords are hashed at once: each takes a core for tens of milliseconds and 19 MiB.
    pub hashing: usize,
    /// Sends mail.
    pub mailer: Mailer,
    /// Where people reach the console: the one source of links.
    pub public_url: Url,
}

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0.parts
    }
}

impl App {
    /// An app of these parts.
    pub fn new(parts: AppParts) -> Self {
        let (throttle, offer, connected) = (Throttle::default(), Offer::default(), Connected::default());
        let hashing = Hashing::new(parts.hashing);
        let tally = Mutex::new(Tally::new(parts.clock.now().micros().unsigned_abs()));
        Self(Arc::new(Inner { parts, throttle, offer, hashing, connected, tally, began: Instant::now() }))
    }

    /// How many passwords have been hashed or compared since the start.
    pub fn passwords_hashed(&self) -> u64 {
        self.0.hashing.done()
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn offer(&self) -> &Offer {
        &self.0.offer
    }

    /// Tells that the gateway in this process decides by the policy of an organization at a position.
    pub fn took(&self, organization: Id<Organization>, position: Seq) {
        self.connected().took(organization, position);
    }

    pub(crate) fn connected(&self) -> &Connected {
        &self.0.connected
    }

    /// For how long it has run.
    pub(crate) fn age(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// What gateways have let through on the limits they share.
    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id.
    pub fn id<K: Kind>(&self) -> Id<K> {
        Id::new(self.clock.now(), &self.entropy)
    }

    /// Hashes a password, off the threads that answer requests.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already, or when the machine cannot.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, Error> {
        let entropy = self.entropy.clone();
        self.0.hashing.run(move || password.hash(&entropy)).await?.map_err(|bad| Error::Internal(bad.to_string()))
    }

    /// Compares a password with a hash, or with nothing, which takes as long.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait already, or when the machine cannot.
    pub async fn verify(&self, hash: Option<PasswordHash>, typed: String) -> Result<bool, Error> {
        self.0.hashing.run(move || PasswordHash::verify(hash.as_ref(), &typed)).await
    }
}
