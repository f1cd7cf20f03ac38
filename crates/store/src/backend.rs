//! The two back ends: how a transaction for one organization is begun, and how an organization comes to be.
//!
//! Everything above this module is one code path; what differs is a small file each.

mod postgres;
mod sqlite;

use std::time::Duration;

use gatewarden_types::{Id, Organization};
use sea_orm::{ConnectOptions, DatabaseTransaction};

use crate::{StoreError, hold::Lock};

pub(crate) use postgres::{Postgres, organizations_within};
pub(crate) use sqlite::{Sqlite, organizations_in};

/// A pool of at most so many connections, made when they are needed and kept.
///
/// Without an end of idling or of life no task looks after the pool: in sqlx 0.9.0 that task can read a count below zero
/// and then turns for ever (sqlx issue 3645).
pub(crate) fn pool(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(0).sqlx_logging(false);
    options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
    options
}

/// Where the data is.
#[derive(Debug)]
pub(crate) enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

macro_rules! each {
    ($self:ident, $backend:ident => $do:expr) => {
        match $self {
            Self::Sqlite($backend) => $do,
            Self::Postgres($backend) => $do,
        }
    };
}

impl Backend {
    /// Begins a change of the control schema, as its only writer.
    pub(crate) async fn change_control(&self) -> Result<DatabaseTransaction, StoreError> {
        each!(self, backend => backend.change_control().await)
    }

    /// Begins a read of the control schema.
    pub(crate) async fn read_control(&self) -> Result<DatabaseTransaction, StoreError> {
        each!(self, backend => backend.read_control().await)
    }

    /// Begins a change of an organization, as its only writer.
    pub(crate) async fn change(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        each!(self, backend => backend.change(organization).await)
    }

    /// Begins a read of one state of an organization.
    pub(crate) async fn read(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        each!(self, backend => backend.read(organization).await)
    }

    /// Begins a change of what is observed of an organization; it never waits for a change of policy.
    pub(crate) async fn observe(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        each!(self, backend => backend.observe(organization).await)
    }

    /// Begins a read of what is observed of an organization, where that is a database of its own; none where a read of
    /// the organization sees it too.
    pub(crate) async fn observed(
        &self,
        organization: Id<Organization>,
    ) -> Result<Option<DatabaseTransaction>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.observed(organization).await.map(Some),
            Self::Postgres(_) => Ok(None),
        }
    }

    /// Makes the tables of an organization; done already, it does nothing.
    pub(crate) async fn provision(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        each!(self, backend => backend.provision(organization).await)
    }

    /// Removes the tables of an organization whose creation was never acknowledged.
    pub(crate) async fn discard(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        each!(self, backend => backend.discard(organization).await)
    }

    /// Whether the tables of an organization are there.
    pub(crate) async fn provisioned(&self, organization: Id<Organization>) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => Ok(sqlite.provisioned(organization)),
            Self::Postgres(postgres) => postgres.provisioned(organization).await,
        }
    }

    /// Every organization that has tables, listed or not.
    pub(crate) async fn all_tables(&self) -> Result<Vec<Id<Organization>>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.all_tables(),
            Self::Postgres(postgres) => postgres.all_tables().await,
        }
    }

    /// Where the tables of an organization are or should be, for people.
    pub(crate) fn tables_of(&self, organization: Id<Organization>) -> String {
        match self {
            Self::Sqlite(sqlite) => sqlite.tables_of(organization),
            Self::Postgres(_) => format!("the schema {organization}"),
        }
    }

    /// Takes the data for this program alone, as `who`.
    pub(crate) async fn hold(&self, who: &str) -> Result<Lock, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.hold(who),
            Self::Postgres(postgres) => postgres.hold(who).await,
        }
    }

    /// Lets go of every connection to the organization (none: to the control schema) whose last commit gave no
    /// clear answer, so that what is read next comes from the database itself.
    pub(crate) async fn reopen(&self, organization: Option<Id<Organization>>) -> Result<(), StoreError> {
        each!(self, backend => backend.reopen(organization).await)
    }

    /// Ends a transaction in which it was looked what became of another. Of that one nothing more can happen afterwards.
    pub(crate) async fn settle(&self, looked: DatabaseTransaction) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => sqlite::settle(looked).await,
            // The other had ended, or this one would not have had the lock.
            Self::Postgres(_) => Ok(looked.rollback().await?),
        }
    }
}
