use gatewarden_access::{
    Permit, Subject,
    actions::{ChangePassword, ListSessions, RevokeOtherSessions, RevokeSession, SignIn, SignOut},
    decide,
};
use gatewarden_types::{Account, Actor, Digest, Id, Session, Target, Timestamp};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{ExprTrait, SimpleExpr},
};

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

    /// Notes that a session was used, unless it was noted after `noted`. Not a change of policy, so it leaves no entry.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn touch_session(&self, id: Id<Session>, now: Timestamp, noted: Timestamp) -> Result<(), StoreError> {
        let tx = self.0.backend.change_control().await?;
        let row = s::ActiveModel { seen: Set(now.micros()), ..Default::default() };
        // One that was signed out meanwhile is no fault.
        let due = s::Entity::update_many().set(row).filter(s::Column::Id.eq(id.uuid()));
        due.filter(s::Column::Seen.lte(noted.micros())).exec(&tx).await?;
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
        let rows = s::Entity::find().filter(mine).order_by_desc(s::Column::Id).all(self.by(permit)?).await?;
        Ok(rows.into_iter().map(SessionRow::read).collect())
    }

    /// Asks to revoke a session; one that is not the caller's own is refused like one that is not there.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when access says no.
    pub async fn permit_own_session(&self, id: Id<Session>) -> Result<Permit<RevokeSession>, StoreError> {
        let owner = self.facts.asking_account().map(|account| s::Column::Account.eq(account.uuid()));
        let found = match owner {
            Some(own) => s::Entity::find_by_id(id.uuid()).filter(own).one(&self.tx).await?,
            None => None,
        };
        Ok(decide(&self.facts, found.map(|_| Subject::new(Target::of(id))))?)
    }
}

impl ControlTx {
    /// Begins a session for the account that signed in.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn begin_session(
        &mut self,
        permit: &Permit<SignIn>,
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
        s::Entity::insert(row).exec_without_returning(self.read.by(permit)?).await?;
        Ok(())
    }

    /// Forgets the account's sessions that have ended, or were last used at `idle_since` or before.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn clear_ended_sessions(
        &mut self,
        permit: &Permit<SignIn>,
        idle_since: Timestamp,
    ) -> Result<(), StoreError> {
        let over = s::Column::Expires.lte(self.read.now.micros()).or(s::Column::Seen.lte(idle_since.micros()));
        s::Entity::delete_many()
            .filter(s::Column::Account.eq(permit.target_id().uuid()))
            .filter(over)
            .exec(self.read.by(permit)?)
            .await?;
        Ok(())
    }

    /// Ends the caller's session; false when it had ended already.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn sign_out(&mut self, permit: &Permit<SignOut>) -> Result<bool, StoreError> {
        self.end(s::Column::Id.eq(permit.target_id().uuid()), permit.caller().actor).await.map(|ended| ended > 0)
    }

    /// Ends another of the caller's sessions.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn revoke_session(&mut self, permit: &Permit<RevokeSession>) -> Result<(), StoreError> {
        self.end(s::Column::Id.eq(permit.target_id().uuid()), permit.caller().actor).await.map(drop)
    }

    /// Ends every session of the caller's but `kept`, and says how many.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn revoke_other_sessions(
        &mut self,
        permit: &Permit<RevokeOtherSessions>,
        kept: Option<Id<Session>>,
    ) -> Result<u64, StoreError> {
        self.end(but(kept), permit.caller().actor).await
    }

    /// Ends every session of an account whose password is another now.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn end_sessions_of_old_password(&mut self, permit: &Permit<ChangePassword>) -> Result<u64, StoreError> {
        self.end(but(None), permit.caller().actor).await
    }

    /// Ends those of an account's sessions for which `which` holds.
    async fn end(&self, which: SimpleExpr, of: Actor) -> Result<u64, StoreError> {
        let Actor::Account(account) = of else { return Ok(0) };
        let own = s::Entity::delete_many().filter(s::Column::Account.eq(account.uuid())).filter(which);
        Ok(own.exec(&self.read.tx).await?.rows_affected)
    }
}

fn but(kept: Option<Id<Session>>) -> SimpleExpr {
    kept.map_or(SimpleExpr::Constant(true.into()), |kept| s::Column::Id.ne(kept.uuid()))
}
