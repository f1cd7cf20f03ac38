use gatewarden_feed::Report;

use super::{Admitted, Sighting};
use crate::App;

/// The longest problem that is kept, in characters.
const LONGEST_PROBLEM: usize = 300;

/// Takes in what a gateway says of itself.
pub fn report(app: &App, admitted: &Admitted, report: Report) {
    let Report { position, release, problem } = report;
    if !admitted.removed {
        let short = |text: String| text.chars().take(LONGEST_PROBLEM).collect();
        let (release, problem) = (short(release), problem.map(short));
        app.connected().saw(admitted.gateway, Sighting { at: app.clock.now(), position, release, problem });
    }
}
