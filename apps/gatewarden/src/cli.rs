//! What can be said on the command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use gatewarden_types::{Email, Name, Slug};

use crate::settings::Sources;

/// Who may do what with AI: a console to manage it, a gateway that enforces it, and a trail that proves it.
#[derive(Debug, Parser)]
#[command(name = "gatewarden", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; without a word, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where and with what.
    #[command(flatten)]
    pub flags: Flags,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve console and gateway (this is what happens without a command)
    Serve,
    /// Serve with an example organization and a built-in model, apart from your data
    Demo,
    /// Create an organization and its owner from a script; prints JSON with its master key
    Init(Init),
    /// Make or migrate the tables, then stop
    Migrate,
    /// Check everything the program depends on and say how to mend it
    Doctor,
    /// The record of every change
    #[command(subcommand)]
    Trail(Trail),
    /// Gateways on other hosts
    #[command(subcommand)]
    Gateway(Gateway),
    /// API keys
    #[command(subcommand)]
    Key(Key),
}

/// Creates an organization and its owner.
///
/// The owner's password comes from `GATEWARDEN_OWNER_PASSWORD`, or from the first line of standard input.
#[derive(Debug, Args)]
pub struct Init {
    /// What the organization is called
    #[arg(long, value_name = "NAME")]
    pub organization: Name,
    /// Its word in addresses, for good [default: made from its name]
    #[arg(long, value_name = "WORD")]
    pub slug: Option<Slug>,
    /// The owner's e-mail address
    #[arg(long, value_name = "EMAIL")]
    pub owner: Email,
    /// What the owner is called [default: what stands before the @]
    #[arg(long, value_name = "NAME")]
    pub name: Option<Name>,
}

/// What can be done with the trail.
#[derive(Debug, Subcommand)]
pub enum Trail {
    /// Check every entry against its hash and every kept checkpoint; exits 1 when something is wrong
    Verify(Verify),
    /// Write a trail into a folder that anyone can verify without this program, or as a file for other programs
    Export(Export),
    /// State that a backup was restored, before anything is served: the trail goes on in a new epoch
    Restored(Restored),
}

/// Which trails are verified.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Verify {
    /// Of the organization with this word in its address
    #[arg(long, value_name = "SLUG", required_unless_present_any = ["all", "exported"])]
    pub organization: Option<Slug>,
    /// Of every organization
    #[arg(long, conflicts_with = "organization")]
    pub all: bool,
    /// Folders that `trail export` wrote, or files with the proof of one entry; read alone, without settings or database
    #[arg(value_name = "EXPORTED", conflicts_with_all = ["organization", "all"])]
    pub exported: Vec<PathBuf>,
    /// The file with the key that you know to be the trail's [default: the one in the folder]
    #[arg(long, value_name = "FILE", requires = "exported")]
    pub key: Option<PathBuf>,
}

/// Whose backup was restored.
#[derive(Debug, Args)]
#[group(skip)]
pub struct Restored {
    /// Of the organization with this word in its address
    #[arg(long, value_name = "SLUG", required_unless_present = "all")]
    pub organization: Option<Slug>,
    /// Of every organization
    #[arg(long, conflicts_with = "organization")]
    pub all: bool,
}

/// What is exported, and where to.
#[derive(Debug, Args)]
pub struct Export {
    /// Of the organization with this word in its address
    #[arg(long, value_name = "SLUG")]
    pub organization: Slug,
    /// As what: a folder in the C2SP formats, or a file of lines
    #[arg(long, value_enum, default_value_t = Form::Folder)]
    pub format: Form,
    /// The folder, which is made where it is missing and empty where it is there; or the file [default: standard output]
    #[arg(value_name = "TO")]
    pub to: Option<PathBuf>,
}

/// What an export can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Checkpoint, hash tiles, entry bundles and key, for verifiers
    Folder,
    /// JSON lines: the entries as they were hashed
    Jsonl,
    /// CSV for spreadsheets
    Csv,
    /// JSON lines of OCSF 1.6.0 events, class Entity Management
    Ocsf,
}

/// What can be done with gateways.
#[derive(Debug, Subcommand)]
pub enum Gateway {
    /// Add a gateway; prints the token that it enrols with, once, and the commands to run on its host
    Enroll(Enroll),
}

/// Which gateway is added, and where.
#[derive(Debug, Args)]
pub struct Enroll {
    /// The organization that it answers calls for, by the word in its address
    #[arg(value_name = "ORGANIZATION")]
    pub organization: Slug,
    /// What the gateway is called
    #[arg(value_name = "NAME")]
    pub name: Name,
}

/// What can be done with a key.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Check a key's form and check sum, offline, and say its id; exits 1 when it is none
    Check {
        /// The key; better leave it out and give it on standard input, where no process list shows it
        key: Option<String>,
    },
}

/// Settings that are given on the command line.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// The file with further settings [default: ./gatewarden.toml where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder to keep everything in [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// Where the console listens [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    /// Where the gateway listens [default: 127.0.0.1:8081]
    #[arg(long, global = true, value_name = "ADDR")]
    gateway_listen: Option<String>,
    /// The PostgreSQL login that serves [default: SQLite files in the data folder]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// How people reach the console
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// The proxies before it, as addresses or ranges with commas between
    #[arg(long, global = true, value_name = "RANGES")]
    trusted_proxies: Option<String>,
    /// The certificate chain to serve the console with, in PEM
    #[arg(long, global = true, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The certificate's key, in PEM
    #[arg(long, global = true, value_name = "FILE")]
    tls_key: Option<String>,
}

impl Flags {
    /// These flags, with the environment.
    pub fn sources(self, environment: impl Iterator<Item = (OsString, OsString)>) -> Sources {
        let text = |text: OsString| text.to_string_lossy().into_owned();
        let flags = [
            ("data", self.data),
            ("listen", self.listen),
            ("gateway.listen", self.gateway_listen),
            ("database.url", self.database_url),
            ("public_url", self.public_url),
            ("trusted_proxies", self.trusted_proxies),
            ("tls.certificate", self.tls_cert),
            ("tls.key", self.tls_key),
        ];
        Sources {
            file: self.config,
            environment: environment.map(|(name, value)| (text(name), text(value))).collect(),
            flags: flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        }
    }
}
