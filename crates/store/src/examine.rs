//! What an operator should know of a PostgreSQL before organizations live on it. Changes nothing.

use sea_orm::{ConnectionTrait, Database as Connect, DatabaseConnection, DbBackend, Statement};

use crate::{Database, StoreError, backend::pool};

/// How a PostgreSQL is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each shown on a line of its own")]
pub struct Examination {
    /// Its major version.
    pub version: i32,
    /// Whether one login serves and owns, so that the database guards nothing from the program.
    pub one_login: bool,
    /// Whether the serving login takes on the rights of its roles unasked (INHERIT), or is a superuser.
    pub login_inherits: bool,
    /// Whether organizations' roles may not call `set_config`.
    pub set_config_revoked: bool,
    /// Whether organizations' roles may not write `pg_settings`.
    pub settings_revoked: bool,
    /// Whether the owning login may create schemas and roles.
    pub owner_creates: bool,
}

const SERVING: &str = "
    SELECT current_user::text,
        current_setting('server_version_num')::int / 10000,
        (SELECT rolinherit OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
        NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
            WHERE p.oid = 'pg_catalog.set_config(text,text,boolean)'::regprocedure AND a.grantee = 0),
        NOT EXISTS (
            SELECT 1 FROM pg_catalog.pg_class c, aclexplode(c.relacl) a
            WHERE c.oid = 'pg_catalog.pg_settings'::regclass AND a.grantee = 0 AND a.privilege_type = 'UPDATE')";

const OWNING: &str = "
    SELECT current_user::text,
        (SELECT rolcreaterole OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)
        AND has_database_privilege(current_database(), 'CREATE')";

impl Database {
    /// Looks at a PostgreSQL through both of its logins; none for SQLite, which needs no looking at.
    ///
    /// # Errors
    /// When it cannot be reached with these URLs.
    pub async fn examine(&self) -> Result<Option<Examination>, StoreError> {
        let Self::Postgres { serving, owner, .. } = self else { return Ok(None) };
        let serving = row(&connect(serving).await?, Statement::from_string(DbBackend::Postgres, SERVING)).await?;
        let owner = row(&connect(owner).await?, Statement::from_string(DbBackend::Postgres, OWNING)).await?;
        let (login, owning): (String, String) = (serving.try_get_by_index(0)?, owner.try_get_by_index(0)?);
        Ok(Some(Examination {
            version: serving.try_get_by_index(1)?,
            one_login: login == owning,
            login_inherits: serving.try_get_by_index(2)?,
            set_config_revoked: serving.try_get_by_index(3)?,
            settings_revoked: serving.try_get_by_index(4)?,
            owner_creates: owner.try_get_by_index(1)?,
        }))
    }
}

pub(crate) async fn connect(url: &str) -> Result<DatabaseConnection, StoreError> {
    let mut options = pool(url, 1);
    options.connect_timeout(std::time::Duration::from_secs(10));
    Ok(Connect::connect(options).await?)
}

async fn row(connection: &DatabaseConnection, asked: Statement) -> Result<sea_orm::QueryResult, StoreError> {
    let row = connection.query_one_raw(asked).await?;
    row.ok_or_else(|| StoreError::Setup("the database answered nothing".to_owned()))
}
