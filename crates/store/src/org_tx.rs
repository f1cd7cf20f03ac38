//! Changing an organization: its only writer, with three ways out.

use std::ops::Deref;

use gatewarden_access::{Action, Caller, Permit, Refused, Writes};
use gatewarden_trail::{Change, Frontier};
use gatewarden_types::{Id, Kind, Organization, Seq};
use sea_orm::{
    ActiveModelTrait, EntityTrait, IntoActiveModel, Iterable, PrimaryKeyToColumn, QueryFilter, sea_query::OnConflict,
};

use crate::{OrgRead, Store, StoreError, Table, append};

/// A change of one organization by one caller, who is its only writer until it ends.
///
/// It ends by [`OrgTx::commit`], which writes the entry; by [`OrgTx::refuse`], which notes the attempt; or by being
/// dropped, which leaves nothing.
#[derive(Debug)]
pub struct OrgTx {
    pub(crate) read: OrgRead,
    pub(crate) frontier: Frontier,
    pub(crate) changes: Vec<Change>,
}

impl Deref for OrgTx {
    type Target = OrgRead;

    fn deref(&self) -> &OrgRead {
        &self.read
    }
}

impl Store {
    /// Begins a change: waits until no one else changes the organization, then reads what the caller may do.
    ///
    /// # Errors
    /// When the database cannot answer. Who may not change anything learns so from [`OrgRead::permit`].
    pub async fn change(&self, caller: &Caller, organization: Id<Organization>) -> Result<OrgTx, StoreError> {
        let tx = self.0.backend.change(organization).await?;
        let frontier = append::frontier(&tx).await?;
        let read = OrgRead::load(self, tx, caller, organization).await?;
        Ok(OrgTx { read, frontier, changes: Vec::new() })
    }
}

impl OrgTx {
    /// The seq that the entry of this change will have, and so the version of what it writes.
    pub fn seq(&self) -> Seq {
        self.frontier.size() + 1
    }

    /// Puts a record, new or changed, and keeps its after-image for the entry.
    ///
    /// # Errors
    /// [`StoreError::WrongPermit`] when the permit is for another record or another organization.
    pub async fn put<A: Writes<R>, R: Table>(&mut self, permit: &Permit<A>, record: &R) -> Result<(), StoreError> {
        self.check::<A, R>(permit, record.id())?;
        let row = record.row(self.seq())?.into_active_model().reset_all();
        let keys: Vec<_> =
            <R::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
        let all = <R::Entity as EntityTrait>::Column::iter();
        let others = all.filter(|column| !keys.iter().any(|key| format!("{key:?}") == format!("{column:?}")));
        let replace = OnConflict::columns(keys.iter().copied()).update_columns(others).to_owned();
        R::Entity::insert(row).on_conflict(replace).exec_without_returning(&self.read.tx).await?;
        self.changes.push(Change::put(record)?);
        Ok(())
    }

    /// Removes a record and says so in the entry.
    ///
    /// # Errors
    /// As [`OrgTx::put`].
    pub async fn remove<A: Writes<R>, R: Table>(&mut self, permit: &Permit<A>, id: Id<R>) -> Result<(), StoreError> {
        self.check::<A, R>(permit, id)?;
        R::Entity::delete_many().filter(R::id_is(id.uuid())).exec(&self.read.tx).await?;
        self.changes.push(Change::removed(id));
        Ok(())
    }

    /// A permit for one record writes that record; beside it only records of other kinds, as its action may.
    fn check<A: Writes<R>, R: Table>(&self, permit: &Permit<A>, id: Id<R>) -> Result<(), StoreError> {
        let here = permit.organization() == Some(self.read.id);
        let same_kind = <A::Target as Kind>::PREFIX == R::PREFIX;
        if here && (!same_kind || permit.target().id == id.uuid()) {
            return Ok(());
        }
        Err(StoreError::WrongPermit { permit: format!("{permit:?}"), target: id.to_string() })
    }

    /// Leaves without a change because access said no, and notes the attempt where the action's class asks for it.
    pub async fn refuse(self, refused: Refused) -> StoreError {
        let OrgRead { store, tx, id, .. } = self.read;
        // The attempt is written outside this transaction, which is over first.
        if let Err(bad) = tx.rollback().await {
            return bad.into();
        }
        store.note_attempt(id, &refused).await;
        refused.into()
    }

    /// What a use case returns when it could not go on: a refusal is noted, anything else passes through.
    pub async fn fail(self, error: StoreError) -> StoreError {
        match error {
            StoreError::Refused(refused) => self.refuse(*refused).await,
            other => other,
        }
    }

    /// Whether anything was written so far.
    pub fn unchanged(&self) -> bool {
        self.changes.is_empty()
    }
}

/// The action of a permit, for entries.
pub(crate) fn action<A: Action>(_permit: &Permit<A>) -> &'static str {
    A::INFO.name
}
