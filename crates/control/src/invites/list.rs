use gatewarden_access::{Caller, Facts, actions, member_powers};
use gatewarden_types::{Email, Id, Invite, Name, Organization, Role, Timestamp, Versioned};

use super::LIFETIME_SECONDS;
use crate::{App, Error};

/// The invites that nobody has answered.
#[derive(Debug)]
pub struct Invites {
    /// Newest first.
    pub rows: Vec<OpenInvite>,
    /// The roles that the caller may offer: none beyond their own power.
    pub roles: Vec<Role>,
    /// What the caller may do.
    pub facts: Facts,
}

/// An invite that is neither accepted nor revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvite {
    /// The policy row.
    pub invite: Versioned<Invite>,
    /// Where it went, while that is known.
    pub email: Option<Email>,
    /// The role that it offers.
    pub role: Option<Name>,
    /// Who sent it, while that is known.
    pub invited_by: Option<Name>,
    /// When it was last sent.
    pub sent: Timestamp,
    /// Whether it has ended.
    pub ended: bool,
}

/// Every open invite of the organization.
///
/// # Errors
/// When the caller may not see invites.
pub async fn list(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<Invites, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListInvites>()?;
    let open = read.open_invites(&permit).await?;
    let addresses = read.invite_addresses(&permit, open.iter().map(|invite| invite.record.id)).await?;
    let people = read.people(&permit, open.iter().map(|invite| invite.record.invited_by)).await?;
    let roles = read.list::<_, Role>(&permit).await?;
    let row = |invite: Versioned<Invite>| {
        let Invite { id, role, invited_by, expires, .. } = invite.record;
        OpenInvite {
            email: addresses.get(&id).cloned(),
            role: roles.iter().find(|held| held.record.id == role).map(|held| held.record.name.clone()),
            invited_by: people.get(&invited_by).map(|person| person.name.clone()),
            sent: expires.plus_seconds(-LIFETIME_SECONDS),
            ended: expires <= read.now(),
            invite,
        }
    };
    let rows = open.into_iter().map(row).collect();
    let here = read.get::<_, Organization>(&permit, organization).await?;
    let here = here.ok_or(Error::Gone)?.record;
    let facts = read.facts().clone();
    let within = |role: &Role| facts.powers().covers(member_powers(&here, role));
    let roles = roles.into_iter().map(|row| row.record).filter(within).collect();
    Ok(Invites { rows, roles, facts })
}
