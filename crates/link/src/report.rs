use std::{sync::Arc, time::Duration};

use gatewarden_credentials::GatewayCredential;
use gatewarden_feed::{BEAT, Report};
use gatewarden_types::Seq;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::ControlPlane;

/// How long to wait before something is said again that nobody took in.
const AGAIN: Duration = Duration::from_secs(1);

/// How a gateway stands with one organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// The position that calls are decided by; none while there is no policy.
    pub position: Option<Seq>,
    /// Which of the organization's trails that is a position of.
    pub epoch: Option<u32>,
    /// What could not be read.
    pub problem: Option<String>,
    /// Why the policy cannot be kept on disk.
    pub disk: Option<String>,
    /// Whether the organization has removed this gateway. That is for good: nothing more comes of it.
    pub removed: bool,
}

impl Standing {
    /// Epoch and position that calls are decided by.
    pub(crate) fn at(&self) -> Option<(u32, Seq)> {
        self.epoch.zip(self.position)
    }

    /// Whether everything up to `from` was taken in, or as much of it as can be followed, or nothing more is to be.
    pub fn has_taken_in(&self, from: Option<Seq>) -> bool {
        self.removed || self.position >= from || self.problem.is_some()
    }

    /// Whether no other organization has to wait for this one any longer: it has a policy, with all that was on disk up to
    /// `from`, or it is known that it has none to wait for.
    pub fn is_settled(&self, from: Option<Seq>) -> bool {
        self.removed || (self.has_taken_in(from) && (self.position.is_some() || self.problem.is_some()))
    }
}

/// Says how the gateway stands, at once when that changes and else every few seconds, until the standing is gone.
pub async fn report(
    control: ControlPlane,
    credential: Arc<GatewayCredential>,
    mut standing: watch::Receiver<Standing>,
) {
    loop {
        let Standing { position, epoch, problem, disk, .. } = standing.borrow_and_update().clone();
        let disk = disk.map(|why| format!("the policy cannot be kept on its disk: {why}"));
        let said = Report { position, epoch, release: env!("CARGO_PKG_VERSION").to_owned(), problem: problem.or(disk) };
        if let Err(bad) = control.report(&credential, &said).await {
            tracing::debug!(error = %bad, "the control plane did not hear how this gateway is");
            sleep(AGAIN).await;
            continue;
        }
        if let Ok(Err(_)) = timeout(BEAT, standing.changed()).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_is_waited_for_until_it_is_known_what_it_has() {
        let nothing = Standing::default();
        let at = |position| Standing { position: Some(position), ..Standing::default() };
        let ill = Standing { problem: Some("a key: no such field".to_owned()), ..Standing::default() };
        let removed = Standing { removed: true, ..Standing::default() };
        assert!(
            !nothing.is_settled(None) && nothing.has_taken_in(None),
            "there was nothing on disk, and a base may come"
        );
        assert!(!nothing.is_settled(Some(7)) && !at(6).is_settled(Some(7)), "not all that was on disk is in it");
        for (standing, from) in [(at(7), Some(7)), (at(1), None), (ill.clone(), Some(7)), (ill, None)] {
            assert!(standing.is_settled(from), "{standing:?} from {from:?}");
        }
        for from in [None, Some(7)] {
            assert!(removed.is_settled(from) && removed.has_taken_in(from), "no policy of it will come");
        }
    }
}
