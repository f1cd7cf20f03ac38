use gatewarden_access::{Caller, Permit, actions};
use gatewarden_store::{OrgRead, Place};
use gatewarden_types::{Actor, Id, Job, Name, Organization, Role, Slug, Versioned};

use crate::{App, Error};

/// An organization that an account is in, and what it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its id.
    pub id: Id<Organization>,
    /// Its word in addresses.
    pub slug: Slug,
    /// What people call it.
    pub name: Name,
    /// The role the account holds there.
    pub role: Name,
}

/// The organizations that the calling account is in, for the switcher.
///
/// # Errors
/// When the caller is no account.
pub async fn list_own(app: &App, caller: &Caller) -> Result<Vec<Own>, Error> {
    if !matches!(caller.actor, Actor::Account(_)) {
        return Ok(Vec::new());
    }
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<actions::ListOrganizations>()?;
    let places = control.own_places(&permit).await?;
    // Whoever reads an organization may wait for the control schema, so nobody does it the other way round.
    drop(control);
    let mut own = Vec::with_capacity(places.len());
    for place in places {
        let here = app.store.read(caller, place.id).await?;
        // One that suspended or removed the account meanwhile is left out, not a failure of the list.
        if let Ok(permit) = here.permit::<actions::ReadOrganization>() {
            own.extend(own_part(&here, &permit, place).await?);
        }
    }
    own.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    Ok(own)
}

async fn own_part(
    here: &OrgRead,
    permit: &Permit<actions::ReadOrganization>,
    place: Place,
) -> Result<Option<Own>, Error> {
    let organization = here.get::<_, Organization>(permit, place.id).await?;
    let role = match here.facts().role() {
        Some(role) => here.get::<_, Role>(permit, role).await?,
        None => None,
    };
    Ok(organization.zip(role).map(|(organization, role)| Own {
        id: place.id,
        slug: place.slug,
        name: organization.record.name,
        role: role.record.name,
    }))
}

/// The organization itself.
///
/// # Errors
/// When the caller may not see it.
pub async fn read(
    app: &App,
    caller: &Caller,
    organization: Id<Organization>,
) -> Result<Versioned<Organization>, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ReadOrganization>()?;
    let row = read.get(&permit, organization).await?;
    row.ok_or(Error::Gone)
}

/// Whether the database answers, for whoever asks if the program is ready.
///
/// # Errors
/// When it does not.
pub async fn reachable(app: &App) -> Result<(), Error> {
    let caller = Caller::system(Job::Follower, app.id());
    app.store.read_control(&caller).await?.any_account().await?;
    Ok(())
}
