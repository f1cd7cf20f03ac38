//! The gateway alone, for a host without a database. It follows the control plane over the network, and that feed comes
//! with a later release: until then this program says what it needs and ends.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use gatewarden_gateway::Config;

/// For something the program cannot do with what it was told, as clap uses it.
const TOLD_WRONG: u8 = 2;

/// Answers model calls by the policy that a control plane sends.
///
/// This release has no feed over the network yet: the gateway runs inside `gatewarden serve`.
#[derive(Debug, Parser)]
#[command(name = "gatewarden-gateway", version, about, max_term_width = 100)]
struct Cli {
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

fn main() -> ExitCode {
    let Cli { listen } = Cli::parse();
    let Config { listen, workers, .. } = Config::new(listen, PathBuf::new());
    eprintln!(
        "gatewarden-gateway: would listen on {listen} with {workers} threads, but it has no policy to answer by.\n\n\
         It needs the address of a control plane and an enrolment of its own there; both come with the gateways \
         release.\nUntil then the same gateway runs inside the program: gatewarden serve --gateway-listen {listen}"
    );
    ExitCode::from(TOLD_WRONG)
}
