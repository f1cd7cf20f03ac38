//! What was acknowledged, and what is there of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    path::Path,
};

use gatewarden_gateway::spool::spooled;
use gatewarden_types::{Id, Request};
use reqwest::Client;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, QueryResult, Statement};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    admins::{Changes, Stands},
    callers::Called,
    host::call,
    site::{Served, Site},
    until,
};
use crate::program::{Folder, client};

/// What became of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Killed,
    Lives,
}

/// Everything that was acknowledged since the beginning.
#[derive(Default)]
pub struct Kept {
    changes: BTreeMap<Id<Request>, u64>,
    denied: BTreeSet<Id<Request>>,
    /// Calls that have to come into the table: those that were on a gateway's disk when it was killed, and those that were
    /// answered by one that lives.
    owed: BTreeSet<Id<Request>>,
    /// The calls in the table at the last check.
    seen: BTreeSet<Id<Request>>,
    /// How many records gateways have said to be on their disks since then.
    spooled_since: u64,
    spooled: u64,
    /// The keys that were checked, and those made since then.
    checked: BTreeMap<String, Stands>,
    fresh: BTreeMap<String, Stands>,
}

impl Kept {
    /// Admins were told this until they ended.
    pub fn changed(&mut self, changes: Changes) {
        for (request, version) in changes.made {
            assert_eq!(self.changes.insert(request, version), None, "{request} was told twice");
        }
        self.denied.extend(changes.not_kept);
        self.fresh.extend(changes.keys);
    }

    /// Callers were told this until they ended.
    pub fn called(&mut self, called: Called, spool: &Path, fate: Fate) {
        match fate {
            Fate::Killed => self.owed.extend(spooled(spool).expect("reads").iter().map(|record| record.request)),
            Fate::Lives => {
                assert!(!called.lost, "a gateway that lives answers");
                self.owed.extend(called.calls);
            }
        }
        self.spooled_since += called.spooled;
        self.spooled += called.spooled;
    }

    pub fn changes(&self) -> usize {
        self.changes.len()
    }

    pub fn spooled(&self) -> usize {
        usize::try_from(self.spooled).expect("few")
    }

    /// Checks all of it, and that each gateway decides by the newest changes.
    pub async fn check(&mut self, site: &Site, served: &Served) {
        self.check_trail(site).await;
        self.check_calls(site).await;
        let client = client();
        until_followed(&client, site, served).await;
        for gateway in &served.gateways {
            obeyed(&client, gateway, &self.fresh).await;
        }
        self.checked.extend(mem::take(&mut self.fresh));
    }

    /// The same at the end, with all the changes there were.
    pub async fn check_all(&mut self, site: &Site, served: &Served) {
        self.fresh.extend(mem::take(&mut self.checked));
        self.check(site, served).await;
    }

    /// Checks that a gateway that knows the policy from its disk alone decides by what was in force on it: what was checked
    /// on it, and what of the changes since then was told to be in effect everywhere.
    pub async fn check_from_disk(&self, gateway: &str, since: &Changes) {
        let everywhere = |stands: &Stands| *stands == Stands::Revoked { everywhere: true };
        let told = since.keys.iter().filter(|(_, stands)| everywhere(stands));
        let known = self.checked.iter().rev().take(10).chain(told);
        obeyed(&client(), gateway, &known.map(|(key, stands)| (key.clone(), *stands)).collect()).await;
    }

    async fn check_trail(&self, site: &Site) {
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
    }

    async fn check_calls(&mut self, site: &Site) {
        let usage = Table::open(site, "observed.db").await;
        let (mut counted, mut calls) = (None, BTreeSet::new());
        until("all that was spooled is in the table", async || {
            // All of them are read only where there are more than before.
            let count = Some(usage.count().await);
            if counted != count {
                (counted, calls) = (count, usage.calls().await);
            }
            self.owed.is_subset(&calls)
        })
        .await;
        // From now on they are among those that stay.
        self.owed.clear();
        let new = calls.difference(&self.seen).count() as u64;
        assert!(new >= self.spooled_since, "{} records were on a disk, {new} have come", self.spooled_since);
        assert!(self.seen.is_subset(&calls), "what was there stays");
        (self.seen, self.spooled_since) = (calls, 0);
    }
}

/// Waits until each gateway has said that it decides by the newest entry.
async fn until_followed(client: &Client, site: &Site, served: &Served) {
    let url = format!("{}/api/v1/gateways", served.console);
    until("every gateway is at the end of the trail", async || {
        let said = client.get(&url).bearer_auth(&site.key).send().await.expect("answers");
        let said: Value = said.json().await.expect("JSON");
        let elsewhere = said["data"].as_array().expect("a list").iter();
        elsewhere.chain([&said["in_this_program"]]).all(|gateway| gateway["lag"] == json!(0))
    })
    .await;
}

/// Checks that a gateway lets through what is in force, and nothing that was revoked.
async fn obeyed(client: &Client, gateway: &str, keys: &BTreeMap<String, Stands>) {
    for (key, stands) in keys {
        let expected = match stands {
            Stands::InForce => (200, ""),
            Stands::Revoked { .. } => (401, "key_revoked"),
            Stands::Unknown => continue,
        };
        let answer = call(client, gateway, key).await.expect("it answers");
        assert_eq!((answer.status.as_u16(), answer.code.as_str()), expected, "{}", answer.request);
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

    async fn count(&self) -> i64 {
        self.rows("SELECT count(*) FROM {}", "usage").await[0].try_get_by_index(0).expect("a number")
    }

    async fn calls(&self) -> BTreeSet<Id<Request>> {
        let rows = self.rows("SELECT id FROM {}", "usage").await;
        let calls: BTreeSet<_> =
            rows.iter().map(|row| Id::from_uuid(row.try_get_by_index::<Uuid>(0).expect("an id"))).collect();
        assert_eq!(calls.len(), rows.len(), "each once");
        calls
    }
}
