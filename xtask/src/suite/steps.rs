//! What each step runs.

use std::process::Command;

use super::Step;
use super::counts::{self, Counts};
use super::runner::{check, run as run_counted};
use crate::{machine, project};

/// Runs `step`; `database` is a superuser's URL of the throw-away PostgreSQL, when the step has one.
pub fn run(step: Step, database: Option<&str>) -> anyhow::Result<Counts> {
    match step {
        Step::Fmt => check(project::cargo().args(["fmt", "--all", "--check"])).map(|()| Counts::default()),
        Step::Deny => deny(),
        Step::Clippy => {
            let lint = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
            check(project::cargo().args(lint)).map(|()| Counts::default())
        }
        Step::Rust => {
            let mut tests = project::cargo();
            tests.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
            tests.envs(database.map(|url| ("GATEWARDEN_TEST_POSTGRES", url)));
            run_counted(&mut tests, counts::cargo_test)
        }
        Step::E2e => browser(&["journeys", "pages"]),
        Step::Api => browser(&["api"]),
    }
}

fn deny() -> anyhow::Result<Counts> {
    let mut deny = Command::new(machine::cargo_deny()?);
    // Duplicates are allowed, so their warnings would only bury what is not.
    deny.current_dir(project::root()).args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    check(&mut deny)?;
    Ok(Counts::default())
}

/// Builds the program and lets Playwright drive it with the machine's own Chromium.
fn browser(projects: &[&str]) -> anyhow::Result<Counts> {
    let (node, chromium) = (machine::node()?, machine::chromium()?);
    let python = machine::python_with("e2e", &project::root().join("e2e/requirements.txt"))?;
    let e2e = project::root().join("e2e");
    check(project::cargo().args(["build", "--locked", "--workspace"]))?;
    check(node.command("npm").current_dir(&e2e).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    let mut tests = node.command("node");
    tests.current_dir(&e2e).args(["node_modules/@playwright/test/cli.js", "test"]);
    tests.args(projects.iter().map(|name| format!("--project={name}")));
    tests.env("GATEWARDEN_PROGRAM", project::target().join("debug/gatewarden"));
    tests.env("CHROMIUM", chromium).env("PYTHON", python);
    run_counted(&mut tests, counts::playwright)
}
