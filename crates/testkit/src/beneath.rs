//! What is in the database, looked at (and meddled with) underneath the program.

use std::collections::BTreeMap;

use gatewarden_migrations::{CONTROL_TABLES, Class, ORGANIZATION_TABLES};
use gatewarden_types::{Id, Organization};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

use crate::database::{Held, connect};

/// Each table's rows as text, in order: equal texts are equal rows.
pub type Tables = BTreeMap<&'static str, Vec<String>>;

/// A connection of a superuser, or to the SQLite file, that the program knows nothing of.
#[derive(Debug)]
pub struct Beneath {
    connection: DatabaseConnection,
    schema: Option<String>,
}

/// Which schema, or which file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Control,
    Ledger(Id<Organization>),
    Observed(Id<Organization>),
}

impl Part {
    fn of(class: Class, organization: Id<Organization>) -> Self {
        if class == Class::Observed { Self::Observed(organization) } else { Self::Ledger(organization) }
    }
}

impl Held {
    pub(crate) async fn beneath(&self, part: Part) -> Beneath {
        let (url, schema) = match self {
            Self::Sqlite(folder) => {
                let of = |id: Id<Organization>, file: &str| {
                    folder.path().join("organizations").join(id.to_string()).join(file)
                };
                let file = match part {
                    Part::Control => folder.path().join("control.db"),
                    Part::Ledger(id) => of(id, "ledger.db"),
                    Part::Observed(id) => of(id, "observed.db"),
                };
                (format!("sqlite://{}?mode=rw", file.display()), None)
            }
            Self::Postgres(postgres) => {
                let schema = match part {
                    Part::Control => "control".to_owned(),
                    Part::Ledger(id) | Part::Observed(id) => id.to_string(),
                };
                (postgres.database().to_string(), Some(schema))
            }
        };
        let connection = connect(&url::Url::parse(&url).expect("a database has a URL")).await;
        let beneath = Beneath { connection, schema };
        if let Some(schema) = &beneath.schema {
            beneath.run(&format!("SET search_path = {schema}")).await.expect("a schema has a name");
        }
        beneath
    }

    /// The rows of an organization's tables of some class; none: of all that the control schema has.
    pub(crate) async fn tables(
        &self,
        organization: Option<Id<Organization>>,
        wanted: impl Fn(Class) -> bool,
    ) -> Tables {
        let catalogue = if organization.is_some() { ORGANIZATION_TABLES } else { CONTROL_TABLES };
        let mut tables = Tables::new();
        let mut open: Option<(Part, Beneath)> = None;
        for (table, class) in catalogue.iter().filter(|(_, class)| wanted(*class)) {
            let part = organization.map_or(Part::Control, |id| Part::of(*class, id));
            let beneath = match open.take() {
                Some((at, beneath)) if at == part => beneath,
                _ => self.beneath(part).await,
            };
            tables.insert(table, beneath.rows(table).await);
            open = Some((part, beneath));
        }
        tables
    }
}

impl Beneath {
    /// Runs statements as they are.
    ///
    /// # Errors
    /// What the database answers.
    pub async fn run(&self, sql: &str) -> Result<u64, DbErr> {
        self.connection.execute_unprepared(sql).await.map(|done| done.rows_affected())
    }

    /// The rows that a query gives.
    pub async fn query(&self, sql: &str) -> Vec<QueryResult> {
        let query = Statement::from_string(self.connection.get_database_backend(), sql);
        self.connection.query_all_raw(query).await.expect("the database answers")
    }

    /// The first column of the rows that a query gives, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let rows = self.query(sql).await;
        rows.iter().map(|row| row.try_get_by_index(0).expect("a query of one text")).collect()
    }

    /// A table's rows as text, in order.
    pub async fn rows(&self, table: &str) -> Vec<String> {
        if self.is_postgres() {
            return self.texts(&format!("SELECT t::text FROM {table} t ORDER BY t::text COLLATE \"C\"")).await;
        }
        let columns = self.texts(&format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let quoted: Vec<_> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
        self.texts(&format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || ',' || "))).await
    }

    /// A table's name, with its schema where there is one.
    pub fn name(&self, table: &str) -> String {
        self.schema.as_ref().map_or_else(|| table.to_owned(), |schema| format!("{schema}.{table}"))
    }

    /// Whether this is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.connection.get_database_backend() == DbBackend::Postgres
    }

    /// Takes away what refuses to change a table of the trail, as only someone underneath the program can.
    pub async fn unprotect(&self, table: &str) {
        let sql = if self.is_postgres() {
            format!("ALTER TABLE {table} DISABLE TRIGGER USER")
        } else {
            format!("DROP TRIGGER {table}_no_update; DROP TRIGGER {table}_no_delete")
        };
        self.run(&sql).await.expect("whoever is underneath may");
    }
}
