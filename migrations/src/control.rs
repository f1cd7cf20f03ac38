//! The control schema: accounts, how they sign in, their browser sessions, the organizations there are, and the
//! instance's own trail.

use sea_orm::{
    DbErr,
    sea_query::{Index, Table, TableCreateStatement},
};
use sea_orm_migration::{
    MigrationName, MigrationTrait, SchemaManager,
    schema::{big_integer, blob, text, uuid, uuid_null},
};

use crate::{Class, append_only};

/// The tables of the control schema and what each holds.
pub const CONTROL_TABLES: &[(&str, Class)] = &[
    ("accounts", Class::Person),
    ("sessions", Class::Working),
    ("organizations", Class::Working),
    ("directory", Class::Working),
    ("entries", Class::Trail),
    ("leaves", Class::Trail),
    ("checkpoints", Class::Trail),
];

pub(crate) struct Baseline;

impl MigrationName for Baseline {
    fn name(&self) -> &'static str {
        "control_0001_baseline"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Baseline {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in people_and_organizations().into_iter().chain(trail()) {
            manager.create_table(table).await?;
        }
        let by_account = Index::create().name("sessions_account").table("sessions").col("account").to_owned();
        manager.create_index(by_account).await?;
        append_only::protect(manager, &["entries", "leaves", "checkpoints"]).await
    }
}

fn people_and_organizations() -> [TableCreateStatement; 4] {
    [
        Table::create()
            .table("accounts")
            .col(uuid("id").primary_key())
            .col(text("email").unique_key())
            .col(text("name"))
            .col(text("password"))
            .col(big_integer("created"))
            .to_owned(),
        Table::create()
            .table("sessions")
            .col(uuid("id").primary_key())
            .col(blob("digest").unique_key())
            .col(uuid("account"))
            .col(big_integer("created"))
            .col(big_integer("seen"))
            .col(big_integer("expires"))
            .col(text("device"))
            .col(text("network"))
            .to_owned(),
        Table::create()
            .table("organizations")
            .col(uuid("id").primary_key())
            .col(text("slug").unique_key())
            .col(text("state"))
            .col(big_integer("created"))
            .to_owned(),
        Table::create()
            .table("directory")
            .col(uuid("subject"))
            .col(uuid("organization"))
            .primary_key(Index::create().col("subject").col("organization"))
            .to_owned(),
    ]
}

fn trail() -> [TableCreateStatement; 3] {
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
            .table("checkpoints")
            .col(uuid("organization"))
            .col(big_integer("epoch"))
            .col(big_integer("size"))
            .col(text("note"))
            .primary_key(Index::create().col("organization").col("epoch").col("size"))
            .to_owned(),
    ]
}
