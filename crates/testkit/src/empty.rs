//! A database that nobody has used yet.

use std::sync::Arc;

use gatewarden_control::App;
use gatewarden_credentials::RootKey;
use gatewarden_migrations::Class;
use gatewarden_types::{Entropy, Id, Organization};
use tempfile::TempDir;

use crate::{
    Beneath, Tables, Time,
    ambient::{fresh_seed, seeded},
    beneath::Part,
    database::{CONNECTIONS, Held},
    world::open,
};

/// An app over a database of its own in which there is nobody, as at a first start.
#[derive(Debug)]
pub struct Empty {
    // Before the database, which cannot go while it is open.
    pub(crate) app: App,
    pub(crate) time: Time,
    pub(crate) root: Arc<RootKey>,
    pub(crate) entropy: Entropy,
    pub(crate) seed: u64,
    pub(crate) held: Held,
    pub(crate) mail: TempDir,
}

impl Empty {
    /// One in a temporary folder.
    pub async fn sqlite() -> Self {
        Self::new(fresh_seed(), Held::sqlite()).await
    }

    /// One on the PostgreSQL server of `GATEWARDEN_TEST_POSTGRES`; none when that is not set.
    pub async fn postgres() -> Option<Self> {
        let seed = fresh_seed();
        Some(Self::new(seed, Held::postgres(seed).await?).await)
    }

    async fn new(seed: u64, held: Held) -> Self {
        let (time, entropy) = (Time::start(), seeded(seed));
        let root = Arc::new(RootKey::generate(&entropy));
        let mail = tempfile::tempdir().expect("a temporary folder is made");
        let app = open(held.settings(CONNECTIONS), &time, &entropy, &root, mail.path()).await;
        Self { app: app.expect("an empty database opens"), time, root, entropy, seed, held, mail }
    }

    /// What use cases work with.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Every row of an organization that came to be here which is neither observed nor of its trail.
    pub async fn tables(&self, organization: Id<Organization>) -> Tables {
        self.held.tables(Some(organization), |class| !matches!(class, Class::Observed | Class::Trail)).await
    }

    /// A way into an organization's tables that the program knows nothing of. On SQLite: into its ledger.
    pub async fn beneath(&self, organization: Id<Organization>) -> Beneath {
        self.held.beneath(Part::Ledger(organization)).await
    }

    /// A way into what is observed of an organization.
    pub async fn beneath_observed(&self, organization: Id<Organization>) -> Beneath {
        self.held.beneath(Part::Observed(organization)).await
    }
}
