//! Reading the instance's own trail: of accounts, sign-ins and organizations.

use gatewarden_trail::Stored;
use gatewarden_types::Seq;
use sea_orm::DatabaseTransaction;

use crate::{Store, StoreError, append, trail::stored};

/// The instance's own trail, for one who verifies it. It holds no name and no address, and nobody decides by it.
#[derive(Debug)]
pub struct InstanceTrail {
    tx: DatabaseTransaction,
}

impl Store {
    /// Begins to read the instance's own trail.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn instance_trail(&self) -> Result<InstanceTrail, StoreError> {
        Ok(InstanceTrail { tx: self.0.backend.read_control().await? })
    }
}

impl InstanceTrail {
    /// How many entries there are, by their hashes.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn size(&self) -> Result<Seq, StoreError> {
        Ok(append::frontier(&self.tx).await?.size())
    }

    /// At most `limit` entries after `after`, oldest first, as they are stored.
    ///
    /// # Errors
    /// When the database cannot answer or a hash has no 32 bytes.
    pub async fn stored(&self, after: Seq, limit: u64) -> Result<Vec<Stored>, StoreError> {
        stored(&self.tx, after, limit).await
    }
}
