//! What each setting may be, and what they may be together.

use std::{fmt::Display, net::SocketAddr, path::PathBuf, str::FromStr};

use gatewarden_credentials::{RootKey, Secret};
use gatewarden_types::{AllowedNetworks, Email, Network};
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::{
    Limits, Log, Mail, Postgres, Settings, Sources, Tls, keys,
    keys::Key,
    reader::{Mistake, Reader},
};

/// Gives the owner's login; kept out of the file so that the serving program's file does not hold it.
const OWNER_URL: &str = "GATEWARDEN_DATABASE_OWNER_URL";
/// Gives the root key.
const SECRET_KEY: &str = "GATEWARDEN_SECRET_KEY";

pub(super) fn read(reader: &mut Reader, sources: &Sources) -> Option<Settings> {
    let front = Front::read(reader);
    let data = reader.read(keys::DATA, folder);
    let postgres = postgres(reader, sources);
    let allow_private = AllowedNetworks(reader.read_list(keys::UPSTREAMS_ALLOW_PRIVATE, str::parse::<Network>));
    let mail = mail(reader);
    let limits = limits(reader);
    let log = log(reader);
    let root_key = root_key(reader, sources, postgres.is_some());
    let front = front?;
    Some(Settings {
        data: data?,
        listen: front.listen,
        gateway_listen: front.gateway_listen,
        public_url: front.public_url,
        gateway_public_url: front.gateway_public_url,
        trusted_proxies: front.trusted_proxies,
        tls: front.tls,
        postgres,
        allow_private,
        mail,
        limits: limits?,
        log: log?,
        root_key,
    })
}

/// How callers come in.
struct Front {
    listen: SocketAddr,
    gateway_listen: SocketAddr,
    public_url: Option<Url>,
    gateway_public_url: Option<Url>,
    trusted_proxies: Vec<Network>,
    tls: Option<Tls>,
}

impl Front {
    fn read(reader: &mut Reader) -> Option<Self> {
        let listen = reader.read(keys::LISTEN, address);
        let gateway_listen = reader.read(keys::GATEWAY_LISTEN, address);
        let public_url = reader.read(keys::PUBLIC_URL, public_url);
        let gateway_public_url = reader.read(keys::GATEWAY_PUBLIC_URL, public_url_of_gateway);
        let trusted_proxies = reader.read_list(keys::TRUSTED_PROXIES, str::parse::<Network>);
        let tls = tls(reader);
        let proxied = public_url.is_some() && !trusted_proxies.is_empty();
        beyond_loopback(reader, keys::LISTEN, listen, proxied || tls.is_some(), CONSOLE_IN_THE_OPEN);
        beyond_loopback(reader, keys::GATEWAY_LISTEN, gateway_listen, proxied, GATEWAY_IN_THE_OPEN);
        let (listen, gateway_listen) = (listen?, gateway_listen?);
        apart(reader, listen, gateway_listen);
        if listen.ip().is_unspecified() && public_url.is_none() && tls.is_some() {
            reader.blame_key(keys::LISTEN, "Say how people reach it with --public-url https://….");
        }
        Some(Self { listen, gateway_listen, public_url, gateway_public_url, trusted_proxies, tls })
    }
}

const CONSOLE_IN_THE_OPEN: &str = "Passwords would cross the network in the open. Listen on 127.0.0.1, or give a \
     certificate (--tls-cert and --tls-key), or put a proxy with TLS before it and name both (--public-url \
     https://… and --trusted-proxies ADDRESS).";
const GATEWAY_IN_THE_OPEN: &str = "API keys would cross the network in the open: the gateway speaks plain HTTP. Listen \
     on 127.0.0.1, or put a proxy with TLS before it and name it (--public-url https://… and --trusted-proxies \
     ADDRESS).";

fn beyond_loopback(reader: &mut Reader, key: &'static Key, address: Option<SocketAddr>, guarded: bool, why: &str) {
    if address.is_some_and(|address| !address.ip().to_canonical().is_loopback()) && !guarded {
        reader.blame_key(key, why);
    }
}

fn apart(reader: &mut Reader, console: SocketAddr, gateway: SocketAddr) {
    if console == gateway && console.port() != 0 {
        reader.blame_key(keys::GATEWAY_LISTEN, "The console listens there already. Give the gateway its own port.");
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "Give an address and a port, such as 127.0.0.1:8080 or [::1]:8080.")
}

fn folder(text: &str) -> Result<PathBuf, &'static str> {
    if text.trim().is_empty() { Err("Give a folder, such as ./data.") } else { Ok(PathBuf::from(text)) }
}

fn public_url(text: &str) -> Result<Url, &'static str> {
    let url = public_url_of_gateway(text)?;
    // Pages and links go to the root of the host, and cookies are bound to it.
    if url.path() == "/" { Ok(url) } else { Err("Leave the path out: the console needs a host name of its own.") }
}

fn public_url_of_gateway(text: &str) -> Result<Url, &'static str> {
    const BAD: &str = "Give an address such as https://gatewarden.example.com.";
    let url = Url::parse(text).map_err(|_| BAD)?;
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let local = match url.host().ok_or(BAD)? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" if bare => Ok(url),
        "http" if bare && local => Ok(url),
        "http" if bare => Err("It has to be https://: browsers keep the session's cookie for safe connections alone."),
        _ => Err(BAD),
    }
}

