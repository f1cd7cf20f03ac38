//! Keeping the directory after what is committed. It only finds, so what goes wrong here is told and mended, and fails
//! nobody whose change has happened.

use std::collections::BTreeSet;

use gatewarden_types::{Id, Kind, Organization};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::directory::insert;
use crate::{
    Store, StoreError,
    entity::{directory as d, gateways, invites, keys, members},
};

impl Store {
    /// Enters a member's account, a key, an invite or a gateway into the directory, after the change that it follows and
    /// before that is answered.
    pub async fn enter<K: Kind>(&self, subject: Id<K>, organization: Id<Organization>) {
        told(organization, self.put(subject.uuid(), organization).await);
    }

    /// Takes a subject out of the directory, unless it belongs to the organization again.
    pub async fn leave<K: Kind>(&self, subject: Id<K>, organization: Id<Organization>) {
        told(organization, self.take_out(subject.uuid(), organization).await);
    }

    /// Brings the directory to what the organizations' tables say, where it differs. One that cannot be read is told and
    /// left as it is.
    ///
    /// # Errors
    /// When the organizations cannot be listed.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        for place in self.places().await? {
            told(place.id, self.catch_up_with(place.id).await);
        }
        Ok(())
    }

    async fn catch_up_with(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        let entered = self.entered(organization).await?;
        let belonging = self.belonging(organization).await?;
        for subject in belonging.difference(&entered) {
            self.put(*subject, organization).await?;
        }
        for subject in entered.difference(&belonging) {
            self.take_out(*subject, organization).await?;
        }
        Ok(())
    }

    async fn put(&self, subject: Uuid, organization: Id<Organization>) -> Result<(), StoreError> {
        let tx = self.0.backend.change_control().await?;
        insert(&tx, subject, organization).await?;
        Ok(tx.commit().await?)
    }

    /// Looks only afterwards whether it belongs there: whoever joins meanwhile is either seen here or entered later.
    async fn take_out(&self, subject: Uuid, organization: Id<Organization>) -> Result<(), StoreError> {
        let tx = self.0.backend.change_control().await?;
        d::Entity::delete_by_id((subject, organization.uuid())).exec(&tx).await?;
        tx.commit().await?;
        if self.belongs(subject, organization).await? { self.put(subject, organization).await } else { Ok(()) }
    }

    async fn entered(&self, organization: Id<Organization>) -> Result<BTreeSet<Uuid>, StoreError> {
        let tx = self.0.backend.read_control().await?;
        let here = d::Entity::find().filter(d::Column::Organization.eq(organization.uuid()));
        let subjects: Vec<Uuid> = here.select_only().column(d::Column::Subject).into_tuple().all(&tx).await?;
        Ok(subjects.into_iter().collect())
    }

    /// Everyone and everything that is found through the directory: members' accounts, keys, open invites and gateways.
    pub(crate) async fn belonging(&self, organization: Id<Organization>) -> Result<BTreeSet<Uuid>, StoreError> {
        let tx = self.0.backend.read(organization).await?;
        let accounts = members::Entity::find().select_only().column(members::Column::Account);
        let mut subjects: Vec<Uuid> = accounts.into_tuple().all(&tx).await?;
        let keys = keys::Entity::find().select_only().column(keys::Column::Id);
        subjects.extend(keys.into_tuple::<Uuid>().all(&tx).await?);
        let gateways = gateways::Entity::find().select_only().column(gateways::Column::Id);
        subjects.extend(gateways.into_tuple::<Uuid>().all(&tx).await?);
        let invites = open_invites().select_only().column(invites::Column::Id);
        subjects.extend(invites.into_tuple::<Uuid>().all(&tx).await?);
        Ok(subjects.into_iter().collect())
    }

    async fn belongs(&self, subject: Uuid, organization: Id<Organization>) -> Result<bool, StoreError> {
        let tx = self.0.backend.read(organization).await?;
        Ok(member(&tx, subject).await?
            || keys::Entity::find_by_id(subject).one(&tx).await?.is_some()
            || gateways::Entity::find_by_id(subject).one(&tx).await?.is_some()
            || open_invites().filter(invites::Column::Id.eq(subject)).one(&tx).await?.is_some())
    }
}

async fn member(tx: &DatabaseTransaction, account: Uuid) -> Result<bool, StoreError> {
    let found = members::Entity::find().filter(members::Column::Account.eq(account)).one(tx).await?;
    Ok(found.is_some())
}

fn open_invites() -> sea_orm::Select<invites::Entity> {
    invites::Entity::find().filter(invites::Column::State.eq("pending"))
}

fn told(organization: Id<Organization>, followed: Result<(), StoreError>) {
    if let Err(bad) = followed {
        tracing::error!(%organization, error = %bad, "the directory could not follow; the next start mends it");
    }
}
