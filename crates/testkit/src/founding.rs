//! What is there of organizations that a program was making when it ended.

use gatewarden_control::{App, organizations};
use gatewarden_migrations::Class;
use gatewarden_types::{Account, Actor, Id, Key, Via};

use crate::{Errand, World, beneath::Part, database::Held, world::stored};

const SCHEMAS: &str = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'org\\_%'";
const ROLES: &str = "SELECT r.rolname::text FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid
     JOIN pg_roles login ON login.oid = m.member
     WHERE login.rolname = current_database() || '_login'";

impl Held {
    /// No organization is there but those that are whole: none in the making, no folder, no schema and no role.
    async fn assert_nothing_half(&self, app: &App) {
        let places = app.store.places().await.expect("the control schema reads").len();
        let control = self.beneath(Part::Control).await;
        assert_eq!(control.rows("organizations").await.len(), places, "nothing is left in the making");
        if let Self::Sqlite(folder) = self {
            let folders = std::fs::read_dir(folder.path().join("organizations")).expect("a folder of organizations");
            assert_eq!(folders.count(), places);
        } else {
            assert_eq!(control.texts(SCHEMAS).await.len(), places);
            assert_eq!(control.texts(ROLES).await.len(), places);
        }
    }

    /// Everything that a new organization consists of is there.
    async fn assert_whole(&self, app: &App, founder: Id<Account>, slug: &str) {
        let place = app.store.place(slug, founder).await.expect("the control schema reads");
        let place = place.expect("its founder finds it");
        let caller =
            gatewarden_control::Caller { actor: Actor::Account(founder), via: Via::CommandLine, request: app.id() };
        let read = organizations::read(app, &caller, place.id).await.expect("its founder reads it");
        assert_eq!(read.version, 1);
        let own = organizations::list_own(app, &caller).await.expect("everybody lists their own");
        assert!(own.iter().any(|own| own.id == place.id), "its founder sees it in their list");
        assert_eq!(stored(&app.store, place.id).await.expect("a trail reads").len(), 1);
        let tables = self.tables(Some(place.id), |class| !matches!(class, Class::Observed | Class::Trail)).await;
        let counts =
            ["organization", "roles", "members", "keys", "people"].map(|table| tables.get(table).map(Vec::len));
        assert_eq!(counts, [1, 4, 1, 1, 1].map(Some));
        let key = self.beneath(Part::Ledger(place.id)).await.query("SELECT id FROM keys").await;
        let key = key.first().expect("a key").try_get_by_index(0).expect("an id");
        let at = app.store.place_of(Id::<Key>::from_uuid(key)).await.expect("the directory reads");
        assert_eq!(at, Some(place.id), "its master key is found");
    }
}

impl World {
    /// No organization is there but those that are whole: none in the making, no folder, no schema and no role.
    ///
    /// # Panics
    /// When something is left.
    pub async fn assert_nothing_half(&self, app: &App) {
        self.held.assert_nothing_half(app).await;
    }

    /// Everything that a new organization consists of is there.
    ///
    /// # Panics
    /// When something is missing.
    pub async fn assert_whole(&self, app: &App, founder: Id<Account>, slug: &str) {
        self.held.assert_whole(app, founder, slug).await;
    }
}

impl Errand {
    /// As [`World::assert_nothing_half`], by whoever made the errand.
    ///
    /// # Panics
    /// When something is left.
    pub async fn assert_nothing_half(&self, app: &App) {
        self.held().assert_nothing_half(app).await;
    }

    /// As [`World::assert_whole`], of an organization that the owner founded.
    ///
    /// # Panics
    /// When something is missing.
    pub async fn assert_whole(&self, app: &App, slug: &str) {
        self.held().assert_whole(app, self.owner, slug).await;
    }
}