fn tls(reader: &mut Reader) -> Option<Tls> {
    let certificate = reader.read(keys::TLS_CERTIFICATE, file);
    let key = reader.read(keys::TLS_KEY, file);
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Tls { certificate, key }),
        (Some(_), None) if !reader.given(keys::TLS_KEY) => {
            reader.blame_key(keys::TLS_CERTIFICATE, "A certificate needs its key: give --tls-key as well.");
            None
        }
        (None, Some(_)) if !reader.given(keys::TLS_CERTIFICATE) => {
            reader.blame_key(keys::TLS_KEY, "A key needs its certificate: give --tls-cert as well.");
            None
        }
        _ => None,
    }
}

fn file(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    if path.is_file() { Ok(path) } else { Err("There is no such file, or this program may not see it.") }
}

fn postgres(reader: &mut Reader, sources: &Sources) -> Option<Postgres> {
    let serving = reader.read(keys::DATABASE_URL, database_url);
    let owner = sources.variable(OWNER_URL).map(database_url);
    if let Some(Err(bad)) = &owner {
        reader.blame(variable(OWNER_URL, bad));
    }
    if owner.is_some() && !reader.given(keys::DATABASE_URL) {
        reader.blame(variable(OWNER_URL, "It is of use only together with --database-url, the login that serves."));
    }
    let serving = serving?;
    let owner = owner.and_then(Result::ok).unwrap_or_else(|| serving.clone());
    Some(Postgres { serving, owner })
}

fn database_url(text: &str) -> Result<Secret<String>, &'static str> {
    const BAD: &str = "Give an address such as postgres://user:password@host/database; without one, SQLite files in \
         the data folder are used.";
    let url = Url::parse(text).map_err(|_| BAD)?;
    if matches!(url.scheme(), "postgres" | "postgresql") { Ok(Secret::new(text.to_owned())) } else { Err(BAD) }
}

fn mail(reader: &mut Reader) -> Option<Mail> {
    let smtp = reader.read(keys::MAIL_SMTP_URL, smtp_url);
    let from = reader.read(keys::MAIL_FROM, str::parse::<Email>);
    if reader.given(keys::MAIL_SMTP_URL) && !reader.given(keys::MAIL_FROM) {
        reader.blame_key(keys::MAIL_SMTP_URL, "Mail needs a sender as well: give mail.from.");
    }
    Some(Mail { smtp: smtp?, from: from? })
}

fn smtp_url(text: &str) -> Result<Secret<String>, &'static str> {
    const BAD: &str = "Give an address such as smtps://user:password@mail.example.com, or \
         smtp://mail.example.com:587?tls=required.";
    let url = Url::parse(text).map_err(|_| BAD)?;
    let fits = matches!(url.scheme(), "smtp" | "smtps") && url.host_str().is_some_and(|host| !host.is_empty());
    if fits { Ok(Secret::new(text.to_owned())) } else { Err(BAD) }
}

fn limits(reader: &mut Reader) -> Option<Limits> {
    let open_organizations = reader.read(keys::LIMITS_OPEN_ORGANIZATIONS, |text| number(text, 1, 10_000));
    let database_connections = reader.read(keys::LIMITS_DATABASE_CONNECTIONS, |text| number(text, 2, 1_000));
    let hashing = reader.read(keys::LIMITS_HASHING, |text| number(text, 1, 256));
    let usage_spool = reader.read(keys::LIMITS_USAGE_SPOOL, |text| number(text, 16, 1_000_000));
    Some(Limits {
        open_organizations: u64::from(open_organizations?),
        database_connections: database_connections?,
        hashing: hashing?,
        usage_spool: u64::from(usage_spool?) * 1024 * 1024,
    })
}

fn number(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = u32::from_str(text.trim()).ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("Give a whole number from {least} to {most}."))
}

fn log(reader: &mut Reader) -> Option<Log> {
    let json = reader.read(keys::LOG_FORMAT, |text| match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err("Give text or json."),
    });
    let level = reader.read(keys::LOG_LEVEL, |text| match text.parse::<EnvFilter>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("Give error, warn, info, debug or trace, also for a part: info,gatewarden_store=debug."),
    });
    Some(Log { json: json?, level: level? })
}

fn root_key(reader: &mut Reader, sources: &Sources, postgres: bool) -> Option<RootKey> {
    match sources.variable(SECRET_KEY).map(str::parse::<RootKey>) {
        Some(Ok(key)) => Some(key),
        Some(Err(bad)) => {
            reader.blame(variable(SECRET_KEY, bad));
            None
        }
        None if postgres => {
            let why = "It is required with PostgreSQL, where every program on the database has to have the same one. \
                 Make it once with `openssl rand -hex 32` and keep it as safe as the database.";
            reader.blame(variable(SECRET_KEY, why));
            None
        }
        None => None,
    }
}

fn variable(name: &str, why: impl Display) -> Mistake {
    Mistake { origin: format!("environment variable {name}"), key: None, message: why.to_string() }
}
