//! The benchmarks of `docs/benchmarks.md`, by name. They print figures and never assert a time.

use anyhow::Context;

use crate::project;

struct Bench {
    name: &'static str,
    measures: &'static str,
    /// The package and the `[[bench]]` target in it.
    target: (&'static str, &'static str),
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "members",
        measures: "the members page at 10,000 members: server time per page, search and sort",
        target: ("gatewarden-web", "members"),
    },
    Bench {
        name: "organizations",
        measures: "creating 1,000 organizations on each back end",
        target: ("gatewarden-store", "organizations"),
    },
    Bench {
        name: "changes",
        measures: "changes per second with the trail beside the same changes without it",
        target: ("gatewarden-store", "changes"),
    },
];

/// Prints what can be measured.
pub fn list() {
    for bench in BENCHES {
        let (package, target) = bench.target;
        println!("{:14} {}\n{:14} cargo bench -p {package} --bench {target}", bench.name, bench.measures, "");
    }
}

/// Runs one benchmark.
pub fn run(name: &str) -> anyhow::Result<bool> {
    let bench = BENCHES.iter().find(|bench| bench.name == name).with_context(|| {
        let names: Vec<_> = BENCHES.iter().map(|bench| bench.name).collect();
        format!("no benchmark is called {name}; there are {}", names.join(", "))
    })?;
    let (package, target) = bench.target;
    let status = project::cargo().args(["bench", "-p", package, "--bench", target]).status()?;
    Ok(status.success())
}
