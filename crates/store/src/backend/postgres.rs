//! PostgreSQL: a control schema, and a schema and a role for each organization.
//!
//! Three kinds of role: an owner that migrates, a NOINHERIT login that serves, and for each organization a NOLOGIN
//! role that the login takes on for one transaction. Statements in the simple protocol carry constants, numbers and
//! names of the form `org_` and 26 letters and digits, and nothing else.

use gatewarden_migrations::{CONTROL_TABLES, Class, Control, ORGANIZATION_TABLES, Part, Tenant};
use gatewarden_types::{Id, Organization};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbErr,
    IsolationLevel, TransactionTrait, Value,
};
use sea_orm_migration::MigratorTraitSelf;

use super::pool;
use crate::{StoreError, hold::Lock, statements::Statements};

/// The class of our advisory locks, so that they never meet those of another program in the database.
const LOCK_CLASS: i32 = 0x4757;

/// Who holds the data.
const HOLDER: &str = "
    SELECT coalesce(nullif(application_name, ''), 'another program') || coalesce(' at ' || host(client_addr), '')
    FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
    WHERE locktype = 'advisory' AND l.granted AND classid = 18264 AND objid = 2 AND objsubid = 2
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())";

const SCHEMAS: &str = "SELECT nspname::text FROM pg_catalog.pg_namespace";

