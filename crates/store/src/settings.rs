//! Opening the store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::{path::PathBuf, sync::Arc};

use gatewarden_trail::{BadCheckpoint, Signer};
use gatewarden_types::{Clock, Entropy, Id, Organization, Request, Seq};
use tokio::sync::broadcast;

use crate::{
    StoreError,
    backend::{Backend, Postgres, Sqlite},
    epochs::Compared,
    statements::Statements,
};

/// Which database.
#[derive(Clone)]
pub enum Database {
    /// SQLite files in a folder.
    Sqlite {
        /// The folder; made when it is not there.
        folder: PathBuf,
        /// How many organizations are kept open at once.
        open_organizations: u64,
    },
    /// PostgreSQL 15 or later.
    Postgres {
        /// The URL of the login that serves.
        serving: String,
        /// The URL of the role that owns, creates and migrates; may be the same.
        owner: String,
        /// The most serving connections.
        connections: u32,
    },
}

impl std::fmt::Debug for Database {
    /// URLs carry passwords, so they are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite { .. } => "Database::Sqlite",
            Self::Postgres { .. } => "Database::Postgres",
        })
    }
}

/// What the store is made of.
#[derive(Debug)]
pub struct StoreSettings {
    /// Which database.
    pub database: Database,
    /// What the time is.
    pub clock: Clock,
    /// Where ids come from.
    pub entropy: Entropy,
    /// Gives the key that signs an organization's checkpoints.
    pub signers: Signers,
    /// The name of this installation in checkpoint origins: the public host.
    pub origin: String,
}

/// Gives the key that signs an organization's checkpoints.
#[derive(Clone)]
pub struct Signers(Arc<SignerOf>);

type SignerOf = dyn Fn(Id<Organization>) -> Result<Signer, BadCheckpoint> + Send + Sync;

impl Signers {
    /// Signers made by `of`, which fails only when the cryptographic library refuses a seed.
    pub fn new(of: impl Fn(Id<Organization>) -> Result<Signer, BadCheckpoint> + Send + Sync + 'static) -> Self {
        Self(Arc::new(of))
    }

    pub(crate) fn of(&self, organization: Id<Organization>) -> Result<Signer, StoreError> {
        (self.0)(organization).map_err(|bad| StoreError::Setup(format!("no signing key for {organization}: {bad}")))
    }
}

impl std::fmt::Debug for Signers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signers")
    }
}

/// Everything that is kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) backend: Backend,
    pub(crate) statements: Statements,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) signers: Signers,
    pub(crate) origin: String,
    pub(crate) compared: Compared,
    moved: broadcast::Sender<Moved>,
    transactions: AtomicU64,
}

/// An organization's trail has grown up to `seq`, or may have: a commit's answer can be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whose.
    pub organization: Id<Organization>,
    /// Up to where.
    pub seq: Seq,
}

impl Store {
    /// Opens the database, and makes and migrates its control schema. Other programs may have it open as well; what they
    /// are in the midst of is left alone.
    ///
    /// # Errors
    /// When the database cannot be reached, used or migrated.
    pub async fn open(settings: StoreSettings) -> Result<Self, StoreError> {
        let StoreSettings { database, clock, entropy, signers, origin } = settings;
        let statements = Statements::default();
        let backend = match database {
            Database::Sqlite { folder, open_organizations } => {
                Backend::Sqlite(Sqlite::open(&folder, open_organizations, &statements).await?)
            }
            Database::Postgres { serving, owner, connections } => {
                Backend::Postgres(Postgres::open(&serving, &owner, connections, &statements).await?)
            }
        };
        let (moved, _) = broadcast::channel(1024);
        Ok(Self(Arc::new(Inner {
            backend,
            statements,
            clock,
            entropy,
            signers,
            origin,
            compared: Compared::default(),
            moved,
            transactions: AtomicU64::new(1),
        })))
    }

    /// The number of a transaction that begins; none has it twice, and none is 0.
    pub(crate) fn next_transaction(&self) -> u64 {
        self.0.transactions.fetch_add(1, Ordering::Relaxed)
    }

    /// Hears of every commit from now on. One who lags behind is told so and asks the trails themselves.
    pub fn moves(&self) -> broadcast::Receiver<Moved> {
        self.0.moved.subscribe()
    }

    pub(crate) fn tell(&self, moved: Moved) {
        // Nobody listening is no fault: whoever starts to listen reads from the trail.
        drop(self.0.moved.send(moved));
    }

    /// A new id of a request that the program makes itself.
    pub fn request_id(&self) -> Id<Request> {
        Id::new(self.0.clock.now(), &self.0.entropy)
    }
}
