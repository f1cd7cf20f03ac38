//! Feeds the readers of what comes from outside with what a fuzzer thinks up: the targets of `fuzz/`, one after the other.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{machine, project};

/// How long each target runs unless it is said otherwise, in seconds.
const SECONDS: &str = "60";
/// How long one input may take, in seconds. The longest takes milliseconds.
const PATIENCE: u32 = 10;

/// Runs `[--seconds N] [TARGET…]`: each target, or those that are named, for so long. False when an input breaks one.
pub fn run(arguments: &[&str]) -> anyhow::Result<bool> {
    let (seconds, named) = match arguments {
        ["--seconds", seconds, named @ ..] => (*seconds, named),
        named => (SECONDS, named),
    };
    let seconds: u32 = seconds.parse().with_context(|| format!("{seconds:?} is no number of seconds"))?;
    let targets = chosen(&targets()?, named)?;
    let tools = machine::cargo_fuzz()?;
    let mut broken = Vec::new();
    for target in &targets {
        println!("\n== {target} ==");
        // Built first, so that its time is not the build's.
        if !fuzz(&tools, "build", target)?.status()?.success() {
            bail!("{target} does not build");
        }
        let before = inputs(target);
        let passed = tried(&tools, target, seconds)?;
        broken.extend(inputs(target).difference(&before).map(|input| (target.clone(), input.clone())));
        if !passed && !broken.iter().any(|(known, _)| known == target) {
            bail!("{target} ended badly and left no input that breaks it");
        }
    }
    println!("\n{} targets of {seconds} seconds each, {} broken", targets.len(), broken.len());
    for (target, input) in &broken {
        println!(
            "{target}: {} breaks it; mend what it shows, and keep it in fuzz/corpus/{target}",
            project::relative(input)
        );
    }
    Ok(broken.is_empty())
}

/// The names of all targets.
fn targets() -> anyhow::Result<Vec<String>> {
    let files = project::files("fuzz/fuzz_targets", &[".rs"])?;
    Ok(files.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect())
}

fn chosen(all: &[String], named: &[&str]) -> anyhow::Result<Vec<String>> {
    if let Some(unknown) = named.iter().find(|name| !all.iter().any(|target| target == *name)) {
        bail!("no fuzz target is called {unknown}; there are {}", all.join(", "));
    }
    Ok(all.iter().filter(|target| named.is_empty() || named.contains(&target.as_str())).cloned().collect())
}

/// Lets libFuzzer try a target for so long. What it finds of interest goes to the build folder; the corpus in the
/// repository is only read.
fn tried(tools: &Path, target: &str, seconds: u32) -> anyhow::Result<bool> {
    let found = folder("target/corpus").join(target);
    std::fs::create_dir_all(&found)?;
    let mut run = fuzz(tools, "run", target)?;
    run.arg(found).arg(folder("corpus").join(target)).arg("--");
    run.args([format!("-max_total_time={seconds}"), format!("-timeout={PATIENCE}"), "-print_final_stats=1".to_owned()]);
    Ok(run.status()?.success())
}

/// cargo-fuzz on a target. The code has no `unsafe` to sanitize; overflows and failed assertions are found as they are. What
/// it wants of the compiler is not in a stable one unless that is told so.
fn fuzz(tools: &Path, what: &str, target: &str) -> anyhow::Result<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools.to_owned()).chain(std::env::split_paths(&path));
    let mut cargo = project::cargo();
    cargo.env("PATH", std::env::join_paths(folders)?).env("RUSTC_BOOTSTRAP", "1");
    cargo.args(["fuzz", what, "--sanitizer", "none", target]);
    Ok(cargo)
}

/// The inputs that break a target, as far as they were found.
fn inputs(target: &str) -> BTreeSet<PathBuf> {
    let listed = std::fs::read_dir(folder("artifacts").join(target)).into_iter().flatten();
    listed.filter_map(|file| Some(file.ok()?.path())).collect()
}

fn folder(name: &str) -> PathBuf {
    project::root().join("fuzz").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_chosen_by_name() {
        let all = targets().unwrap();
        assert!(all.iter().any(|target| target == "key_text"));
        assert_eq!(chosen(&all, &[]).unwrap(), all);
        assert_eq!(chosen(&all, &["sse", "chat_body"]).unwrap(), ["chat_body", "sse"]);
        assert!(chosen(&all, &["keys"]).unwrap_err().to_string().contains("key_text"));
    }
}
