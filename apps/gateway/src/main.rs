//! The data plane alone, for hosts without a database.
//!
//! It needs a control plane to follow over the network, and that line does not exist yet. Until it does, the program
//! says so instead of listening and refusing every call.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!(
        "gatewarden-gateway {} cannot follow a control plane over the network yet.\n\
         'gatewarden serve' runs the same gateway in its own process.",
        env!("CARGO_PKG_VERSION")
    );
    ExitCode::FAILURE
}
