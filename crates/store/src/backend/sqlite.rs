//! SQLite: one control file, and for each organization a ledger and a file of what is observed.
//!
//! Each file has one writing connection and two reading ones, in WAL with `synchronous = FULL`.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use gatewarden_migrations::{Control, Part, Tenant};
use gatewarden_types::{Id, Organization};
use moka::future::Cache;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode,
    TransactionOptions, TransactionTrait, sqlx::Connection as _,
};
use sea_orm_migration::MigratorTraitSelf;
use tokio::sync::RwLock;

use super::pool;
use crate::{StoreError, hold::Lock, statements::Statements};

/// The SQLite back end: a folder.
#[derive(Debug)]
pub(crate) struct Sqlite {
    folder: PathBuf,
    control: RwLock<File>,
    statements: Statements,
    open: Cache<Id<Organization>, Arc<Open>>,
}

/// An organization whose files are open.
#[derive(Debug)]
struct Open {
    ledger: File,
    observed: File,
}

/// One file: its writer, which comes first, and its readers.
#[derive(Debug, Clone)]
struct File {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
}

impl Sqlite {
    /// Opens or makes the folder. `open_organizations` are kept open at once, at up to five threads each.
    pub(crate) async fn open(
        folder: &Path,
        open_organizations: u64,
        statements: &Statements,
    ) -> Result<Self, StoreError> {
        private_folder(&folder.join("organizations")).map_err(|bad| unusable(folder, &bad))?;
        let control = File::open(&folder.join("control.db"), statements).await?;
        if control.attaches().await {
            tracing::warn!(
                "this SQLite can ATTACH other files: build from the project's folder, whose .cargo/config.toml turns it off"
            );
        }
        Control.up(&control.writer, None).await?;
        let open = Cache::builder().max_capacity(open_organizations).time_to_idle(Duration::from_mins(5)).build();
        let control = RwLock::new(control);
        let store = Self { folder: folder.to_owned(), control, statements: statements.clone(), open };
        store.make_templates().await?;
        Ok(store)
    }

    fn path(&self, organization: Id<Organization>, file: &str) -> PathBuf {
        self.folder.join("organizations").join(organization.to_string()).join(file)
    }

    fn template(&self, file: &str) -> PathBuf {
        self.folder.join(format!("template-{file}"))
    }

    async fn make_templates(&self) -> Result<(), StoreError> {
        for (part, file) in [(Part::Ledger, "ledger.db"), (Part::Observed, "observed.db")] {
            let template = self.template(file);
            let db = File::open(&template, &self.statements).await?;
            Tenant(part).up(&db.writer, None).await?;
            db.close().await?;
        }
        Ok(())
    }

    async fn organization(&self, organization: Id<Organization>) -> Result<Arc<Open>, StoreError> {
        let open = async {
            let ledger = File::open_existing(&self.path(organization, "ledger.db"), &self.statements).await?;
            Tenant(Part::Ledger).up(&ledger.writer, None).await?;
            let observed = File::open_existing(&self.path(organization, "observed.db"), &self.statements).await?;
            Tenant(Part::Observed).up(&observed.writer, None).await?;
            Ok::<_, StoreError>(Arc::new(Open { ledger, observed }))
        };
        let shared = self.open.try_get_with(organization, Box::pin(open)).await;
        shared.map_err(|bad: Arc<StoreError>| StoreError::Setup(bad.to_string()))
    }

    pub(crate) async fn change_control(&self) -> Result<DatabaseTransaction, StoreError> {
        self.control.read().await.change().await
    }

    pub(crate) async fn read_control(&self) -> Result<DatabaseTransaction, StoreError> {
        self.control.read().await.read().await
    }

    pub(crate) async fn change(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        self.organization(organization).await?.ledger.change().await
    }

    pub(crate) async fn read(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        self.organization(organization).await?.ledger.read().await
    }

    pub(crate) async fn observe(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        self.organization(organization).await?.observed.change().await
    }

