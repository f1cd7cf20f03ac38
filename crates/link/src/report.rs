use std::{sync::Arc, time::Duration};

use gatewarden_credentials::GatewayCredential;
use gatewarden_feed::Report;
use gatewarden_types::Seq;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::ControlPlane;

/// How often a gateway says how it is when nothing has changed.
const BEAT: Duration = Duration::from_secs(5);
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
}

impl Standing {
    /// Whether everything up to `from` was taken in, or as much of it as can be followed.
    pub fn has_taken_in(&self, from: Option<Seq>) -> bool {
        self.position >= from || self.problem.is_some()
    }
}

/// Says how the gateway stands, at once when that changes and else every few seconds, until the standing is gone.
pub async fn report(
    control: ControlPlane,
    credential: Arc<GatewayCredential>,
    mut standing: watch::Receiver<Standing>,
) {
    loop {
        let Standing { position, epoch, problem, disk } = standing.borrow_and_update().clone();
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
