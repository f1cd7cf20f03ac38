//! Reading an organization's trail.

use gatewarden_access::{Entries, Permit, Reads};
use gatewarden_trail::{Entry, Frontier, Leaf, Stored};
use gatewarden_types::{Account, Digest, Id, Seq, Timestamp, Versioned};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Query,
};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

use crate::{
    OrgRead, StoreError, Table, entity,
    error::corrupt,
    table::{column, digest, seq},
};

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of this action.
    pub action: Option<String>,
    /// By this account.
    pub actor: Option<Id<Account>>,
    /// That concern this record.
    pub record: Option<Uuid>,
    /// By one of these accounts, or on one of these records: at most some thousands, because a database takes a bounded
    /// number of values in one statement.
    pub about: Option<Vec<Uuid>>,
    /// From here on.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// Older than this entry.
    pub before: Option<Seq>,
}

/// An entry and the hash kept for it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailEntry {
    /// The entry.
    pub entry: Entry,
    /// Its leaf hash.
    pub leaf: Option<Digest>,
}

impl OrgRead {
    /// The newest entries that fit, newest first.
    ///
    /// # Errors
    /// When the database cannot answer or an entry cannot be read.
    pub async fn entries<A: Reads<Entries>>(
        &self,
        permit: &Permit<A>,
        filter: &EntryFilter,
        limit: u64,
    ) -> Result<Vec<Entry>, StoreError> {
        use entity::entries::{Column, Entity};
        let condition = Condition::all()
            .add_option(filter.action.as_ref().map(|action| Column::Action.eq(action)))
            .add_option(filter.actor.map(|actor| Column::Actor.eq(actor.uuid())))
            .add_option(filter.since.map(|since| Column::At.gte(since.micros())))
            .add_option(filter.until.map(|until| Column::At.lt(until.micros())))
            .add_option(filter.before.map(|before| Column::Seq.lt(column(before))))
            .add_option(filter.record.map(|record| concerning(&[record])))
            .add_option(filter.about.as_ref().map(|about| {
                let by = Column::Actor.is_in(about.iter().copied());
                concerning(about).add(by)
            }));
        let rows =
            Entity::find().filter(condition).order_by_desc(Column::Seq).limit(limit).all(self.by(permit)?).await?;
        rows.into_iter().map(|row| Ok(Entry::from_bytes(&row.bytes)?)).collect()
    }

    /// One entry with the hash kept for it.
    ///
    /// # Errors
    /// When the database cannot answer or the entry cannot be read.
    pub async fn entry<A: Reads<Entries>>(
        &self,
        permit: &Permit<A>,
        at: Seq,
    ) -> Result<Option<TrailEntry>, StoreError> {
        let row = entity::entries::Entity::find_by_id(column(at)).one(self.by(permit)?).await?;
        let leaf = entity::leaves::Entity::find_by_id(column(at)).one(self.by(permit)?).await?;
        let Some(row) = row else { return Ok(None) };
        let leaf = leaf.map(|leaf| digest("leaf", &leaf.hash)).transpose()?.map(Digest);
        Ok(Some(TrailEntry { entry: Entry::from_bytes(&row.bytes)?, leaf }))
    }

