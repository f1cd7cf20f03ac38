//! Committing: the entry, its hash, and the moment after which a change has happened.

use gatewarden_access::{Action, Permit};
use gatewarden_trail::{Entry, Frontier, Hash, leaf_hash};
use gatewarden_types::{Actor, Id, Organization, Request, Seq, Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    Moved, OrgTx, StoreError, entity,
    error::corrupt,
    org_tx::action,
    table::{column, seq},
};

/// A change that has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The seq of its entry.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
}

/// The right edge of the tree, as the last entry left it.
pub(crate) async fn frontier(tx: &DatabaseTransaction) -> Result<Frontier, StoreError> {
    let last = entity::leaves::Entity::find().order_by_desc(entity::leaves::Column::Seq).one(tx).await?;
    let Some(last) = last else { return Ok(Frontier::default()) };
    Frontier::from_bytes(seq(last.seq), &last.frontier)
        .ok_or_else(|| corrupt("leaf")(&"its frontier does not fit its size"))
}

/// The account behind an actor, for finding entries by who acted.
pub(crate) fn actor_uuid(actor: Actor) -> Option<Uuid> {
    match actor {
        Actor::Account(account) => Some(account.uuid()),
        _ => None,
    }
}

/// Adds an entry's row and its leaf.
pub(crate) async fn insert(tx: &DatabaseTransaction, frontier: &mut Frontier, entry: &Entry) -> Result<(), StoreError> {
    let bytes = entry.to_bytes()?;
    let hash = leaf_hash(&bytes);
    frontier.push(hash);
    insert_leaf(tx, frontier, hash).await?;
    let row = entity::entries::ActiveModel {
        seq: Set(column(entry.seq)),
        request: Set(entry.request.uuid()),
        at: Set(entry.at.micros()),
        action: Set(entry.action.clone()),
        actor: Set(actor_uuid(entry.actor)),
        target: Set(entry.target.id),
        bytes: Set(bytes),
    };
    entity::entries::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

async fn insert_leaf(tx: &DatabaseTransaction, frontier: &Frontier, hash: Hash) -> Result<(), StoreError> {
    let leaf = entity::leaves::ActiveModel {
        seq: Set(column(frontier.size())),
        hash: Set(hash.to_vec()),
        frontier: Set(frontier.to_bytes()),
    };
    entity::leaves::Entity::insert(leaf).exec_without_returning(tx).await?;
    Ok(())
}

/// The entry of a request, if it is there.
pub(crate) async fn find_request(
    tx: &DatabaseTransaction,
    request: Id<Request>,
    at: Seq,
) -> Result<Option<Committed>, StoreError> {
    let of_request = entity::entries::Column::Request.eq(request.uuid());
    let row = entity::entries::Entity::find_by_id(column(at)).filter(of_request).one(tx).await?;
    Ok(row.map(|row| Committed { seq: seq(row.seq), at: Timestamp::from_micros(row.at) }))
}

impl OrgTx {
    /// Writes the entry of what `permit` allowed and of what was written, and makes all of it happen.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when the database's answer was lost and its trail could not be asked.
    pub async fn commit<A: Action>(mut self, permit: Permit<A>) -> Result<Committed, StoreError> {
        self.read.by(&permit)?;
        let act = (A::INFO.name, permit.target().clone());
        if self.act.as_ref().is_some_and(|written| *written != act) {
            return Err(StoreError::WrongPermit { permit: format!("{permit:?}"), target: self.read.id.to_string() });
        }
        let entry = self.entry(&permit);
        insert(&self.read.tx, &mut self.frontier, &entry).await?;
        self.insert_changes(&entry).await?;
        let (store, id) = (self.read.store, self.read.id);
        let committed = Committed { seq: entry.seq, at: entry.at };
        let outcome = match self.read.tx.commit().await {
            Ok(()) => Ok(committed),
            Err(bad) => {
                tracing::error!(organization = %id, seq = entry.seq, error = %bad, "the commit's answer was lost");
                store.outcome(id, entry.request, entry.seq).await
            }
        };
        // Told where it is unknown as well: whoever hears of it looks into the trail, and nobody would tell it later.
        store.tell(Moved { organization: id, seq: committed.seq });
        outcome
    }

    fn entry<A: Action>(&mut self, permit: &Permit<A>) -> Entry {
        Entry {
            v: Entry::version(),
            organization: Some(self.read.id),
            seq: self.seq(),
            at: self.read.now,
            actor: permit.caller().actor,
            via: permit.caller().via,
            request: permit.caller().request,
            action: action(permit).to_owned(),
            target: permit.target().clone(),
            grant: permit.grant(),
            changes: std::mem::take(&mut self.changes),
        }
    }

    async fn insert_changes(&self, entry: &Entry) -> Result<(), StoreError> {
        let mut records: Vec<Uuid> = entry.changes.iter().map(|change| change.id).collect();
        records.sort_unstable();
        records.dedup();
        if records.is_empty() {
            return Ok(());
        }
        let rows = records
            .into_iter()
            .map(|record| entity::changes::ActiveModel { record: Set(record), seq: Set(column(entry.seq)) });
        entity::changes::Entity::insert_many(rows).exec_without_returning(&self.read.tx).await?;
        Ok(())
    }
}

impl crate::Store {
    /// What became of a commit of the control schema whose answer was lost.
    pub(crate) async fn control_outcome(&self, request: Id<Request>, at: Seq) -> Result<Committed, StoreError> {
        let look = async {
            self.0.backend.reopen(None).await?;
            let tx = self.0.backend.change_control().await?;
            self.settled(tx, request, at).await
        };
        look.await.map_or(Err(StoreError::Unknown), found)
    }

    /// What became of a commit whose answer was lost: looks for its entry on fresh connections.
    async fn outcome(&self, id: Id<Organization>, request: Id<Request>, at: Seq) -> Result<Committed, StoreError> {
        let look = async {
            self.0.backend.reopen(Some(id)).await?;
            let tx = self.0.backend.change(id).await?;
            self.settled(tx, request, at).await
        };
        look.await.map_or(Err(StoreError::Unknown), found)
    }

    /// The entry of a request, if it is there, and for good: what is not there now does not come to light later.
    async fn settled(
        &self,
        tx: DatabaseTransaction,
        request: Id<Request>,
        at: Seq,
    ) -> Result<Option<Committed>, StoreError> {
        let found = find_request(&tx, request, at).await?;
        self.0.backend.settle(tx).await?;
        Ok(found)
    }
}

/// The entry that was looked for, or that nothing has happened.
fn found(committed: Option<Committed>) -> Result<Committed, StoreError> {
    committed.ok_or(StoreError::NotKept)
}
