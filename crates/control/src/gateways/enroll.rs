use gatewarden_access::{
    Caller,
    actions::{self, FollowTrail},
};
use gatewarden_credentials::GatewayCredential;
use gatewarden_store::Giving;
use gatewarden_types::{Digest, Gateway, GatewayState, Id, Job, Organization, Request, Timestamp};

use crate::{App, Error};

/// That no gateway can enrol with this: alike for unknown, used, expired and removed ones.
const GONE: Error = Error::NotRecognized(
    "This token cannot be used: it was used already, has expired, or its gateway was removed. Add the gateway again.",
);

/// Lets in a gateway that shows the token it was given. From now on it shows a secret of its own, whose digest is
/// `verifier`.
///
/// # Errors
/// [`Error::NotRecognized`] for every token that lets nobody in.
pub async fn enroll(
    app: &App,
    request: Id<Request>,
    token: &GatewayCredential,
    verifier: Digest,
) -> Result<Id<Organization>, Error> {
    let organization = app.store.place_of(token.gateway()).await?.ok_or(GONE)?;
    // Looked at first without the organization's lock, which whoever guesses tokens would hold.
    let read = app.store.read(&Caller::system(Job::Follower, request), organization).await?;
    let seen = read.get::<_, Gateway>(&read.permit::<FollowTrail>()?, token.gateway()).await?.ok_or(GONE)?;
    if !may_enroll(&seen.record, token, read.now()) {
        return Err(GONE);
    }
    drop(read);
    let mut tx = app.store.change(&Caller::system(Job::Enroll, request), organization).await?;
    let (permit, row) = tx.permit_on::<actions::EnrollGateway>(token.gateway(), |_| Giving::Nothing).await?;
    let gateway = row.record;
    if !may_enroll(&gateway, token, tx.now()) {
        return Err(GONE);
    }
    tx.put(&permit, &Gateway { state: GatewayState::Enrolled, verifier, ..gateway }).await?;
    tx.commit(permit).await?;
    Ok(organization)
}

fn may_enroll(gateway: &Gateway, token: &GatewayCredential, now: Timestamp) -> bool {
    let waits = gateway.state == GatewayState::Waiting && now < gateway.expires;
    waits && token.matches(&gateway.verifier)
}
