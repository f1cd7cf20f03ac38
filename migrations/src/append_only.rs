//! Triggers that refuse to change what is only ever appended to. One small dialect for each back end.

use sea_orm::{DbBackend, DbErr};
use sea_orm_migration::SchemaManager;
use sea_orm_migration::sea_orm::ConnectionTrait;

/// Refuses UPDATE, DELETE and (where there is one) TRUNCATE on each of `tables` for everyone, owners included.
pub(crate) async fn protect(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    if manager.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared(REFUSE_POSTGRES).await?;
    }
    for table in tables {
        let sql = match manager.get_database_backend() {
            DbBackend::Postgres => format!(
                "CREATE TRIGGER {table}_no_rewrite BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION append_only();
                 CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION append_only();"
            ),
            _ => format!(
                "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
                 CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;"
            ),
        };
        connection.execute_unprepared(&sql).await?;
    }
    Ok(())
}

const REFUSE_POSTGRES: &str = "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;";
