//! The benchmarks of `docs/benchmarks.md`, by name. They print figures and never assert a time.

use std::process::Command;

use anyhow::Context;

use crate::{machine::postgres::Cluster, project};

/// Each is the name of a `[[bench]]` target, and what it measures.
const BENCHES: &[(&str, &str)] = &[
    ("members", "the members page at 10,000 members: server time per page, search and sort"),
    ("organizations", "creating 1,000 organizations on each back end"),
    ("changes", "changes per second with the trail beside the same changes without it"),
    ("revocation", "how long revoked keys are still admitted by three gateways under load"),
    ("verify", "verifying an exported trail of 1,000,000 entries"),
];

/// Prints what can be measured.
pub fn list() {
    for (name, measures) in BENCHES {
        println!("{name:14} {measures}");
    }
    println!("\nOn SQLite alone: cargo bench --workspace --bench NAME");
}

/// Runs one benchmark, on SQLite and on a throw-away PostgreSQL.
pub fn run(name: &str) -> anyhow::Result<bool> {
    let known = BENCHES.iter().find(|(known, _)| *known == name);
    let (name, _) = known.with_context(|| {
        let names: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        format!("no benchmark is called {name}; there are {}", names.join(", "))
    })?;
    // Built before the server starts, which would only be in the way.
    if !bench(name).arg("--no-run").status()?.success() {
        return Ok(false);
    }
    let cluster = Cluster::start()?;
    Ok(bench(name).arg("--quiet").env("GATEWARDEN_TEST_POSTGRES", cluster.url()).status()?.success())
}

/// Of the whole workspace, so that the packages' dependencies are built once and not once for each choice of features.
fn bench(name: &str) -> Command {
    let mut cargo = project::cargo();
    cargo.args(["bench", "--locked", "--workspace", "--bench", name]);
    cargo
}
