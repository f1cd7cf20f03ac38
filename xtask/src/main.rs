//! The project's own commands: `cargo xtask <command>`. Run it without a command to see them.

mod architecture;
mod bench;
mod capabilities;
mod fuzz;
mod machine;
mod project;
mod suite;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--only STEP,…]   everything CI proves, from nothing; steps: fmt, clippy, deny, rust, faults,
                                   verifiers, plain, e2e, api
cargo xtask faults [--rounds N]    kills the program and gateways on other hosts N times (60) under load, and lets their
                                   fsync and their disks fail
cargo xtask fuzz [--seconds N] [TARGET…]
                                   tries each reader of what comes from outside for N seconds (60)
cargo xtask capabilities           what the tests prove of docs/capabilities.csv; --missing PREFIX lists the rest
cargo xtask architecture           what breaks the shape of the code (a test of xtask asks the same)
cargo xtask bench [NAME [ARGUMENT…]]
                                   run a benchmark, or list them";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["test"] => Ok(suite::run(suite::Step::ALL)),
        ["test", "--only", names] => suite::named(names).map(|steps| suite::run(&steps)),
        ["faults"] => suite::faults("60"),
        ["faults", "--rounds", rounds] => suite::faults(rounds),
        ["fuzz", arguments @ ..] => fuzz::run(arguments),
        ["capabilities"] => capabilities::run(None),
        ["capabilities", "--missing", prefix] => capabilities::run(Some(prefix)),
        ["architecture"] => architecture::run(),
        ["bench"] => {
            bench::list();
            Ok(true)
        }
        ["bench", name, arguments @ ..] => bench::run(name, arguments),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(anyhow::anyhow!("no such command: {}\n\n{USAGE}", words.join(" "))),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
