//! What use cases work with.

use std::sync::Arc;

use gatewarden_credentials::{Password, PasswordHash, SealingKey};
use gatewarden_store::Store;
use gatewarden_types::{Clock, Entropy, Id, Kind};
use tokio::sync::Semaphore;

use crate::{Error, providers::Upstreams};

/// Everything a use case needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<AppParts>);

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
}

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

impl App {
    /// An app of these parts.
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
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
        let _turn = self.hashing.acquire().await.map_err(|bad| Error::Internal(bad.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|bad| Error::Internal(bad.to_string()))
    }
}
