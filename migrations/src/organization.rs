//! An organization's schema, or its two files: the ledger (policy, people, trail) and what is observed.

use sea_orm::{
    DbBackend, DbErr,
    sea_query::{ColumnDef, Index, IndexCreateStatement, Table, TableCreateStatement},
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager,
    schema::{big_integer, big_integer_null, blob, text, text_null, uuid, uuid_null},
};

use crate::{Class, append_only};

/// The tables of an organization and what each holds.
pub const ORGANIZATION_TABLES: &[(&str, Class)] = &[
    ("organization", Class::Policy),
    ("roles", Class::Policy),
    ("members", Class::Policy),
    ("invites", Class::Policy),
    ("providers", Class::Policy),
    ("models", Class::Policy),
    ("keys", Class::Policy),
    ("gateways", Class::Policy),
    ("people", Class::Person),
    ("invite_addresses", Class::Person),
    ("credentials", Class::Working),
    ("idempotency", Class::Working),
    ("entries", Class::Trail),
    ("leaves", Class::Trail),
    ("changes", Class::Trail),
    ("checkpoints", Class::Trail),
    ("usage", Class::Observed),
    ("presence", Class::Observed),
    ("attempts", Class::Observed),
];

/// Which part of an organization's tables a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them: a schema in PostgreSQL.
    Whole,
    /// What is changed by its writer: the first SQLite file.
    Ledger,
    /// What machines report: the second, so that taking it in never waits for a change.
    Observed,
}

pub(crate) struct Baseline(pub Part);

impl MigrationName for Baseline {
    fn name(&self) -> &'static str {
        "organization_0001_baseline"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Baseline {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        if self.0 != Part::Observed {
            for table in policy().into_iter().chain(people(backend)).chain(working()).chain(trail()) {
                manager.create_table(table).await?;
            }
            for index in ledger_indexes() {
                manager.create_index(index).await?;
            }
            append_only::protect(manager, &["entries", "leaves", "changes", "checkpoints"]).await?;
        }
        if self.0 != Part::Ledger {
            for table in observed() {
                manager.create_table(table).await?;
            }
            for index in observed_indexes() {
                manager.create_index(index).await?;
            }
        }
        Ok(())
    }
}

/// A column that is compared bytewise on both back ends.
fn bytewise(name: &'static str, backend: DbBackend) -> ColumnDef {
    let mut column = text(name);
    if backend == DbBackend::Postgres {
        column.extra("COLLATE \"C\"");
    }
    column
}

fn record(table: &'static str) -> TableCreateStatement {
    Table::create().table(table).col(uuid("id").primary_key()).col(big_integer("version")).to_owned()
}

fn policy() -> [TableCreateStatement; 8] {
    [
        record("organization")
            .col(text("slug"))
            .col(text("name"))
            .col(text("state"))
            .col(text("visibility"))
            .col(text("limits"))
            .col(big_integer("epoch"))
            .col(big_integer("stale_after"))
            .to_owned(),
        record("roles").col(text("name")).col(text_null("builtin")).col(text("powers")).to_owned(),
        record("members").col(uuid("account").unique_key()).col(uuid("role")).col(text("state")).to_owned(),
        record("invites")
            .col(uuid("role"))
            .col(uuid("invited_by"))
            .col(blob("verifier"))
            .col(big_integer("expires"))
            .col(text("state"))
            .to_owned(),
        record("providers")
            .col(text("name"))
            .col(text("dialect"))
            .col(text("base_url"))
            .col(text_null("credential"))
            .to_owned(),
        record("models").col(text("name")).col(uuid("provider")).col(text("upstream")).col(text("state")).to_owned(),
        record("keys")
            .col(text("name"))
            .col(uuid_null("owner"))
            .col(text("levels"))
            .col(text("models"))
            .col(text("limits"))
            .col(big_integer_null("expires"))
            .col(blob("verifier"))
            .col(text("state"))
            .to_owned(),
        record("gateways")
            .col(text("name"))
            .col(text("state"))
            .col(blob("verifier"))
            .col(big_integer("expires"))
            .to_owned(),
    ]
}

fn people(backend: DbBackend) -> [TableCreateStatement; 2] {
    [
        Table::create()
            .table("people")
            .col(uuid("member").primary_key())
            .col(text("name"))
            .col(text("email"))
            .col(bytewise("name_key", backend))
            .col(bytewise("email_key", backend))
            .to_owned(),
        Table::create().table("invite_addresses").col(uuid("invite").primary_key()).col(text("email")).to_owned(),
    ]
}

fn working() -> [TableCreateStatement; 2] {
    [
        Table::create().table("credentials").col(text("digest").primary_key()).col(blob("sealed")).to_owned(),
        Table::create()
            .table("idempotency")
            .col(uuid("caller"))
            .col(text("word"))
            .col(blob("request"))
            .col(uuid("record"))
            .col(big_integer("at"))
            .primary_key(Index::create().col("caller").col("word"))
            .to_owned(),
    ]
}

fn trail() -> [TableCreateStatement; 4] {
    [
        Table::create()
            .table("entries")
            .col(big_integer("seq").primary_key())
            .col(uuid("request"))
            .col(big_integer("at"))
            .col(text("action"))
            .col(uuid_null("actor"))
            .col(uuid("target"))
            .col(blob("bytes"))
            .to_owned(),
        Table::create()
            .table("leaves")
            .col(big_integer("seq").primary_key())
            .col(blob("hash"))
            .col(blob("frontier"))
            .to_owned(),
        Table::create()
            .table("changes")
            .col(uuid("record"))
            .col(big_integer("seq"))
            .primary_key(Index::create().col("record").col("seq"))
            .to_owned(),
        Table::create()
            .table("checkpoints")
            .col(big_integer("epoch"))
            .col(big_integer("size"))
            .col(text("note"))
            .primary_key(Index::create().col("epoch").col("size"))
            .to_owned(),
    ]
}

fn observed() -> [TableCreateStatement; 3] {
    [
        Table::create()
            .table("usage")
            .col(uuid("id").primary_key())
            .col(big_integer("at"))
            .col(uuid("key"))
            .col(uuid_null("member"))
            .col(uuid_null("model"))
            .col(uuid_null("provider"))
            .col(big_integer("status"))
            .col(text_null("refused"))
            .col(big_integer("input_tokens"))
            .col(big_integer("output_tokens"))
            .col(big_integer("latency"))
            .col(big_integer("upstream_latency"))
            .col(big_integer("decided_under"))
            .to_owned(),
        Table::create().table("presence").col(uuid("subject").primary_key()).col(big_integer("at")).to_owned(),
        Table::create()
            .table("attempts")
            .col(uuid("id").primary_key())
            .col(big_integer("at"))
            .col(text("actor"))
            .col(text("action"))
            .col(text_null("target"))
            .col(text("reason"))
            .to_owned(),
    ]
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn ledger_indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("people", &["name_key", "member"]),
        index("people", &["email_key", "member"]),
        index("keys", &["owner"]),
        index("models", &["name"]),
        index("entries", &["target"]),
    ]
}

fn observed_indexes() -> Vec<IndexCreateStatement> {
    vec![index("usage", &["at"]), index("usage", &["member", "at"])]
}
