//! Runs a command, shows what it prints and reads its summary while it does.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::counts::{Counts, Failed};

/// Runs `command` to its end; an exit other than 0 is an error that carries what was counted.
pub fn run(command: &mut Command, read: fn(&str) -> Counts) -> anyhow::Result<Counts> {
    let shown = shown(command);
    println!("$ {shown}");
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| shown.clone())?;
    let mut counts = Counts::default();
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts += read(&line);
        }
    }
    let status = child.wait()?;
    if status.success() && counts.failed == 0 {
        return Ok(counts);
    }
    Err(Failed { what: format!("{shown}: {status}"), counts }.into())
}

/// Runs a command that counts nothing.
pub fn check(command: &mut Command) -> anyhow::Result<()> {
    run(command, |_| Counts::default()).map(drop)
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::counts;
    use super::*;

    #[test]
    fn a_failure_keeps_what_was_counted() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test result: FAILED. 4 passed; 1 failed;'; exit 3"]);
        let error = run(&mut command, counts::cargo_test).unwrap_err();
        assert_eq!(counts::of(&error), Counts { passed: 4, failed: 1 });
        assert!(error.to_string().contains("exit status: 3"));
    }

    #[test]
    fn a_counted_failure_is_one_even_when_the_runner_exits_well() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '  1 failed'"]);
        assert!(run(&mut command, counts::playwright).is_err());
    }
}
