//! What use cases work with.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use gatewarden_credentials::{Password, PasswordHash, SealingKey};
use gatewarden_mail::Mailer;
use gatewarden_store::Store;
use gatewarden_types::{Clock, Entropy, Id, Kind};
use tokio::sync::Semaphore;
use url::Url;

use crate::{Error, providers::Upstreams, set_up::Offer, sign_in::Throttle};

/// Everything a use case needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: AppParts,
    throttle: Throttle,
    offer: Offer,
    hashed: AtomicU64,
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
    pub hashing: Semaphore,
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
        let (throttle, offer, hashed) = (Throttle::default(), Offer::default(), AtomicU64::new(0));
        Self(Arc::new(Inner { parts, throttle, offer, hashed }))
    }

    /// How many passwords have been hashed or compared since the start.
    pub fn passwords_hashed(&self) -> u64 {
        self.0.hashed.load(Ordering::Relaxed)
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn offer(&self) -> &Offer {
        &self.0.offer
    }

    /// A new id.
    pub fn id<K: Kind>(&self) -> Id<K> {
        Id::new(self.clock.now(), &self.entropy)
    }

    /// Hashes a password, off the threads that answer requests.
    ///
    /// # Errors
    /// When the machine cannot.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, Error> {
        let entropy = self.entropy.clone();
        self.work(move || password.hash(&entropy)).await?.map_err(|bad| Error::Internal(bad.to_string()))
    }

    /// Compares a password with a hash, or with nothing, which takes as long.
    ///
    /// # Errors
    /// When the machine cannot.
    pub async fn verify(&self, hash: Option<PasswordHash>, typed: String) -> Result<bool, Error> {
        self.work(move || PasswordHash::verify(hash.as_ref(), &typed)).await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        self.0.hashed.fetch_add(1, Ordering::Relaxed);
        let _turn = self.hashing.acquire().await.map_err(|bad| Error::Internal(bad.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|bad| Error::Internal(bad.to_string()))
    }
}
