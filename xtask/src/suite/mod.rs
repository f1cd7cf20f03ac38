//! Everything that CI proves, step by step, from nothing on a fresh Debian machine with Rust.

mod counts;
mod report;
mod runner;
mod steps;

use std::time::Instant;

use anyhow::{Context, bail};

use crate::machine::postgres::Cluster;
use counts::Counts;
use report::Row;

/// One thing to prove. The order is that of the run: what fails fast comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Fmt,
    Deny,
    Clippy,
    Rust,
    Faults,
    Verifiers,
    Plain,
    E2e,
    Api,
}

impl Step {
    pub const ALL: &[Self] = &[
        Self::Fmt,
        Self::Deny,
        Self::Clippy,
        Self::Rust,
        Self::Faults,
        Self::Verifiers,
        Self::Plain,
        Self::E2e,
        Self::Api,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Deny => "deny",
            Self::Clippy => "clippy",
            Self::Rust => "rust",
            Self::Faults => "faults",
            Self::Verifiers => "verifiers",
            Self::Plain => "plain",
            Self::E2e => "e2e",
            Self::Api => "api",
        }
    }

    fn needs_postgres(self) -> bool {
        matches!(self, Self::Rust | Self::Faults)
    }
}

/// The steps of a list such as `rust,e2e`, in the order of the run.
pub fn named(list: &str) -> anyhow::Result<Vec<Step>> {
    for name in list.split(',') {
        if !Step::ALL.iter().any(|step| step.name() == name) {
            let names: Vec<_> = Step::ALL.iter().map(|step| step.name()).collect();
            bail!("no step is called {name:?}; there are {}", names.join(", "));
        }
    }
    Ok(Step::ALL.iter().copied().filter(|step| list.split(',').any(|name| name == step.name())).collect())
}

/// Runs the steps, each even when one before it failed, and ends with one line `N passed, N failed`.
pub fn run(steps: &[Step]) -> bool {
    let mut rows = Vec::new();
    let mut cluster = None;
    if steps.iter().any(|step| step.needs_postgres()) {
        match timed("postgres", &mut rows, || Cluster::start().map(|made| (Counts::default(), made))) {
            Some(started) => cluster = Some(started),
            None => eprintln!("PostgreSQL is not running: the steps that need it fail"),
        }
    }
    let database = cluster.as_ref().map(Cluster::url);
    for &step in steps {
        timed(step.name(), &mut rows, || {
            println!("\n== {} ==", step.name());
            if step.needs_postgres() && database.is_none() {
                bail!("PostgreSQL is not running");
            }
            steps::run(step, database).map(|counts| (counts, ()))
        });
    }
    drop(cluster);
    report::print(&rows)
}

/// Kills the program and gateways on other hosts so many times, on a throw-away PostgreSQL and on SQLite, and lets their disks
/// fail.
pub fn faults(rounds: &str) -> anyhow::Result<bool> {
    let rounds = rounds.parse().with_context(|| format!("{rounds:?} is no number of rounds"))?;
    let cluster = Cluster::start()?;
    steps::faults(rounds, Some(cluster.url())).map(|counts| counts.failed == 0)
}

/// Runs one row of the table; its error is printed and kept in the row, never lost.
fn timed<T>(name: &'static str, rows: &mut Vec<Row>, work: impl FnOnce() -> anyhow::Result<(Counts, T)>) -> Option<T> {
    let start = Instant::now();
    let (counts, failure, made) = match work() {
        Ok((counts, made)) => (counts, None, Some(made)),
        Err(error) => {
            eprintln!("{name}: {error:#}");
            (counts::of(&error), Some(format!("{error:#}")), None)
        }
    };
    rows.push(Row { name, took: start.elapsed(), counts, failure });
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name_and_run_in_order() {
        assert_eq!(named("e2e,rust").unwrap(), [Step::Rust, Step::E2e]);
        assert!(named("rust,unit").unwrap_err().to_string().contains("unit"));
        assert!(named("").is_err());
    }
}
