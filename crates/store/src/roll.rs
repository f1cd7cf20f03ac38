//! Which organizations there are, called by every name that something is kept under: for one who verifies that none is
//! gone. A list alone does not miss what was taken from it.

use std::collections::{BTreeMap, BTreeSet};

use gatewarden_types::{Id, Organization, Seq};
use sea_orm::{ColumnTrait, EntityTrait, QuerySelect};
use uuid::Uuid;

use crate::{
    Store, StoreError,
    control::directory_states::PROVISIONING,
    entity::{directory, kept_checkpoints, organizations},
    table::seq,
};

/// Every organization of which there is something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    /// Those that are listed. One that is being made is among them once it has an entry.
    pub listed: Vec<Listed>,
    /// Those that are not listed, although something of them is kept.
    pub unlisted: Vec<Unlisted>,
}

/// An organization, as the list has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: Id<Organization>,
    /// What stands there as its word in addresses, whether it can be one or not.
    pub slug: String,
}

/// An organization that is not in the list, and what there is of it nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlisted {
    /// Its id.
    pub id: Id<Organization>,
    /// What there is.
    pub trace: Trace,
}

/// What is kept of an organization beside its row in the list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trace {
    /// Whether its folder or its schema is there.
    pub tables: bool,
    /// How many of its entries the longest kept checkpoint covers.
    pub signed: Option<Seq>,
    /// Whether the directory has somebody or something of it.
    pub entered: bool,
}

impl Store {
    /// Every organization of which there is something. What a program is in the midst of making is left out, or counts as
    /// listed: it is registered before anything else of it is kept, and that is undone last.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn roll(&self) -> Result<Roll, StoreError> {
        let before = self.traces().await?;
        let tx = self.0.backend.read_control().await?;
        let rows = organizations::Entity::find().all(&tx).await?;
        tx.rollback().await?;
        // What was there before and after the list was read was there while it was read, and should have been in it.
        let after = self.traces().await?;
        let ids: BTreeSet<Uuid> = rows.iter().map(|row| row.id).collect();
        let stayed = after.into_iter().filter(|(id, _)| before.contains_key(id) && !ids.contains(&id.uuid()));
        let unlisted = stayed.map(|(id, trace)| Unlisted { id, trace }).collect();
        let mut listed = Vec::new();
        for row in rows {
            let id = Id::from_uuid(row.id);
            let signed = before.get(&id).is_some_and(|trace| trace.signed.is_some());
            // One whose tables cannot be read has some, so it is looked at as well.
            if row.state != PROVISIONING || signed || self.founded(id).await.unwrap_or(true) {
                listed.push(Listed { id, slug: row.slug });
            }
        }
        Ok(Roll { listed, unlisted })
    }

    /// Whether an organization's tables are there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn has_tables(&self, organization: Id<Organization>) -> Result<bool, StoreError> {
        Ok(self.0.backend.all_tables().await?.contains(&organization))
    }

    /// Where an organization's tables are or should be, for people.
    pub fn tables_of(&self, organization: Id<Organization>) -> String {
        self.0.backend.tables_of(organization)
    }

    async fn traces(&self) -> Result<BTreeMap<Id<Organization>, Trace>, StoreError> {
        let mut traces = BTreeMap::<_, Trace>::new();
        for id in self.0.backend.all_tables().await? {
            traces.entry(id).or_default().tables = true;
        }
        let tx = self.0.backend.read_control().await?;
        let signed: Vec<(Uuid, i64)> = kept_checkpoints::Entity::find()
            .select_only()
            .column(kept_checkpoints::Column::Organization)
            .column_as(kept_checkpoints::Column::Size.max(), "size")
            .group_by(kept_checkpoints::Column::Organization)
            .into_tuple()
            .all(&tx)
            .await?;
        for (id, size) in signed {
            traces.entry(Id::from_uuid(id)).or_default().signed = Some(seq(size));
        }
        let entered = directory::Entity::find().select_only().column(directory::Column::Organization).distinct();
        for id in entered.into_tuple::<Uuid>().all(&tx).await? {
            traces.entry(Id::from_uuid(id)).or_default().entered = true;
        }
        tx.rollback().await?;
        Ok(traces)
    }
}
