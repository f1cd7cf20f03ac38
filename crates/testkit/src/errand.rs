//! What another program needs to know to act in a world.

use std::{collections::BTreeMap, fmt::Debug, path::PathBuf, str::FromStr, sync::Arc};

use gatewarden_control::{App, Caller, Error};
use gatewarden_credentials::RootKey;
use gatewarden_store::{Database, StoreError};
use gatewarden_types::{Account, Actor, Builtin, Id, Member, Organization, Role, Via};

use tempfile::TempDir;

use crate::{
    Beneath, Someone, Time,
    ambient::{fresh_seed, seeded},
    beneath::Part,
    database::{CONNECTIONS, Held},
    people,
    world::{open, started},
};

/// A world that nobody has open, to be opened by programs that may end in any way.
#[derive(Debug)]
pub struct Errand {
    /// The organization.
    pub organization: Id<Organization>,
    /// Members other than the owner.
    pub members: Vec<Id<Member>>,
    pub(crate) owner: Id<Account>,
    roles: BTreeMap<Builtin, Id<Role>>,
    database: Database,
    root: Arc<RootKey>,
    mail: PathBuf,
    // By whoever made it: the database goes when this goes.
    kept: Option<(Held, TempDir)>,
}

const BUILTIN: [Builtin; 4] = [Builtin::Owner, Builtin::Admin, Builtin::Member, Builtin::Viewer];

impl Errand {
    pub(crate) fn new(
        house: &crate::House,
        members: Vec<Id<Member>>,
        root: Arc<RootKey>,
        kept: (Held, TempDir),
    ) -> Self {
        let (organization, owner, roles) = (house.id, house.owner.account, house.roles.clone());
        let (database, mail) = (kept.0.settings(CONNECTIONS), kept.1.path().to_owned());
        Self { organization, members, owner, roles, database, root, mail, kept: Some(kept) }
    }

    /// What [`Errand::from_arguments`] reads.
    pub fn arguments(&self) -> Vec<String> {
        let database = match &self.database {
            Database::Sqlite { folder, .. } => ["sqlite".to_owned(), folder.display().to_string(), String::new()],
            Database::Postgres { serving, owner, .. } => ["postgres".to_owned(), serving.clone(), owner.clone()],
        };
        let ids = [self.organization.to_string(), self.owner.to_string()];
        let roles = BUILTIN.map(|builtin| self.role(builtin).to_string());
        let members = self.members.iter().map(ToString::to_string);
        let files = [self.mail.display().to_string(), self.root.text().expose().clone()];
        database.into_iter().chain(files).chain(ids).chain(roles).chain(members).collect()
    }

    /// The errand that a program was given.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Self {
        let mut arguments = arguments;
        let mut text = || arguments.next().expect("another argument");
        let database = match (text().as_str(), text(), text()) {
            ("sqlite", folder, _) => Database::Sqlite { folder: PathBuf::from(folder), open_organizations: 64 },
            (_, serving, owner) => Database::Postgres { serving, owner, connections: 4 },
        };
        let mail = PathBuf::from(text());
        let root = Arc::new(read(&text()));
        let (organization, owner) = (read(&text()), read(&text()));
        let roles = BUILTIN.into_iter().map(|builtin| (builtin, read(&text()))).collect();
        let members = arguments.map(|id| read(&id)).collect();
        Self { organization, members, owner, roles, database, root, mail, kept: None }
    }

    /// Opens the world.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open(&self) -> Result<App, StoreError> {
        started(open(self.database.clone(), &Time::start(), &seeded(fresh_seed()), &self.root, &self.mail).await?).await
    }

    pub(crate) fn held(&self) -> &Held {
        &self.kept.as_ref().expect("this made the errand and keeps its database").0
    }

    /// The organization's owner, asking for something: a request of its own each time.
    pub fn owner(&self, app: &App) -> Caller {
        Caller { actor: Actor::Account(self.owner), via: Via::CommandLine, request: app.id() }
    }

    /// Takes in someone new.
    ///
    /// # Errors
    /// When the invite is not taken.
    pub async fn join(&self, app: &App, name: &str, role: Builtin) -> Result<Someone, Error> {
        let mut someone = Someone::new(app, name).await;
        people::join(app, self.organization, &self.owner(app), &mut someone, self.role(role)).await?;
        Ok(someone)
    }

    /// A way into the organization's tables that the program knows nothing of, for whoever made the errand.
    ///
    /// # Panics
    /// In the program that was given it.
    pub async fn beneath(&self) -> Beneath {
        self.held().beneath(Part::Ledger(self.organization)).await
    }

    /// A built-in role.
    pub fn role(&self, builtin: Builtin) -> Id<Role> {
        *self.roles.get(&builtin).expect("every organization has the built-in roles")
    }
}

fn read<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("an argument that was written by another errand")
}
