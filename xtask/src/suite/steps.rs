//! What each step runs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::Step;
use super::counts::{self, Counts};
use super::runner::{check, run as run_counted};
use crate::{machine, project};

/// How often the program and gateways on other hosts are killed in CI, together.
const KILLS: usize = 60;

/// Runs `step`; `database` is a superuser's URL of the throw-away PostgreSQL, when the step has one.
pub fn run(step: Step, database: Option<&str>) -> anyhow::Result<Counts> {
    match step {
        Step::Fmt => check(project::cargo().args(["fmt", "--all", "--check"])).map(|()| Counts::default()),
        Step::Deny => deny(),
        Step::Clippy => {
            let lint = ["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"];
            check(cargo().args(lint)).map(|()| Counts::default())
        }
        Step::Rust => {
            let mut tests = cargo();
            tests.args(["test", "--locked", "--workspace", "--no-fail-fast"]);
            tests.envs(database.map(|url| ("GATEWARDEN_TEST_POSTGRES", url)));
            run_counted(&mut tests, counts::cargo_test)
        }
        Step::Faults => faults(KILLS, database),
        Step::Verifiers => verifiers(),
        Step::Plain => browser(&["plain"], &plain_program()?),
        Step::E2e => browser(&["journeys", "pages"], &program()?),
        Step::Api => browser(&["api"], &program()?),
    }
}

/// cargo with an npm that it can take the console's htmx and icons with. Without one it builds the plain console, as it
/// says then, and the browser's steps fail.
fn cargo() -> Command {
    let mut cargo = project::cargo();
    match machine::node() {
        Ok(node) => node.lend(&mut cargo),
        Err(error) => eprintln!("no npm for this build: {error:#}"),
    }
    cargo
}

/// Builds the program.
fn program() -> anyhow::Result<PathBuf> {
    check(cargo().args(["build", "--locked", "--workspace"]))?;
    Ok(project::target().join("debug/gatewarden"))
}

/// Builds the program as it comes out where there is no npm. Only the console and what is above it are built anew, here
/// and when the next step builds them whole again.
fn plain_program() -> anyhow::Result<PathBuf> {
    let build = ["build", "--locked", "--workspace", "--bin", "gatewarden"];
    check(project::cargo().args(build).env("GATEWARDEN_WITHOUT_NPM", "1"))?;
    let kept = project::target().join("plain");
    std::fs::create_dir_all(&kept)?;
    let kept = kept.join("gatewarden");
    std::fs::copy(project::target().join("debug/gatewarden"), &kept)?;
    Ok(kept)
}

fn deny() -> anyhow::Result<Counts> {
    let mut deny = Command::new(machine::cargo_deny()?);
    // Duplicates are allowed, so their warnings would only bury what is not.
    deny.current_dir(project::root()).args(["--log-level", "error", "check", "bans", "licenses", "sources"]);
    check(&mut deny)?;
    Ok(Counts::default())
}

/// Kills the program and gateways on other hosts so many times, and lets their fsync and their disks fail. What that needs is
/// installed, or the step fails.
pub fn faults(rounds: usize, database: Option<&str>) -> anyhow::Result<Counts> {
    machine::libfiu()?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--workspace", "--test", "it", "--", "faults::"]);
    tests.env("GATEWARDEN_TEST_FAULTS", rounds.to_string()).envs(database.map(|url| ("GATEWARDEN_TEST_POSTGRES", url)));
    run_counted(&mut tests, counts::cargo_test)
}

/// Lets the verifiers that share no code with ours judge the same tampered trails. Without one of them the step fails.
fn verifiers() -> anyhow::Result<Counts> {
    let folder = project::root().join("verifiers");
    let python = machine::python_with("verifiers", &folder.join("python/requirements.txt"))?;
    let go = machine::go_program(&folder.join("go"), "verify-go")?;
    let mut tests = cargo();
    tests.args(["test", "--locked", "--workspace", "--test", "it", "--", "verifiers::"]);
    tests.env("GATEWARDEN_VERIFIER_PYTHON", python).env("GATEWARDEN_VERIFIER_GO", go);
    run_counted(&mut tests, counts::cargo_test)
}

/// Lets Playwright drive `program` with the machine's own Chromium.
fn browser(projects: &[&str], program: &Path) -> anyhow::Result<Counts> {
    let (node, chromium) = (machine::node()?, machine::chromium()?);
    let python = machine::python_with("e2e", &project::root().join("e2e/requirements.txt"))?;
    let e2e = project::root().join("e2e");
    check(node.command("npm").current_dir(&e2e).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    // Playwright runs what does not type-check.
    check(node.command("node").current_dir(&e2e).arg("node_modules/typescript/bin/tsc"))?;
    let mut tests = node.command("node");
    tests.current_dir(&e2e).args(["node_modules/@playwright/test/cli.js", "test"]);
    tests.args(projects.iter().map(|name| format!("--project={name}")));
    tests.env("GATEWARDEN_PROGRAM", program);
    tests.env("CHROMIUM", chromium).env("PYTHON", python);
    run_counted(&mut tests, counts::playwright)
}
