//! Browser sessions: an opaque token in the browser, its hash here.

use std::net::IpAddr;

use gatewarden_access::{Caller, Permit, actions};
use gatewarden_credentials::{PasswordHash, Secret, Token};
use gatewarden_store::{ControlTx, SessionRow};
use gatewarden_types::{Account, Actor, Id, Request, Session, Timestamp, Via};

use crate::{App, Error, sign_in::not_recognized};

/// How long a session lives without being used: 12 hours.
pub const IDLE_SECONDS: i64 = 12 * 60 * 60;
/// How long a session lives at most: 30 days.
pub const LONGEST_SECONDS: i64 = 30 * 24 * 60 * 60;
/// How often the use of a session is noted at most.
const NOTED_SECONDS: i64 = 60;

/// The browser someone signs in with.
#[derive(Debug, Clone)]
pub struct Browser {
    /// What it says it is: its `User-Agent`.
    pub device: String,
    /// The network address it comes from.
    pub network: IpAddr,
}

/// A session that has begun.
#[derive(Debug)]
pub struct SignedIn {
    /// Whose.
    pub account: Id<Account>,
    /// Its id.
    pub session: Id<Session>,
    /// What the browser keeps. Nobody sees it again.
    pub token: Secret<String>,
    /// When it ends, whatever happens.
    pub expires: Timestamp,
}

/// A session that goes on.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// Who asks.
    pub caller: Caller,
    /// Their account.
    pub account: Id<Account>,
    /// Their session.
    pub session: SessionRow,
}

/// One of one's own sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSession {
    /// The session.
    pub row: SessionRow,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The caller whose session has this token; none when there is no such session any more.
///
/// # Errors
/// When the database cannot answer.
pub async fn resume(app: &App, token: &str, request: Id<Request>) -> Result<Option<Resumed>, Error> {
    let Ok(token) = token.parse::<Token>() else { return Ok(None) };
    let now = app.clock.now();
    let session = app.store.session(token.digest()).await?.filter(|session| lives(session, now));
    let Some(session) = session else { return Ok(None) };
    let noted = now.plus_seconds(-NOTED_SECONDS);
    if session.seen <= noted
        && let Err(bad) = app.store.touch_session(session.id, now, noted).await
    {
        // Whoever is signed in can go on reading when nothing can be written.
        tracing::warn!(session = %session.id, error = %bad, "the use of a session could not be noted");
    }
    let account = session.account;
    let caller = Caller { actor: Actor::Account(account), via: Via::Session(session.id), request };
    Ok(Some(Resumed { caller, account, session }))
}

/// The calling account's sessions that live, newest first.
///
/// # Errors
/// When the caller is no account.
pub async fn list(app: &App, caller: &Caller) -> Result<Vec<OwnSession>, Error> {
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<actions::ListSessions>()?;
    let rows = control.sessions(&permit).await?.into_iter().filter(|row| lives(row, control.now()));
    Ok(rows.map(|row| OwnSession { current: caller.via == Via::Session(row.id), row }).collect())
}

/// Ends the session that asks. One that has ended already is left alone.
///
/// # Errors
/// When the caller has no session.
pub async fn sign_out(app: &App, caller: &Caller) -> Result<(), Error> {
    let Via::Session(session) = caller.via else { return Err(Error::Rule("Nobody is signed in here.")) };
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit::<actions::SignOut>(session)?;
    if control.sign_out(&permit).await? {
        control.commit(permit).await?;
    }
    Ok(())
}

/// Ends one of the calling account's sessions.
///
/// # Errors
/// When the session is not the caller's own: the same as when there is none.
pub async fn revoke(app: &App, caller: &Caller, session: Id<Session>) -> Result<(), Error> {
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit_own_session(session).await?;
    control.revoke_session(&permit).await?;
    control.commit(permit).await?;
    Ok(())
}

/// Ends every session of the calling account but the one that asks, and says how many.
///
/// # Errors
/// When the caller is no account.
pub async fn revoke_others(app: &App, caller: &Caller) -> Result<u64, Error> {
    let kept = match caller.via {
        Via::Session(session) => Some(session),
        _ => None,
    };
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit_self::<actions::RevokeOtherSessions>()?;
    let revoked = control.revoke_other_sessions(&permit, kept).await?;
    if revoked > 0 {
        control.commit(permit).await?;
    }
    Ok(revoked)
}

/// The hash that a password was compared with, and the one to store in its place, which is the same where that is as
/// good as a new one.
pub(crate) struct Compared {
    pub(crate) with: PasswordHash,
    pub(crate) store: PasswordHash,
}

/// Begins a session for an account that has shown who it is. Where a password was compared, it has to be the account's
/// still: comparing is slow, and whoever changes a password signs everybody out who knew the old one.
pub(crate) async fn begin(
    app: &App,
    request: Id<Request>,
    account: Id<Account>,
    browser: &Browser,
    compared: Option<Compared>,
) -> Result<SignedIn, Error> {
    let caller = Caller { actor: Actor::Account(account), via: Via::Nothing, request };
    let mut control = app.store.change_control(&caller).await?;
    let permit = control.permit_self::<actions::SignIn>()?;
    if let Some(Compared { with, store }) = compared
        && !control.renew_password(&permit, with.as_str(), store.as_str()).await?
    {
        return Err(not_recognized());
    }
    let signed_in = put(app, &mut control, &permit, browser).await?;
    control.commit(permit).await?;
    Ok(signed_in)
}

/// Puts a new session into a change that is under way.
pub(crate) async fn put(
    app: &App,
    control: &mut ControlTx,
    permit: &Permit<actions::SignIn>,
    browser: &Browser,
) -> Result<SignedIn, Error> {
    let (token, now, account) = (Token::generate(&app.entropy), control.now(), permit.target_id());
    let session = SessionRow {
        id: app.id(),
        account,
        created: now,
        seen: now,
        expires: now.plus_seconds(LONGEST_SECONDS),
        device: shown(&browser.device),
        network: browser.network.to_canonical().to_string(),
    };
    control.clear_ended_sessions(permit, now.plus_seconds(-IDLE_SECONDS)).await?;
    control.begin_session(permit, &session, token.digest()).await?;
    Ok(SignedIn { account, session: session.id, token: token.text(), expires: session.expires })
}

fn lives(session: &SessionRow, now: Timestamp) -> bool {
    now < session.expires && now < session.seen.plus_seconds(IDLE_SECONDS)
}

/// What a browser says of itself, as far as it is shown.
fn shown(device: &str) -> String {
    device.chars().filter(|c| !c.is_control()).take(200).collect()
}
