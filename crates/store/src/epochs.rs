//! Epochs: no trail goes on as a second history beside one that was signed.
//!
//! A backup that is restored lacks the entries after it, and their checkpoints were signed. Were it to go on in the same
//! epoch, two histories would bear one name. So before the first change and before every signature a trail is compared
//! with the last checkpoints that were kept of it, and stands still where they do not fit until an epoch is begun.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gatewarden_access::Caller;
use gatewarden_trail::{Frontier, Hash};
use gatewarden_types::{Id, Organization, Seq};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};

use crate::{
    OrgRead, OrgTx, Store, StoreError, append, entity,
    error::corrupt,
    org_read::find,
    table::{column, seq},
};

/// How a trail differs from what was signed of it, so that whatever follows would be a second history under one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecondHistory {
    /// It is shorter.
    #[error("it ends at entry {size}, and {signed} entries were signed")]
    Shorter {
        /// Where it ends.
        size: Seq,
        /// How far was signed.
        signed: Seq,
    },
    /// It has another entry at this position, or before it.
    #[error("its first {0} entries are not the ones that were signed")]
    Another(Seq),
    /// A later epoch of it was signed.
    #[error("it is in epoch {epoch}, and epoch {signed} was signed")]
    Earlier {
        /// The epoch it is in.
        epoch: u32,
        /// The epoch that was signed.
        signed: u32,
    },
}

/// Which trails have been compared with what was signed since the program began, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Compared(Mutex<HashMap<Id<Organization>, Option<SecondHistory>>>);

impl Compared {
    fn known(&self) -> MutexGuard<'_, HashMap<Id<Organization>, Option<SecondHistory>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a trail stands.
pub(crate) struct Head {
    pub(crate) epoch: u32,
    pub(crate) frontier: Frontier,
}

/// The last checkpoint that was kept somewhere.
pub(crate) struct Last {
    epoch: u32,
    note: String,
}

/// Where the trail of an organization stands; in its first epoch before it is founded.
pub(crate) async fn head(tx: &DatabaseTransaction, id: Id<Organization>) -> Result<Head, StoreError> {
    let organization = find::<Organization>(tx, id).await?;
    let epoch = organization.map_or(1, |organization| organization.record.epoch);
    Ok(Head { epoch, frontier: append::frontier(tx).await? })
}

async fn last_kept(tx: &DatabaseTransaction) -> Result<Option<Last>, StoreError> {
    use entity::checkpoints::{Column, Entity};
    let row = Entity::find().order_by_desc(Column::Epoch).order_by_desc(Column::Size).one(tx).await?;
    row.map(|row| last(row.epoch, row.note)).transpose()
}

fn last(epoch: i64, note: String) -> Result<Last, StoreError> {
    Ok(Last { epoch: epoch.try_into().map_err(|bad| corrupt("checkpoint")(&bad))?, note })
}

/// The root over the first `size` entries, as it was kept with the last of them.
async fn root_at(tx: &DatabaseTransaction, size: Seq) -> Result<Option<Hash>, StoreError> {
    let leaf = entity::leaves::Entity::find_by_id(column(size)).one(tx).await?;
    Ok(leaf.and_then(|leaf| Frontier::from_bytes(seq(leaf.seq), &leaf.frontier)).map(|frontier| frontier.root()))
}

impl Store {
    pub(crate) async fn last_kept_in_control(&self, id: Id<Organization>) -> Result<Option<Last>, StoreError> {
        use entity::kept_checkpoints::{Column, Entity};
        let tx = self.0.backend.read_control().await?;
        let mine = Entity::find().filter(Column::Organization.eq(id.uuid()));
        let row = mine.order_by_desc(Column::Epoch).order_by_desc(Column::Size).one(&tx).await?;
        // Ended and not dropped, so that the change that follows finds the connection.
        tx.rollback().await?;
        row.map(|row| last(row.epoch, row.note)).transpose()
    }

    /// Compares a trail with the last checkpoint that is kept with it and the last that is kept elsewhere: each stands
    /// for all before it.
    pub(crate) async fn compare(
        &self,
        tx: &DatabaseTransaction,
        organization: Id<Organization>,
        head: &Head,
        elsewhere: Option<Last>,
    ) -> Result<Option<SecondHistory>, StoreError> {
        let log = self.log(organization)?;
        for last in [last_kept(tx).await?, elsewhere].into_iter().flatten() {
            let (epoch, signed) = log.open(&last.note).map_err(|bad| corrupt("checkpoint")(&bad))?;
            let size = head.frontier.size();
            if epoch > head.epoch {
                return Ok(Some(SecondHistory::Earlier { epoch: head.epoch, signed: epoch }));
            } else if epoch == head.epoch && signed.size > size {
                return Ok(Some(SecondHistory::Shorter { size, signed: signed.size }));
            } else if epoch == head.epoch && root_at(tx, signed.size).await? != Some(signed.root) {
                return Ok(Some(SecondHistory::Another(signed.size)));
            }
        }
        Ok(None)
    }

    /// Keeps in mind what a comparison found, and refuses where that is a second history.
    pub(crate) fn compared(&self, id: Id<Organization>, found: Option<SecondHistory>) -> Result<(), StoreError> {
        self.0.compared.known().insert(id, found);
        found.map_or(Ok(()), |history| Err(StoreError::SecondHistory(history)))
    }

    /// Refuses to go on with a trail that is not what was signed of it. The database is asked once in a program's life,
    /// and then each time that a checkpoint is signed: nobody restores a backup under a program that runs.
    ///
    /// # Errors
    /// [`StoreError::SecondHistory`]; when the database cannot answer.
    pub async fn one_history(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        let known = self.0.compared.known().get(&organization).copied();
        if let Some(found) = known {
            return self.compared(organization, found);
        }
        let elsewhere = self.last_kept_in_control(organization).await?;
        let tx = self.0.backend.read(organization).await?;
        let head = head(&tx, organization).await?;
        let found = self.compare(&tx, organization, &head, elsewhere).await?;
        tx.rollback().await?;
        self.compared(organization, found)
    }

    /// Begins the one change that a second history does not stand against: that which begins an epoch. Answers which,
    /// one after every epoch that is known of.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn change_epoch(&self, caller: &Caller, id: Id<Organization>) -> Result<(OrgTx, u32), StoreError> {
        let elsewhere = self.last_kept_in_control(id).await?;
        let tx = self.0.backend.change(id).await?;
        let (Head { epoch, frontier }, here) = (head(&tx, id).await?, last_kept(&tx).await?);
        let known = [here, elsewhere].into_iter().flatten().map(|last| last.epoch).fold(epoch, u32::max);
        let read = OrgRead::load(self, tx, caller, id).await?;
        Ok((OrgTx { read, frontier, changes: Vec::new(), act: None }, known.saturating_add(1)))
    }
}

impl OrgRead {
    /// The epoch that the trail is in.
    pub fn epoch(&self) -> u32 {
        self.organization.as_ref().map_or(1, |organization| organization.record.epoch)
    }
}
