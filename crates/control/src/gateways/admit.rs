use gatewarden_access::{Caller, actions::FollowTrail};
use gatewarden_credentials::GatewayCredential;
use gatewarden_types::{Gateway, GatewayState, Id, Job, Organization, Request};

use crate::{App, Error};

/// A gateway that has shown who it is.
#[derive(Debug)]
pub struct Admitted {
    /// Which it is.
    pub gateway: Id<Gateway>,
    /// The organization it follows.
    pub organization: Id<Organization>,
    /// What it showed, from which the keys are derived that what it is sent is sealed with.
    pub credential: GatewayCredential,
    /// Whether it was removed, and is told nothing but that.
    pub removed: bool,
}

/// The gateway whose credential this is; none for anything else.
///
/// # Errors
/// When the database cannot answer.
pub async fn admit(app: &App, request: Id<Request>, text: &str) -> Result<Option<Admitted>, Error> {
    let Ok(credential) = text.parse::<GatewayCredential>() else { return Ok(None) };
    let gateway = credential.gateway();
    let Some(organization) = app.store.place_of(gateway).await? else { return Ok(None) };
    let read = app.store.read(&Caller::system(Job::Follower, request), organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    let row = read.get::<_, Gateway>(&permit, gateway).await?;
    let enrolled =
        row.filter(|row| row.record.state != GatewayState::Waiting && credential.matches(&row.record.verifier));
    Ok(enrolled.map(|row| {
        let removed = row.record.state == GatewayState::Removed;
        Admitted { gateway, organization, credential, removed }
    }))
}

/// Whether a gateway was removed.
///
/// # Errors
/// When the database cannot answer.
pub(super) async fn is_removed(app: &App, organization: Id<Organization>, gateway: Id<Gateway>) -> Result<bool, Error> {
    let read = app.store.read(&Caller::system(Job::Follower, app.id()), organization).await?;
    let permit = read.permit::<FollowTrail>()?;
    let row = read.get::<_, Gateway>(&permit, gateway).await?;
    Ok(row.is_none_or(|row| row.record.state == GatewayState::Removed))
}
