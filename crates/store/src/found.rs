//! How an organization comes to be, so that a program that dies at any step leaves all of it or nothing.
//!
//! Registered in the control schema as `provisioning`; its tables made; its first entry committed; then entered in
//! the directory and `active`. When a program next holds the data, what has its first entry is finished, and what has not
//! is undone: nobody was told of it.

use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_types::{Id, Job, Organization};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use crate::{
    Store, StoreError,
    control::directory_states::{ACTIVE, PROVISIONING, insert},
    entity::organizations as o,
    error::corrupt,
};

impl Store {
    /// Makes the tables of an organization that has been registered.
    ///
    /// # Errors
    /// When the database cannot make them.
    pub async fn provision(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        self.0.backend.provision(organization).await
    }

    /// Enters everybody and every key of an organization in the directory and opens it.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn activate(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        let subjects = self.belonging(organization).await?;
        let tx = self.0.backend.change_control().await?;
        for subject in subjects {
            insert(&tx, subject, organization).await?;
        }
        let row = o::ActiveModel { id: Set(organization.uuid()), state: Set(ACTIVE.to_owned()), ..Default::default() };
        o::Entity::update(row).exec(&tx).await?;
        Ok(tx.commit().await?)
    }

    /// Undoes an organization whose creation was refused or cut off before its first entry.
    ///
    /// # Errors
    /// When the database cannot answer, or the organization has entries.
    pub async fn discard(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        if self.founded(organization).await? {
            return Err(corrupt("organization")(&"it has entries and cannot be undone"));
        }
        self.0.backend.discard(organization).await?;
        let tx = self.0.backend.change_control().await?;
        o::Entity::delete_many()
            .filter(o::Column::Id.eq(organization.uuid()))
            .filter(o::Column::State.eq(PROVISIONING))
            .exec(&tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Finishes or undoes every creation that was cut off; for one who holds the data, because otherwise another program
    /// may be in the midst of one.
    pub(crate) async fn recover(&self) -> Result<(), StoreError> {
        let tx = self.0.backend.read_control().await?;
        let cut_off = o::Entity::find().filter(o::Column::State.eq(PROVISIONING)).all(&tx).await?;
        drop(tx);
        for row in cut_off {
            let id = Id::from_uuid(row.id);
            if self.founded(id).await? {
                self.activate(id).await?;
            } else {
                self.discard(id).await?;
            }
        }
        Ok(())
    }

    /// Whether an organization has its first entry.
    pub(crate) async fn founded(&self, organization: Id<Organization>) -> Result<bool, StoreError> {
        if !self.0.backend.provisioned(organization).await? {
            return Ok(false);
        }
        let read = self.read(&Caller::system(Job::Follower, self.request_id()), organization).await?;
        if read.organization.is_none() {
            return Ok(false);
        }
        let permit = read.permit::<FollowTrail>()?;
        Ok(read.size(&permit).await? > 0)
    }
}
