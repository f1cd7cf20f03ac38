//! Every policy row at once: what the entries have to fold to.

use gatewarden_access::{Permit, actions::FollowTrail};
use gatewarden_trail::Folded;
use gatewarden_types::{Gateway, Invite, Key, Member, Model, Organization, Provider, Role};

use sea_orm::DatabaseTransaction;

use crate::{OrgRead, StoreError, Table, error::corrupt, org_read::find_all};

impl OrgRead {
    /// Every policy record as its row has it, in the form that a trail folds to.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn tables(&self, permit: &Permit<FollowTrail>) -> Result<Folded, StoreError> {
        let mut all = Folded::new();
        let tx = self.by(permit)?;
        add::<Organization>(tx, &mut all).await?;
        add::<Role>(tx, &mut all).await?;
        add::<Member>(tx, &mut all).await?;
        add::<Invite>(tx, &mut all).await?;
        add::<Provider>(tx, &mut all).await?;
        add::<Model>(tx, &mut all).await?;
        add::<Key>(tx, &mut all).await?;
        add::<Gateway>(tx, &mut all).await?;
        Ok(all)
    }
}

async fn add<R: Table>(tx: &DatabaseTransaction, all: &mut Folded) -> Result<(), StoreError> {
    for row in find_all::<R>(tx).await? {
        let image = serde_json::to_value(&row.record).map_err(|bad| corrupt(R::KIND.word())(&bad))?;
        all.insert((R::KIND, row.record.id().uuid()), (row.version, image));
    }
    Ok(())
}
