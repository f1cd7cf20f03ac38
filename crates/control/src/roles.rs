//! The roles of an organization.

use gatewarden_access::{Caller, actions::ListRoles};
use gatewarden_types::{Id, Organization, Role, Versioned};

use crate::{App, Error};

/// Every role, in the order they were made.
///
/// # Errors
/// When the caller may not see roles.
pub async fn list(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<Vec<Versioned<Role>>, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<ListRoles>()?;
    Ok(read.list(&permit).await?)
}
