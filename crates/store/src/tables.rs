//! Every policy row at once: what the entries have to fold to.

use gatewarden_access::{Permit, actions::FollowTrail};
use gatewarden_trail::Folded;
use gatewarden_types::{Invite, Key, Member, Model, Organization, Provider, Role};

use crate::{OrgRead, StoreError, Table, error::corrupt, org_read::find_all};

impl OrgRead {
    /// Every policy record as its row has it, in the form that a trail folds to.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn tables(&self, _permit: &Permit<FollowTrail>) -> Result<Folded, StoreError> {
        let mut all = Folded::new();
        self.add::<Organization>(&mut all).await?;
        self.add::<Role>(&mut all).await?;
        self.add::<Member>(&mut all).await?;
        self.add::<Invite>(&mut all).await?;
        self.add::<Provider>(&mut all).await?;
        self.add::<Model>(&mut all).await?;
        self.add::<Key>(&mut all).await?;
        Ok(all)
    }

    async fn add<R: Table>(&self, all: &mut Folded) -> Result<(), StoreError> {
        for row in find_all::<R>(&self.tx).await? {
            let image = serde_json::to_value(&row.record).map_err(|bad| corrupt(R::KIND.word())(&bad))?;
            all.insert((R::KIND, row.record.id().uuid()), (row.version, image));
        }
        Ok(())
    }
}
