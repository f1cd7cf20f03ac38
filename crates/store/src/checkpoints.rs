//! Checkpoints: signed tree heads, kept with the organization and once more in the control schema.

use gatewarden_access::{Caller, Facts, Subject, actions::FollowTrail, decide};
use gatewarden_trail::{Checkpoint, Log, VerifyingKey};
use gatewarden_types::{Id, Job, Organization, Target};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{OrgRead, Store, StoreError, entity, epochs, table::column};

/// What was kept of an organization's checkpoints, in both places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The notes.
    pub notes: Vec<String>,
}

impl Store {
    /// An organization's log: what its checkpoints are called in any epoch, and the key they are verified with.
    ///
    /// # Errors
    /// When there is no key.
    pub fn log(&self, organization: Id<Organization>) -> Result<Log, StoreError> {
        Ok(Log::new(format!("{}/trail/{organization}", self.0.origin), self.verifying_key(organization)?))
    }

    /// The key that an organization's checkpoints are verified with.
    ///
    /// # Errors
    /// When there is none.
    pub fn verifying_key(&self, organization: Id<Organization>) -> Result<VerifyingKey, StoreError> {
        Ok(self.0.signers.of(organization)?.verifying_key())
    }

    /// Signs the head of an organization's trail as it is committed now, in the epoch that it is in, and keeps it in both
    /// places. Answers its size and its note; none while there is no entry.
    ///
    /// # Errors
    /// [`StoreError::SecondHistory`] when something else was signed in this epoch; when the database cannot answer.
    pub async fn checkpoint(&self, organization: Id<Organization>) -> Result<Option<(u64, String)>, StoreError> {
        let caller = Caller::system(Job::Follower, self.request_id());
        let facts = Facts::system(caller, organization, Job::Follower);
        let _may = decide::<FollowTrail>(&facts, Some(Subject::new(Target::of(organization))))?;
        // Read first, so that it covers nothing that is not in what is signed.
        let elsewhere = self.last_kept_in_control(organization).await?;
        let tx = self.0.backend.change(organization).await?;
        let head = epochs::head(&tx, organization).await?;
        self.compared(organization, self.compare(&tx, organization, &head, elsewhere).await?)?;
        if head.frontier.size() == 0 {
            return Ok(None);
        }
        let (epoch, size) = (i64::from(head.epoch), column(head.frontier.size()));
        let origin = self.log(organization)?.origin(head.epoch);
        let head = Checkpoint { origin, size: head.frontier.size(), root: head.frontier.root() };
        let note = self.0.signers.of(organization)?.sign(&head);
        let row = entity::checkpoints::ActiveModel { epoch: Set(epoch), size: Set(size), note: Set(note.clone()) };
        let key = [entity::checkpoints::Column::Epoch, entity::checkpoints::Column::Size];
        let once = OnConflict::columns(key).do_nothing().to_owned();
        entity::checkpoints::Entity::insert(row).on_conflict(once).exec_without_returning(&tx).await?;
        tx.commit().await?;
        self.keep_in_control(organization, (epoch, size), note.clone()).await?;
        Ok(Some((head.size, note)))
    }

    async fn keep_in_control(&self, id: Id<Organization>, at: (i64, i64), note: String) -> Result<(), StoreError> {
        use entity::kept_checkpoints::{ActiveModel, Column, Entity};
        let tx = self.0.backend.change_control().await?;
        let (epoch, size) = (Set(at.0), Set(at.1));
        let row = ActiveModel { organization: Set(id.uuid()), epoch, size, note: Set(note) };
        let once = OnConflict::columns([Column::Organization, Column::Epoch, Column::Size]).do_nothing().to_owned();
        Entity::insert(row).on_conflict(once).exec_without_returning(&tx).await?;
        Ok(tx.commit().await?)
    }
}

impl OrgRead {
    /// Every checkpoint of this trail that was kept, here or in the control schema. It ends this read, because nobody
    /// waits for the control schema while they hold a connection to an organization.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn kept_checkpoints<A: gatewarden_access::Reads<gatewarden_access::Entries>>(
        self,
        permit: &gatewarden_access::Permit<A>,
    ) -> Result<Kept, StoreError> {
        let mine = entity::checkpoints::Entity::find().all(self.by(permit)?).await?;
        self.tx.rollback().await?;
        let control = self.store.0.backend.read_control().await?;
        let theirs = entity::kept_checkpoints::Entity::find()
            .filter(entity::kept_checkpoints::Column::Organization.eq(self.id.uuid()))
            .all(&control)
            .await?;
        let notes = mine.into_iter().map(|row| row.note).chain(theirs.into_iter().map(|row| row.note)).collect();
        Ok(Kept { notes })
    }
}
