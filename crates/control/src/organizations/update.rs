use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Name, Organization, Reach, Seq};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Changes what an organization is called and what its members see. What is none stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateOrganization {
    /// What people call it.
    pub name: Option<Name>,
    /// Whose usage everybody sees who may see usage at all.
    pub usage: Option<Reach>,
    /// The version its editor saw.
    pub seen: Option<Seq>,
}

/// Changes the organization.
///
/// # Errors
/// When the caller may not, or it changed meanwhile.
pub async fn update(
    app: &App,
    caller: &Caller,
    id: Id<Organization>,
    command: UpdateOrganization,
) -> Result<Changed<Organization>, Error> {
    let mut tx = app.store.change(caller, id).await?;
    let asked = tx.permit_on::<actions::UpdateOrganization>(id, |_| Giving::Nothing).await;
    let (permit, row) = or_refuse!(tx, asked);
    check_seen(command.seen, row.version)?;
    let mut organization = row.record.clone();
    organization.name = command.name.unwrap_or(organization.name);
    organization.visibility.usage = command.usage.unwrap_or(organization.visibility.usage);
    if organization == row.record {
        return Ok(Changed { value: organization, version: row.version });
    }
    tx.put(&permit, &organization).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: organization, version: committed.seq })
}
