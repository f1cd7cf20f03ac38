use gatewarden_access::{Caller, Facts, actions};
use gatewarden_feed::SILENCE;
use gatewarden_types::{Gateway, GatewayState, Id, Organization, Seq, StaleAfter, Timestamp, Versioned};

use super::{Sighting, goes_on::goes_on_until};
use crate::{App, Changed, Error, follow::end};

/// How far a gateway has come in the trail of its organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The position of the policy that its calls are decided by.
    pub position: Seq,
    /// How many entries there are after it.
    pub lag: u64,
}

/// A gateway as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGateway {
    /// The policy row.
    pub gateway: Versioned<Gateway>,
    /// What it last said of itself; none since this program started.
    pub sighting: Option<Sighting>,
    /// How far it has come; none while it has no policy.
    pub progress: Option<Progress>,
}

/// The gateways of an organization.
#[derive(Debug)]
pub struct ListedGateways {
    /// In the order they were added, without those that were removed.
    pub rows: Vec<ListedGateway>,
    /// How far the gateway in this process has come; none where there is no such gateway.
    pub here: Option<Progress>,
    /// How long each goes on without hearing from the control plane.
    pub stale_after: StaleAfter,
    /// Until when one goes on at most that hears nothing from now on, also by an earlier setting.
    pub goes_on_until: Timestamp,
    /// What the caller may do.
    pub facts: Facts,
}

impl Progress {
    fn of(position: Seq, size: Seq) -> Self {
        Self { position, lag: size.saturating_sub(position) }
    }
}

impl ListedGateway {
    fn of(app: &App, gateway: Versioned<Gateway>, (epoch, size): (u32, Seq)) -> Self {
        let sighting = app.connected().of(gateway.record.id);
        // A position of a trail that was given up is none of this one.
        let here = sighting.as_ref().filter(|seen| seen.epoch == Some(epoch));
        let position = here.and_then(|seen| seen.position);
        Self { gateway, sighting, progress: position.map(|position| Progress::of(position, size)) }
    }

    /// Whether it was heard lately.
    pub fn connected(&self, now: Timestamp) -> bool {
        self.sighting.as_ref().is_some_and(|seen| now < seen.at.plus_seconds(SILENCE.as_secs().cast_signed()))
    }
}

/// The gateways that the organization has let in, and those that wait.
///
/// # Errors
/// When the caller may not see them.
pub async fn list(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<ListedGateways, Error> {
    let read = app.store.read(caller, organization).await?;
    let permit = read.permit::<actions::ListGateways>()?;
    let gateways = read.list::<_, Gateway>(&permit).await?.into_iter();
    let end = end(app, organization).await?;
    let here = app.connected().here(organization).map(|position| Progress::of(position, end.1));
    let there = gateways.filter(|row| row.record.state != GatewayState::Removed);
    let rows = there.map(|gateway| ListedGateway::of(app, gateway, end)).collect();
    let stale_after = read.get::<_, Organization>(&permit, organization).await?.ok_or(Error::Gone)?.record.stale_after;
    let goes_on_until = goes_on_until(app, organization).await?;
    Ok(ListedGateways { rows, here, stale_after, goes_on_until, facts: read.facts().clone() })
}

/// Whether the caller may know which gateways there are.
///
/// # Errors
/// When the database cannot answer.
pub async fn may_list(app: &App, caller: &Caller, organization: Id<Organization>) -> Result<bool, Error> {
    let read = app.store.read(caller, organization).await?;
    Ok(read.permit::<actions::ListGateways>().is_ok())
}

/// A gateway that was just changed, as it would be listed.
///
/// # Errors
/// When the database cannot answer.
pub async fn as_listed(
    app: &App,
    organization: Id<Organization>,
    changed: Changed<Gateway>,
) -> Result<ListedGateway, Error> {
    let gateway = Versioned { version: changed.version, record: changed.value };
    Ok(ListedGateway::of(app, gateway, end(app, organization).await?))
}
