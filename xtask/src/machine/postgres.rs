//! A throw-away PostgreSQL: made in a temporary folder, reached over loopback, gone when dropped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};

use super::{answer, apt, is_root, which};
use crate::project;

/// The oldest PostgreSQL that is supported and tested.
const OLDEST: u32 = 15;
const READY: &str = "database system is ready to accept connections";
/// How long a start may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running cluster; dropping it stops the server and removes its data.
pub struct Cluster {
    url: String,
    home: PathBuf,
    server: Child,
    stop: Command,
}

impl Cluster {
    /// Finds or installs PostgreSQL, makes a cluster and waits until it answers.
    pub fn start() -> anyhow::Result<Self> {
        let programs = installed()?;
        let user = is_root().then(unprivileged).transpose()?;
        let home = std::env::temp_dir().join(format!("gatewarden-postgres-{}", std::process::id()));
        let password = random_hex()?;
        make_home(&home, user)?;
        let made = initialize(&programs, &home, user, &password).and_then(|()| serve(&programs, &home, user));
        match made {
            Ok((server, port)) => {
                let url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
                let mut stop = program(&programs.join("pg_ctl"), &home, user);
                stop.args(["stop", "-D", "data", "-m", "immediate", "-s"]);
                Ok(Self { url, home, server, stop })
            }
            Err(error) => {
                remove(&home);
                Err(error)
            }
        }
    }

    /// A superuser's URL: tests make their own roles and databases with it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The data is thrown away: nothing has to be written back first.
        let asked = self.stop.status().is_ok_and(|status| status.success());
        let ended = if asked { Ok(()) } else { self.server.kill() }.and_then(|()| self.server.wait());
        if let Err(error) = ended {
            eprintln!("could not stop PostgreSQL (process {}): {error}", self.server.id());
        }
        remove(&self.home);
    }
}

/// The folder with `initdb` and `postgres` of the newest version that is new enough.
fn installed() -> anyhow::Result<PathBuf> {
    if let Some(found) = newest() {
        return Ok(found);
    }
    // Debian's package would also start a server of its own on the usual port.
    let keep_quiet = Path::new("/etc/postgresql-common/createcluster.d");
    if is_root() && std::fs::create_dir_all(keep_quiet).is_ok() {
        std::fs::write(keep_quiet.join("gatewarden.conf"), "create_main_cluster = false\n")?;
    }
    apt(&["postgresql"]).context("PostgreSQL")?;
    newest().with_context(|| format!("this machine's PostgreSQL is older than {OLDEST}"))
}

fn newest() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let folders = debian.map(|version| version.path().join("bin"));
    let on_path = which("initdb").and_then(|program| program.parent().map(Path::to_owned));
    let versions = folders.chain(on_path).filter_map(|folder| {
        let text = answer(Command::new(folder.join("initdb")).arg("--version"))?;
        let major = text.split_whitespace().find_map(|word| word.split('.').next()?.parse::<u32>().ok())?;
        (major >= OLDEST && folder.join("postgres").is_file()).then_some((major, folder))
    });
    versions.max().map(|(_, folder)| folder)
}

/// Someone other than root to run the server as, because it refuses root: user and group id.
fn unprivileged() -> anyhow::Result<(u32, u32)> {
    let id = |flag: &str, user: &str| answer(Command::new("id").args([flag, user]))?.parse().ok();
    let of = |user| Some((id("-u", user)?, id("-g", user)?));
    of("postgres").or_else(|| of("nobody")).context("neither postgres nor nobody is a user of this machine")
}

fn make_home(home: &Path, user: Option<(u32, u32)>) -> anyhow::Result<()> {
    std::fs::create_dir(home).with_context(|| home.display().to_string())?;
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o700))?;
    if let Some((user, group)) = user {
        chown(home, Some(user), Some(group))?;
    }
    Ok(())
}

/// A program of PostgreSQL's, run as `user`; it ends with us, however we end.
fn program(path: &Path, home: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new("setpriv");
    command.arg("--pdeathsig=QUIT");
    if let Some((user, group)) = user {
        command.args([format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()]);
    }
    command.arg(path).current_dir(home).stdin(Stdio::null());
    command
}

fn initialize(programs: &Path, home: &Path, user: Option<(u32, u32)>, password: &str) -> anyhow::Result<()> {
    let secret = home.join("password");
    File::create_new(&secret)?.write_all(password.as_bytes())?;
    if let Some((user, group)) = user {
        chown(&secret, Some(user), Some(group))?;
    }
    let mut initdb = program(&programs.join("initdb"), home, user);
    initdb.args(["--pgdata=data", "--username=postgres", "--pwfile=password", "--no-sync", "--no-instructions"]);
    // Deriving a SCRAM key in an unoptimized client costs more than most tests; the socket is in a private folder.
    initdb.args(["--auth-local=trust", "--auth-host=password"]);
    // A linguistic order by default shows every place that forgot to ask for the order of bytes.
    initdb.args(["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]);
    let output = initdb.output().context("setpriv (Debian package util-linux)")?;
    if !output.status.success() {
        bail!("initdb: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Starts the server on a free port and waits for the line that says it answers.
fn serve(programs: &Path, home: &Path, user: Option<(u32, u32)>) -> anyhow::Result<(Child, u16)> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut postgres = program(&programs.join("postgres"), home, user);
    postgres.args(["-D", "data", "-k"]).arg(home).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    postgres.args(["-c", "fsync=on", "-c", "max_connections=300", "-c", "lc_messages=C"]);
    let mut server = postgres.stderr(Stdio::piped()).spawn()?;
    let (ready, started) = mpsc::channel();
    let log = project::target().join("postgres.log");
    let mut kept = File::create(&log).with_context(|| log.display().to_string())?;
    if let Some(printed) = server.stderr.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(printed).lines().map_while(Result::ok) {
                if line.contains(READY) && ready.send(()).is_err() {
                    return;
                }
                if writeln!(kept, "{line}").is_err() {
                    return;
                }
            }
        });
    }
    if started.recv_timeout(PATIENCE).is_err() {
        server.kill()?;
        server.wait()?;
        bail!("PostgreSQL did not start: see {}", log.display());
    }
    Ok((server, port))
}

/// 128 bits that no other process can guess.
fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

fn remove(home: &Path) {
    if let Err(error) = std::fs::remove_dir_all(home) {
        eprintln!("could not remove {}: {error}", home.display());
    }
}
