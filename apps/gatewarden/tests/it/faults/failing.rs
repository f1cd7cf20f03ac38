//! Calls of the system that fail, by libfiu.

use std::{path::PathBuf, process::Command};

use crate::program::text;

/// What fails together, and how often.
const TOGETHER: [&[(&str, f64)]; 3] = [
    &[("posix/io/sync/*", 1.0)],
    &[("posix/io/sync/*", 0.4)],
    &[("posix/io/sync/*", 0.2), ("posix/io/rw/pwrite", 0.1)],
];

/// Makes calls of the system fail in one process.
pub struct Switch {
    /// How the pipes begin that libfiu is told by.
    pipes: PathBuf,
    process: u32,
}

impl Switch {
    /// Starts a command so that it can be told what fails.
    pub fn start<Running>(
        command: &Command,
        begin: impl FnOnce(Command) -> Running,
        process: impl FnOnce(&Running) -> u32,
    ) -> (Running, Self) {
        let folder = command.get_current_dir().expect("it has one");
        let pipes = folder.join("fiu");
        let mut fallible = Command::new("fiu-run");
        fallible.arg("-x").arg("-f").arg(&pipes);
        fallible.arg(command.get_program()).args(command.get_args()).current_dir(folder);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => fallible.env(name, value),
                None => fallible.env_remove(name),
            };
        }
        let running = begin(fallible);
        let process = process(&running);
        (running, Self { pipes, process })
    }

    /// Lets calls of this name fail, all of them.
    pub fn fail(&self, name: &str) {
        self.order(&format!("enable name={name}"));
    }

    /// Lets them go well again.
    pub fn mend(&self, name: &str) {
        self.order(&format!("disable name={name}"));
    }

    /// Lets writes fail: in each round what stands in its place, which of three ways that is.
    pub fn fail_writes(&self, round: usize) {
        for (name, probability) in TOGETHER[round % TOGETHER.len()] {
            self.order(&format!("enable_random name={name},probability={probability}"));
        }
    }

    /// Lets them go well again, in half of the rounds. In the others it stays so until the process is killed.
    pub fn mend_writes(&self, round: usize) -> bool {
        let mends = (round / TOGETHER.len()).is_multiple_of(2);
        for (name, _) in TOGETHER[round % TOGETHER.len()].iter().filter(|_| mends) {
            self.mend(name);
        }
        mends
    }

    fn order(&self, order: &str) {
        let mut control = Command::new("fiu-ctrl");
        control.arg("-f").arg(&self.pipes).args(["-c", order]).arg(self.process.to_string());
        let told = control.output().expect("fiu-utils is installed");
        assert!(told.status.success() && told.stdout.is_empty(), "{}{}", text(&told.stdout), text(&told.stderr));
    }
}
