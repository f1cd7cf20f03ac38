//! Changing an organization: its only writer, with three ways out.

use std::ops::Deref;

use gatewarden_access::{Action, Caller, Permit, Refused, Writes};
use gatewarden_trail::{Change, Frontier};
use gatewarden_types::{Id, Kind, Organization, Seq, Target};
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
    /// What all of it is: one entry says one act on one thing.
    pub(crate) act: Option<(&'static str, Target)>,
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
    /// [`StoreError::SecondHistory`] when the trail is not what was signed of it; when the database cannot answer. Who
    /// may not change anything learns so from [`OrgRead::permit`].
    pub async fn change(&self, caller: &Caller, organization: Id<Organization>) -> Result<OrgTx, StoreError> {
        self.one_history(organization).await?;
        let tx = self.0.backend.change(organization).await?;
        let frontier = append::frontier(&tx).await?;
        let read = OrgRead::load(self, tx, caller, organization).await?;
        Ok(OrgTx { read, frontier, changes: Vec::new(), act: None })
    }
}

impl OrgTx {
    /// The seq that the entry of this change will have, and so the version of what it writes.
    pub fn seq(&self) -> Seq {
        self.frontier.size() + 1
    }

    /// Puts a record, new or changed, and keeps its after-image for the entry. Only what the permit is for is changed;
    /// beside it records are added, or changed too where the action says so ([`Writes::ALTERS`]).
    ///
    /// # Errors
    /// [`StoreError::WrongPermit`] when the permit is for another record or transaction, or something was written here by
    /// another; [`StoreError::Database`] when a record is there that the permit may not change.
    pub async fn put<A: Writes<R>, R: Table>(&mut self, permit: &Permit<A>, record: &R) -> Result<(), StoreError> {
        let alters = self.check::<A, R>(permit, record.id())?;
        let row = record.row(self.seq())?.into_active_model().reset_all();
        let mut insert = R::Entity::insert(row);
        if alters {
            insert = insert.on_conflict(replace::<R>());
        }
        insert.exec_without_returning(self.read.by(permit)?).await?;
        self.changes.push(Change::put(record)?);
        Ok(())
    }

    /// Removes a record and says so in the entry.
    ///
    /// # Errors
    /// As [`OrgTx::put`]; also when the permit is for another record and its action does not change others.
    pub async fn remove<A: Writes<R>, R: Table>(&mut self, permit: &Permit<A>, id: Id<R>) -> Result<(), StoreError> {
        if !self.check::<A, R>(permit, id)? {
            return Err(wrong(permit, id));
        }
        R::Entity::delete_many().filter(R::id_is(id.uuid())).exec(self.read.by(permit)?).await?;
        self.changes.push(Change::removed(id));
        Ok(())
    }

    /// A permit for one record writes that record; beside it only records of other kinds, as its action may. Answers
    /// whether one that is there may be changed.
    fn check<A: Writes<R>, R: Table>(&mut self, permit: &Permit<A>, id: Id<R>) -> Result<bool, StoreError> {
        self.read.by(permit)?;
        let act = (A::INFO.name, permit.target().clone());
        let same_act = *self.act.get_or_insert_with(|| act.clone()) == act;
        let same_kind = <A::Target as Kind>::PREFIX == R::PREFIX;
        let target = same_kind && permit.target().id == id.uuid();
        if same_act && (target || !same_kind) { Ok(target || A::ALTERS) } else { Err(wrong(permit, id)) }
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
}

/// The action of a permit, for entries.
pub(crate) fn action<A: Action>(_permit: &Permit<A>) -> &'static str {
    A::INFO.name
}

fn wrong<A: Action, R: Table>(permit: &Permit<A>, id: Id<R>) -> StoreError {
    StoreError::WrongPermit { permit: format!("{permit:?}"), target: id.to_string() }
}

/// What is there with the same id gives way.
fn replace<R: Table>() -> OnConflict {
    let keys: Vec<_> = <R::Entity as EntityTrait>::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let all = <R::Entity as EntityTrait>::Column::iter();
    let others = all.filter(|column| !keys.iter().any(|key| format!("{key:?}") == format!("{column:?}")));
    OnConflict::columns(keys.iter().copied()).update_columns(others).to_owned()
}
