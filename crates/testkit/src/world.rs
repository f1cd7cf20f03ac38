//! The people of two organizations, and everything a test needs to act as them.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use gatewarden_control::{App, AppParts, Caller, members, providers::Upstreams};
use gatewarden_credentials::RootKey;
use gatewarden_mail::Mailer;
use gatewarden_migrations::Class;
use gatewarden_store::{Database, Signers, Store, StoreError, StoreSettings};
use gatewarden_trail::{Signer, Stored};
use gatewarden_types::{AllowedNetworks, Builtin, Entropy, Id, Job, Levels, Organization, Role};

use crate::{
    Beneath, Empty, Errand, Holder, House, Someone, Tables, Time,
    beneath::Part,
    database::{CONNECTIONS, Held},
    people::anonymous,
};

/// An app over a database of its own, with two organizations and people in them.
///
/// Everybody has an account and signs in with [`crate::PASSWORD`].
#[derive(Debug)]
pub struct World {
    // Before the database, which cannot go while it is open.
    app: App,
    here: House,
    there: House,
    people: BTreeMap<Builtin, Someone>,
    suspended: Someone,
    time: Time,
    root: Arc<RootKey>,
    entropy: Entropy,
    seed: u64,
    pub(crate) held: Held,
    mail: tempfile::TempDir,
}

impl World {
    /// A world in a temporary folder.
    pub async fn sqlite() -> Self {
        Self::new(Empty::sqlite().await).await
    }

    /// A world on the PostgreSQL server of `GATEWARDEN_TEST_POSTGRES`; none when that is not set.
    pub async fn postgres() -> Option<Self> {
        Some(Self::new(Empty::postgres().await?).await)
    }

    async fn new(empty: Empty) -> Self {
        let Empty { app, time, root, entropy, seed, held, mail } = empty;
        let here = House::found(&app, &Someone::new(&app, "Olive Owner").await, "here").await;
        let there = House::found(&app, &Someone::new(&app, "Stan Stranger").await, "there").await;
        let mut people = BTreeMap::from([(Builtin::Owner, here.owner.clone())]);
        for (name, role) in
            [("Ada Admin", Builtin::Admin), ("Max Member", Builtin::Member), ("Vera Viewer", Builtin::Viewer)]
        {
            people.insert(role, here.join(name, role).await);
        }
        let suspended = here.join("Sue Suspended", Builtin::Admin).await;
        let done = members::suspend(&app, &here.owner.caller(), here.id, suspended.id(), None).await;
        done.expect("an owner suspends");
        Self { app, here, there, people, suspended, time, root, entropy, seed, held, mail }
    }

    /// What use cases work with.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// The clock.
    pub fn time(&self) -> &Time {
        &self.time
    }

    /// What all randomness of this world follows from, for the message of a test that failed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Closes this world and keeps its database, for other programs to open.
    pub fn leave(self) -> Errand {
        let members = self.people.values().skip(1).chain([&self.suspended]).map(Someone::id).collect();
        Errand::new(&self.here, members, self.root, (self.held, self.mail))
    }

