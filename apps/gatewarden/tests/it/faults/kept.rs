//! What was acknowledged, and what is there of it.

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_gateway::spool::spooled;
use gatewarden_types::{Id, Request};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use uuid::Uuid;

use super::load::{Answered, Site, until};
use crate::program::Folder;

/// Everything that was acknowledged since the beginning.
#[derive(Default)]
pub struct Kept {
    changes: BTreeMap<Id<Request>, u64>,
    denied: BTreeSet<Id<Request>>,
    /// Calls that were on the disk when the program was killed, besides those in the table.
    on_disk: BTreeSet<Id<Request>>,
    /// The calls in the table after the last start.
    seen: BTreeSet<Id<Request>>,
    /// How many records the program has said to be on the disk since then.
    spooled_since: u64,
    spooled: u64,
}

impl Kept {
    /// The program was killed, having told this.
    pub fn add(&mut self, answered: Answered, site: &Site) {
        for (request, version) in answered.changes {
            assert_eq!(self.changes.insert(request, version), None, "{request} was told twice");
        }
        self.denied.extend(answered.not_kept);
        self.on_disk.extend(spooled(&site.spool()).expect("reads").iter().map(|record| record.request));
        self.spooled_since += answered.spooled;
        self.spooled += answered.spooled;
    }

    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    pub fn spooled(&self) -> usize {
        usize::try_from(self.spooled).expect("few")
    }

    /// Checks all of it on what a new start has found.
    pub async fn check(&mut self, site: &Site) {
        let trail = trail(site).await;
        let seqs: Vec<u64> = trail.iter().map(|(seq, _)| *seq).collect();
        assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "no gap: {seqs:?}");
        let entries: BTreeMap<_, _> = trail.iter().map(|(seq, request)| (*request, *seq)).collect();
        for (request, version) in &self.changes {
            assert_eq!(entries.get(request), Some(version), "{request} was answered");
        }
        for request in &self.denied {
            assert_eq!(entries.get(request), None, "of {request} nothing was kept");
        }
        let usage = Table::open(site, "observed.db").await;
        let mut calls = BTreeSet::new();
        until("all that was spooled is in the table", async || {
            calls = usage.calls().await;
            self.on_disk.is_subset(&calls)
        })
        .await;
        let new = calls.difference(&self.seen).count() as u64;
        assert!(new >= self.spooled_since, "{} records were on the disk, {new} have come", self.spooled_since);
        assert!(self.seen.is_subset(&calls), "what was there stays");
        (self.seen, self.spooled_since) = (calls, 0);
    }
}

/// Each entry's seq and request, in order.
async fn trail(site: &Site) -> Vec<(u64, Id<Request>)> {
    let ledger = Table::open(site, "ledger.db").await;
    let entry = |row: &QueryResult| {
        let seq: i64 = row.try_get_by_index(0).expect("a number");
        (u64::try_from(seq).expect("positive"), Id::from_uuid(row.try_get_by_index(1).expect("an id")))
    };
    ledger.rows("SELECT seq, request FROM {} ORDER BY seq", "entries").await.iter().map(entry).collect()
}

/// The organization's tables, underneath the program.
struct Table {
    connection: DatabaseConnection,
    schema: String,
}

impl Table {
    async fn open(site: &Site, file: &str) -> Self {
        let Folder { postgres, .. } = &site.folder;
        let sqlite = || {
            format!(
                "sqlite://{}?mode=ro",
                site.folder.data().join("organizations").join(&site.organization).join(file).display()
            )
        };
        let url = postgres.as_ref().map_or_else(sqlite, |postgres| postgres.owner().to_string());
        let schema = if postgres.is_some() { format!("{}.", site.organization) } else { String::new() };
        Self { connection: Database::connect(url).await.expect("opens"), schema }
    }

    async fn rows(&self, sql: &str, table: &str) -> Vec<QueryResult> {
        let sql = sql.replace("{}", &format!("{}{table}", self.schema));
        let query = Statement::from_string(self.connection.get_database_backend(), sql);
        self.connection.query_all_raw(query).await.expect("the database answers")
    }

    async fn calls(&self) -> BTreeSet<Id<Request>> {
        let rows = self.rows("SELECT id FROM {}", "usage").await;
        let calls: BTreeSet<_> =
            rows.iter().map(|row| Id::from_uuid(row.try_get_by_index::<Uuid>(0).expect("an id"))).collect();
        assert_eq!(calls.len(), rows.len(), "each once");
        calls
    }
}
