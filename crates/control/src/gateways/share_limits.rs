use gatewarden_feed::{Filled, Spending};
use gatewarden_types::{Gateway, Id, Organization};

use super::Admitted;
use crate::App;

/// Takes in what a gateway has let through, and says how full its limits are with what the others have.
pub fn share_limits(app: &App, admitted: &Admitted, spending: &Spending) -> Vec<Filled> {
    if admitted.removed {
        return Vec::new();
    }
    add(app, admitted.organization, Some(admitted.gateway), spending)
}

/// The same for the gateway in this process.
pub fn share_limits_here(app: &App, organization: Id<Organization>, spending: &Spending) -> Vec<Filled> {
    add(app, organization, None, spending)
}

fn add(app: &App, organization: Id<Organization>, gateway: Option<Id<Gateway>>, spending: &Spending) -> Vec<Filled> {
    let now = u64::try_from(app.clock.now().micros()).unwrap_or_default().saturating_mul(1000);
    app.tally().add(organization, gateway, spending, now)
}