/// How long those who serve wait for a lock, for an answer, and between two statements of a transaction: whoever asked
/// has given up by then, and others want the connection and what it locks. The owner's migrations take what they take.
const PATIENCE: [(&str, &str); 3] =
    [("lock_timeout", "10s"), ("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "60s")];

/// The PostgreSQL back end.
pub(crate) struct Postgres {
    serving: DatabaseConnection,
    owner: DatabaseConnection,
    owner_url: String,
    login: String,
}

impl std::fmt::Debug for Postgres {
    /// URLs carry passwords, so they are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Postgres({})", self.login)
    }
}

impl Postgres {
    /// Connects, and makes or migrates the control schema. `connections` bounds the serving pool.
    pub(crate) async fn open(
        serving_url: &str,
        owner_url: &str,
        connections: u32,
        statements: &Statements,
    ) -> Result<Self, StoreError> {
        let serving = statements.watch(Database::connect(serving_pool(serving_url, connections)).await?);
        let owner = Database::connect(pool(owner_url, 2)).await?;
        let login = text(&serving, "SELECT quote_ident(current_user)").await?;
        let store = Self { serving, owner, owner_url: owner_url.to_owned(), login };
        store.migrate_control().await?;
        Ok(store)
    }

    async fn migrate_control(&self) -> Result<(), StoreError> {
        let tx = self.owner.begin().await?;
        // One starting program migrates at a time.
        tx.execute_unprepared("SELECT pg_advisory_xact_lock(18264, 0); CREATE SCHEMA IF NOT EXISTS control; SET LOCAL search_path = control")
            .await?;
        Control.up(&tx, None).await?;
        grant(&tx, CONTROL_TABLES, "control", &self.login).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn change_control(&self) -> Result<DatabaseTransaction, StoreError> {
        let tx = self.serving.begin().await?;
        tx.execute_unprepared("SET LOCAL search_path = control; SELECT pg_advisory_xact_lock(18264, 1)").await?;
        Ok(tx)
    }

    pub(crate) async fn read_control(&self) -> Result<DatabaseTransaction, StoreError> {
        let tx = self.serving.begin_with_config(None, Some(AccessMode::ReadOnly)).await?;
        tx.execute_unprepared("SET LOCAL search_path = control").await?;
        Ok(tx)
    }

    pub(crate) async fn change(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        let tx = self.serving.begin().await?;
        let lock = lock_number(organization);
        let enter = format!("{}; SELECT pg_advisory_xact_lock({LOCK_CLASS}, {lock})", enter(organization));
        entered(tx.execute_unprepared(&enter).await)?;
        Ok(tx)
    }

    pub(crate) async fn read(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        let (isolation, access) = (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly));
        let tx = self.serving.begin_with_config(isolation, access).await?;
        entered(tx.execute_unprepared(&enter(organization)).await)?;
        Ok(tx)
    }

    pub(crate) async fn observe(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        let tx = self.serving.begin().await?;
        entered(tx.execute_unprepared(&enter(organization)).await)?;
        Ok(tx)
    }

    pub(crate) async fn provisioned(&self, organization: Id<Organization>) -> Result<bool, StoreError> {
        let name: Value = organization.to_string().into();
        let query = sea_orm::Statement::from_sql_and_values(
            sea_orm::DbBackend::Postgres,
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1",
            [name],
        );
        Ok(self.owner.query_one_raw(query).await?.is_some())
    }

    pub(crate) async fn all_tables(&self) -> Result<Vec<Id<Organization>>, StoreError> {
        organizations_within(&self.owner).await
    }

    /// One transaction, so that a program that dies in it leaves nothing.
    pub(crate) async fn provision(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        if self.provisioned(organization).await? {
            return Ok(());
        }
        let (name, login) = (organization.to_string(), &self.login);
        let tx = self.owner.begin().await?;
        let create = format!(
            "CREATE ROLE {name} NOLOGIN; GRANT {name} TO {login}; CREATE SCHEMA {name}; SET LOCAL search_path = {name}"
        );
        tx.execute_unprepared(&create).await?;
        Tenant(Part::Whole).up(&tx, None).await?;
        grant(&tx, ORGANIZATION_TABLES, &name, &name).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn discard(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        let name = organization.to_string();
        let drop = format!("DROP SCHEMA IF EXISTS {name} CASCADE; DROP ROLE IF EXISTS {name}");
        self.owner.execute_unprepared(&drop).await?;
        Ok(())
    }

    /// Takes a lock that ends with its connection. Waits for it a little, because the connection of a program that was
    /// killed ends a little after the program.
    pub(crate) async fn hold(&self, who: &str) -> Result<Lock, StoreError> {
        let mut options = pool(&self.owner_url, 1);
        let name = who.to_owned();
        options.map_sqlx_postgres_opts(move |postgres| postgres.application_name(&name));
        let connection = Database::connect(options).await?;
        match connection.execute_unprepared("SET lock_timeout = '3s'; SELECT pg_advisory_lock(18264, 2)").await {
            Ok(_) => Ok(Box::new(connection)),
            Err(bad) => match text(&connection, HOLDER).await {
                Ok(by) => Err(StoreError::Held { by }),
                // Nobody holds it, so it is something else that went wrong.
                Err(_) => Err(bad.into()),
            },
        }
    }

    /// The pool drops a connection that failed by itself and tests each before it is lent again.
    #[expect(clippy::unused_async, reason = "the other back end awaits here")]
    pub(crate) async fn reopen(&self, _organization: Option<Id<Organization>>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The organizations that have a schema.
pub(crate) async fn organizations_within(connection: &DatabaseConnection) -> Result<Vec<Id<Organization>>, StoreError> {
    let schemas = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, SCHEMAS);
    let rows = connection.query_all_raw(schemas).await?;
    let names = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// As [`pool`], with an end to every wait.
fn serving_pool(url: &str, connections: u32) -> ConnectOptions {
    let mut options = pool(url, connections);
    options.map_sqlx_postgres_opts(|postgres| postgres.options(PATIENCE));
    options
}

/// Takes on the organization's role and sees its schema alone, until the transaction ends.
fn enter(organization: Id<Organization>) -> String {
    format!("SET LOCAL ROLE {organization}; SET LOCAL search_path = {organization}")
}

fn entered<T>(result: Result<T, DbErr>) -> Result<(), StoreError> {
    result.map(drop).map_err(StoreError::from)
}

/// The last 32 bits of the id, which are random.
fn lock_number(organization: Id<Organization>) -> i32 {
    let [.., a, b, c, d] = organization.uuid().into_bytes();
    i32::from_be_bytes([a, b, c, d])
}

/// What a role may do with each table: the trail it may only read and append to. The list is written out, because
/// ALL TABLES IN SCHEMA takes longer the more organizations there are.
async fn grant(tx: &DatabaseTransaction, tables: &[(&str, Class)], schema: &str, role: &str) -> Result<(), StoreError> {
    let names = |trail: bool| -> String {
        let chosen = tables.iter().filter(|(_, class)| (*class == Class::Trail) == trail);
        chosen.map(|(table, _)| format!("{schema}.{table}")).collect::<Vec<_>>().join(", ")
    };
    let sql = format!(
        "GRANT USAGE ON SCHEMA {schema} TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {role};
         GRANT SELECT, INSERT ON {} TO {role}",
        names(false),
        names(true)
    );
    tx.execute_unprepared(&sql).await?;
    Ok(())
}

async fn text(connection: &DatabaseConnection, sql: &'static str) -> Result<String, StoreError> {
    let query = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = connection.query_one_raw(query).await?;
    let row = row.ok_or_else(|| StoreError::Setup("the database answered nothing".to_owned()))?;
    Ok(row.try_get_by_index(0)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_who_serves_waits_for_ever() {
        let Some(url) = std::env::var("GATEWARDEN_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else { return };
        let serving = Database::connect(serving_pool(&url, 1)).await.unwrap();
        assert_eq!(text(&serving, "SHOW lock_timeout").await.unwrap(), "10s");
        assert_eq!(text(&serving, "SHOW statement_timeout").await.unwrap(), "30s");
        assert_eq!(text(&serving, "SHOW idle_in_transaction_session_timeout").await.unwrap(), "1min");
    }
}
