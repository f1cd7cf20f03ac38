//! The benchmarks of `docs/benchmarks.md`, by name. They print figures and never assert a time.

use std::process::Command;

use anyhow::Context;

use crate::{machine::postgres::Cluster, project};

/// A `[[bench]]` target of some crate.
struct Bench {
    name: &'static str,
    measures: &'static str,
    /// Whether it takes the throw-away PostgreSQL as well.
    database: bool,
}

const fn bench_of(name: &'static str, measures: &'static str, database: bool) -> Bench {
    Bench { name, measures, database }
}

const BENCHES: &[Bench] = &[
    bench_of("members", "the members page at 10,000 members: server time per page, search and sort", true),
    bench_of("organizations", "creating 1,000 organizations on each back end", true),
    bench_of("changes", "changes per second with the trail beside the same changes without it", true),
    bench_of("revocation", "how long revoked keys are still admitted by three gateways under load", false),
    bench_of("outage", "how soon a gateway that was killed under load answers again without its control plane", false),
    bench_of("verify", "verifying an exported trail of 1,000,000 entries", true),
    bench_of("decide", "one decision of the gateway at 1,000,000 keys, in process", false),
    bench_of("gateway", "the gateway beside nginx and other gateways, its latencies and memory; --soak MINUTES", false),
];

/// Run after these, as parts of them.
const THEN: &[(&str, &str)] = &[("gateway", "decide")];

/// Prints what can be measured.
pub fn list() {
    for Bench { name, measures, .. } in BENCHES {
        println!("{name:14} {measures}");
    }
    println!("\nOn SQLite alone: cargo bench --workspace --bench NAME");
}

/// Runs one benchmark with its own arguments, on SQLite and on a throw-away PostgreSQL where a database takes part.
pub fn run(name: &str, arguments: &[&str]) -> anyhow::Result<bool> {
    let known = BENCHES.iter().find(|known| known.name == name).with_context(|| {
        let names: Vec<_> = BENCHES.iter().map(|known| known.name).collect();
        format!("no benchmark is called {name}; there are {}", names.join(", "))
    })?;
    let parts: Vec<&str> =
        std::iter::once(name).chain(THEN.iter().filter(|(first, _)| *first == name).map(|(_, then)| *then)).collect();
    // Built before anything starts, which would only be in the way.
    for part in &parts {
        if !bench(part).arg("--no-run").status()?.success() {
            return Ok(false);
        }
    }
    let cluster = if known.database { Some(Cluster::start()?) } else { None };
    for (at, part) in parts.iter().enumerate() {
        let mut run = bench(part);
        run.arg("--quiet").envs(cluster.as_ref().map(|cluster| ("GATEWARDEN_TEST_POSTGRES", cluster.url())));
        if at == 0 && !arguments.is_empty() {
            run.arg("--").args(arguments);
        }
        if !run.status()?.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Of the whole workspace, so that the packages' dependencies are built once and not once for each choice of features.
fn bench(name: &str) -> Command {
    let mut cargo = project::cargo();
    cargo.args(["bench", "--locked", "--workspace", "--bench", name]);
    cargo
}
