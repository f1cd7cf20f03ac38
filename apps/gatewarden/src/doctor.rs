//! `doctor`: everything the program depends on, and how to mend it. Changes nothing.

use std::{io, net::SocketAddr, os::unix::fs::PermissionsExt, path::Path, process::ExitCode, time::Duration};

use gatewarden_mail::Mailer;
use gatewarden_store::{Database, Examination};
use tokio::{net::TcpStream, time::timeout};
use url::Url;

use crate::{secret_key, serve::certificate, settings::Settings, storage::database};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
enum Found {
    Good(String),
    /// It works, but not as it should.
    Doubtful(String, String),
    /// It does not work, and how to mend it.
    Bad(String, String),
}

use Found::{Bad, Doubtful, Good};

/// Checks everything and prints a line for each; fails when something does not work.
pub async fn run(settings: &Settings) -> ExitCode {
    let mut found = vec![("data folder", folder(&settings.data)), ("secret key", key(settings))];
    found.extend(database_found(&database(settings)).await.into_iter().map(|one| ("database", one)));
    found.push(("console address", port(settings.listen)));
    found.push(("gateway address", port(settings.gateway_listen)));
    found.push(("public address", public(settings)));
    if let Some(tls) = &settings.tls {
        found.push((
            "certificate",
            answer(
                certificate(tls).map(|_| "it can be used".to_owned()),
                "Give --tls-cert and --tls-key as PEM files that belong together.",
            ),
        ));
    }
    found.push(("mail", mail(settings).await));
    let bad = found.iter().filter(|(_, one)| matches!(one, Bad(..))).count();
    for (what, one) in &found {
        print(what, one);
    }
    if bad > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn print(what: &str, found: &Found) {
    match found {
        Good(text) => println!("good      {what}: {text}"),
        Doubtful(text, mend) => println!("doubtful  {what}: {text}\n          {mend}"),
        Bad(text, mend) => println!("bad       {what}: {text}\n          {mend}"),
    }
}

fn answer<E: std::fmt::Display>(result: Result<String, E>, mend: &str) -> Found {
    match result {
        Ok(good) => Good(good),
        Err(bad) => Bad(format!("{bad:#}"), mend.to_owned()),
    }
}

/// Tries to write where the folder is, or will be.
fn folder(data: &Path) -> Found {
    let there = data.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let shown = format!("{} can be written", data.display());
    let tried = tempfile::tempfile_in(there).map(|_| shown).map_err(|bad| format!("{}: {bad}", there.display()));
    let tried = answer(tried, "Make it writable for the user that runs the program, or give another with --data.");
    let open = data.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    match tried {
        Good(_) if open => Doubtful(
            format!("others on this machine can look into {}", data.display()),
            format!("Run chmod 700 {}.", data.display()),
        ),
        tried => tried,
    }
}

fn key(settings: &Settings) -> Found {
    if settings.root_key.is_some() {
        return Good("comes from GATEWARDEN_SECRET_KEY".to_owned());
    }
    let path = secret_key::path(&settings.data);
    match (secret_key::read(&settings.data), secret_key::exposed(&settings.data)) {
        (Err(bad), _) => Bad(format!("{bad:#}"), "Put it back from your backup.".to_owned()),
        (Ok(None), _) if settings.data.join("control.db").exists() => Bad(
            format!("{} is missing", path.display()),
            "Put it back from your backup: what it sealed cannot be read without it.".to_owned(),
        ),
        (Ok(None), _) => Good(format!("{} will be made at the first start", path.display())),
        (Ok(Some(_)), Ok(false)) => Good(format!("{} is there, for its owner alone", path.display())),
        (Ok(Some(_)), _) => Doubtful(
            format!("others on this machine can read {}", path.display()),
            format!("Run chmod 600 {}.", path.display()),
        ),
    }
}

async fn database_found(database: &Database) -> Vec<Found> {
    match database.examine().await {
        Ok(None) => vec![Good("SQLite in the data folder".to_owned())],
        Ok(Some(examination)) => postgres(examination),
        Err(bad) => vec![Bad(
            bad.to_string(),
            "Check that PostgreSQL runs, and user, password and database in --database-url and \
             GATEWARDEN_DATABASE_OWNER_URL."
                .to_owned(),
        )],
    }
}

fn rule(holds: bool, good: &str, otherwise: Found) -> Found {
    if holds { Good(good.to_owned()) } else { otherwise }
}

fn postgres(found: Examination) -> Vec<Found> {
    let version = found.version;
    let able = [
        rule(
            version >= 15,
            &format!("PostgreSQL {version}"),
            Bad(format!("PostgreSQL {version} is too old"), "Use version 15 or later.".to_owned()),
        ),
        rule(
            found.owner_creates,
            "the owner may create schemas and roles",
            Bad(
                "the owner may not create schemas and roles".to_owned(),
                "Run as a superuser: ALTER ROLE owner CREATEROLE; GRANT CREATE ON DATABASE … TO owner;".to_owned(),
            ),
        ),
    ];
    able.into_iter().chain(guards(found)).collect()
}

/// What keeps the database from letting one organization's queries reach another, or the trail.
fn guards(found: Examination) -> [Found; 4] {
    [
        rule(
            !found.one_login,
            "one login serves and another owns",
            Doubtful(
                "one login serves and owns: the database cannot guard the trail from the program".to_owned(),
                "Give the owning login in GATEWARDEN_DATABASE_OWNER_URL, and another in --database-url.".to_owned(),
            ),
        ),
        rule(
            !found.login_inherits,
            "the serving login has no rights of its own",
            Doubtful(
                "the serving login has every organization's rights at once".to_owned(),
                "Run as a superuser: ALTER ROLE login NOINHERIT NOSUPERUSER;".to_owned(),
            ),
        ),
        rule(
            found.set_config_revoked,
            "set_config is revoked",
            Doubtful(
                "a query could change its role with set_config".to_owned(),
                "Run as a superuser in this database: REVOKE EXECUTE ON FUNCTION \
                 pg_catalog.set_config(text, text, boolean) FROM PUBLIC;"
                    .to_owned(),
            ),
        ),
        rule(
            found.settings_revoked,
            "pg_settings is revoked",
            Doubtful(
                "a query could change its role by writing pg_settings".to_owned(),
                "Run as a superuser in this database: REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;".to_owned(),
            ),
        ),
    ]
}

fn port(address: SocketAddr) -> Found {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Good(format!("{address} is free")),
        Err(bad) if bad.kind() == io::ErrorKind::AddrInUse => Doubtful(
            format!("something listens on {address} already"),
            "All is well when that is Gatewarden; else end it, or choose another address.".to_owned(),
        ),
        Err(bad) => Bad(format!("{address}: {bad}"), "Give an address of this machine.".to_owned()),
    }
}

fn public(settings: &Settings) -> Found {
    answer(settings.console_url(settings.listen).map(String::from), "Give it with --public-url.")
}

async fn mail(settings: &Settings) -> Found {
    let Some(mail) = &settings.mail else {
        return Good("goes into files in the data folder; invites show their link".to_owned());
    };
    let mend = "Mend mail.smtp_url.";
    if let Err(bad) = Mailer::smtp(mail.smtp.expose(), &mail.from) {
        return Bad(bad.to_string(), mend.to_owned());
    }
    let Ok(url) = Url::parse(mail.smtp.expose()) else {
        return Bad("the server's address cannot be read".to_owned(), mend.to_owned());
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port().unwrap_or(if url.scheme() == "smtps" { 465 } else { 25 });
    let connected = match timeout(PATIENCE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => Ok(format!("{host}:{port} answers")),
        Ok(Err(bad)) => Err(format!("{host}:{port}: {bad}")),
        Err(_) => Err(format!("{host}:{port} does not answer within {} seconds", PATIENCE.as_secs())),
    };
    answer(connected, "Check mail.smtp_url, and that this machine may reach the server.")
}
