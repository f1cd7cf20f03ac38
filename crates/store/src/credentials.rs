//! Providers' secrets, sealed: bodies that entries name by digest, stored beside them and erasable.

use gatewarden_access::{Action, Permit, Reads, Writes, actions::FollowTrail};
use gatewarden_types::{CredentialRef, Provider};
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};

use crate::{OrgRead, OrgTx, StoreError, entity};

impl OrgTx {
    /// Keeps a sealed secret under its digest.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_credential<A: Writes<Provider>>(
        &mut self,
        permit: &Permit<A>,
        name: CredentialRef,
        sealed: Vec<u8>,
    ) -> Result<(), StoreError> {
        use entity::credentials::{ActiveModel, Column, Entity};
        let row = ActiveModel { digest: Set(name.0.to_string()), sealed: Set(sealed) };
        let keep = OnConflict::column(Column::Digest).do_nothing().to_owned();
        Entity::insert(row).on_conflict(keep).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Erases a sealed secret that nothing names any more.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn erase_credential<A: Writes<Provider>>(
        &mut self,
        permit: &Permit<A>,
        name: CredentialRef,
    ) -> Result<(), StoreError> {
        entity::credentials::Entity::delete_by_id(name.0.to_string()).exec(self.read.by(permit)?).await?;
        Ok(())
    }

    /// The sealed secret with this digest, for testing its provider.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn credential(
        &self,
        permit: &Permit<gatewarden_access::actions::TestProvider>,
        name: CredentialRef,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.read.sealed(permit, name).await
    }
}

impl OrgRead {
    /// The sealed secret with this digest, for the gateways that follow the trail.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn body(&self, permit: &Permit<FollowTrail>, name: CredentialRef) -> Result<Option<Vec<u8>>, StoreError>
    where
        FollowTrail: Reads<gatewarden_access::Entries>,
    {
        self.sealed(permit, name).await
    }

    async fn sealed<A: Action>(&self, permit: &Permit<A>, name: CredentialRef) -> Result<Option<Vec<u8>>, StoreError> {
        let row = entity::credentials::Entity::find_by_id(name.0.to_string()).one(self.by(permit)?).await?;
        Ok(row.map(|row| row.sealed))
    }
}
