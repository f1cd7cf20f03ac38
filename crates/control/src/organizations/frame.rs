use gatewarden_access::{Caller, Facts, actions};
use gatewarden_store::{OrgRead, Person};
use gatewarden_types::{Account, Actor, Id, Organization};

use super::{Own, list_own};
use crate::{App, Error};

/// What stands around every page: where one is, what one may do there, and where else one could be.
#[derive(Debug)]
pub struct Frame {
    /// The organization at hand.
    pub here: Option<Organization>,
    /// What the viewer may do there.
    pub facts: Option<Facts>,
    /// Every organization the viewer is in.
    pub own: Vec<Own>,
    /// Who looks.
    pub person: Person,
}

/// The organization that bears `slug`, where the account has a part in it. One query, whatever the answer.
///
/// # Errors
/// When the database cannot answer.
pub async fn locate(app: &App, slug: &str, account: Id<Account>) -> Result<Option<Id<Organization>>, Error> {
    Ok(app.store.place(slug, account).await?.map(|place| place.id))
}

/// The frame for a signed-in caller, in an organization or outside of any.
///
/// # Errors
/// When the caller is no account, or the database cannot answer.
pub async fn frame(app: &App, caller: &Caller, organization: Option<Id<Organization>>) -> Result<Frame, Error> {
    let (here, facts) = match organization {
        None => (None, None),
        Some(id) => {
            let read = app.store.read(caller, id).await?;
            (organization_at_hand(&read, id).await?, Some(read.facts().clone()))
        }
    };
    Ok(Frame { here, facts, own: list_own(app, caller).await?, person: person(app, caller).await? })
}

/// The organization, where its reader is in good standing; a suspended member still learns its name elsewhere.
async fn organization_at_hand(read: &OrgRead, id: Id<Organization>) -> Result<Option<Organization>, Error> {
    match read.permit::<actions::ReadOrganization>() {
        Ok(permit) => Ok(read.get(&permit, id).await?.map(|row| row.record)),
        Err(_) => Ok(None),
    }
}

async fn person(app: &App, caller: &Caller) -> Result<Person, Error> {
    if !matches!(caller.actor, Actor::Account(_)) {
        return Err(Error::Rule("Only a person has pages."));
    }
    let control = app.store.read_control(caller).await?;
    let permit = control.permit_self::<actions::ReadAccount>()?;
    let row = control.account(&permit).await?;
    row.map(|row| row.person).ok_or(Error::Gone)
}
