//! Signing in with an address and a password.

mod throttle;

pub(crate) use throttle::Throttle;

use gatewarden_access::{Caller, actions};
use gatewarden_credentials::{PasswordHash, Secret};
use gatewarden_types::{Actor, Email, Id, Request, Via};

use crate::{
    App, Error,
    sessions::{self, Browser, Compared, SignedIn},
};

/// Signs in.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Whose account.
    pub email: Email,
    /// The password as it was typed.
    pub password: Secret<String>,
    /// With what, from where.
    pub browser: Browser,
}

/// Begins a session where address and password belong together.
///
/// Unknown and known addresses are alike in what is answered and in what is done: one query, one comparison.
///
/// # Errors
/// [`Error::NotRecognized`], or [`Error::TooMany`] before anything is looked at.
pub async fn sign_in(app: &App, request: Id<Request>, command: SignIn) -> Result<SignedIn, Error> {
    let SignIn { email, password, browser } = command;
    app.throttle().admit(browser.network, &email, app.clock.now()).map_err(Error::TooMany)?;
    let control = app.store.read_control(&anyone(request)).await?;
    // Whose account it is shows only when the password fits, so the permit is for trying, and names a new id.
    let permit = control.permit::<actions::SignIn>(app.id())?;
    let row = control.sign_in_row(&permit, &email).await?;
    // The comparison is slow, and nothing waits for it.
    drop(control);
    let (account, hash) = row.map(|row| (row.id, PasswordHash::from_stored(row.password))).unzip();
    let fits = app.verify(hash.clone(), password.expose().clone()).await?;
    match account.zip(hash).filter(|_| fits) {
        Some((account, hash)) => {
            app.throttle().succeeded(browser.network, &email, app.clock.now());
            let compared = Compared { store: renewed(app, &hash, &password).await, with: hash };
            sessions::begin(app, request, account, &browser, Some(compared)).await
        }
        None => Err(not_recognized()),
    }
}

/// The password hashed anew, where it was hashed in a way that is no longer the one for new ones; else the hash as it is.
/// Whoever is right is signed in all the same where that cannot be done now: it is tried again the next time.
async fn renewed(app: &App, stored: &PasswordHash, typed: &Secret<String>) -> PasswordHash {
    match typed.expose().parse() {
        Ok(password) if stored.outdated() => app.hash(password).await.unwrap_or_else(|_| stored.clone()),
        _ => stored.clone(),
    }
}

/// What is said of every try that fails, so that it tells nothing of the address.
pub fn not_recognized() -> Error {
    Error::NotRecognized("This address and this password do not belong together.")
}

/// Someone who is not signed in.
pub(crate) fn anyone(request: Id<Request>) -> Caller {
    Caller { actor: Actor::Anyone, via: Via::Nothing, request }
}
