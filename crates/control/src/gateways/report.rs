use gatewarden_feed::{Report, UsageRecord};

use super::{Admitted, Sighting};
use crate::{App, Error, usage::ingest};

/// The longest problem that is kept, in characters.
const LONGEST_PROBLEM: usize = 300;

/// Takes in what a gateway says of itself; of one that was removed, only whether it has dropped its policy.
pub fn report(app: &App, admitted: &Admitted, report: Report) {
    let Report { position, epoch, release, problem } = report;
    if admitted.removed {
        let (connected, gateway) = (app.connected(), admitted.gateway);
        return if position.is_none() { connected.dropped(gateway) } else { connected.holds_on(gateway) };
    }
    let short = |text: String| text.chars().take(LONGEST_PROBLEM).collect();
    let (release, problem) = (short(release), problem.map(short));
    app.connected().saw(admitted.gateway, Sighting { at: app.clock.now(), position, epoch, release, problem });
}

/// Takes in the calls that a gateway has answered; also one that was removed since, for those it had answered by then. Once
/// this has returned they are kept.
///
/// # Errors
/// When one is of another organization, or they could not be kept; the gateway sends them again.
pub async fn keep_usage(app: &App, admitted: &Admitted, calls: &[UsageRecord]) -> Result<(), Error> {
    if calls.iter().any(|call| call.organization != admitted.organization) {
        return Err(Error::Rule("A gateway reports the calls of the organization that let it in, and no others."));
    }
    Ok(ingest(app, calls.iter().map(Into::into).collect()).await?)
}
