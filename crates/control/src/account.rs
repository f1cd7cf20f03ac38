//! One's own account.

use gatewarden_access::{
    Caller,
    actions::{ChangePassword, ListOrganizations, ReadAccount, SignIn, UpdateAccount},
};
use gatewarden_credentials::{Password, PasswordHash, Secret};
use gatewarden_store::AccountRow;
use gatewarden_types::{Name, Via};

use crate::{
    App, Error,
    sessions::{self, Browser, SignedIn},
};

/// The calling account.
///
/// # Errors
/// When the caller is no account.
pub async fn read(app: &App, caller: &Caller) -> Result<AccountRow, Error> {
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<ReadAccount>()?;
    control.account(&permit).await?.ok_or(Error::Gone)
}

/// Changes what the calling account is called, and then what its members are called in each of its organizations.
/// Whoever is cut off in between saves the name once more.
///
/// # Errors
/// When the caller is no account.
pub async fn rename(app: &App, caller: &Caller, name: Name) -> Result<AccountRow, Error> {
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit_self::<UpdateAccount>()?;
    let mut account = control.account(&permit).await?.ok_or(Error::Gone)?;
    if account.person.name == name {
        drop(control);
    } else {
        control.rename_account(&permit, &name).await?;
        control.commit(permit).await?;
        account.person.name = name;
    }
    carry(app, caller, &account.person.name).await?;
    Ok(account)
}

/// Another password for one's own account.
#[derive(Debug)]
pub struct NewPassword {
    /// The password until now, as it was typed.
    pub current: Secret<String>,
    /// The password from now on.
    pub new: Password,
    /// With what and from where: a session that was stolen must not become a place to guess passwords.
    pub browser: Browser,
}

/// Changes the password of the calling account and ends every session of it, also the one that asks: its token may be in
/// other hands. The browser that asks gets a new one. Says how many other sessions there were.
///
/// # Errors
/// When the caller is no account, the current password is another, or it was changed meanwhile; [`Error::TooMany`]
/// before anything is compared.
pub async fn change_password(app: &App, caller: &Caller, command: NewPassword) -> Result<(SignedIn, u64), Error> {
    let NewPassword { current, new, browser } = command;
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<ChangePassword>()?;
    let email = control.account(&permit).await?.ok_or(Error::Gone)?.person.email;
    app.throttle().admit(browser.network, &email, app.clock.now()).map_err(Error::TooMany)?;
    let stored = control.password(&permit).await?.ok_or(Error::Gone)?;
    // Comparing and hashing are slow, and nothing waits for them.
    drop(control);
    if !app.verify(Some(PasswordHash::from_stored(stored.clone())), current.expose().clone()).await? {
        return Err(Error::field("current", "This is not your password."));
    }
    app.throttle().succeeded(browser.network, &email, app.clock.now());
    let hash = app.hash(new).await?;
    let mut control = app.store.change_control(caller).await?;
    let permit = control.permit_self::<ChangePassword>()?;
    if !control.change_password(&permit, &stored, hash.as_str()).await? {
        return Err(Error::Rule("Your password was changed in the meantime. Begin again with the new one."));
    }
    let ended = control.end_sessions_of_old_password(&permit).await?;
    let may_sign_in = control.permit_self::<SignIn>()?;
    let signed_in = sessions::put(app, &mut control, &may_sign_in, &browser).await?;
    control.commit(permit).await?;
    let own = u64::from(matches!(caller.via, Via::Session(_)));
    Ok((signed_in, ended.saturating_sub(own)))
}

async fn carry(app: &App, caller: &Caller, name: &Name) -> Result<(), Error> {
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<UpdateAccount>()?;
    let places = control.own_places(&control.permit_self::<ListOrganizations>()?).await?;
    // Each organization is a database of its own, and nothing is held in one while another is changed.
    drop(control);
    for place in places {
        app.store.carry_name(&permit, place.id, name).await?;
    }
    Ok(())
}
