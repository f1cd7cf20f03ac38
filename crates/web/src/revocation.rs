//! Waiting until what was taken from someone is in effect on the gateways, and how far it has come, in words.

use std::time::Duration;

use gatewarden_control::{
    App, Caller,
    gateways::{self, InEffect},
};
use gatewarden_types::{Id, Organization, Seq};

use crate::{
    http::{Fault, Here},
    wording::{counted, instant},
};

/// What the gateway of the program itself is called.
pub const IN_THIS_PROGRAM: &str = "In this program";

/// How long an answer waits for gateways where nobody asked it to: those in reach take milliseconds.
const A_MOMENT: Duration = Duration::from_millis(250);

/// How long it waits where it was asked to.
const A_WHILE: Duration = Duration::from_secs(10);

/// How far a revocation has come, and who is behind.
pub struct Come {
    /// How far.
    pub in_effect: InEffect,
    /// The gateways that have not said that they decide by it, as far as the caller may know them.
    pub behind: Vec<String>,
}

impl Come {
    /// How far the change at `position` has come, once it is in effect everywhere or patience is over.
    ///
    /// # Errors
    /// When the database cannot answer.
    pub async fn of(
        app: &App,
        caller: &Caller,
        organization: Id<Organization>,
        position: Seq,
        wait: bool,
    ) -> Result<Self, Fault> {
        let patience = if wait { A_WHILE } else { A_MOMENT };
        let in_effect = gateways::in_effect(app, organization, position, patience).await?;
        // Whoever may take a key back may still not know which gateways there are.
        let named = !in_effect.everywhere() && gateways::may_list(app, caller, organization).await?;
        let behind = if named { names(&in_effect) } else { Vec::new() };
        Ok(Self { in_effect, behind })
    }

    /// `In effect on 3 of 3 gateways.`, or who is behind, and until when at most.
    fn sentence(&self) -> String {
        let (on, of) = (self.in_effect.on, self.in_effect.of());
        if of == 0 {
            return "No gateway has enrolled yet.".to_owned();
        }
        let far = format!("In effect on {on} of {}.", counted(of as u64, "gateway", "gateways"));
        let Some(stale_at) = self.in_effect.stale_at else { return far };
        let unheard = if self.behind.is_empty() { (of - on).to_string() } else { self.behind.join(", ") };
        let until = instant(stale_at);
        format!("{far} Not yet: {unheard}. Out of reach, a gateway goes on by its last policy until {until} at most.")
    }
}

/// How far the change at `position` has come, as a sentence to follow what was done.
pub async fn told(here: &Here, position: Seq, wait: bool) -> Result<String, Fault> {
    let come = Come::of(&here.site.app, &here.caller, here.organization, position, wait).await?;
    Ok(come.sentence())
}

fn names(come: &InEffect) -> Vec<String> {
    let here = come.behind_here.then(|| IN_THIS_PROGRAM.to_owned());
    here.into_iter().chain(come.behind.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewarden_types::Timestamp;

    fn come(on: usize, behind: &[&str], behind_here: bool) -> Come {
        let behind = behind.iter().map(|name| name.parse().unwrap()).collect();
        let stale_at = Timestamp::default().plus_seconds(86_400);
        let far = InEffect { at: 7, on, behind, behind_here, stale_at: None };
        let in_effect = InEffect { stale_at: (!far.everywhere()).then_some(stale_at), ..far };
        Come { behind: names(&in_effect), in_effect }
    }

    #[test]
    fn who_is_behind_is_named_and_until_when() {
        assert_eq!(come(0, &[], false).sentence(), "No gateway has enrolled yet.");
        assert_eq!(come(1, &[], false).sentence(), "In effect on 1 of 1 gateway.");
        assert_eq!(come(3, &[], false).sentence(), "In effect on 3 of 3 gateways.");
        let behind = come(1, &["Oslo"], true).sentence();
        assert!(behind.starts_with("In effect on 1 of 3 gateways. Not yet: In this program, Oslo. "), "{behind}");
        assert!(behind.ends_with("until 2 Jan 1970, 00:00:00 UTC at most."), "{behind}");
        let hidden = Come { behind: Vec::new(), ..come(1, &["Oslo"], true) }.sentence();
        assert!(hidden.contains("Not yet: 2. ") && !hidden.contains("Oslo"), "{hidden}");
    }
}
