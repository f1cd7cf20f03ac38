use super::{admins::Admins, callers::Callers, site::Served};

/// Admins at a control plane, and callers at each gateway.
pub struct Load {
    pub admins: Admins,
    pub callers: Vec<Callers>,
}

impl Load {
    pub async fn begin(served: &Served, key: &str) -> Self {
        let mut callers = Vec::new();
        for gateway in &served.gateways {
            callers.push(Callers::begin(gateway, key).await);
        }
        Self { admins: Admins::begin(&served.console, key), callers }
    }

    /// Waits until so many changes more were made.
    pub async fn until_made(&self, changes: usize) {
        self.admins.until_made(changes).await;
        for callers in &self.callers {
            callers.figure("gatewarden_usage_kept_total").await;
        }
    }

    /// Waits until so many more usage records are on the disk, at each gateway.
    pub async fn until_spooled(&self, records: u64) {
        for callers in &self.callers {
            callers.until_spooled(records).await;
        }
    }

    /// Waits until usage could not be written, at any gateway. Calls go on meanwhile.
    pub async fn until_unwritable(&self) {
        for callers in &self.callers {
            callers.until_unwritable().await;
            callers.until_called(5).await;
        }
    }
}