    /// Since when each of these rows is as it is, by its version. Whoever reads a row may know that, and nothing else of
    /// the entry.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn since<A: Reads<R>, R: Table>(
        &self,
        permit: &Permit<A>,
        rows: &[Versioned<R>],
    ) -> Result<BTreeMap<Seq, Timestamp>, StoreError> {
        use entity::entries::{Column, Entity};
        let versions = rows.iter().map(|row| column(row.version));
        let entries = Entity::find().select_only().columns([Column::Seq, Column::At]);
        let found: Vec<(i64, i64)> =
            entries.filter(Column::Seq.is_in(versions)).into_tuple().all(self.by(permit)?).await?;
        Ok(found.into_iter().map(|(version, at)| (seq(version), Timestamp::from_micros(at))).collect())
    }

    /// The last entry before `at` that changed a record: what was there before.
    ///
    /// # Errors
    /// When the database cannot answer or the entry cannot be read.
    pub async fn previous<A: Reads<Entries>>(
        &self,
        permit: &Permit<A>,
        record: Uuid,
        at: Seq,
    ) -> Result<Option<Entry>, StoreError> {
        use entity::changes::{Column, Entity};
        let before = Entity::find()
            .filter(Column::Record.eq(record))
            .filter(Column::Seq.lt(column(at)))
            .order_by_desc(Column::Seq)
            .one(self.by(permit)?)
            .await?;
        match before {
            None => Ok(None),
            Some(change) => Ok(self.entry(permit, seq(change.seq)).await?.map(|found| found.entry)),
        }
    }

    /// At most `limit` entries after `after`, oldest first, as they are stored: for followers and verifiers.
    ///
    /// # Errors
    /// When the database cannot answer or a hash has no 32 bytes.
    pub async fn stored<A: Reads<Entries>>(
        &self,
        permit: &Permit<A>,
        after: Seq,
        limit: u64,
    ) -> Result<Vec<Stored>, StoreError> {
        stored(self.by(permit)?, after, limit).await
    }

    /// The stored leaves of these entries, which proofs are made of. What is missing is left out.
    ///
    /// # Errors
    /// When the database cannot answer, or a leaf cannot be read.
    pub async fn leaves<A: Reads<Entries>>(
        &self,
        permit: &Permit<A>,
        of: &[Seq],
    ) -> Result<BTreeMap<Seq, Leaf>, StoreError> {
        use entity::leaves::{Column, Entity};
        let these = Column::Seq.is_in(of.iter().copied().map(column));
        let rows = Entity::find().filter(these).all(self.by(permit)?).await?;
        let leaf = |row: entity::leaves::Model| {
            let frontier = Frontier::from_bytes(seq(row.seq), &row.frontier);
            let frontier = frontier.ok_or_else(|| corrupt("leaf")(&"its frontier does not fit its size"))?;
            Ok((seq(row.seq), Leaf { hash: digest("leaf", &row.hash)?, frontier }))
        };
        rows.into_iter().map(leaf).collect()
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn size<A: Reads<Entries>>(&self, permit: &Permit<A>) -> Result<Seq, StoreError> {
        Ok(crate::append::frontier(self.by(permit)?).await?.size())
    }
}

/// At most `limit` entries after `after`, oldest first, with the hashes that are kept apart from them.
pub(crate) async fn stored(tx: &DatabaseTransaction, after: Seq, limit: u64) -> Result<Vec<Stored>, StoreError> {
    use entity::{entries, leaves};
    let rows = entries::Entity::find()
        .filter(entries::Column::Seq.gt(column(after)))
        .order_by_asc(entries::Column::Seq)
        .limit(limit)
        .all(tx)
        .await?;
    let last = rows.last().map_or(0, |row| row.seq);
    let hashes = leaves::Entity::find()
        .filter(leaves::Column::Seq.gt(column(after)))
        .filter(leaves::Column::Seq.lte(last))
        .all(tx)
        .await?;
    let hashes: HashMap<i64, Vec<u8>> = hashes.into_iter().map(|leaf| (leaf.seq, leaf.hash)).collect();
    let stored = |row: entries::Model| {
        let leaf = hashes.get(&row.seq).map(|hash| digest("leaf", hash)).transpose()?;
        Ok(Stored { seq: seq(row.seq), bytes: row.bytes, leaf })
    };
    rows.into_iter().map(stored).collect()
}

/// The entries that changed or were done to one of these records.
fn concerning(records: &[Uuid]) -> Condition {
    use entity::{changes, entries};
    let these = || records.iter().copied();
    let changed = Query::select()
        .column(changes::Column::Seq)
        .from(changes::Entity)
        .and_where(changes::Column::Record.is_in(these()))
        .to_owned();
    Condition::any().add(entries::Column::Seq.in_subquery(changed)).add(entries::Column::Target.is_in(these()))
}
