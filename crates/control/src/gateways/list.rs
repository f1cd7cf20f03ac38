use gatewarden_access::{Caller, Facts, actions};
use gatewarden_types::{Gateway, GatewayState, Id, Organization, Seq, Timestamp, Versioned};

use super::Sighting;
use crate::{App, Error, follow::size};

/// After how many seconds without a word a gateway counts as away.
const AWAY_SECONDS: i64 = 15;

/// A gateway as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGateway {
    /// The policy row.
    pub gateway: Versioned<Gateway>,
    /// What it last said of itself; none since this program started.
    pub sighting: Option<Sighting>,
}

/// The gateways of an organization.
#[derive(Debug)]
pub struct ListedGateways {
    /// In the order they were added, without those that were removed.
    pub rows: Vec<ListedGateway>,
    /// The position of the organization's last entry.
    pub size: Seq,
    /// What the caller may do.
    pub facts: Facts,
}

impl ListedGateway {
    /// Whether it was heard lately.
    pub fn connected(&self, now: Timestamp) -> bool {
        self.sighting.as_ref().is_some_and(|seen| now < seen.at.plus_seconds(AWAY_SECONDS))
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
    let rows = gateways.filter(|row| row.record.state != GatewayState::Removed);
    let rows = rows.map(|gateway| ListedGateway { sighting: app.connected().of(gateway.record.id), gateway });
    Ok(ListedGateways { rows: rows.collect(), size: size(app, organization).await?, facts: read.facts().clone() })
}
