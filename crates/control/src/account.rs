//! One's own account.

use gatewarden_access::{
    Caller,
    actions::{ListOrganizations, ReadAccount, UpdateAccount},
};
use gatewarden_store::AccountRow;
use gatewarden_types::Name;

use crate::{App, Error};

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
