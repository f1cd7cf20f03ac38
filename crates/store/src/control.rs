//! The control schema: accounts, browser sessions, and which organizations there are.
//!
//! It has a trail of the same format as an organization's, but as a record and not a fold.

mod accounts;
mod catch_up;
mod directory;
mod sessions;

use std::ops::Deref;

use gatewarden_access::{Action, Caller, Facts, Permission, Permit, Subject, decide};
use gatewarden_trail::Entry;
use gatewarden_types::{Account, Id, Target, Timestamp, Via};
use sea_orm::DatabaseTransaction;

use crate::{Committed, Store, StoreError, append, org_tx::action};

pub use accounts::{AccountRow, SignInRow};
pub use directory::Place;
pub use sessions::SessionRow;

/// The states of an organization in the directory, for whoever makes one.
pub(crate) mod directory_states {
    pub(crate) use super::directory::{ACTIVE, PROVISIONING, insert};
}

/// One state of the control schema, as one caller may read it.
#[derive(Debug)]
pub struct ControlRead {
    store: Store,
    tx: DatabaseTransaction,
    facts: Facts,
    now: Timestamp,
}

/// A change of the control schema by one caller, who is its only writer until it ends.
#[derive(Debug)]
pub struct ControlTx {
    read: ControlRead,
}

impl Deref for ControlTx {
    type Target = ControlRead;

    fn deref(&self) -> &ControlRead {
        &self.read
    }
}

impl Store {
    /// Begins to read the control schema.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn read_control(&self, caller: &Caller) -> Result<ControlRead, StoreError> {
        let tx = self.0.backend.read_control().await?;
        Ok(ControlRead::new(self, tx, caller))
    }

    /// Begins a change of the control schema.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn change_control(&self, caller: &Caller) -> Result<ControlTx, StoreError> {
        let tx = self.0.backend.change_control().await?;
        Ok(ControlTx { read: ControlRead::new(self, tx, caller) })
    }
}

impl ControlRead {
    fn new(store: &Store, tx: DatabaseTransaction, caller: &Caller) -> Self {
        let facts = Facts::instance(caller.clone()).read_in(store.next_transaction());
        let now = store.0.clock.now();
        Self { store: store.clone(), tx, facts, now }
    }

    /// The instant this was begun.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The way to the rows, for whoever was permitted something in this transaction.
    fn by<A: Action>(&self, permit: &Permit<A>) -> Result<&DatabaseTransaction, StoreError> {
        if permit.transaction() == self.facts.transaction() {
            Ok(&self.tx)
        } else {
            Err(StoreError::WrongPermit { permit: format!("{permit:?}"), target: "the instance".to_owned() })
        }
    }

    /// Asks to do `A` to something in the instance. What belongs to somebody else is not found.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when access says no.
    pub fn permit<A: Action>(&self, target: Id<A::Target>) -> Result<Permit<A>, StoreError> {
        let session = matches!(self.facts.caller().via, Via::Session(session) if session.uuid() == target.uuid());
        let account = self.facts.asking_account().is_some_and(|account| account.uuid() == target.uuid());
        let theirs = A::INFO.permission != Permission::AccountOwn || session || account;
        Ok(decide(&self.facts, theirs.then(|| Subject::new(Target::of(target))))?)
    }

    /// Asks to do `A` to the caller's own account; who has none is refused.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when access says no.
    pub fn permit_self<A: Action<Target = Account>>(&self) -> Result<Permit<A>, StoreError> {
        let own = self.facts.asking_account().map(|account| Subject::new(Target::of(account)));
        Ok(decide(&self.facts, own)?)
    }
}

impl ControlTx {
    /// Writes the entry of what `permit` allowed into the instance's trail, and makes all of it happen.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] when the database's answer was lost and the trail could not be asked.
    pub async fn commit<A: Action>(self, permit: Permit<A>) -> Result<Committed, StoreError> {
        self.by(&permit)?;
        let ControlRead { store, tx, now, .. } = self.read;
        let mut frontier = append::frontier(&tx).await?;
        let caller = permit.caller().clone();
        let entry = Entry {
            v: Entry::version(),
            organization: None,
            seq: frontier.size() + 1,
            at: now,
            actor: caller.actor,
            via: caller.via,
            request: caller.request,
            action: action(&permit).to_owned(),
            target: permit.target().clone(),
            grant: permit.grant(),
            changes: Vec::new(),
        };
        append::insert(&tx, &mut frontier, &entry).await?;
        let committed = Committed { seq: entry.seq, at: entry.at };
        match tx.commit().await {
            Ok(()) => Ok(committed),
            Err(bad) => {
                tracing::error!(seq = entry.seq, error = %bad, "the commit's answer was lost");
                store.control_outcome(entry.request, entry.seq).await
            }
        }
    }
}
