//! Requests that are sent twice: what a create made the first time, so that the second makes nothing.

use gatewarden_access::{Permit, Writes};
use gatewarden_types::{Actor, Id, Kind, Record, Via};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::{OrgTx, StoreError, entity::idempotency as i};

/// How long an idempotency key is remembered: a day.
pub const KEPT_SECONDS: i64 = 24 * 60 * 60;

/// What is known of an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat<R: Kind> {
    /// It is new.
    First,
    /// The same request made this record before.
    Same(Id<R>),
    /// Another request used the key before.
    Other,
}

impl OrgTx {
    /// Looks an idempotency key up: the caller's `word`, and a hash of what the request says.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn repeat<A: Writes<R>, R: Record>(
        &self,
        permit: &Permit<A>,
        word: &str,
        request: &[u8; 32],
    ) -> Result<Repeat<R>, StoreError> {
        let row = i::Entity::find_by_id((who(permit), word.to_owned())).filter(i::Column::At.gte(self.remembered()));
        Ok(match row.one(self.read.by(permit)?).await? {
            None => Repeat::First,
            Some(row) if row.request == request => Repeat::Same(Id::from_uuid(row.record)),
            Some(_) => Repeat::Other,
        })
    }

    /// Remembers what the request made, for [`KEPT_SECONDS`], and forgets what it need not know any more.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn remember<A: Writes<R>, R: Record>(
        &mut self,
        permit: &Permit<A>,
        word: &str,
        request: &[u8; 32],
        record: Id<R>,
    ) -> Result<(), StoreError> {
        let old = i::Entity::delete_many().filter(i::Column::At.lt(self.remembered()));
        old.exec(self.read.by(permit)?).await?;
        let row = i::ActiveModel {
            caller: Set(who(permit)),
            word: Set(word.to_owned()),
            request: Set(request.to_vec()),
            record: Set(record.uuid()),
            at: Set(self.read.now.micros()),
        };
        i::Entity::insert(row).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Since when keys are remembered, in microseconds.
    fn remembered(&self) -> i64 {
        self.read.now.plus_seconds(-KEPT_SECONDS).micros()
    }
}

/// Whose idempotency keys: the API key's, else the account's.
fn who<A: gatewarden_access::Action>(permit: &Permit<A>) -> Uuid {
    match (permit.caller().via, permit.caller().actor) {
        (Via::Key(key), _) => key.uuid(),
        (_, Actor::Account(account)) => account.uuid(),
        _ => Uuid::nil(),
    }
}
