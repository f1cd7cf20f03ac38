//! Names and addresses: apart from policy, erasable, and never in an entry.

use gatewarden_access::{Permit, Reads, Writes, actions::UpdateAccount};
use gatewarden_types::{Email, Id, Invite, Member, Name, Organization, fold};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{self, OnConflict},
};
use std::collections::BTreeMap;

use crate::{OrgRead, OrgTx, Store, StoreError, entity, error::corrupt, org_read::uuids};

/// What a member is called here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their name.
    pub name: Name,
    /// Their address.
    pub email: Email,
}

impl Person {
    pub(crate) fn read(name: &str, email: &str) -> Result<Self, StoreError> {
        let name = name.parse().map_err(|bad| corrupt("person")(&bad))?;
        Ok(Self { name, email: email.parse().map_err(|bad| corrupt("person")(&bad))? })
    }
}

impl Store {
    /// Calls an account's member in an organization by a new name. What people are called is no policy, so no entry of
    /// the organization's says it; the account's own trail does.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn carry_name(
        &self,
        permit: &Permit<UpdateAccount>,
        organization: Id<Organization>,
        name: &Name,
    ) -> Result<(), StoreError> {
        use entity::{members, people};
        let tx = self.0.backend.change(organization).await?;
        let theirs = sea_query::Query::select()
            .column(members::Column::Id)
            .from(members::Entity)
            .and_where(members::Column::Account.eq(permit.target_id().uuid()))
            .to_owned();
        let called = people::ActiveModel {
            name: Set(name.to_string()),
            name_key: Set(fold(name.as_str())),
            ..Default::default()
        };
        let update = people::Entity::update_many().set(called).filter(people::Column::Member.in_subquery(theirs));
        update.exec(&tx).await?;
        Ok(tx.commit().await?)
    }
}

impl OrgTx {
    /// Says who a member is.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_person<A: Writes<Member>>(
        &mut self,
        permit: &Permit<A>,
        member: Id<Member>,
        person: &Person,
    ) -> Result<(), StoreError> {
        use entity::people::{ActiveModel, Column, Entity};
        let row = ActiveModel {
            member: Set(member.uuid()),
            name: Set(person.name.to_string()),
            email: Set(person.email.to_string()),
            name_key: Set(fold(person.name.as_str())),
            email_key: Set(fold(person.email.as_str())),
        };
        let columns = [Column::Name, Column::Email, Column::NameKey, Column::EmailKey];
        let replace = OnConflict::column(Column::Member).update_columns(columns).to_owned();
        Entity::insert(row).on_conflict(replace).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Forgets who a member was.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_person<A: Writes<Member>>(
        &mut self,
        permit: &Permit<A>,
        member: Id<Member>,
    ) -> Result<(), StoreError> {
        entity::people::Entity::delete_by_id(member.uuid()).exec(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Says where an invite went.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn put_invite_address<A: Writes<Invite>>(
        &mut self,
        permit: &Permit<A>,
        invite: Id<Invite>,
        email: &Email,
    ) -> Result<(), StoreError> {
        let row = entity::invite_addresses::ActiveModel { invite: Set(invite.uuid()), email: Set(email.to_string()) };
        entity::invite_addresses::Entity::insert(row).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Forgets where invites went, once they are answered or taken back.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn forget_invite_addresses<A: Writes<Invite>>(
        &mut self,
        permit: &Permit<A>,
        invites: impl IntoIterator<Item = Id<Invite>>,
    ) -> Result<(), StoreError> {
        let these = entity::invite_addresses::Column::Invite.is_in(uuids(invites));
        entity::invite_addresses::Entity::delete_many().filter(these).exec(self.read.by(permit)?).await?;
        Ok(())
    }
}

impl OrgRead {
    /// Who these members are; those nobody knows any more are left out.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn people<A: Reads<Member>>(
        &self,
        permit: &Permit<A>,
        members: impl IntoIterator<Item = Id<Member>>,
    ) -> Result<BTreeMap<Id<Member>, Person>, StoreError> {
        let rows = entity::people::Entity::find()
            .filter(entity::people::Column::Member.is_in(uuids(members)))
            .all(self.by(permit)?)
            .await?;
        rows.into_iter().map(|row| Ok((Id::from_uuid(row.member), Person::read(&row.name, &row.email)?))).collect()
    }

    /// Where these invites went.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn invite_addresses<A: Reads<Invite>>(
        &self,
        permit: &Permit<A>,
        invites: impl IntoIterator<Item = Id<Invite>>,
    ) -> Result<BTreeMap<Id<Invite>, Email>, StoreError> {
        let rows = entity::invite_addresses::Entity::find()
            .filter(entity::invite_addresses::Column::Invite.is_in(uuids(invites)))
            .all(self.by(permit)?)
            .await?;
        let read = |row: entity::invite_addresses::Model| {
            Ok((Id::from_uuid(row.invite), row.email.parse().map_err(|bad| corrupt("invite address")(&bad))?))
        };
        rows.into_iter().map(read).collect()
    }
}
