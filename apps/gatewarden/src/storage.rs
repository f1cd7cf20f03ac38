//! Opening what is kept.

use anyhow::{Context, anyhow};
use gatewarden_credentials::RootKey;
use gatewarden_store::{Database, Hold, Signers, Store, StoreError, StoreSettings};
use gatewarden_trail::Signer;
use gatewarden_types::{Clock, Entropy};

use crate::{secret_key, settings::Settings};

/// What logs are called in their checkpoints. It stays what it is when the program moves to another host or name, and
/// organizations' ids tell installations apart.
const ORIGIN: &str = "gatewarden";

/// The store and the secret that goes with it.
pub struct Storage {
    pub store: Store,
    pub root_key: RootKey,
}

impl Storage {
    /// Opens the store, and makes or migrates its tables.
    pub async fn open(settings: &mut Settings, clock: &Clock, entropy: &Entropy) -> anyhow::Result<Self> {
        if settings.postgres.is_none() {
            secret_key::make_folder(&settings.data)?;
        }
        let root_key = match settings.root_key.take() {
            Some(key) => key,
            None => secret_key::obtain(&settings.data, entropy)?,
        };
        let store = Store::open(StoreSettings {
            database: database(settings),
            clock: clock.clone(),
            entropy: entropy.clone(),
            signers: signers(&root_key)?,
            origin: ORIGIN.to_owned(),
        });
        let store = store.await.context("the database cannot be opened; `gatewarden doctor` looks for the cause")?;
        Ok(Self { store, root_key })
    }

    /// Takes the data for this program alone, as `command`. `otherwise` says what to do while another has it.
    pub async fn hold(&self, command: &str, otherwise: &str) -> anyhow::Result<Hold> {
        let who = format!("gatewarden {command} (process {})", std::process::id());
        self.store.hold(&who).await.map_err(|bad| match bad {
            StoreError::Held { .. } => anyhow!("{bad}; {otherwise}"),
            other => other.into(),
        })
    }
}

/// Where everything is kept.
pub fn database(settings: &Settings) -> Database {
    match &settings.postgres {
        None => {
            Database::Sqlite { folder: settings.data.clone(), open_organizations: settings.limits.open_organizations }
        }
        Some(postgres) => Database::Postgres {
            serving: postgres.serving.expose().clone(),
            owner: postgres.owner.expose().clone(),
            connections: settings.limits.database_connections,
        },
    }
}

fn signers(root_key: &RootKey) -> anyhow::Result<Signers> {
    let root_key: RootKey = root_key.text().expose().parse()?;
    Ok(Signers::new(move |organization| Signer::from_seed(root_key.trail_seed(organization).expose())))
}
