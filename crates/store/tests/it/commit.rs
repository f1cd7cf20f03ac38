//! A commit whose answer is lost is never called a failure.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use gatewarden_control::{App, Changed, Error, organizations};
use gatewarden_store::{Database, StoreError};
use gatewarden_testkit::World;
use gatewarden_types::Organization;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a [`Wire`] does.
mod mode {
    /// Carries everything.
    pub const CARRY: u8 = 0;
    /// Breaks before the next COMMIT arrives.
    pub const LOSE_COMMIT: u8 = 1;
    /// Breaks before the answer to the next COMMIT arrives.
    pub const LOSE_ANSWER: u8 = 2;
    /// The same, and is gone for good.
    pub const LOSE_ALL: u8 = 3;
    /// Carries nothing.
    pub const GONE: u8 = 4;
}

/// Stands between the program and PostgreSQL.
struct Wire {
    mode: Arc<AtomicU8>,
    app: App,
}

impl Wire {
    async fn new(world: &World) -> Self {
        let Database::Postgres { serving, owner, connections } = world.database() else { panic!("PostgreSQL alone") };
        let mut url = url::Url::parse(&serving).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let mode = Arc::new(AtomicU8::new(mode::CARRY));
        tokio::spawn(accept(listener, server, mode.clone()));
        let database = Database::Postgres { serving: url.to_string(), owner, connections };
        Self { mode, app: world.open_on(database).await.unwrap() }
    }

    async fn rename(&self, world: &World, to: &str) -> Result<Changed<Organization>, Error> {
        let command = organizations::UpdateOrganization { name: Some(to.parse().unwrap()), ..Default::default() };
        organizations::update(&self.app, &world.owner().caller(), world.org(), command).await
    }
}

async fn accept(listener: TcpListener, server: String, mode: Arc<AtomicU8>) {
    while let Ok((client, _)) = listener.accept().await {
        if mode.load(Ordering::SeqCst) != mode::GONE {
            let server = TcpStream::connect(&server).await.unwrap();
            tokio::spawn(carry(client, server, mode.clone()));
        }
    }
}

/// Carries bytes both ways until an end closes, or until the mode says to break.
async fn carry(mut client: TcpStream, mut server: TcpStream, mode: Arc<AtomicU8>) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let asked = &asked[..read?];
                let commits = asked.windows(6).any(|word| word == b"COMMIT");
                let breaks = if commits { mode.load(Ordering::SeqCst) } else { mode::CARRY };
                if mode.load(Ordering::SeqCst) == mode::GONE {
                    return Ok(());
                }
                if asked.is_empty() || breaks == mode::LOSE_COMMIT {
                    mode.store(mode::CARRY, Ordering::SeqCst);
                    return Ok(());
                }
                server.write_all(asked).await?;
                if breaks != mode::CARRY {
                    // It has happened once the server answers, and nobody hears of it.
                    let _answer = server.read(&mut answered).await?;
                    let next = if breaks == mode::LOSE_ALL { mode::GONE } else { mode::CARRY };
                    mode.store(next, Ordering::SeqCst);
                    return Ok(());
                }
            }
            read = server.read(&mut answered) => {
                let answered = &answered[..read?];
                if answered.is_empty() {
                    return Ok(());
                }
                client.write_all(answered).await?;
            }
        }
    }
}

fn on_postgres(test: impl AsyncFnOnce(World, Wire)) {
    gatewarden_testkit::on_postgres(|world| async move {
        let wire = Wire::new(&world).await;
        test(world, wire).await;
    });
}

#[test]
fn a_lost_answer_is_looked_up_in_the_trail() {
    on_postgres(async |world, wire| {
        let before = world.trail(world.org()).await.len() as u64;
        wire.mode.store(mode::LOSE_ANSWER, Ordering::SeqCst);
        let changed = wire.rename(&world, "Kept").await.expect("it has happened");
        assert_eq!(wire.mode.load(Ordering::SeqCst), mode::CARRY, "the answer was lost");
        assert_eq!(changed.version, before + 1);
        assert_eq!(world.trail(world.org()).await.len() as u64, before + 1, "and once");
    });
}

#[test]
fn a_lost_commit_is_told_as_nothing_changed() {
    on_postgres(async |world, wire| {
        let tables = (world.tables(world.org()).await, world.trail_tables(world.org()).await);
        wire.mode.store(mode::LOSE_COMMIT, Ordering::SeqCst);
        let told = wire.rename(&world, "Lost").await.unwrap_err();
        assert!(matches!(told, Error::Store(StoreError::NotKept)), "{told:?}");
        assert_eq!((world.tables(world.org()).await, world.trail_tables(world.org()).await), tables);
        wire.rename(&world, "Kept").await.expect("the next change finds a connection");
    });
}

#[test]
fn where_nothing_can_be_asked_the_outcome_is_unknown() {
    on_postgres(async |world, wire| {
        let before = world.trail(world.org()).await.len();
        let mut moves = wire.app.store.moves();
        wire.mode.store(mode::LOSE_ALL, Ordering::SeqCst);
        let told = wire.rename(&world, "Kept").await;
        assert!(matches!(told, Err(Error::Store(StoreError::Unknown))), "{told:?}");
        assert_eq!(world.trail(world.org()).await.len(), before + 1, "it did happen");
        let told = moves.try_recv().map(|moved| moved.organization);
        assert_eq!(told, Ok(world.org()), "and whoever follows the trail looks for it");
    });
}

#[test]
fn a_connection_that_dies_before_the_commit_changes_nothing() {
    on_postgres(async |world, wire| {
        let tables = (world.tables(world.org()).await, world.trail_tables(world.org()).await);
        let store = &wire.app.store;
        let mut tx = store.change(&world.owner().caller(), world.org()).await.unwrap();
        let asked = tx.permit_on::<gatewarden_access::actions::UpdateOrganization>(world.org(), |_| {
            gatewarden_store::Giving::Nothing
        });
        let (permit, mut row) = asked.await.unwrap();
        row.record.name = "Half".parse().unwrap();
        tx.put(&permit, &row.record).await.unwrap();
        let end = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE usename = current_database() || '_login'";
        assert!(!world.beneath_control().await.texts(end).await.is_empty());
        tx.commit(permit).await.unwrap_err();
        assert_eq!((world.tables(world.org()).await, world.trail_tables(world.org()).await), tables);
        wire.rename(&world, "Kept").await.expect("the next change finds a connection");
    });
}
