//! Whether there is an installation's data at all, looked at without making any.

use gatewarden_types::{Id, Organization};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{
    Database, StoreError,
    backend::{organizations_in, organizations_within},
    examine::connect,
};

/// What there is of an installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Nothing,
    /// Organizations, but not the control schema that lists them.
    Headless,
    /// The control schema, and whatever it lists.
    Whole,
}

const CONTROL: &str = "
    SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'control' AND c.relname = 'organizations'";

impl Database {
    /// Looks what there is. Makes nothing.
    ///
    /// # Errors
    /// When the folder or the database cannot be looked into.
    pub async fn presence(&self) -> Result<Presence, StoreError> {
        let (control, organizations) = match self {
            Self::Sqlite { folder, .. } => {
                let control = folder.join("control.db");
                let there = control.try_exists().map_err(|bad| {
                    StoreError::Setup(format!("it cannot be seen whether {} is there: {bad}", control.display()))
                })?;
                (there, organizations_in(folder)?)
            }
            Self::Postgres { owner, .. } => {
                let connection = connect(owner).await?;
                let control = Statement::from_string(DbBackend::Postgres, CONTROL);
                (connection.query_one_raw(control).await?.is_some(), organizations_within(&connection).await?)
            }
        };
        Ok(presence(control, &organizations))
    }
}

fn presence(control: bool, organizations: &[Id<Organization>]) -> Presence {
    match (control, organizations) {
        (true, _) => Presence::Whole,
        (false, []) => Presence::Nothing,
        (false, _) => Presence::Headless,
    }
}
