//! The program's own configuration: defaults, then the file, then the environment, then flags.
//!
//! Everything is read into typed parts at the start, and every mistake is told at once. Nothing reads the environment
//! later.

mod keys;
mod reader;
mod rules;
mod sources;

use std::{net::SocketAddr, path::PathBuf};

use gatewarden_credentials::{RootKey, Secret};
use gatewarden_types::{AllowedNetworks, Email, Network};
use url::Url;

pub use reader::Mistakes;
pub use sources::Sources;

/// What the program was told.
#[derive(Debug)]
pub struct Settings {
    /// The folder for everything that is kept in files.
    pub data: PathBuf,
    /// Where the console and its API listen.
    pub listen: SocketAddr,
    /// Where the gateway listens.
    pub gateway_listen: SocketAddr,
    /// How people reach the console, where that is not where it listens: links in mail start with it.
    pub public_url: Option<Url>,
    /// How programs reach the gateway, where that is not where it listens: examples start with it.
    pub gateway_public_url: Option<Url>,
    /// The proxies whose word about a caller's address counts.
    pub trusted_proxies: Vec<Network>,
    /// The certificate to serve the console with.
    pub tls: Option<Tls>,
    /// Where PostgreSQL is; none: SQLite in the data folder.
    pub postgres: Option<Postgres>,
    /// The private addresses at which providers may be.
    pub allow_private: AllowedNetworks,
    /// How mail leaves; none: into files in the data folder.
    pub mail: Option<Mail>,
    /// How much of a thing at once.
    pub limits: Limits,
    /// What the program says about itself.
    pub log: Log,
    /// The secret from the environment; none: `secret.key` in the data folder.
    pub root_key: Option<RootKey>,
}

/// A certificate and its key, in PEM files.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where PostgreSQL is.
#[derive(Debug, Clone)]
pub struct Postgres {
    /// The login that serves.
    pub serving: Secret<String>,
    /// The login that creates and migrates.
    pub owner: Secret<String>,
}

/// How mail leaves.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The server, such as `smtps://user:password@mail.example.com`.
    pub smtp: Secret<String>,
    /// The sender.
    pub from: Email,
}

/// How much of a thing at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Organizations whose SQLite files are kept open.
    pub open_organizations: u64,
    /// Serving connections to PostgreSQL.
    pub database_connections: u32,
    /// Passwords being hashed; each takes a core and 19 MiB for tens of milliseconds.
    pub hashing: u32,
    /// Bytes of usage that wait on the disk until they are in the database.
    pub usage_spool: u64,
}

/// What the program says about itself.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object a line instead of text.
    pub json: bool,
    /// The least level: `error`, `warn`, `info`, `debug`, `trace`, also for a part as in `info,gatewarden_store=debug`.
    pub level: String,
}

impl Settings {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All mistakes.
    pub fn load(sources: &Sources) -> Result<Self, Mistakes> {
        let mut reader = sources.merge();
        let settings = rules::read(&mut reader, sources);
        reader.finish(settings)
    }

    /// How people reach the console that listens on `address`.
    pub fn console_url(&self, address: SocketAddr) -> Result<Url, url::ParseError> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().map_or_else(|| Url::parse(&format!("{scheme}://{address}")), Ok)
    }

    /// How programs reach the gateway that listens on `address`.
    pub fn gateway_url(&self, address: SocketAddr) -> Result<Url, url::ParseError> {
        self.gateway_public_url.clone().map_or_else(|| Url::parse(&format!("http://{address}")), Ok)
    }
}

#[cfg(test)]
mod tests;
