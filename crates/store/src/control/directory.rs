//! Which organizations there are, and a projection of who and which key is in which: it finds, and never decides.

use gatewarden_access::{
    Permit,
    actions::{ListOrganizations, RegisterOrganization},
};
use gatewarden_types::{Account, Id, Kind, Organization, Slug};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};

use crate::{
    ControlRead, ControlTx, Store, StoreError, entity,
    entity::{directory as d, organizations as o},
    error::corrupt,
};

/// An organization, as far as the control schema knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: Id<Organization>,
    /// Its word in addresses.
    pub slug: Slug,
}

impl Place {
    fn read(row: &o::Model) -> Result<Self, StoreError> {
        let slug = row.slug.parse().map_err(|bad| corrupt("organization")(&bad))?;
        Ok(Self { id: Id::from_uuid(row.id), slug })
    }
}

impl Store {
    /// The organization that bears `slug`, where `account` is in it: one query, whatever the answer.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn place(&self, slug: &str, account: Id<Account>) -> Result<Option<Place>, StoreError> {
        let tx = self.0.backend.read_control().await?;
        let mine = sea_orm::sea_query::Query::select()
            .column(d::Column::Organization)
            .from(d::Entity)
            .and_where(d::Column::Subject.eq(account.uuid()))
            .to_owned();
        let row = o::Entity::find()
            .filter(o::Column::Slug.eq(slug))
            .filter(o::Column::State.eq(ACTIVE))
            .filter(o::Column::Id.in_subquery(mine))
            .one(&tx)
            .await?;
        row.as_ref().map(Place::read).transpose()
    }

    /// The organization that a subject (an account or a key) is in; for an account that is in several, any.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn place_of<K: Kind>(&self, subject: Id<K>) -> Result<Option<Id<Organization>>, StoreError> {
        let tx = self.0.backend.read_control().await?;
        let row = d::Entity::find().filter(d::Column::Subject.eq(subject.uuid())).one(&tx).await?;
        Ok(row.map(|row| Id::from_uuid(row.organization)))
    }

    /// Every organization that is there.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn places(&self) -> Result<Vec<Place>, StoreError> {
        let tx = self.0.backend.read_control().await?;
        let rows = o::Entity::find().filter(o::Column::State.eq(ACTIVE)).all(&tx).await?;
        rows.iter().map(Place::read).collect()
    }
}

pub(crate) const ACTIVE: &str = "active";
pub(crate) const PROVISIONING: &str = "provisioning";

pub(crate) async fn insert(
    tx: &sea_orm::DatabaseTransaction,
    subject: uuid::Uuid,
    organization: Id<Organization>,
) -> Result<(), StoreError> {
    let row = d::ActiveModel { subject: Set(subject), organization: Set(organization.uuid()) };
    let once = OnConflict::columns([d::Column::Subject, d::Column::Organization]).do_nothing().to_owned();
    d::Entity::insert(row).on_conflict(once).exec_without_returning(tx).await?;
    Ok(())
}

impl ControlRead {
    /// The organizations that the account is in.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn own_places(&self, permit: &Permit<ListOrganizations>) -> Result<Vec<Place>, StoreError> {
        let mine =
            d::Entity::find().filter(d::Column::Subject.eq(permit.target_id().uuid())).all(self.by(permit)?).await?;
        let ids: Vec<_> = mine.into_iter().map(|row| row.organization).collect();
        let rows = o::Entity::find()
            .filter(o::Column::Id.is_in(ids))
            .filter(o::Column::State.eq(ACTIVE))
            .all(self.by(permit)?)
            .await?;
        rows.iter().map(Place::read).collect()
    }

    /// Whether the slug is taken.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn slug_taken(&self, permit: &Permit<RegisterOrganization>, slug: &Slug) -> Result<bool, StoreError> {
        let taken = o::Entity::find().filter(o::Column::Slug.eq(slug.as_str())).one(self.by(permit)?).await?;
        Ok(taken.is_some())
    }
}

impl ControlTx {
    /// Registers an organization that is about to be made.
    ///
    /// # Errors
    /// When the database cannot answer, or the slug is taken.
    pub async fn register(&mut self, permit: &Permit<RegisterOrganization>, slug: &Slug) -> Result<(), StoreError> {
        let row = entity::organizations::ActiveModel {
            id: Set(permit.target_id().uuid()),
            slug: Set(slug.to_string()),
            state: Set(PROVISIONING.to_owned()),
            created: Set(self.read.now.micros()),
        };
        o::Entity::insert(row).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }
}
