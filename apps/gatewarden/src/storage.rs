//! Opening what is kept.

use anyhow::{Context, anyhow, bail};
use gatewarden_credentials::RootKey;
use gatewarden_store::{Database, Hold, Presence, Signers, Store, StoreError, StoreSettings};
use gatewarden_trail::Signer;
use gatewarden_types::{Clock, Entropy};

use crate::{secret_key, settings::Settings};

/// What logs are called in their checkpoints. It stays what it is when the program moves to another host or name, and
/// organizations' ids tell installations apart.
const ORIGIN: &str = "gatewarden";

/// What to do where nothing is and something should be made.
const MAKE: &str = "To begin with new data, run `gatewarden serve` or `gatewarden init`.";
/// What to do where something is lost.
const PUT_BACK: &str = "Put it back from your backup; until then no trail can be trusted.";

/// The store and the secret that goes with it.
pub struct Storage {
    pub store: Store,
    pub root_key: RootKey,
}

impl Storage {
    /// Opens the store where there is one; where there is none, says so and makes nothing.
    pub async fn open_existing(settings: &mut Settings, clock: &Clock, entropy: &Entropy) -> anyhow::Result<Self> {
        let (data, on_postgres) = (settings.data.display(), settings.postgres.is_some());
        match database(settings).presence().await? {
            Presence::Whole => {}
            Presence::Nothing if on_postgres => {
                bail!("there is no Gatewarden data in the database: name the right one in --database-url. {MAKE}")
            }
            Presence::Nothing => {
                bail!("there is no Gatewarden data in {data}: give the folder that holds it with --data. {MAKE}")
            }
            Presence::Headless if on_postgres => {
                bail!("the schema control is missing, which lists the organizations that are there. {PUT_BACK}")
            }
            Presence::Headless => {
                bail!("{data}/control.db is missing, which lists the organizations that are there. {PUT_BACK}")
            }
        }
        Self::open(settings, clock, entropy).await
    }

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
