//! A site with gateways on other hosts.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU8, Ordering::Relaxed},
};

use serde_json::json;

use super::{
    admins::Changes,
    failing::Switch,
    host::{self, Host},
    kept::{Fate, Kept},
    load::Load,
    site::{Served, Site},
};
use crate::program::{self, Folder, text};

/// The control plane and its gateways, each of which may run or not. The program's own gateway is there, and nobody calls it.
pub struct Fleet {
    site: Site,
    hosts: Vec<Host>,
    plane: Option<program::Running>,
    gateways: Vec<Option<host::Running>>,
}

/// Who is killed at once.
#[derive(Debug, Clone, Copy)]
pub struct Victims {
    pub plane: bool,
    pub gateway: Option<usize>,
}

impl Fleet {
    /// Lets the hosts in; their gateways do not run yet.
    pub async fn new(folder: Folder, hosts: Vec<Host>) -> Self {
        let mut site = Site::new(folder).await;
        site.listen = format!("{}:0", own_address());
        let plane = site.start();
        for (n, host) in hosts.iter().enumerate() {
            let added = site.add(&plane, "gateways", &json!({"name": format!("Gateway {n}")})).await;
            let enrolled = host.enroll(&plane.console, added["secret"].as_str().expect("a token"));
            assert!(enrolled.status.success(), "{}", text(&enrolled.stderr));
        }
        // Gateways know it by this address.
        site.listen = plane.console.trim_start_matches("http://").to_owned();
        let gateways = hosts.iter().map(|_| None).collect();
        Self { site, hosts, plane: Some(plane), gateways }
    }

    fn served(&self) -> Served {
        let plane = self.plane.as_ref().expect("it runs");
        let url = |gateway: &Option<host::Running>| gateway.as_ref().expect("it runs").url.clone();
        Served { console: plane.console.clone(), gateways: self.gateways.iter().map(url).collect() }
    }

    fn spool(&self, gateway: usize) -> PathBuf {
        self.hosts[gateway].spool()
    }

    pub fn gateway(&self, gateway: usize) -> &host::Running {
        self.gateways[gateway].as_ref().expect("it runs")
    }

    /// Starts a gateway so that its calls of the system can be made to fail.
    pub fn start_fallible(&mut self, gateway: usize) -> Switch {
        self.gateways[gateway] = None;
        let (running, switch) = Switch::start(&self.hosts[gateway].serving(), host::Running::begin, host::Running::id);
        self.gateways[gateway] = Some(running);
        switch
    }

    /// Starts whatever does not run, and waits until it answers calls.
    pub async fn start(&mut self) {
        self.plane.get_or_insert_with(|| self.site.start());
        for (gateway, host) in self.gateways.iter_mut().zip(&self.hosts) {
            gateway.get_or_insert_with(|| host.start()).answering().await;
        }
    }

    /// Callers and admins begin.
    pub async fn load(&self) -> Load {
        Load::begin(&self.served(), &self.site.key).await
    }

    /// Checks all that was acknowledged.
    pub async fn check(&self, kept: &mut Kept) {
        kept.check(&self.site, &self.served()).await;
    }

    /// Starts whatever does not run, and checks all that was acknowledged.
    pub async fn conclude(mut self, mut kept: Kept) -> Kept {
        self.start().await;
        kept.check_all(&self.site, &self.served()).await;
        self.plane = None;
        self.site.verify();
        kept
    }

    /// Kills some of it, while those who are left are called on. A killed gateway is started at once, by its disk alone where
    /// the control plane is gone.
    pub async fn kill(&mut self, victims: Victims, load: Load, kept: &mut Kept) {
        let lives = |gateway: &usize| victims.gateway != Some(*gateway);
        if victims.plane {
            self.plane.as_mut().expect("it runs").kill();
            self.plane = None;
        }
        if let Some(gateway) = victims.gateway {
            self.gateways[gateway] = None;
        }
        for (_, callers) in load.callers.iter().enumerate().filter(|(gateway, _)| lives(gateway)) {
            callers.until_called(3).await;
        }
        let changes = load.admins.end().await;
        assert!(victims.plane || !changes.lost, "a control plane that lives answers");
        for (gateway, callers) in load.callers.into_iter().enumerate() {
            let fate = if lives(&gateway) { Fate::Lives } else { Fate::Killed };
            kept.called(callers.end().await, &self.spool(gateway), fate);
        }
        if let Some(gateway) = victims.gateway {
            self.begin_again(gateway, kept, &changes).await;
        }
        kept.changed(changes);
    }

    async fn begin_again(&mut self, gateway: usize, kept: &Kept, since: &Changes) {
        let running = self.hosts[gateway].start();
        running.answering().await;
        if self.plane.is_none() {
            kept.check_from_disk(&running.url, since).await;
        }
        self.gateways[gateway] = Some(running);
    }
}

/// An address of this machine that nobody calls from, so that its ports are free when the control plane starts again.
fn own_address() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    format!("127.0.0.{}", NEXT.fetch_add(1, Relaxed))
}
