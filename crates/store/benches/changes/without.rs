//! A role changed as the store does it, statement for statement, but for what the trail adds.
//!
//! The same transaction on a connection with the same settings, the same lock, the same rows read for the same
//! decision, the same row put, the same commit. Left out: reading the last leaf, making the entry, and its three
//! inserts. The store has no way to commit without an entry, so the statements are written here by hand.

use std::{collections::BTreeMap, time::Duration};

use gatewarden_access::{Caller, Facts, Owner, Subject, actions, decide, member_powers};
use gatewarden_control::members::ChangeMemberRole;
use gatewarden_store::{Database as Place, StoreError, Table};
use gatewarden_testkit::World;
use gatewarden_types::{Actor, Builtin, Id, Member, Organization, Role, Target, Versioned};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, EntityTrait, IntoActiveModel, Iterable, QueryFilter, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
    sea_query::{OnConflict, SimpleExpr},
};

type Members = <Member as Table>::Entity;
type MemberColumn = <Members as EntityTrait>::Column;

/// A connection (on PostgreSQL: the pool) for each organization.
pub struct Without(BTreeMap<Id<Organization>, DatabaseConnection>);

impl Without {
    /// Opens what the world has as the store does, with `connections` on PostgreSQL.
    pub async fn open(
        world: &World,
        organizations: impl Iterator<Item = Id<Organization>>,
        connections: u32,
    ) -> Result<Self, DbErr> {
        let mut opened = BTreeMap::new();
        match world.database() {
            Place::Sqlite { folder, .. } => {
                for id in organizations {
                    let ledger = folder.join("organizations").join(id.to_string()).join("ledger.db");
                    opened.insert(id, Database::connect(sqlite(&ledger)).await?);
                }
            }
            Place::Postgres { serving, .. } => {
                let pool = Database::connect(postgres(serving, connections)).await?;
                opened.extend(organizations.map(|id| (id, pool.clone())));
            }
        }
        Ok(Self(opened))
    }

    /// What `gatewarden_control::members::change_role` does, without an entry.
    pub async fn change_role(
        &self,
        caller: Caller,
        id: Id<Organization>,
        command: ChangeMemberRole,
    ) -> Result<(), StoreError> {
        let tx = self.begin(id).await?;
        let Actor::Account(account) = caller.actor else { return Err(missing()) };
        let organization = find::<Organization>(&tx, id).await?.record;
        let actor = find_by::<Member>(&tx, MemberColumn::Account.eq(account.uuid())).await?.record;
        let actor_role = find::<Role>(&tx, actor.role).await?.record;
        let facts = Facts::member(caller, &organization, &actor, &actor_role);

        let Versioned { version, record: member } = find::<Member>(&tx, command.member).await?;
        let holds = member_powers(&organization, &find::<Role>(&tx, member.role).await?.record);
        let confers = member_powers(&organization, &find::<Role>(&tx, command.role).await?.record);
        let subject =
            Subject { owner: Owner::Member(member.id), holds, confers, ..Subject::new(Target::of(member.id)) };
        decide::<actions::ChangeMemberRole>(&facts, Some(subject))?;

        let roles = <Role as Table>::Entity::find().all(&tx).await?;
        let roles = roles.into_iter().map(Role::read).collect::<Result<Vec<_>, _>>()?;
        let owner = roles.iter().find(|role| role.record.builtin == Some(Builtin::Owner)).ok_or_else(missing)?;
        if member.role == owner.record.id {
            return Err(missing());
        }
        put(&tx, &Member { role: command.role, ..member }, version + 1).await?;
        Ok(tx.commit().await?)
    }

    async fn begin(&self, id: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        let connection = self.0.get(&id).ok_or_else(missing)?;
        if connection.get_database_backend() == DbBackend::Sqlite {
            let mode = Some(SqliteTransactionMode::Immediate);
            let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
            return Ok(connection.begin_with_options(options).await?);
        }
        let tx = connection.begin().await?;
        let [.., a, b, c, d] = id.uuid().into_bytes();
        let lock = i32::from_be_bytes([a, b, c, d]);
        let enter =
            format!("SET LOCAL ROLE {id}; SET LOCAL search_path = {id}; SELECT pg_advisory_xact_lock(18263, {lock})");
        tx.execute_unprepared(&enter).await?;
        Ok(tx)
    }
}

async fn find<R: Table>(tx: &DatabaseTransaction, id: Id<R>) -> Result<Versioned<R>, StoreError> {
    find_by(tx, R::id_is(id.uuid())).await
}

async fn find_by<R: Table>(tx: &DatabaseTransaction, condition: SimpleExpr) -> Result<Versioned<R>, StoreError> {
    let row = R::Entity::find().filter(condition).one(tx).await?;
    R::read(row.ok_or_else(missing)?)
}

async fn put(tx: &DatabaseTransaction, member: &Member, version: u64) -> Result<(), StoreError> {
    let row = member.row(version)?.into_active_model().reset_all();
    let others = MemberColumn::iter().filter(|column| !matches!(column, MemberColumn::Id));
    let replace = OnConflict::column(MemberColumn::Id).update_columns(others).to_owned();
    Members::insert(row).on_conflict(replace).exec_without_returning(tx).await?;
    Ok(())
}

fn missing() -> StoreError {
    StoreError::Setup("the world is not as the benchmark made it".to_owned())
}

fn postgres(url: String, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).min_connections(0).sqlx_logging(false);
    options.idle_timeout(None::<std::time::Duration>).max_lifetime(None::<std::time::Duration>);
    options
}

fn sqlite(file: &std::path::Path) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", file.display()));
    options.max_connections(1).min_connections(0).sqlx_logging(false).connect_lazy(true);
    options.idle_timeout(None::<std::time::Duration>).max_lifetime(None::<std::time::Duration>);
    options.test_before_acquire(false);
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .pragma("recursive_triggers", "ON")
            .pragma("trusted_schema", "OFF")
            .pragma("journal_size_limit", "4194304")
            .pragma("cache_size", "-2000")
            .busy_timeout(Duration::from_secs(5))
    });
    options
}
