//! A database of a world's own, gone when the world is.

use gatewarden_store::Database;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use tempfile::TempDir;
use url::Url;

use crate::{ambient::fresh_seed, run::say_left_out};

/// What a superuser does once in a PostgreSQL database, so that no expression changes who one is.
pub const HARDENING: &str = "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
    REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC";

/// How many serving connections a world has: few, so that they are shared.
pub(crate) const CONNECTIONS: u32 = 4;

/// Where a world's data is.
#[derive(Debug)]
pub(crate) enum Held {
    Sqlite(TempDir),
    Postgres(Postgres),
}

/// An empty PostgreSQL database with an owner and a login of its own; both and all of it go when this goes.
#[derive(Debug)]
pub struct Postgres {
    superuser: Url,
    name: String,
}

impl Held {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("the machine has a folder for temporary files"))
    }

    /// Makes one on the server of `GATEWARDEN_TEST_POSTGRES`; none, and told, when that is not set.
    pub(crate) async fn postgres(seed: u64) -> Option<Self> {
        Postgres::make(seed).await.map(Self::Postgres)
    }

    /// As the store opens it, with so many connections where it takes any.
    pub(crate) fn settings(&self, connections: u32) -> Database {
        match self {
            Self::Sqlite(folder) => Database::Sqlite { folder: folder.path().to_owned(), open_organizations: 64 },
            Self::Postgres(postgres) => Database::Postgres {
                serving: postgres.serving().to_string(),
                owner: postgres.owner().to_string(),
                connections,
            },
        }
    }
}

impl Postgres {
    /// Makes one on the server of `GATEWARDEN_TEST_POSTGRES`, a superuser's URL; none, and told, when that is not set.
    pub async fn fresh() -> Option<Self> {
        Self::make(fresh_seed()).await
    }

    pub(crate) async fn make(seed: u64) -> Option<Self> {
        let Some(superuser) = std::env::var("GATEWARDEN_TEST_POSTGRES").ok().filter(|url| !url.is_empty()) else {
            say_left_out();
            return None;
        };
        let superuser = Url::parse(&superuser).expect("GATEWARDEN_TEST_POSTGRES is a URL");
        let postgres = Self { superuser, name: format!("gw_{seed:016x}") };
        postgres.create().await;
        Some(postgres)
    }

    /// The URL of the login that serves.
    pub fn serving(&self) -> Url {
        self.url("login")
    }

    /// The URL of the login that owns.
    pub fn owner(&self) -> Url {
        self.url("owner")
    }

    /// Runs statements in it as a superuser.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn run(&self, sql: &str) -> Result<(), DbErr> {
        let database = connect(&self.database()).await;
        database.execute_unprepared(sql).await?;
        database.close().await
    }

    /// The URL of one of the database's two roles.
    fn url(&self, role: &str) -> Url {
        let mut url = self.database();
        let set = url.set_username(&self.role(role)).and_then(|()| url.set_password(Some(&self.name)));
        set.expect("a PostgreSQL URL takes a user");
        url
    }

    /// The name of one of them.
    pub(crate) fn role(&self, role: &str) -> String {
        format!("{}_{role}", self.name)
    }

    /// The superuser's URL of this database.
    pub(crate) fn database(&self) -> Url {
        let mut url = self.superuser.clone();
        url.set_path(&self.name);
        url
    }

    async fn create(&self) {
        let server = connect(&self.superuser).await;
        let name = &self.name;
        for sql in [
            format!("CREATE ROLE {name}_owner LOGIN CREATEROLE PASSWORD '{name}'"),
            format!("CREATE ROLE {name}_login LOGIN NOINHERIT PASSWORD '{name}'"),
            format!("CREATE DATABASE {name} OWNER {name}_owner"),
        ] {
            server.execute_unprepared(&sql).await.expect("a superuser makes roles and databases");
        }
        server.close().await.expect("a connection closes");
        self.run(HARDENING).await.expect("a superuser takes rights away");
    }

    async fn remove(&self) -> Result<(), DbErr> {
        let database = connect(&self.database()).await;
        let roles = Statement::from_string(
            DbBackend::Postgres,
            "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname LIKE 'org\\_%'",
        );
        let rows = database.query_all_raw(roles).await?;
        let roles = rows.iter().map(|row| row.try_get_by_index(0)).collect::<Result<Vec<String>, _>>()?;
        database.close().await?;
        let (server, name) = (connect(&self.superuser).await, &self.name);
        server.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        for role in roles.into_iter().chain([format!("{name}_login"), format!("{name}_owner")]) {
            server.execute_unprepared(&format!("DROP ROLE {role}")).await?;
        }
        server.close().await
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A world may be dropped inside a runtime, which cannot wait for another task: a thread of its own can.
        let removed = std::thread::scope(|scope| {
            let remove = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.remove()).map_err(std::io::Error::other)
            };
            scope.spawn(remove).join()
        });
        if !matches!(removed, Ok(Ok(()))) {
            eprintln!("the database {} could not be removed: {removed:?}", self.name);
        }
    }
}

/// One connection.
pub(crate) async fn connect(url: &Url) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url.as_str());
    options.max_connections(1).min_connections(0).sqlx_logging(false);
    options.idle_timeout(None::<std::time::Duration>).max_lifetime(None::<std::time::Duration>);
    sea_orm::Database::connect(options).await.expect("the database answers")
}