    pub(crate) async fn observed(&self, organization: Id<Organization>) -> Result<DatabaseTransaction, StoreError> {
        self.organization(organization).await?.observed.read().await
    }

    pub(crate) fn provisioned(&self, organization: Id<Organization>) -> bool {
        self.path(organization, "ready").exists()
    }

    pub(crate) fn all_tables(&self) -> Result<Vec<Id<Organization>>, StoreError> {
        organizations_in(&self.folder)
    }

    pub(crate) fn tables_of(&self, organization: Id<Organization>) -> String {
        format!("the folder {}", self.folder.join("organizations").join(organization.to_string()).display())
    }

    /// Copies the migrated templates; the mark that they are whole is made last, when all else is on the disk.
    pub(crate) async fn provision(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        let (folder, from) =
            (self.path(organization, ""), ["ledger.db", "observed.db"].map(|file| self.template(file)));
        let to = ["ledger.db", "observed.db"].map(|file| folder.join(file));
        let parent = self.folder.join("organizations");
        let copy = move || -> io::Result<()> {
            if folder.join("ready").exists() {
                return Ok(());
            }
            private_folder(&folder)?;
            for (from, to) in from.iter().zip(&to) {
                let mut copy = private_file(to)?;
                copy.set_len(0)?;
                io::copy(&mut fs::File::open(from)?, &mut copy)?;
                copy.sync_all()?;
            }
            private_file(&folder.join("ready"))?.sync_all()?;
            fs::File::open(&folder)?.sync_all()?;
            fs::File::open(&parent)?.sync_all()
        };
        let copied = tokio::task::spawn_blocking(copy).await;
        copied.map_err(io::Error::other).flatten().map_err(|bad| unusable(&self.folder, &bad))
    }

    pub(crate) async fn discard(&self, organization: Id<Organization>) -> Result<(), StoreError> {
        self.open.invalidate(&organization).await;
        // First what says that it is whole, so that whoever looks meanwhile takes the rest for half made.
        drop(fs::remove_file(self.path(organization, "ready")));
        match fs::remove_dir_all(self.path(organization, "")) {
            Err(bad) if bad.kind() != io::ErrorKind::NotFound => Err(unusable(&self.folder, &bad)),
            _ => Ok(()),
        }
    }

    /// Locks a file, which the system unlocks when this program ends in whatever way. The file says who did.
    pub(crate) fn hold(&self, who: &str) -> Result<Lock, StoreError> {
        let path = self.folder.join("lock");
        let mut file = private_file(&path).map_err(|bad| unusable(&self.folder, &bad))?;
        match file.try_lock() {
            Ok(()) => {
                let written = file.set_len(0).and_then(|()| file.write_all(who.as_bytes()));
                written.map_err(|bad| unusable(&self.folder, &bad))?;
                Ok(Box::new(file))
            }
            Err(fs::TryLockError::WouldBlock) => {
                let by = fs::read_to_string(&path).ok().filter(|by| !by.is_empty());
                Err(StoreError::Held { by: by.unwrap_or_else(|| "another program".to_owned()) })
            }
            Err(fs::TryLockError::Error(bad)) => Err(unusable(&self.folder, &bad)),
        }
    }

    pub(crate) async fn reopen(&self, organization: Option<Id<Organization>>) -> Result<(), StoreError> {
        if let Some(organization) = organization {
            self.open.invalidate(&organization).await;
        } else {
            let control = File::open_existing(&self.folder.join("control.db"), &self.statements).await?;
            *self.control.write().await = control;
        }
        Ok(())
    }
}

