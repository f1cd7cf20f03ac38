//! Reading an organization: one state of it, with what its reader may do.

use std::collections::BTreeSet;

use gatewarden_access::{Action, Caller, Facts, Owner, Permit, Reads, Subject, decide};
use gatewarden_types::{Id, Organization, Reach, Target, Timestamp, Versioned};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::SimpleExpr,
};
use uuid::Uuid;

use crate::{Store, StoreError, Table, facts::Giving};

/// One state of one organization, as one caller may read it.
#[derive(Debug)]
pub struct OrgRead {
    pub(crate) store: Store,
    pub(crate) tx: DatabaseTransaction,
    pub(crate) id: Id<Organization>,
    pub(crate) organization: Option<Versioned<Organization>>,
    pub(crate) facts: Facts,
    pub(crate) now: Timestamp,
}

impl Store {
    /// Begins to read an organization for `caller`.
    ///
    /// # Errors
    /// When the database cannot answer. Who may not read learns so from [`OrgRead::permit`].
    pub async fn read(&self, caller: &Caller, organization: Id<Organization>) -> Result<OrgRead, StoreError> {
        let tx = self.0.backend.read(organization).await?;
        OrgRead::load(self, tx, caller, organization).await
    }
}

impl OrgRead {
    pub(crate) async fn load(
        store: &Store,
        tx: DatabaseTransaction,
        caller: &Caller,
        id: Id<Organization>,
    ) -> Result<Self, StoreError> {
        let now = store.0.clock.now();
        let organization: Option<Versioned<Organization>> = find(&tx, id).await?;
        let facts = match &organization {
            Some(organization) => crate::facts::load(&tx, caller, &organization.record, now).await?,
            None => Facts::founding(caller.clone(), id),
        };
        let facts = facts.read_in(store.next_transaction());
        Ok(Self { store: store.clone(), tx, id, organization, facts, now })
    }

    /// What the caller may do here, for drawing controls; deciding is [`OrgRead::permit`]'s.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The instant this was begun, by which expiries are judged.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Asks to do `A` to the organization itself.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when access says no.
    pub fn permit<A: Action<Target = Organization>>(&self) -> Result<Permit<A>, StoreError> {
        Ok(decide(&self.facts, Some(Subject::new(Target::of(self.id))))?)
    }

    /// Asks to do `A` to the organization itself, giving away a power by it.
    ///
    /// # Errors
    /// As [`OrgRead::permit`].
    pub async fn permit_giving<A: Action<Target = Organization>>(
        &self,
        giving: &Giving,
    ) -> Result<Permit<A>, StoreError> {
        let mut subject = Subject::new(Target::of(self.id));
        let fits = self.give(&mut subject, giving).await?;
        Ok(decide(&self.facts, fits.then_some(subject))?)
    }

    /// Asks to do `A` to one record, which is read for the decision and handed over with the permit. `giving` tells
    /// from the record which power would be given away.
    ///
    /// # Errors
    /// As [`OrgRead::permit`]; a record that is not there is refused like one that may not be seen.
    pub async fn permit_on<A: Action<Target: Table + crate::facts::Subjected>>(
        &self,
        id: Id<A::Target>,
        giving: impl FnOnce(&A::Target) -> Giving,
    ) -> Result<(Permit<A>, Versioned<A::Target>), StoreError> {
        let found: Option<Versioned<A::Target>> = find(&self.tx, id).await?;
        let Some(row) = found else { return Err(not_found::<A>(&self.facts)) };
        let mut subject = crate::facts::Subjected::subject(&row.record, self).await?;
        let fits = self.give(&mut subject, &giving(&row.record)).await?;
        let permit = decide::<A>(&self.facts, fits.then_some(subject))?;
        Ok((permit, row))
    }

    /// The way to the rows, for whoever was permitted something here: in this transaction, and so in this organization
    /// and by what is true now.
    pub(crate) fn by<A: Action>(&self, permit: &Permit<A>) -> Result<&DatabaseTransaction, StoreError> {
        if permit.transaction() == self.facts.transaction() {
            Ok(&self.tx)
        } else {
            Err(StoreError::WrongPermit { permit: format!("{permit:?}"), target: self.id.to_string() })
        }
    }

