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
    /// What could not be read.
    pub problem: Option<String>,
}

/// Says how the gateway stands, at once when that changes and else every few seconds, until the standing is gone.
pub async fn report(
    control: ControlPlane,
    credential: Arc<GatewayCredential>,
    mut standing: watch::Receiver<Standing>,
) {
    loop {
        let Standing { position, problem } = standing.borrow_and_update().clone();
        let said = Report { position, release: env!("CARGO_PKG_VERSION").to_owned(), problem };
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