/// The organizations that have a folder.
pub(crate) fn organizations_in(folder: &Path) -> Result<Vec<Id<Organization>>, StoreError> {
    let listed = match fs::read_dir(folder.join("organizations")) {
        Err(bad) if matches!(bad.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        listed => listed.and_then(Iterator::collect::<io::Result<Vec<_>>>),
    };
    let inside = listed.map_err(|bad| unusable(folder, &bad))?;
    Ok(inside.iter().filter_map(|one| one.file_name().to_str()?.parse().ok()).collect())
}

/// Writes a page as it is and commits that.
///
/// A commit whose fsync failed has left its frames in the log, whole: nobody sees them, until a program that starts after a
/// crash reads the log anew and takes them for committed. The next commit writes over the first of them, and the checksums
/// of the others then follow from nothing.
pub(crate) async fn settle(looked: DatabaseTransaction) -> Result<(), StoreError> {
    looked.execute_unprepared("PRAGMA user_version = 0").await?;
    Ok(looked.commit().await?)
}

impl File {
    /// What SQLite puts beside a file is for those whom the file is for.
    async fn open(path: &Path, statements: &Statements) -> Result<Self, StoreError> {
        private_file(path).map_err(|bad| unusable(path.parent().unwrap_or(path), &bad))?;
        Self::open_existing(path, statements).await
    }

    /// Fails where there is no file, so that an organization that is gone is never made anew by looking for it.
    async fn open_existing(path: &Path, statements: &Statements) -> Result<Self, StoreError> {
        let url = format!("sqlite://{}?mode=rw", path.display());
        let writer = statements.watch(Database::connect(options(&url, 1)).await?);
        let readers = statements.watch(Database::connect(options(&url, 2)).await?);
        Ok(Self { writer, readers })
    }

    async fn change(&self) -> Result<DatabaseTransaction, StoreError> {
        let mode = Some(SqliteTransactionMode::Immediate);
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..Default::default() };
        Ok(self.writer.begin_with_options(options).await?)
    }

    async fn read(&self) -> Result<DatabaseTransaction, StoreError> {
        Ok(self.readers.begin().await?)
    }

    /// Whether SQL could reach into another file. Built as the project builds it, SQLite refuses.
    async fn attaches(&self) -> bool {
        let attached = self.readers.execute_unprepared("ATTACH ':memory:' AS other; DETACH other").await;
        attached.is_ok()
    }

    async fn close(self) -> Result<(), StoreError> {
        self.readers.close().await?;
        Ok(self.writer.close().await?)
    }
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = pool(url, connections);
    options.connect_lazy(true).test_before_acquire(false);
    // After a COMMIT that failed, SQLite is in no transaction and sqlx believes that it is. It begins the next one inside
    // that one, and after a second failure nothing that it commits is kept. So such a connection is used no more.
    options.map_sqlx_sqlite_pool_opts(|pool| {
        pool.before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
    });
    options.map_sqlx_sqlite_opts(|sqlite| {
        sqlite
            .pragma("journal_mode", "WAL")
            .pragma("synchronous", "FULL")
            .pragma("foreign_keys", "ON")
            .pragma("recursive_triggers", "ON")
            .pragma("trusted_schema", "OFF")
            .pragma("journal_size_limit", "4194304")
            .pragma("cache_size", "-2000")
            // What is forgotten leaves no copy in free pages.
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(5))
    });
    options
}

/// Makes a folder where it is missing, for its owner alone.
fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Opens a file to write, made where it is missing for its owner alone, whatever the umask says.
fn private_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn unusable(folder: &Path, bad: &io::Error) -> StoreError {
    StoreError::Setup(format!(
        "the data folder {} cannot be used: {bad}. Give another with --data, or make it writable.",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_connection_refuses_to_attach_and_runs_triggers_on_replace() {
        let folder = std::env::temp_dir().join(format!("gatewarden-sqlite-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = File::open(&folder.join("one.db"), &Statements::default()).await.unwrap();
        assert!(!file.attaches().await);
        for pool in [&file.writer, &file.readers] {
            let attach = pool.execute_unprepared("ATTACH 'two.db' AS two").await;
            assert!(attach.unwrap_err().to_string().contains("too many attached databases"));
            let pragma = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "PRAGMA recursive_triggers");
            let row = pool.query_one_raw(pragma).await.unwrap().unwrap();
            assert_eq!(row.try_get_by_index::<i32>(0).unwrap(), 1, "REPLACE would delete rows unseen");
        }
        file.close().await.unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
