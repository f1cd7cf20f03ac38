//! One organization with people, a provider, models and keys, a gateway that follows it, and a model server behind.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicU64, Ordering::SeqCst},
};
use std::time::Duration;

use gatewarden_access::builtin_powers;
use gatewarden_credentials::{ApiKey, RootKey, Sealed, SealedFor, Secret};
use gatewarden_demo::upstream::{self, Upstream};
use gatewarden_gateway::{Batch, Body, Config, FeedEvent, Gateway, Lines, SealingKeys, Telling, UsageRecord, Witness};
use gatewarden_trail::{Change, Entry};
use gatewarden_types::{
    Actor, AllowedNetworks, AnyRecord, Builtin, Clock, Dialect, Digest, Entropy, Grant, Id, Job, Key, KeyOwner,
    KeyState, Kind, Member, MemberState, Model, ModelSet, ModelState, Organization, OrganizationState, Provider, Reach,
    Role, Seq, Target, Timestamp, Via, Visibility,
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

pub const PROVIDER_SECRET: &str = "sk-provider-secret";
pub const PROMPT: &str = "Whether the weather be fine?";
pub const NOW: i64 = 1_800_000_000_000_000;

pub fn entropy() -> Entropy {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    // Different for each call, so that ids and secrets differ; nothing here has to be secret.
    Entropy::new(|bytes| {
        for chunk in bytes.chunks_mut(8) {
            let value = NEXT.fetch_add(1, SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&value[..chunk.len()]);
        }
    })
}

pub fn id<K: Kind>() -> Id<K> {
    Id::new(Timestamp::from_micros(NOW), &entropy())
}

pub fn root() -> RootKey {
    RootKey::generate(&Entropy::new(|bytes| bytes.fill(7)))
}

/// An organization's records, as its tables hold them.
#[derive(Clone)]
pub struct Records {
    pub organization: Organization,
    pub roles: Vec<Role>,
    pub member: Member,
    pub provider: Provider,
    pub models: Vec<Model>,
    pub sealed: Sealed,
}

/// The leaf hash of the last entry, where none is looked at.
pub const HEAD: Digest = Digest([0; 32]);

impl Records {
    pub fn new(base_url: &str) -> Self {
        let organization = Organization {
            id: id(),
            slug: "acme".parse().expect("a slug"),
            name: "Acme".parse().expect("a name"),
            state: OrganizationState::Active,
            visibility: Visibility { usage: Reach::Own },
            limits: gatewarden_types::Limits::default(),
            epoch: 1,
            stale_after: gatewarden_types::StaleAfter::default(),
        };
        let roles = [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer].map(|builtin| Role {
            id: id(),
            name: format!("{builtin:?}").parse().expect("a name"),
            builtin: Some(builtin),
            powers: builtin_powers(builtin),
        });
        let member = Member { id: id(), account: id(), role: roles[2].id, state: MemberState::Active };
        let provider_id = id();
        let purpose = SealedFor::ProviderCredential { organization: organization.id, provider: provider_id };
        let secret = Secret::new(PROVIDER_SECRET.to_owned());
        let sealed = root().sealing().seal(&secret, purpose, &entropy()).expect("seals");
        let provider = Provider {
            id: provider_id,
            name: "Demo".parse().expect("a name"),
            dialect: Dialect::OpenAi,
            base_url: base_url.parse().expect("a base URL"),
            credential: Some(sealed.reference()),
        };
        let behaviours = ["slow", "silent", "half", "stall", "endless", "error-401", "error-429", "error-500"]
            .map(|name| (name, name));
        let models = [("fast", "demo-small"), ("team/large", "demo-large")].into_iter().chain(behaviours);
        let models = models.map(|(name, upstream)| model(provider_id, name, upstream)).collect();
        Self { organization, roles: roles.into(), member, provider, models, sealed }
    }

    pub fn all(&self) -> Vec<AnyRecord> {
        let mut all = vec![
            AnyRecord::Organization(self.organization.clone()),
            AnyRecord::Member(self.member.clone()),
            AnyRecord::Provider(self.provider.clone()),
        ];
        all.extend(self.roles.iter().cloned().map(AnyRecord::Role));
        all.extend(self.models.iter().cloned().map(AnyRecord::Model));
        all
    }

    /// The provider's secret.
    pub fn body(&self) -> Body {
        Body { provider: self.provider.id, name: self.sealed.reference(), sealed: self.sealed.clone() }
    }

    pub fn base(&self, seq: Seq) -> FeedEvent {
        let bodies = vec![self.body()];
        FeedEvent::Base {
            organization: self.organization.id,
            seq,
            head: HEAD,
            continues: false,
            records: self.all(),
            bodies,
        }
    }

    pub fn model(&self, name: &str) -> &Model {
        self.models.iter().find(|model| model.name.as_str() == name).expect("one of the models")
    }

    pub fn entry(&self, seq: Seq, changes: Vec<Change>) -> Entry {
        Entry {
            v: Entry::version(),
            organization: Some(self.organization.id),
            seq,
            at: Timestamp::from_micros(NOW),
            actor: Actor::System(Job::Follower),
            via: Via::System,
            request: id(),
            action: "key.create".to_owned(),
            target: Target::of(self.organization.id),
            grant: Grant::System { job: Job::Follower },
            changes,
        }
    }
}

pub fn model(provider: Id<Provider>, name: &str, upstream: &str) -> Model {
    let (name, upstream) = (name.parse().expect("a name"), upstream.parse().expect("a name"));
    Model { id: id(), name, provider, upstream, state: ModelState::Approved }
}

/// A key of `owner` that may do what keys usually may.
pub fn key(owner: KeyOwner) -> (ApiKey, Key) {
    let secret = ApiKey::generate(id(), &entropy());
    let key = Key {
        id: secret.id(),
        name: "CI".parse().expect("a name"),
        owner,
        levels: Key::usual_levels(),
        models: ModelSet::All,
        limits: gatewarden_types::Limits::default(),
        expires: None,
        verifier: secret.verifier(),
        state: KeyState::Active,
    };
    (secret, key)
}

pub struct World {
    pub upstream: Upstream,
    pub gateway: Gateway,
    pub feed: mpsc::Sender<FeedEvent>,
    pub usage: mpsc::Receiver<Batch>,
    pub wishes: mpsc::Receiver<Id<Organization>>,
    pub tellings: mpsc::UnboundedReceiver<Telling>,
    pub records: Records,
    pub key: Key,
    pub secret: String,
    pub now: Arc<AtomicI64>,
    pub client: Client,
    seq: Mutex<Seq>,
    collected: Vec<UsageRecord>,
    folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A world whose gateway is configured otherwise.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let settings = upstream::Settings { secret: PROVIDER_SECRET.to_owned(), pace: Duration::ZERO };
        let upstream = upstream::spawn(listener, settings).expect("serves");
        let records = Records::new(&upstream.base_url());
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = Config::new("127.0.0.1:0".parse().expect("an address"), folder.path().join("usage"));
        config.allow_private = AllowedNetworks(vec!["127.0.0.0/8".parse().expect("a range")]);
        config.workers = 2;
        configure(&mut config);
        let now = Arc::new(AtomicI64::new(NOW));
        let (feed, following) = mpsc::channel(64);
        let (collecting, usage) = mpsc::channel(64);
        let (asking, wishes) = mpsc::channel(64);
        let (limits, tellings) = mpsc::unbounded_channel();
        let ticking = Arc::clone(&now);
        let clock = Clock::new(move || Timestamp::from_micros(ticking.load(SeqCst)));
        let sealing = root().sealing();
        let (sealing, witness) = (SealingKeys::One(sealing), Witness::new(|_, _| {}));
        let lines = Lines {
            feed: following,
            usage: collecting,
            wishes: asking,
            limits,
            witness,
            sealing,
            enrolled: Vec::new(),
            steady: clock.clone(),
            clock,
            entropy: entropy(),
        };
        let gateway = Gateway::start(&config, lines).expect("starts");
        // An error says that another test has installed it already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder().build().expect("builds");
        let (secret, key) = key(KeyOwner::Member(records.member.id));
        let secret = secret.text().expose().clone();
        let (seq, collected) = (Mutex::new(1), Vec::new());
        let world = Self {
            upstream,
            gateway,
            feed,
            usage,
            wishes,
            tellings,
            records,
            key,
            secret,
            now,
            client,
            seq,
            collected,
            folder,
        };
        world.tell(world.records.base(1)).await;
        world.put(vec![Change::put(&world.key).expect("writes")]).await;
        world.tell(FeedEvent::CaughtUp).await;
        world.gateway.ready().await;
        world
    }

    pub async fn tell(&self, event: FeedEvent) {
        self.feed.send(event).await.expect("the gateway follows");
    }

    pub fn next_seq(&self) -> Seq {
        let mut seq = self.seq.lock().expect("not poisoned");
        *seq += 1;
        *seq
    }

    /// Appends an entry and waits until it is in force.
    pub async fn put(&self, changes: Vec<Change>) {
        let entry = self.records.entry(self.next_seq(), changes);
        let (organization, bytes) = (self.records.organization.id, entry.to_bytes().expect("writes"));
        self.tell(FeedEvent::Entry { organization, bytes, bodies: Vec::new() }).await;
        self.gateway.reached(organization, entry.seq).await;
    }

    /// Puts a server that answers everything with these bytes in the provider's place.
    pub async fn call_instead(&self, answer: String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("bound"));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                if stream.read(&mut request).await.is_ok() && stream.write_all(answer.as_bytes()).await.is_ok() {
                    drop(stream.shutdown().await);
                }
            }
        });
        let provider = Provider { base_url: base_url.parse().expect("a base URL"), ..self.records.provider.clone() };
        self.put(vec![Change::put(&provider).expect("writes")]).await;
    }

    /// Adds a key and gives its text.
    pub async fn add_key(&self, owner: KeyOwner, change: impl FnOnce(&mut Key)) -> String {
        let (secret, mut record) = key(owner);
        change(&mut record);
        self.put(vec![Change::put(&record).expect("writes")]).await;
        secret.text().expose().clone()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway.addr())
    }

    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.client.post(self.url("/v1/chat/completions")).body(body.to_string())
    }

    pub async fn chat(&self, secret: &str, body: &Value) -> Response {
        self.post(body).bearer_auth(secret).send().await.expect("answers")
    }

    pub async fn get(&self, secret: &str, path: &str) -> Response {
        self.client.get(self.url(path)).bearer_auth(secret).send().await.expect("answers")
    }

    /// Waits until `count` usage records have come in all.
    pub async fn used(&mut self, count: usize) -> &[UsageRecord] {
        while self.collected.len() < count {
            let batch = self.usage.recv().await.expect("the gateway records");
            self.collected.extend(batch.records.iter().cloned());
            batch.kept();
        }
        &self.collected
    }

    /// Shuts the gateway down and gives every record there was.
    pub async fn all_usage(mut self) -> Vec<UsageRecord> {
        drop(self.client);
        let ending = tokio::spawn(self.gateway.shutdown());
        while let Some(batch) = self.usage.recv().await {
            self.collected.extend(batch.records.iter().cloned());
            batch.kept();
        }
        ending.await.expect("ends");
        self.folder.close().expect("nobody uses it any more");
        self.collected
    }
}

pub fn question(model: &str, stream: bool) -> Value {
    json!({"model": model, "stream": stream, "messages": [{"role": "user", "content": PROMPT}]})
}

/// The code of an error answer, and its message.
pub async fn refused(response: Response) -> (u16, String, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("a JSON body");
    let field = |name: &str| body["error"][name].as_str().expect("text").to_owned();
    (status, field("code"), field("message"))
}
