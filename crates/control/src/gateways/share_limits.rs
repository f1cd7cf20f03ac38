use gatewarden_feed::{Spending, Tallied};
use gatewarden_types::{Gateway, Id, Organization};

use super::Admitted;
use crate::App;

/// Takes in what a gateway has let through, and says how full its limits are with what the others have; to one that was
/// removed, nothing.
pub fn share_limits(app: &App, admitted: &Admitted, spending: &Spending) -> Tallied {
    let gateway = Some(admitted.gateway);
    if admitted.removed { Tallied::default() } else { add(app, admitted.organization, gateway, spending) }
}

/// The same for the gateway in this process.
pub fn share_limits_here(app: &App, organization: Id<Organization>, spending: &Spending) -> Tallied {
    add(app, organization, None, spending)
}

fn add(app: &App, organization: Id<Organization>, gateway: Option<Id<Gateway>>, spending: &Spending) -> Tallied {
    // Not the clock, which can be set.
    let now = u64::try_from(app.age().as_nanos()).unwrap_or(u64::MAX);
    app.tally().add(organization, gateway, spending, now)
}
