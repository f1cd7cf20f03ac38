use gatewarden_access::{
    Permit,
    actions::{ListSessions, RevokeSession, SignIn, SignOut},
};
use gatewarden_types::{Account, Digest, Id, Session, Timestamp};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::{ControlRead, ControlTx, Store, StoreError, entity::sessions as s};

/// A browser session. Its token is not here: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: Id<Session>,
    /// Whose.
    pub account: Id<Account>,
    /// When it began.
    pub created: Timestamp,
    /// When it was last used, to about a minute.
    pub seen: Timestamp,
    /// When it ends, whatever happens.
    pub expires: Timestamp,
    /// What the browser said it is.
    pub device: String,
    /// The network address it began from.
    pub network: String,
}

impl SessionRow {
    fn read(row: s::Model) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            account: Id::from_uuid(row.account),
            created: Timestamp::from_micros(row.created),
            seen: Timestamp::from_micros(row.seen),
            expires: Timestamp::from_micros(row.expires),
            device: row.device,
            network: row.network,
        }
    }
}

impl Store {
    /// The session whose token has this hash: how a request's caller is made out, so it asks for no permit.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn session(&self, digest: Digest) -> Result<Option<SessionRow>, StoreError> {
        let tx = self.0.backend.read_control().await?;
        let row = s::Entity::find().filter(s::Column::Digest.eq(digest.0.to_vec())).one(&tx).await?;
        Ok(row.map(SessionRow::read))
    }

    /// Notes that a session was used. Not a change of policy, so it leaves no entry.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn touch_session(&self, id: Id<Session>, now: Timestamp) -> Result<(), StoreError> {
        let tx = self.0.backend.change_control().await?;
        let row = s::ActiveModel { id: Set(id.uuid()), seen: Set(now.micros()), ..Default::default() };
        // One that was signed out meanwhile is no fault.
        s::Entity::update_many().set(row).filter(s::Column::Id.eq(id.uuid())).exec(&tx).await?;
        Ok(tx.commit().await?)
    }
}

impl ControlRead {
    /// The account's sessions, newest first.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sessions(&self, permit: &Permit<ListSessions>) -> Result<Vec<SessionRow>, StoreError> {
        let mine = s::Column::Account.eq(permit.target_id().uuid());
        let rows = s::Entity::find().filter(mine).order_by_desc(s::Column::Id).all(&self.tx).await?;
        Ok(rows.into_iter().map(SessionRow::read).collect())
    }

    /// A session, where it is the caller's own.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn own_session(&self, permit: &Permit<RevokeSession>) -> Result<Option<SessionRow>, StoreError> {
        let row = s::Entity::find_by_id(permit.target_id().uuid()).one(&self.tx).await?;
        let own = |row: &SessionRow| permit.caller().actor == gatewarden_types::Actor::Account(row.account);
        Ok(row.map(SessionRow::read).filter(own))
    }
}

impl ControlTx {
    /// Begins a session for the account that signed in.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn begin_session(
        &mut self,
        _permit: &Permit<SignIn>,
        session: &SessionRow,
        token: Digest,
    ) -> Result<(), StoreError> {
        let row = s::ActiveModel {
            id: Set(session.id.uuid()),
            digest: Set(token.0.to_vec()),
            account: Set(session.account.uuid()),
            created: Set(session.created.micros()),
            seen: Set(session.seen.micros()),
            expires: Set(session.expires.micros()),
            device: Set(session.device.clone()),
            network: Set(session.network.clone()),
        };
        s::Entity::insert(row).exec_without_returning(&self.read.tx).await?;
        Ok(())
    }

    /// Ends the caller's own session.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sign_out(&mut self, permit: &Permit<SignOut>) -> Result<(), StoreError> {
        s::Entity::delete_by_id(permit.target_id().uuid()).exec(&self.read.tx).await?;
        Ok(())
    }

    /// Ends another of the caller's sessions, which [`ControlRead::own_session`] found to be theirs.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn revoke_session(&mut self, permit: &Permit<RevokeSession>) -> Result<(), StoreError> {
        let gatewarden_types::Actor::Account(account) = permit.caller().actor else { return Ok(()) };
        s::Entity::delete_many()
            .filter(s::Column::Id.eq(permit.target_id().uuid()))
            .filter(s::Column::Account.eq(account.uuid()))
            .exec(&self.read.tx)
            .await?;
        Ok(())
    }
}
