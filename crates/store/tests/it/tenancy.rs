//! On PostgreSQL the database itself refuses what is another organization's. Proven with the serving login alone.

use futures::future::join_all;
use gatewarden_control::organizations;
use gatewarden_store::Database;
use gatewarden_testkit::World;
use gatewarden_types::{Id, Organization};
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};

/// `insufficient_privilege`
const REFUSED: &str = "42501";
const ORGANIZATIONS: usize = 20;
const TURNS: usize = 12;

/// A connection as the program serves with.
async fn login(world: &World) -> DatabaseConnection {
    let Database::Postgres { serving, .. } = world.database() else { panic!("PostgreSQL alone") };
    let mut options = ConnectOptions::new(serving);
    options.max_connections(1).sqlx_logging(false);
    options.idle_timeout(None::<std::time::Duration>).max_lifetime(None::<std::time::Duration>);
    sea_orm::Database::connect(options).await.unwrap()
}

fn code(refused: &DbErr) -> Option<String> {
    let (DbErr::Exec(error) | DbErr::Query(error)) = refused else { return None };
    let sea_orm::RuntimeErr::SqlxError(error) = error else { return None };
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Runs a statement as the program begins an organization's transaction (none: as the login alone).
async fn attempt(login: &DatabaseConnection, organization: Option<Id<Organization>>, sql: &str) -> Result<(), DbErr> {
    let tx = login.begin().await?;
    if let Some(organization) = organization {
        tx.execute_unprepared(&format!("SET LOCAL ROLE {organization}; SET LOCAL search_path = {organization}"))
            .await?;
    }
    let done = tx.execute_unprepared(sql).await.map(drop);
    tx.rollback().await?;
    done
}

async fn assert_refused(login: &DatabaseConnection, organization: Option<Id<Organization>>, sql: &str) {
    let refused = attempt(login, organization, sql).await.expect_err(sql);
    assert_eq!(code(&refused).as_deref(), Some(REFUSED), "{sql}: {refused}");
}

/// A statement of each kind on each object of a schema, from the catalogue.
async fn statements(world: &World, schema: &str) -> Vec<String> {
    let beneath = world.beneath_control().await;
    let relations = format!(
        "SELECT c.relname || ' ' || (SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum = 1)
         FROM pg_class c WHERE c.relnamespace = '{schema}'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    );
    let mut statements = Vec::new();
    for relation in beneath.texts(&relations).await {
        let (table, column) = relation.split_once(' ').unwrap();
        let table = format!("{schema}.{table}");
        statements.extend([
            format!("SELECT * FROM {table}"),
            format!("SELECT count(*) FROM {table}"),
            format!("INSERT INTO {table} DEFAULT VALUES"),
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("COPY {table} TO STDOUT"),
            format!("COPY {table} FROM STDIN"),
            format!("LOCK TABLE {table}"),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
        ]);
    }
    let functions = format!("SELECT proname::text FROM pg_proc WHERE pronamespace = '{schema}'::regnamespace");
    statements.extend(beneath.texts(&functions).await.iter().map(|name| format!("SELECT {schema}.{name}()")));
    let sequences =
        format!("SELECT relname::text FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'S'");
    statements.extend(beneath.texts(&sequences).await.iter().map(|name| format!("SELECT nextval('{schema}.{name}')")));
    statements.push(format!("CREATE TABLE {schema}.made (id int)"));
    statements
}

// proves RQ-041, PK-002, LL-102, LL-103
#[test]
fn another_organization_and_control_are_refused_object_by_object() {
    gatewarden_testkit::on_postgres(|world| async move {
        let login = login(&world).await;
        attempt(&login, Some(world.org()), "SELECT id FROM members").await.expect("one's own is read");
        for schema in [world.other_org().to_string(), "control".to_owned()] {
            let statements = statements(&world, &schema).await;
            assert!(statements.len() > 70, "{schema} has tables and a function");
            for sql in statements {
                assert_refused(&login, Some(world.org()), &sql).await;
            }
        }
    });
}

#[test]
fn the_login_alone_reads_no_organization() {
    gatewarden_testkit::on_postgres(|world| async move {
        let login = login(&world).await;
        for organization in [world.org(), world.other_org()] {
            for sql in statements(&world, &organization.to_string()).await {
                assert_refused(&login, None, &sql).await;
            }
        }
    });
}

#[test]
fn an_expression_changes_neither_role_nor_path() {
    gatewarden_testkit::on_postgres(|world| async move {
        let (login, other) = (login(&world).await, world.other_org());
        for sql in [
            format!("SELECT set_config('role', '{other}', true)"),
            format!("SELECT relname FROM pg_class WHERE set_config('search_path', '{other}', true) <> ''"),
            format!("UPDATE pg_catalog.pg_settings SET setting = '{other}' WHERE name = 'role'"),
            "SELECT pg_read_file('/etc/passwd')".to_owned(),
            "COPY pg_class TO PROGRAM 'cat'".to_owned(),
        ] {
            assert_refused(&login, Some(world.org()), &sql).await;
            assert_refused(&login, None, &sql).await;
        }
    });
}

#[test]
fn no_statement_is_stacked_on_a_bound_one() {
    gatewarden_testkit::on_postgres(|world| async move {
        let (login, other) = (login(&world).await, world.other_org());
        let stacked = format!("SELECT $1::text; SET LOCAL ROLE {other}");
        let bound = Statement::from_sql_and_values(DbBackend::Postgres, stacked, ["x".into()]);
        let refused = login.query_one_raw(bound).await.unwrap_err();
        assert_eq!(code(&refused).as_deref(), Some("42601"), "{refused}");
        let unbound = format!("SELECT 1; SET LOCAL ROLE {other}");
        let refused = login.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, unbound, [])).await;
        assert!(refused.is_err(), "without values it is no simple query either");
    });
}

#[test]
fn interleaved_organizations_on_few_connections_leak_nothing() {
    gatewarden_testkit::on_postgres(|world| async move {
        let slugs: Vec<_> = (0..ORGANIZATIONS).map(|n| format!("house-{n}")).collect();
        let mut houses = Vec::new();
        for slug in &slugs {
            houses.push(world.found(slug).await);
        }
        let visit = async |house: &gatewarden_testkit::House| {
            for turn in 0..TURNS {
                let name = format!("{} in turn {turn}", house.slug).parse().unwrap();
                let command = organizations::UpdateOrganization { name: Some(name), ..Default::default() };
                organizations::update(world.app(), &house.owner.caller(), house.id, command).await.unwrap();
                let read = organizations::read(world.app(), &house.owner.caller(), house.id).await.unwrap();
                assert_eq!(read.record.id, house.id);
                assert_eq!(read.record.name.as_str(), format!("{} in turn {turn}", house.slug));
                let trail = world.trail(house.id).await;
                let entry = gatewarden_trail::Entry::from_bytes(&trail.last().unwrap().bytes).unwrap();
                assert_eq!((entry.organization, entry.seq), (Some(house.id), trail.len() as u64));
            }
        };
        join_all(houses.iter().map(visit)).await;
        for house in &houses {
            assert_eq!(world.trail(house.id).await.len(), 1 + TURNS);
        }
    });
}
