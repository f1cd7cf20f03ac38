//! What can be said on the command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, value_parser};
use gatewarden_types::Network;
use url::Url;

/// Answers model calls by the policy that a control plane sends, on a host without a database.
#[derive(Debug, Parser)]
#[command(name = "gatewarden-gateway", version, about, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Enrol with a control plane, once for each organization that this gateway is to serve
    Enroll(Enroll),
    /// Serve every organization that it has enrolled with
    Run(Run),
}

/// Enrols.
#[derive(Debug, Args)]
pub struct Enroll {
    /// The console's address: a scheme, a host and perhaps a port
    #[arg(long, value_name = "URL", env = "GATEWARDEN_CONTROL")]
    pub control: Url,
    /// The token that the console showed when the gateway was added; it works once
    #[arg(long, value_name = "TOKEN", env = "GATEWARDEN_TOKEN", hide_env_values = true)]
    pub token: String,
    /// The folder to keep everything in
    #[arg(long, value_name = "DIR", default_value = "./data/gateway", env = "GATEWARDEN_DATA")]
    pub data: PathBuf,
}

/// Serves.
#[derive(Debug, Args)]
pub struct Run {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081", env = "GATEWARDEN_LISTEN")]
    pub listen: SocketAddr,
    /// The folder that enrolling has made
    #[arg(long, value_name = "DIR", default_value = "./data/gateway", env = "GATEWARDEN_DATA")]
    pub data: PathBuf,
    /// Private addresses at which providers may be, as addresses or ranges with commas between
    #[arg(long, value_name = "RANGES", value_delimiter = ',', env = "GATEWARDEN__UPSTREAMS__ALLOW_PRIVATE")]
    pub allow_private: Vec<Network>,
    /// For how many seconds after SIGTERM calls are still taken, while `/readyz` says `draining`; SIGINT does not wait, and
    /// a second signal ends the wait
    #[arg(long, value_name = "SECONDS", default_value_t = 5, env = "GATEWARDEN_LINGER", value_parser = value_parser!(u64).range(..=3600))]
    pub linger: u64,
    /// How many threads answer calls [default: one for each core]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
}
