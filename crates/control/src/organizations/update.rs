use gatewarden_access::{Caller, actions};
use gatewarden_store::Giving;
use gatewarden_types::{Id, Name, Organization, PerMinute, Reach, Seq, StaleAfter};

use crate::{App, Changed, Error, check_seen, or_refuse};

/// Changes what an organization is called, what its members see, how much they may call, and how long its gateways answer
/// on their own. What is none stays.
#[derive(Debug, Clone, Default)]
pub struct UpdateOrganization {
    /// What people call it.
    pub name: Option<Name>,
    /// Whose usage everybody sees who may see usage at all.
    pub usage: Option<Reach>,
    /// Calls a minute.
    pub requests: LimitChange,
    /// Tokens a minute.
    pub tokens: LimitChange,
    /// How long a gateway goes on without hearing from the control plane.
    pub stale_after: Option<StaleAfter>,
    /// The version its editor saw.
    pub seen: Option<Seq>,
}

/// What becomes of a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LimitChange {
    /// It stays.
    #[default]
    Keep,
    /// This one holds from now on.
    Set(PerMinute),
    /// There is none any more.
    Lift,
}

impl LimitChange {
    fn after(self, before: Option<PerMinute>) -> Option<PerMinute> {
        match self {
            Self::Keep => before,
            Self::Set(limit) => Some(limit),
            Self::Lift => None,
        }
    }
}

impl From<Option<PerMinute>> for LimitChange {
    fn from(limit: Option<PerMinute>) -> Self {
        limit.map_or(Self::Lift, Self::Set)
    }
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
    organization.limits.requests = command.requests.after(organization.limits.requests);
    organization.limits.tokens = command.tokens.after(organization.limits.tokens);
    organization.stale_after = command.stale_after.unwrap_or(organization.stale_after);
    if organization == row.record {
        return Ok(Changed { value: organization, version: row.version });
    }
    tx.put(&permit, &organization).await?;
    let committed = tx.commit(permit).await?;
    Ok(Changed { value: organization, version: committed.seq })
}