    /// Opens the database once more, as a program that starts anew does.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_again(&self) -> Result<App, StoreError> {
        started(self.open_on(self.database()).await?).await
    }

    /// Opens the database beside the programs that have it open, with so many connections to PostgreSQL.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_with(&self, connections: u32) -> Result<App, StoreError> {
        self.open_on(self.held.settings(connections)).await
    }

    /// Opens a database as this world's: with its clock, randomness and keys.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_on(&self, database: Database) -> Result<App, StoreError> {
        open(database, &self.time, &self.entropy, &self.root, self.mail.path()).await
    }

    /// The database, as the store opens it.
    pub fn database(&self) -> Database {
        self.held.settings(CONNECTIONS)
    }

    /// The organization that everybody but the stranger is in.
    pub fn house(&self) -> &House {
        &self.here
    }

    /// The organization that the stranger owns.
    pub fn other_house(&self) -> &House {
        &self.there
    }

    /// The id of [`World::house`].
    pub fn org(&self) -> Id<Organization> {
        self.here.id
    }

    /// The id of [`World::other_house`].
    pub fn other_org(&self) -> Id<Organization> {
        self.there.id
    }

    /// A built-in role of [`World::house`].
    pub fn role(&self, builtin: Builtin) -> Id<Role> {
        self.here.role(builtin)
    }

    /// The only owner.
    pub fn owner(&self) -> &Someone {
        &self.here.owner
    }

    /// An admin.
    pub fn admin(&self) -> &Someone {
        self.person(Builtin::Admin)
    }

    /// A member with the role of that name.
    pub fn member(&self) -> &Someone {
        self.person(Builtin::Member)
    }

    /// A viewer.
    pub fn viewer(&self) -> &Someone {
        self.person(Builtin::Viewer)
    }

    /// The owner of the other organization.
    pub fn stranger(&self) -> &Someone {
        &self.there.owner
    }

    /// An admin who is suspended.
    pub fn suspended(&self) -> &Someone {
        &self.suspended
    }

    /// Someone who is not signed in.
    pub fn anonymous(&self) -> Caller {
        anonymous(&self.app)
    }

    /// The member of [`World::house`] with a built-in role, who is not suspended.
    pub fn person(&self, role: Builtin) -> &Someone {
        self.people.get(&role).expect("there is someone with each built-in role")
    }

    /// A new account that is in no organization.
    pub async fn account(&self, name: &str) -> Someone {
        Someone::new(&self.app, name).await
    }

    /// A third organization, or a further one, founded by an account of its own.
    pub async fn found(&self, slug: &str) -> House {
        let founder = self.account(&format!("Founder of {slug}")).await;
        House::found(&self.app, &founder, slug).await
    }

    /// A new key of [`World::member`]'s with these levels.
    pub async fn key(&self, levels: Levels) -> Holder {
        self.key_of(self.member(), levels).await
    }

    /// A new key of someone's in [`World::house`] with these levels.
    pub async fn key_of(&self, owner: &Someone, levels: Levels) -> Holder {
        Holder::try_new(&self.app, self.org(), owner, levels).await.expect("one makes keys of one's own")
    }

    /// Every row of what is decided on and of who people are: what a refusal leaves as it was.
    pub async fn tables(&self, organization: Id<Organization>) -> Tables {
        self.held.tables(Some(organization), |class| !matches!(class, Class::Observed | Class::Trail)).await
    }

    /// Every row of the control schema.
    pub async fn control_tables(&self) -> Tables {
        self.held.tables(None, |_| true).await
    }

    /// Every row of the trail's tables, underneath the program.
    pub async fn trail_tables(&self, organization: Id<Organization>) -> Tables {
        self.held.tables(Some(organization), |class| class == Class::Trail).await
    }

    /// How many refusals were noted.
    pub async fn attempts(&self, organization: Id<Organization>) -> usize {
        self.held.beneath(Part::Observed(organization)).await.rows("attempts").await.len()
    }

    /// Every entry as it is stored, through the program.
    pub async fn trail(&self, organization: Id<Organization>) -> Vec<Stored> {
        stored(&self.app.store, organization).await.expect("a trail reads")
    }

    /// The folder that mail is written to.
    pub fn mail(&self) -> &Path {
        self.mail.path()
    }

    /// A way into an organization's tables that the program knows nothing of. On SQLite: into its ledger.
    pub async fn beneath(&self, organization: Id<Organization>) -> Beneath {
        self.held.beneath(Part::Ledger(organization)).await
    }

    /// A way into what is observed of an organization.
    pub async fn beneath_observed(&self, organization: Id<Organization>) -> Beneath {
        self.held.beneath(Part::Observed(organization)).await
    }

    /// A way into the control schema.
    pub async fn beneath_control(&self) -> Beneath {
        self.held.beneath(Part::Control).await
    }

    /// What to put before a statement to [`World::beneath`] so that it runs as the program does: as each role it uses on
    /// PostgreSQL (the organization's, the login, the owner), with the program's settings on SQLite.
    pub fn guises(&self, organization: Id<Organization>) -> Vec<String> {
        match &self.held {
            Held::Sqlite(_) => vec!["PRAGMA recursive_triggers = ON; ".to_owned()],
            Held::Postgres(postgres) => {
                let roles = [organization.to_string(), postgres.role("login"), postgres.role("owner")];
                roles.map(|role| format!("SET ROLE {role}; ")).to_vec()
            }
        }
    }

    /// The data folder; none on PostgreSQL.
    pub fn folder(&self) -> Option<&std::path::Path> {
        match &self.held {
            Held::Sqlite(folder) => Some(folder.path()),
            Held::Postgres(_) => None,
        }
    }
}

pub(crate) async fn open(
    database: Database,
    time: &Time,
    entropy: &Entropy,
    root: &Arc<RootKey>,
    mail: &Path,
) -> Result<App, StoreError> {
    let signing = root.clone();
    let settings = StoreSettings {
        database,
        clock: time.clock(),
        entropy: entropy.clone(),
        signers: Signers::new(move |organization| Signer::from_seed(signing.trail_seed(organization).expose())),
        origin: "gatewarden.test".to_owned(),
    };
    let store = Store::open(settings).await?;
    let (clock, entropy, sealing) = (time.clock(), entropy.clone(), root.sealing());
    // Upstreams of tests are on this machine; every other private range stays shut.
    let loopback = AllowedNetworks(vec!["127.0.0.0/8".parse().expect("a range")]);
    let upstreams = Upstreams::new(loopback).expect("an HTTP client is made");
    let mailer = Mailer::files(mail, &"gatewarden@example.com".parse().expect("an address")).expect("a folder is made");
    let public_url = "https://gatewarden.test".parse().expect("a URL");
    Ok(App::new(AppParts { store, clock, entropy, sealing, upstreams, hashing: 2, mailer, public_url }))
}

/// What a start does: it takes the data and undoes what was cut off. A test has several programs at once, so none of
/// them keeps it.
pub(crate) async fn started(app: App) -> Result<App, StoreError> {
    drop(app.store.hold("a test").await?);
    Ok(app)
}

pub(crate) async fn stored(store: &Store, organization: Id<Organization>) -> Result<Vec<Stored>, StoreError> {
    let follower = Caller::system(Job::Follower, store.request_id());
    let read = store.read(&follower, organization).await?;
    let permit = read.permit::<gatewarden_access::actions::FollowTrail>()?;
    read.stored(&permit, 0, u64::from(u32::MAX)).await
}