    /// Every record of a kind that the permit reaches, in the order they were made.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn list<A: Reads<R>, R: Table>(&self, permit: &Permit<A>) -> Result<Vec<Versioned<R>>, StoreError> {
        self.page(permit, None, u64::MAX >> 1).await
    }

    /// At most `limit` records of a kind that the permit reaches, made after `after`.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn page<A: Reads<R>, R: Table>(
        &self,
        permit: &Permit<A>,
        after: Option<Id<R>>,
        limit: u64,
    ) -> Result<Vec<Versioned<R>>, StoreError> {
        let mut select =
            R::Entity::find().filter(Self::reach::<A, R>(permit)).order_by_asc(R::id_column()).limit(limit);
        if let Some(after) = after {
            select = select.filter(R::after(after.uuid()));
        }
        select.all(self.by(permit)?).await?.into_iter().map(R::read).collect()
    }

    /// The records of a kind among these ids that the permit reaches.
    ///
    /// # Errors
    /// When the database cannot answer or a row cannot be read.
    pub async fn among<A: Reads<R>, R: Table>(
        &self,
        permit: &Permit<A>,
        ids: &BTreeSet<Uuid>,
    ) -> Result<Vec<Versioned<R>>, StoreError> {
        let these = R::id_column().is_in(ids.iter().copied());
        let select = R::Entity::find().filter(these).filter(Self::reach::<A, R>(permit));
        select.all(self.by(permit)?).await?.into_iter().map(R::read).collect()
    }

    /// The record with this id, where the permit reaches it.
    ///
    /// # Errors
    /// When the database cannot answer or the row cannot be read.
    pub async fn get<A: Reads<R>, R: Table>(
        &self,
        permit: &Permit<A>,
        id: Id<R>,
    ) -> Result<Option<Versioned<R>>, StoreError> {
        let select = R::Entity::find().filter(R::id_is(id.uuid())).filter(Self::reach::<A, R>(permit));
        select.one(self.by(permit)?).await?.map(R::read).transpose()
    }

    /// How far a permit goes, as a condition on the rows of `R`.
    pub(crate) fn reach<A: Reads<R>, R: Table>(permit: &Permit<A>) -> Condition {
        match permit.reach() {
            Reach::All => Condition::all(),
            Reach::Own => R::owned_by(permit.member()),
        }
    }
}

pub(crate) fn not_found<A: Action>(facts: &Facts) -> StoreError {
    match decide::<A>(facts, None) {
        Err(refused) => refused.into(),
        // A decision on nothing is always a refusal.
        Ok(permit) => StoreError::WrongPermit { permit: format!("{permit:?}"), target: "nothing".to_owned() },
    }
}

/// The record with this id.
pub(crate) async fn find<R: Table>(tx: &DatabaseTransaction, id: Id<R>) -> Result<Option<Versioned<R>>, StoreError> {
    find_by(tx, R::id_is(id.uuid())).await
}

/// The first record for which `condition` holds.
pub(crate) async fn find_by<R: Table>(
    tx: &DatabaseTransaction,
    condition: SimpleExpr,
) -> Result<Option<Versioned<R>>, StoreError> {
    R::Entity::find().filter(condition).one(tx).await?.map(R::read).transpose()
}

/// Every record of a kind.
pub(crate) async fn find_all<R: Table>(tx: &DatabaseTransaction) -> Result<Vec<Versioned<R>>, StoreError> {
    R::Entity::find().all(tx).await?.into_iter().map(R::read).collect()
}

/// An id as the databases keep it.
pub(crate) fn uuids<K: gatewarden_types::Kind>(ids: impl IntoIterator<Item = Id<K>>) -> Vec<Uuid> {
    ids.into_iter().map(Id::uuid).collect()
}

/// Nobody's own, or a member's.
pub(crate) fn owner(member: Option<Id<gatewarden_types::Member>>) -> Owner {
    member.map_or(Owner::Nobody, Owner::Member)
}
