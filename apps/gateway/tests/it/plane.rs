//! The control plane: a world, served on this machine, with a provider that answers.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::dev::ServerHandle;
use gatewarden_control::{
    gateways::{self, AddGateway},
    keys::{self, CreateKey},
    models::{self, ApproveModel},
    providers::{self, AddProvider},
};
use gatewarden_credentials::{RootKey, Secret};
use gatewarden_demo::upstream::{self, Upstream};
use gatewarden_testkit::{House, World};
use gatewarden_types::{Dialect, Entropy, Gateway, Id, Key, Limits, Model, Seq};
use gatewarden_web::{Parts, Site};
use tokio::time::{Instant, sleep};

use crate::host::{Host, Running};

/// A control plane that can be stopped and started at the same address.
pub struct Plane {
    pub world: World,
    pub upstream: Upstream,
    addr: SocketAddr,
    serving: Option<ServerHandle>,
}

/// A key, and the version of its record.
pub struct Holding {
    pub id: Id<Key>,
    pub text: String,
}

impl Plane {
    /// Serves a world, with a model `fast` of a provider on this machine.
    pub async fn new(world: World) -> Self {
        // An error says that another test has installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = upstream::Settings { secret: "sk-first".to_owned(), pace: Duration::from_millis(1) };
        let upstream = upstream::spawn(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), settings).unwrap();
        let mut plane = Self { addr: listener.local_addr().unwrap(), world, upstream, serving: None };
        plane.listen(listener);
        plane.offer("fast", "demo-small").await;
        plane
    }

    fn listen(&mut self, listener: TcpListener) {
        let root = RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)));
        let site = Site::new(Parts {
            app: self.world.app().clone(),
            cookies: root.cookies(),
            public_url: self.url(),
            gateway_url: "http://localhost:8081".to_owned(),
            trusted_proxies: Vec::new(),
            arrival: Duration::from_secs(5),
            development: false,
        });
        let server = gatewarden_web::serve(site, listener, None).unwrap();
        self.serving = Some(server.handle());
        tokio::spawn(server);
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Hangs up on everybody.
    pub async fn stop(&mut self) {
        self.serving.take().unwrap().stop(false).await;
    }

    /// Serves again where it was.
    pub fn start(&mut self) {
        self.listen(TcpListener::bind(self.addr).unwrap());
    }

    /// Approves a model of a provider on this machine.
    pub async fn offer(&self, name: &str, model: &str) -> Id<Model> {
        let (app, owner, org) = (self.world.app(), self.world.owner().caller(), self.world.org());
        let provider = AddProvider {
            name: format!("Demo {name}").parse().unwrap(),
            dialect: Dialect::OpenAi,
            base_url: self.upstream.base_url().parse().unwrap(),
            secret: Some(Secret::new("sk-first".to_owned())),
            once: None,
        };
        let provider = providers::add(app, &owner, org, provider).await.unwrap().value.id;
        let (name, upstream) = (name.parse().unwrap(), model.parse().unwrap());
        let approve = ApproveModel { name, upstream, provider, once: None };
        models::approve(app, &owner, org, approve).await.unwrap().value.id
    }

    /// Adds a gateway; the token that it enrols with.
    pub async fn add(&self, name: &str) -> (Id<Gateway>, String) {
        self.add_to(self.world.house(), name).await
    }

    async fn add_to(&self, house: &House, name: &str) -> (Id<Gateway>, String) {
        let command = AddGateway { name: name.parse().unwrap(), once: None };
        let added = gateways::add(self.world.app(), &house.owner.caller(), house.id, command).await.unwrap();
        (added.gateway.value.id, added.token.unwrap().expose().clone())
    }

    /// Adds a gateway and enrols a host as it.
    pub async fn let_in(&self, host: &Host) -> Id<Gateway> {
        self.let_in_as("Frankfurt", host).await
    }

    /// The same for the other organization.
    pub async fn let_in_by_the_other(&self, host: &Host) -> Id<Gateway> {
        self.enroll(self.add_to(self.world.other_house(), "Frankfurt").await, host)
    }

    /// Removes a gateway of a house.
    pub async fn remove(&self, house: &House, gateway: Id<Gateway>) {
        gateways::remove(self.world.app(), &house.owner.caller(), house.id, gateway, None).await.unwrap();
    }

    async fn let_in_as(&self, name: &str, host: &Host) -> Id<Gateway> {
        self.enroll(self.add(name).await, host)
    }

    fn enroll(&self, (id, token): (Id<Gateway>, String), host: &Host) -> Id<Gateway> {
        let enrolled = host.enroll(&self.url(), &token);
        assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
        id
    }

    /// Lets hosts in under names of their own, and waits until their gateways serve.
    pub async fn gateways(&self, hosts: &[Host]) -> Vec<Running> {
        let mut gateways = Vec::new();
        for (n, host) in hosts.iter().enumerate() {
            self.let_in_as(&format!("Gateway {n}"), host).await;
            gateways.push(host.start());
        }
        for gateway in &gateways {
            gateway.ready().await;
        }
        gateways
    }

    /// A key of the organization.
    pub async fn key(&self, name: &str) -> Holding {
        self.make(CreateKey::usual(name.parse().unwrap())).await
    }

    /// A key that makes so many calls a minute.
    pub async fn limited_key(&self, requests: u64) -> Holding {
        let limits = Limits { requests: Some(requests.try_into().unwrap()), tokens: None };
        self.make(CreateKey { limits, ..CreateKey::usual("Limited".parse().unwrap()) }).await
    }

    /// A key of the organization.
    pub async fn make(&self, command: CreateKey) -> Holding {
        let (app, owner) = (self.world.app(), self.world.owner().caller());
        let created = keys::create(app, &owner, self.world.org(), command).await.unwrap();
        Holding { id: created.key.value.id, text: created.secret.unwrap().expose().clone() }
    }

    /// Waits until so many calls are kept; more than that is a call that counts twice.
    pub async fn until_calls(&self, due: usize) {
        let beneath = self.world.beneath_observed(self.world.org()).await;
        let late = Instant::now() + Duration::from_secs(30);
        loop {
            let seen = beneath.rows("usage").await.len();
            assert!(seen <= due && Instant::now() < late, "{seen} of {due} calls");
            if seen == due {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a gateway has told of this problem.
    pub async fn until_told(&self, problem: &str) {
        let late = Instant::now() + Duration::from_secs(30);
        loop {
            let (app, owner) = (self.world.app(), self.world.owner().caller());
            let listed = gateways::list(app, &owner, self.world.org()).await.unwrap().rows;
            let told: Vec<_> = listed.into_iter().filter_map(|row| row.sighting?.problem).collect();
            if told.iter().any(|told| told.contains(problem)) {
                return;
            }
            assert!(Instant::now() < late, "{told:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Revokes it, and waits until no gateway knows otherwise.
    pub async fn revoke(&self, key: &Holding) -> Seq {
        let (app, owner, org) = (self.world.app(), self.world.owner().caller(), self.world.org());
        let at = keys::revoke(app, &owner, org, key.id, None).await.unwrap().version;
        let effect = gateways::in_effect(app, org, at, Duration::from_secs(20)).await.unwrap();
        assert!(effect.everywhere() && effect.of() > 0, "{effect:?}");
        at
    }
}
